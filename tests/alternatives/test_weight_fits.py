"""Fitted weights: exact where the kernel has the form's structure, never worse than tries, true in onnxruntime."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest

from convcost import notation
from convcost.alternatives import ConvLayer, Form, Idea, single
from convcost.alternatives.choice import all_forms
from convcost.alternatives.fitting.composite import borders_differ, composite, error
from convcost.alternatives.fitting.dense import blocks, dense
from convcost.alternatives.fitting.fit import ALIKE, fit, refused
from convcost.engine import Session
from convcost.engine.weights import drawn
from convcost.ir import Graph
from convcost.onnx_writer import model_proto

LAYERS = (
    "10x10x8 -(3x3x8x12 bias)->",
    "11x11x8 -(5x5x8x6 s2 same)->",
    "9x9x16 -(3x3x4x16 g4 same)->",
    "9x9x8 -(3x3x8x8 d2 same)->",
    "9x9x16 -(1x1x16x8)->",
    "30x8 -(5x8x8)->",
    "6x6x6x4 -(3x3x3x4x4 same)->",
)
ONLY = {
    "9x9x16 -(3x3x16x20)->": "bottleneck",
    "7x7x32 -(3x3x32x16 s2)->": "bottleneck",
    "9x9x8 -(5x5x4x12 g2)->": "stack of small kernels",
}
"""Layers for one idea, which the others are too small for or have one group."""

ALTERNATING = ("stack of small kernels", "inverted bottleneck")
"""Fits that may end beside the nearest: not convex."""

WITHOUT = ("wider field", "shuffled", "inception")


def cases(*, without: tuple[str, ...] = (), padded: bool = True) -> list[Any]:
    out = []
    for text in (text for text in (*LAYERS, *ONLY) if padded or "same" not in text):
        graph = notation.parse(text)
        layer = single(graph, graph.nodes[0])
        out += [
            pytest.param(text, idea, form, id=f"{text} {form.name}")
            for idea, form in all_forms(layer)
            if idea.name not in (*WITHOUT, *without) and ONLY.get(text, idea.name) == idea.name
        ]
    return out


def layer_of(text: str) -> tuple[Graph, ConvLayer]:
    graph = notation.parse(text)
    return graph, single(graph, graph.nodes[0])


def parts_of(form: Form) -> tuple[Graph, list[ConvLayer]]:
    assert form.notation is not None
    graph = notation.parse(form.notation)
    return graph, [single(graph, node) for node in graph.nodes]


def structured(layer: ConvLayer, graph: Graph, parts: list[ConvLayer], seed: int) -> np.ndarray | None:
    """A kernel that the form can be exactly; None where the form reads other elements."""
    arrays = drawn(graph, seed)
    whole = composite(parts, [arrays[node.inputs[1]].astype(np.float64) for node in graph.nodes])
    sizes = [d * (k - 1) + 1 for k, d in zip(layer.kernel, layer.dilations, strict=True)]
    if list(whole.kernel.shape[2:]) != sizes:
        return None
    taps: Any = (slice(None), slice(None), *(slice(None, None, d) for d in layer.dilations))
    kernel: np.ndarray = whole.kernel[taps]
    inside = blocks(kernel, layer.group)
    return inside if np.array_equal(dense(inside, layer.group), kernel) else None


def in_onnxruntime(graph: Graph, arrays: dict[str, Any], image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model_proto(graph, arrays).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    out: np.ndarray = session.run(None, {session.get_inputs()[0].name: image})[0]
    return out


def image_for(layer: ConvLayer) -> np.ndarray:
    shape = (1, layer.c, *layer.spatial)
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


def run_layer(text: str, kernel: np.ndarray, image: np.ndarray) -> np.ndarray:
    graph, _ = layer_of(text)
    arrays = {name: np.zeros_like(a) for name, a in drawn(graph).items()}
    arrays[graph.nodes[0].inputs[1]] = kernel.astype(np.float32)
    return in_onnxruntime(graph, arrays, image)


@pytest.mark.parametrize(("text", "idea", "form"), cases(without=ALTERNATING))
def test_a_kernel_with_the_structure_is_kept_exactly(text: str, idea: Idea, form: Form) -> None:
    """The layer and its form then give the same result in onnxruntime and in our engine."""
    _, layer = layer_of(text)
    graph, parts = parts_of(form)
    kernel = structured(layer, graph, parts, 5)
    if kernel is None:
        kernel = np.zeros((layer.m, layer.c // layer.group, *layer.kernel))
        middle: Any = (..., *(k // 2 for k in layer.kernel))
        kernel[middle] = 1
        if idea.name != "dilated":
            pytest.skip("no kernel of this layer has this structure")
    found = fit(idea.name, layer, graph, kernel.astype(np.float32), 0)
    assert found.method == "fitted"
    assert found.error is not None
    assert found.error < 1e-6
    image = image_for(layer)
    wanted = run_layer(text, kernel, image)
    tolerance = 1e-5 * np.abs(wanted).max()
    np.testing.assert_allclose(in_onnxruntime(graph, found.arrays, image), wanted, rtol=0, atol=tolerance)
    stored = {n: msgspec.structs.replace(t, payload=payload(found.arrays[n])) if n in found.arrays else t
              for n, t in graph.tensors.items()}  # fmt: skip
    ours = Session(msgspec.structs.replace(graph, tensors=stored)).run(None, {graph.inputs[0].name: image})[0]
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=tolerance)


def payload(array: np.ndarray) -> Any:
    from convcost.ir import Payload  # noqa: PLC0415 - only here

    data = np.ascontiguousarray(array, np.float32).tobytes()
    return Payload("raw", len(data), data=data)


@pytest.mark.parametrize(("text", "idea", "form"), cases())
def test_no_try_is_nearer(text: str, idea: Idea, form: Form) -> None:
    """Random weights, each scaled to be as near as it can, and small steps from the fit."""
    base, layer = layer_of(text)
    graph, parts = parts_of(form)
    kernel = drawn(base, 3)[base.nodes[0].inputs[1]]
    found = fit(idea.name, layer, graph, kernel, 0)
    assert found.error is not None
    own = dense(kernel.astype(np.float64), layer.group)
    names = [node.inputs[1] for node in graph.nodes]
    random = np.random.default_rng(11)
    for size in (1.0, 1e-1, 1e-2, 1e-3):
        step = [random.standard_normal(found.arrays[n].shape) for n in names]
        tried = [found.arrays[n].astype(np.float64) for n in names] if size < 1 else [np.zeros_like(s) for s in step]
        scale = size * float(np.linalg.norm(kernel)) / np.sqrt(kernel.size)
        tried = [t + scale * s for t, s in zip(tried, step, strict=True)]
        assert error(layer, own, parts, tried) > found.error - 1e-6


@pytest.mark.parametrize(("text", "idea", "form"), cases(padded=False))
def test_the_error_is_what_noise_shows(text: str, idea: Idea, form: Form) -> None:
    """Without padding, the outputs on noise differ by the relative error of the kernels, but for chance."""
    base, layer = layer_of(text)
    graph, _ = parts_of(form)
    kernel = drawn(base, 3)[base.nodes[0].inputs[1]]
    found = fit(idea.name, layer, graph, kernel, 0)
    assert found.error is not None
    image = np.random.default_rng(1).standard_normal((1, layer.c, *layer.spatial)).astype(np.float32)
    wanted = run_layer(text, kernel, image)
    seen = float(np.linalg.norm(in_onnxruntime(graph, found.arrays, image) - wanted) / np.linalg.norm(wanted))
    assert seen == pytest.approx(found.error, rel=0.15, abs=1e-5)


@pytest.mark.parametrize(
    ("idea_name", "text"),
    [*((name, "12x12x8 -(3x3x8x8)->") for name in ALTERNATING), (ALTERNATING[0], "12x12x8 -(3x3x4x8 g2)->")],
)
def test_alternating_fits_come_near(idea_name: str, text: str) -> None:
    """A kernel with the structure is found to a few percent where a random one is not."""
    _, layer = layer_of(text)
    idea, form = next((i, f) for i, f in all_forms(layer) if i.name == idea_name)
    graph, parts = parts_of(form)
    kernel = structured(layer, graph, parts, 5)
    assert kernel is not None
    near = fit(idea.name, layer, graph, kernel.astype(np.float32), 0)
    assert near.error is not None
    assert near.error < 0.1


@pytest.mark.parametrize(
    "text", ["9x9x4 -(4x4x4x6 T s2 p1)->", "9x9x4 -(3x3x2x6 T s3 g2)->", "9x9x4 -(5x5x4x6 T s2 p2)->"]
)
def test_resizing_is_the_least_squares_solution(text: str) -> None:
    """In the interior: no kernel after the resize is nearer to the transposed convolution on noise."""
    base, layer = layer_of(text)
    idea, form = all_forms(layer)[0]
    assert form.notation is not None
    graph = notation.parse(form.notation)
    kernel = drawn(base, 3)[base.nodes[0].inputs[1]]
    found = fit(idea.name, layer, graph, kernel, 0)
    assert found.error is not None
    images = np.random.default_rng(2).standard_normal((4, 1, layer.c, *layer.spatial)).astype(np.float32)
    inner: Any = (..., *(slice(6, n - 6) for n in layer.out))
    wanted = [run_layer(text, kernel, image)[inner] for image in images]

    def missed(arrays: dict[str, Any]) -> float:
        rows = [in_onnxruntime(graph, arrays, image)[inner] for image in images]
        return float(np.linalg.norm(np.subtract(rows, wanted)) / np.linalg.norm(wanted))

    weight = next(node for node in graph.nodes if node.op == "Conv").inputs[1]
    full = drawn(graph) | found.arrays
    assert missed(full) == pytest.approx(found.error, rel=0.1)
    step = np.random.default_rng(5).standard_normal(full[weight].shape).astype(np.float32)
    for size in (-0.2, 0.2):
        assert missed(full | {weight: full[weight] + size * step}) > missed(full) - 0.02


ROWS = "no fit: a matrix of more than 4,096 rows"


@pytest.mark.parametrize(
    ("idea", "c", "m", "kernel", "why"),
    [
        ("standard", 4096, 4096, (1,), ""),
        ("standard", 4096, 4097, (1,), "no fit: more than 16,777,216 weights"),
        ("low rank", 1024, 2048, (2, 4), ""),
        ("low rank", 1024, 2048, (3, 3), "no fit: more than 16,777,216 weights"),
        ("spatially separable", 4096, 1024, (1, 4), ""),
        ("spatially separable", 1024, 4096, (4, 1), ""),
        ("spatially separable", 1025, 2048, (1, 4), ROWS),
        ("bottleneck", 4096, 16, (3, 3), ""),
        ("bottleneck", 4097, 16, (3, 3), ROWS),
        ("bottleneck", 16, 4097, (3, 3), ROWS),
        ("flattened", 16, 4097, (3, 3), ROWS),
        ("grouped", 16, 4097, (3, 3), ""),
        ("shuffled", 16, 16, (3, 3), "this form has no least-squares fit"),
    ],
)
def test_fits_are_of_bounded_size(idea: str, c: int, m: int, kernel: tuple[int, ...], why: str) -> None:
    _, small = layer_of(LAYERS[0])
    assert refused(idea, msgspec.structs.replace(small, c=c, m=m, kernel=kernel), None) == why


def test_weights_that_are_not_finite_are_not_fitted() -> None:
    base, layer = layer_of(LAYERS[0])
    idea, form = all_forms(layer)[1]
    assert form.notation is not None
    kernel = drawn(base)[base.nodes[0].inputs[1]].copy()
    kernel[0, 0, 0, 0] = np.nan
    found = fit(idea.name, layer, notation.parse(form.notation), kernel, 0)
    assert found.method == "generated"
    assert "finite" in found.why
    assert all(np.isfinite(a).all() for a in found.arrays.values())


def test_fits_are_the_same_each_time() -> None:
    base, layer = layer_of(LAYERS[0])
    kernel = drawn(base)[base.nodes[0].inputs[1]]
    for idea, form in all_forms(layer):
        assert form.notation is not None
        graph = notation.parse(form.notation)
        one, two = (fit(idea.name, layer, graph, kernel, 4) for _ in range(2))
        assert all(np.array_equal(one.arrays[n], two.arrays[n]) for n in one.arrays)


@pytest.mark.parametrize(("text", "idea", "form"), cases())
def test_a_form_is_one_kernel_up_to_the_borders_unless_said_otherwise(text: str, idea: Idea, form: Form) -> None:
    """A form of random weights gives the same on an image and on that image with zeros around, cut out again."""
    del text, idea
    graph, parts = parts_of(form)
    arrays = {name: a if a.ndim > 1 else np.zeros_like(a) for name, a in drawn(graph, 3).items()}
    assert graph.inputs[0].shape is not None
    n, c, *spatial = (d for d in graph.inputs[0].shape if isinstance(d, int))
    image = np.random.default_rng(7).standard_normal((n, c, *spatial)).astype(np.float32)
    stride = np.prod([part.strides for part in parts], axis=0)
    around = [12 * int(s) for s in stride]
    wider = np.pad(image, ((0, 0), (0, 0), *((a, a) for a in around)))
    got = in_onnxruntime(graph, arrays, image)
    proto = model_proto(graph, arrays)
    for value in (proto.graph.input[0], proto.graph.output[0]):
        for d in value.type.tensor_type.shape.dim[2:]:
            d.ClearField("dim_value")
    del proto.graph.value_info[:]
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    whole = session.run(None, {session.get_inputs()[0].name: wider})[0]
    inner: Any = (..., *(slice(12, 12 + size) for size in got.shape[2:]))
    assert np.allclose(whole[inner], got, rtol=0, atol=1e-4 * np.abs(got).max()) != borders_differ(parts)


@pytest.mark.parametrize(("value", "why"), [(0.5, ALIKE), (None, "")])
def test_weights_that_are_all_one_number_are_said_to_prove_nothing(value: float | None, why: str) -> None:
    base, layer = layer_of(LAYERS[0])
    idea, form = next((i, f) for i, f in all_forms(layer) if i.name == "depthwise separable")
    kernel = drawn(base)[base.nodes[0].inputs[1]]
    if value is not None:
        kernel = np.full_like(kernel, value)
    found = fit(idea.name, layer, parts_of(form)[0], kernel, 0)
    assert (found.method, found.why) == ("fitted", why)
    assert found.error is not None
    assert (found.error < 1e-6) == (value is not None)
