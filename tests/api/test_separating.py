"""Kernels taken apart: what is found against independent arithmetic, what is written against onnxruntime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from convcost import api
from convcost.alternatives.fitting.unfold import SMALL, factors, values_of
from convcost.errors import ConvcostError, ReportError, UsageError
from convcost.record import Separation, Separations, Unfolding

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_models"
Array = np.ndarray[Any, Any]


def model(
    path: Path,
    weight: Array,
    spatial: tuple[int, ...],
    *,
    op: str = "Conv",
    bias: bool = False,
    nodes: tuple[onnx.NodeProto, ...] = (),
    stored: tuple[onnx.TensorProto, ...] | None = None,
    kind: int = TensorProto.FLOAT,
    **attributes: Any,
) -> Path:
    """A model of one convolution whose kernel `w` is stored, or made by `nodes` from `stored`."""
    group = attributes.get("group", 1)
    channels = weight.shape[0] if op == "ConvTranspose" else weight.shape[1] * group
    outputs = weight.shape[1] * group if op == "ConvTranspose" else weight.shape[0]
    tensors = [numpy_helper.from_array(weight, "w")] if stored is None else list(stored)
    if bias:
        tensors.append(numpy_helper.from_array(np.linspace(-1, 1, outputs, dtype=weight.dtype), "b"))
    conv = helper.make_node(op, ["x", "w", *(["b"] if bias else [])], ["y"], name="conv", **attributes)
    graph = helper.make_graph(
        [*nodes, conv],
        "g",
        [helper.make_tensor_value_info("x", kind, [1, channels, *spatial])],
        [helper.make_tensor_value_info("y", kind, [f"d{i}" for i in range(2 + len(spatial))])],
        tensors,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    onnx.save(proto, path)
    return path


def run(path: Path) -> Array:
    """The first output of onnxruntime for a fixed random input."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (x,) = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}[x.type]
    feed = np.random.default_rng(5).standard_normal(x.shape).astype(kind)
    return np.asarray(session.run(None, {x.name: feed})[0])


def found(path: Path, **options: Any) -> Separations:
    (result,) = api.separate(str(path), **options).separations
    return result


def only(path: Path, **options: Any) -> Separation:
    (layer,) = found(path, **options).layers
    return layer


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_sobel(tmp_path: Path) -> None:
    """Each of both kernels is a column times a row: 3·62·64·2 + 3·62·62·2 products instead of 9·62·62·2."""
    new = tmp_path / "split.onnx"
    result = found(SAMPLES / "sobel.onnx", output=str(new))
    (layer,) = result.layers
    assert layer.separable
    assert layer.split is not None
    assert (layer.macs, layer.split.macs, layer.split.params) == (69_192, 23_808 + 23_064, 12)
    assert result.written is not None
    assert result.written.macs_after == api.count(str(new)).models[0].totals.macs == 46_872
    np.testing.assert_allclose(run(new), run(SAMPLES / "sobel.onnx"), atol=1e-5)
    column, row = (numpy_helper.to_array(t) for t in onnx.load(new).graph.initializer)
    sobel = numpy_helper.to_array(onnx.load(SAMPLES / "sobel.onnx").graph.initializer[0])
    np.testing.assert_array_equal(column * row, sobel, "powers of two lose nothing")


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (8, 4, 3, 3), (6, 1, 5, 5), (4, 4, 2, 7)])
def test_a_random_kernel_is_not_separable(shape: tuple[int, ...], tmp_path: Path) -> None:
    layer = only(model(tmp_path / "m.onnx", normal(*shape), (12, 12)))
    (slices,) = [u for u in layer.unfoldings if u.form == "slices"]
    assert not layer.separable
    assert slices.rank == min(shape[2:])
    assert layer.exact is None
    assert f"rank {slices.rank}" in layer.reason


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    """Outer products of every size, stride, dilation, padding and grouping."""
    group = draw(st.integers(1, 4))
    m, c = (group * draw(st.integers(1, 3)) for _ in range(2))
    kernel = [draw(st.integers(2, 5)) for _ in range(2)]
    transposed = draw(st.booleans())
    shape = (c, m // group) if transposed else (m, c // group)
    seed = draw(st.integers(0, 1000))
    weight = normal(*shape, kernel[0], 1, seed=seed) * normal(*shape, 1, kernel[1], seed=seed + 1)
    attributes: dict[str, Any] = {
        "group": group,
        "strides": [draw(st.integers(1, 3)) for _ in range(2)],
        "dilations": [draw(st.integers(1, 2)) for _ in range(2)],
    }
    pads = draw(st.sampled_from(["none", "numbers", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if pads == "numbers":
        attributes["pads"] = [draw(st.integers(0, 1)) for _ in range(4)]
    elif pads != "none" and not (transposed and pads.startswith("SAME")) and attributes["dilations"] == [1, 1]:
        attributes["auto_pad"] = pads
    if transposed and draw(st.booleans()):
        attributes["output_padding"] = [draw(st.integers(0, s - 1)) for s in attributes["strides"]]
    return {
        "weight": weight,
        "spatial": tuple(draw(st.integers(10, 16)) for _ in range(2)),
        "op": "ConvTranspose" if transposed else "Conv",
        "bias": draw(st.booleans()),
        **attributes,
    }


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(case=products())
def test_outer_products_are_found_and_split(case: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("split")
    old = model(folder / "old.onnx", **case)
    layer = only(old)
    assert layer.separable
    assume(layer.exact is not None)
    split = found(old, output=str(folder / "new.onnx"))
    assert split.written is not None
    assert split.written.max_rel_difference is not None
    assert split.written.max_rel_difference < 1e-5
    before, after = run(old), run(folder / "new.onnx")
    np.testing.assert_allclose(after, before, atol=1e-5 * np.abs(before).max())
    onnx.checker.check_model(onnx.load(folder / "new.onnx"), full_check=True)
    totals = api.count(str(folder / "new.onnx")).models[0].totals
    assert layer.exact is not None
    assert totals.macs == layer.exact.macs < (layer.macs or 0)


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("form", ["joint", "by_output", "by_input"])
def test_sums_of_products_need_their_rank(op: str, form: str, tmp_path: Path) -> None:
    """Kernels made with two channels between, in each of the three ways, are found with two and split."""
    g, m, c, k, r = 2, 6, 5, 7, 2
    a, b = {
        "joint": (normal(g, 1, c, k, r), normal(g, m, 1, k, r, seed=1)),
        "by_output": (normal(g, m, c, k, r), normal(g, m, 1, k, r, seed=1)),
        "by_input": (normal(g, 1, c, k, r), normal(g, m, c, k, r, seed=1)),
    }[form]
    parts = np.einsum("gmcir,gmcjr->gmcij", *np.broadcast_arrays(a.astype(np.float64), b.astype(np.float64)))
    weight = parts.reshape(g * m, c, k, k) if op == "Conv" else parts.swapaxes(1, 2).reshape(g * c, m, k, k)
    old = model(tmp_path / "old.onnx", weight.astype(np.float32), (24, 24), op=op, group=g)
    layer = only(old, output=str(tmp_path / "new.onnx"))
    assert min(u.rank for u in layer.unfoldings if u.form == form) == r
    assert layer.split is not None
    assert layer.split.exact
    before = run(old)
    np.testing.assert_allclose(run(tmp_path / "new.onnx"), before, atol=1e-5 * np.abs(before).max())


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    m=st.integers(2, 5), c=st.integers(2, 5), k=st.tuples(st.integers(2, 4), st.integers(2, 4)), seed=st.integers(0, 99)
)
def test_energies_are_those_of_the_gram_matrix(
    m: int, c: int, k: tuple[int, int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Eigenvalues of products of the kernel with itself, written with indices instead of unfoldings."""
    weight = normal(m, c, *k, seed=seed)
    layer = only(model(tmp_path_factory.mktemp("gram") / "m.onnx", weight, (8, 8)))
    w = weight.astype(np.float64)
    grams = {
        ("slices", (0,)): np.einsum("mcij,mckj->mcik", w, w).reshape(-1, k[0], k[0]),
        ("joint", (0,)): np.einsum("mcij,mdkj->cidk", w, w).reshape(1, c * k[0], c * k[0]),
        ("joint", (1,)): np.einsum("mcij,mdil->cjdl", w, w).reshape(1, c * k[1], c * k[1]),
        ("by_output", (0,)): np.einsum("mcij,mcil->mjl", w, w),
        ("by_input", (0,)): np.einsum("mcij,mckj->cik", w, w),
        ("outputs", ()): np.einsum("mcij,ncij->mn", w, w)[None],
        ("inputs", ()): np.einsum("mcij,mdij->cd", w, w)[None],
    }
    seen: dict[tuple[str, tuple[int, ...]], Unfolding] = {(u.form, tuple(u.first)): u for u in layer.unfoldings}
    for key, gram in grams.items():
        eigenvalues = np.linalg.eigvalsh(gram)[:, ::-1].sum(axis=0)
        kept = np.cumsum(eigenvalues) / eigenvalues.sum()
        for cost in seen[key].ranks:
            assert cost.energy == pytest.approx(kept[min(cost.rank, len(kept)) - 1], abs=1e-8)


def test_saving_stops_where_both_steps_cost_more(tmp_path: Path) -> None:
    """12×12, 3×3×8×8: 10·10·576 products; a joint rank r takes r·(10·12·24 + 10·10·24), so 10 is the last to save."""
    layer = only(model(tmp_path / "m.onnx", normal(8, 8, 3, 3), (12, 12)))
    joint = next(u for u in layer.unfoldings if u.form == "joint" and u.first == [0])
    assert layer.macs == 57_600
    assert joint.pays_to == 57_600 // (2_880 + 2_400) == 10
    costs = {r.rank: (r.macs, r.saved) for r in joint.ranks}
    assert costs[1] == (5_280, 52_320)
    assert costs[11] == (58_080, -480)


SOBEL = np.array([[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]], np.float32)


def stored_ways() -> dict[str, tuple[tuple[onnx.NodeProto, ...], tuple[onnx.TensorProto, ...]]]:
    """Where a kernel may lie."""
    whole = numpy_helper.from_array(SOBEL, "stored")
    flat = numpy_helper.from_array(SOBEL.ravel(), "stored")
    size = numpy_helper.from_array(np.array([1, 1, 3, 3]), "size")
    half = numpy_helper.from_array(SOBEL.astype(np.float16), "stored")
    fill = helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])
    return {
        "constant": ((helper.make_node("Constant", [], ["w"], value=whole),), ()),
        "filled": ((helper.make_node("ConstantOfShape", ["size"], ["w"], value=fill),), (size,)),
        "identity": ((helper.make_node("Identity", ["stored"], ["w"]),), (whole,)),
        "reshaped": ((helper.make_node("Reshape", ["stored", "size"], ["w"]),), (flat, size)),
        "cast": ((helper.make_node("Cast", ["stored"], ["w"], to=TensorProto.FLOAT),), (half,)),
    }


@pytest.mark.parametrize("way", stored_ways())
def test_kernels_lie_anywhere(way: str, tmp_path: Path) -> None:
    nodes, stored = stored_ways()[way]
    old = model(tmp_path / "old.onnx", SOBEL, (64, 64), nodes=nodes, stored=stored)
    layer = only(old, output=str(tmp_path / "new.onnx"))
    assert layer.separable
    assert layer.split is not None
    np.testing.assert_allclose(run(tmp_path / "new.onnx"), run(old), atol=1e-5)
    assert {n.op_type for n in onnx.load(tmp_path / "new.onnx").graph.node} == {"Conv"}


def test_external_data(tmp_path: Path) -> None:
    proto = onnx.load(model(tmp_path / "old.onnx", np.tile(SOBEL, (16, 1, 1, 1)), (64, 64)))
    onnx.save(proto, tmp_path / "old.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "elsewhere").mkdir()
    new = tmp_path / "elsewhere" / "new.onnx"
    assert only(tmp_path / "old.onnx", output=str(new)).split is not None
    np.testing.assert_allclose(run(new), run(tmp_path / "old.onnx"), atol=1e-5)


def test_quantised_kernels_are_looked_at_and_left(tmp_path: Path) -> None:
    stored = (
        numpy_helper.from_array(SOBEL.astype(np.int8), "q"),
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        numpy_helper.from_array(np.array(0, np.int8), "zero"),
    )
    node = helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["w"])
    layer = only(model(tmp_path / "m.onnx", SOBEL, (64, 64), nodes=(node,), stored=stored))
    assert layer.separable
    assert "stored as integers" in layer.reason


def branch(path: Path) -> Path:
    """A model whose convolution stands in a branch and reads a kernel from outside."""
    info = helper.make_tensor_value_info
    conv = helper.make_node("Conv", ["x", "w"], ["a"], name="inner")
    bodies = [
        helper.make_graph([conv], "t", [], [info("a", TensorProto.FLOAT, [1, 1, 62, 62])]),
        helper.make_graph(
            [helper.make_node("Conv", ["x", "v"], ["b"])], "e", [], [info("b", TensorProto.FLOAT, [1, 1, 62, 62])]
        ),
    ]
    node = helper.make_node("If", ["flag"], ["y"], name="If_0", then_branch=bodies[0], else_branch=bodies[1])
    graph = helper.make_graph(
        [node],
        "g",
        [info("x", TensorProto.FLOAT, [1, 1, 64, 64])],
        [info("y", TensorProto.FLOAT, [1, 1, 62, 62])],
        [
            numpy_helper.from_array(SOBEL, "w"),
            numpy_helper.from_array(normal(1, 1, 3, 3), "v"),
            numpy_helper.from_array(np.array(True), "flag"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_a_layer_in_a_branch(tmp_path: Path) -> None:
    old = branch(tmp_path / "old.onnx")
    result = found(old, output=str(tmp_path / "new.onnx"))
    split = {layer.name: layer.split is not None for layer in result.layers}
    assert split == {"If_0/then_branch/inner": True, "If_0/else_branch/n0": False}
    np.testing.assert_allclose(run(tmp_path / "new.onnx"), run(old), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "spatial", "reason"),
    [
        ((4, 3, 1, 1), (8, 8), "pointwise"),
        ((4, 3, 5), (8,), "one-dimensional"),
        ((4, 3, 1, 5), (8, 8), "one-dimensional"),
        ((4, 3, 3, 3), (8, 8), "not finite"),
        ((2, 3, 3, 3), (8, 8), "zero"),
    ],
)
def test_skipped_with_a_reason(shape: tuple[int, ...], spatial: tuple[int, ...], reason: str, tmp_path: Path) -> None:
    weight = normal(*shape)
    if "finite" in reason:
        weight[0, 0, 0, 0] = np.nan
    if reason == "zero":
        weight[:] = 0
    result = found(model(tmp_path / "m.onnx", weight, spatial))
    assert not result.layers
    assert reason in result.skipped[0].reason


def test_kernels_that_are_inputs_or_drawn_are_skipped(tmp_path: Path) -> None:
    node = helper.make_node("RandomNormal", [], ["w"], shape=[1, 1, 3, 3])
    result = found(model(tmp_path / "m.onnx", SOBEL, (8, 8), nodes=(node,), stored=()))
    assert "at random" in result.skipped[0].reason


def test_three_dimensions_are_split_along_one(tmp_path: Path) -> None:
    weight = normal(4, 3, 3, 1, 1) * normal(4, 3, 1, 3, 3, seed=1)
    old = model(tmp_path / "old.onnx", weight, (8, 8, 8), pads=[1] * 6)
    layer = only(old, output=str(tmp_path / "new.onnx"))
    assert layer.split is not None
    assert sorted(layer.split.kernels) == [[1, 3, 3], [3, 1, 1]]
    before = run(old)
    np.testing.assert_allclose(run(tmp_path / "new.onnx"), before, atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize(("kind", "onnx_kind"), [(np.float16, TensorProto.FLOAT16), (np.float64, TensorProto.DOUBLE)])
def test_other_precisions(kind: Any, onnx_kind: int, tmp_path: Path) -> None:
    weight = (normal(6, 4, 3, 1) * normal(6, 4, 1, 3, seed=1)).astype(kind)
    weight = weight if kind is np.float16 else normal(6, 4, 3, 1).astype(kind) * normal(6, 4, 1, 3, seed=1).astype(kind)
    layer = only(model(tmp_path / "m.onnx", weight, (9, 9), kind=onnx_kind))
    assert layer.separable
    noisy = weight + normal(6, 4, 3, 3, seed=2).astype(kind) * kind(0.01 if kind is np.float16 else 1e-9)
    assert not only(model(tmp_path / "n.onnx", noisy, (9, 9), kind=onnx_kind)).separable


@pytest.mark.parametrize("options", [{"rank": 1}, {"rank": 2}, {"energy": 0.9}])
def test_approximations_say_how_far_they_are(options: dict[str, Any], tmp_path: Path) -> None:
    noise = np.float32(0.05) * normal(16, 8, 5, 5, seed=2)
    old = model(tmp_path / "old.onnx", normal(16, 8, 5, 1) * normal(16, 8, 1, 5, seed=1) + noise, (20, 20))
    result = found(old, output=str(tmp_path / "new.onnx"), **options)
    (layer,) = result.layers
    assert layer.split is not None
    assert not layer.split.exact
    assert layer.split.saved > 0
    assert layer.split.energy >= options.get("energy", 0)
    assert result.written is not None
    assert result.written.approximate
    before = run(old)
    after = run(tmp_path / "new.onnx")
    seen = float(np.abs(after - before).max() / np.abs(before).max())
    assert 0 < seen < 2
    assert result.written.max_rel_difference == pytest.approx(seen, rel=0.9), "another input, of the same kind"


def test_values_of_large_matrices() -> None:
    """Above the limit of plain decompositions: the same values, and ranks that rounding to float32 hides."""
    full = normal(SMALL + 40, SMALL + 90).astype(np.float64)
    seen = values_of(full[None], 2.0**-23)
    np.testing.assert_allclose(seen.squares, np.linalg.svd(full, compute_uv=False) ** 2, rtol=1e-6, atol=1e-8)
    assert seen.rank == SMALL + 40
    for rank in (1, 7, 60):
        low = (full[:, :rank] @ normal(rank, 300, seed=3)).astype(np.float32).astype(np.float64)
        found_low = values_of(low[None], 2.0**-23)
        assert found_low.rank == rank
        u, v = factors(low[None], rank)
        np.testing.assert_allclose((u @ v)[0], low, atol=1e-5 * np.abs(low).max())


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("8x8x4 -(3x3x4x8)->", {}, UsageError, "a shape string has no weights"),
        ("sobel.onnx", {"rank": 1, "energy": 0.9}, UsageError, "exclude each other"),
        ("sobel.onnx", {"rank": 0}, UsageError, "at least 1"),
        ("sobel.onnx", {"energy": 1.5}, UsageError, "between 0 and 1"),
        ("sobel.onnx", {"layer": "conv"}, UsageError, "has no convolution conv"),
        ("lenet5.onnx", {"output": "new.onnx"}, ReportError, "no layer is split"),
    ],
)
def test_refusals(
    source: str, options: dict[str, Any], error: type[ConvcostError], message: str, tmp_path: Path
) -> None:
    if "output" in options:
        options = options | {"output": str(tmp_path / options["output"])}
    with pytest.raises(error, match=re.escape(message)):
        api.separate(str(SAMPLES / source) if source.endswith(".onnx") else source, **options)
    assert list(tmp_path.iterdir()) == []


def test_never_over_the_model(tmp_path: Path) -> None:
    old = model(tmp_path / "m.onnx", SOBEL, (64, 64))
    content = old.read_bytes()
    with pytest.raises(ReportError, match="is an input"):
        api.separate(str(old), output=str(old))
    assert old.read_bytes() == content
