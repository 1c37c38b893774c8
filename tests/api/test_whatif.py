"""whatif: what it counts is what the written model costs, and the written model runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import count, record, whatif
from convcost.alternatives.choice import names
from convcost.errors import ConvcostError, NotationError, ReportError, UsageError

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_models"
RANDOM = np.random.default_rng(1)
FIGURES = ("macs", "params", "weight_bytes", "read_bytes", "write_bytes", "flops", "peak_memory_bytes")


def ran(path: Path | str, feeds: dict[str, Any] | None = None) -> list[Any]:
    onnx.checker.check_model(str(path))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}
    for given in session.get_inputs():
        shape = [d if isinstance(d, int) else 1 for d in given.shape]
        feeds = {given.name: np.ones(shape, kinds[given.type]), **(feeds or {})}
    out: list[Any] = session.run(None, feeds)
    return out


def counted_alike(report: record.Report, path: Path, **options: Any) -> None:
    new = report.rewrites[0].new
    assert new is not None
    totals = count(str(path), **options).models[0].totals
    assert {f: getattr(totals, f) for f in FIGURES} == {f: getattr(new, f) for f in FIGURES}


def written(source: Path | str, tmp_path: Path, **options: Any) -> tuple[record.Report, Path]:
    path = tmp_path / "new.onnx"
    return whatif(str(source), output=str(path), **options), path


@pytest.mark.parametrize("to", names())
@pytest.mark.parametrize("name", ["lenet5", "mobilenet_v1", "sobel"])
def test_written_models_run_and_cost_what_was_said(name: str, to: str, tmp_path: Path) -> None:
    try:
        report, path = written(SAMPLES / f"{name}.onnx", tmp_path, to=to, where="index < 30")
    except UsageError as nothing:
        assert "nothing to write" in nothing.message  # noqa: PT017 - ideas that fit no layer of this model
        return
    before, after = ran(SAMPLES / f"{name}.onnx"), ran(path)
    assert [a.shape for a in after] == [b.shape for b in before]
    counted_alike(report, path)


CORPUS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("mtcnn_onet", "spatially-separable", {}),
    ("d_onet_fp16", "low-rank", {}),
    ("d_extdata_onefile_onet", "depthwise-separable", {}),
    ("mnist_cntk", "depthwise-separable", {}),
    ("light_squeezenet", "low-rank", {}),
    ("light_shufflenet", "grouped-pointwise", {}),
    ("silero_16k_seq", "bottleneck", {}),
    ("silero_vad", "low-rank", {"inputs": {"input": "1x512", "state": "2x1x128"}}),
    ("espcn_subpixel_f32", "inception", {}),
    ("blazeface_front128", "stack-of-small-kernels", {}),
)


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "to", "options"), CORPUS)
def test_real_models(corpus: Path, name: str, to: str, options: dict[str, Any], tmp_path: Path) -> None:
    source = corpus / "models" / f"{name}.onnx"
    report, path = written(source, tmp_path, to=to, **options)
    assert report.rewrites[0].replaced
    onnx.checker.check_model(str(path))
    given = {"sr": np.array(16000)} if name == "silero_vad" else {}
    feeds = {"input": np.ones((1, 512), np.float32), "state": np.zeros((2, 1, 128), np.float32)} if given else {}
    if name != "silero_16k_seq":
        assert [a.shape for a in ran(path, given | feeds)] == [b.shape for b in ran(source, given | feeds)]
    counted_alike(report, path, **options)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("d_resblock_qdq_int8", "quantized (DequantizeLinear)"),
        ("d_dnsmos_qop_int8", "QLinearConv is quantized"),
        ("espcn_nnresize_brevitas", "quantized (Quant)"),
    ],
)
def test_quantized_layers_are_skipped(corpus: Path, name: str, reason: str) -> None:
    rewrite = whatif(str(corpus / "models" / f"{name}.onnx"), to="low-rank").rewrites[0]
    assert rewrite.replaced == []
    assert len(rewrite.skipped) == rewrite.selected
    assert all(reason in one.reason for one in rewrite.skipped)


def conv_model(opset: int = 17, *, op: str = "Conv", weight: str = "stored", c: int = 8, m: int = 8) -> onnx.ModelProto:
    """A 3 x 3 convolution without padding, its weights in one way or another, then BatchNormalization."""
    kernel = RANDOM.standard_normal((m, c, 3, 3) if op == "Conv" else (c, m, 3, 3)).astype(np.float32)
    ones = numpy_helper.from_array(np.ones(m, np.float32), "one")
    stored = [ones]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", c, 12, 12])]
    nodes = []
    if weight == "stored":
        stored.append(numpy_helper.from_array(kernel, "w"))
    elif weight == "constant":
        nodes.append(helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(kernel)))
    elif weight == "input":
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, kernel.shape))
    else:
        stored.append(numpy_helper.from_array(kernel, "half"))
        nodes.append(helper.make_node("Add", ["half", "half"], ["w"]))
    strides = [2, 2] if op == "ConvTranspose" else [1, 1]
    nodes.append(helper.make_node(op, ["x", "w", "one"], ["h"], name="conv", strides=strides))
    nodes.append(helper.make_node("BatchNormalization", ["h", "one", "one", "one", "one"], ["y"], name="bn"))
    side = 25 if op == "ConvTranspose" else 10
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", m, side, side])
    graph = helper.make_graph(nodes, "g", inputs, [out], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(proto: onnx.ModelProto, tmp_path: Path) -> Path:
    path = tmp_path / "old.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("weight", "method", "why"),
    [
        ("stored", "fitted", ""),
        ("constant", "fitted", ""),
        ("input", "generated", "its weights are an input of the model"),
        ("computed", "generated", "its weights are computed when the model runs"),
    ],
)
def test_where_weights_come_from(weight: str, method: str, why: str, tmp_path: Path) -> None:
    report, path = written(saved(conv_model(weight=weight), tmp_path), tmp_path, to="low-rank")
    (one,) = report.rewrites[0].replaced
    assert (one.weights, one.why) == (method, why)
    assert [a.shape for a in ran(path)] == [(1, 8, 10, 10)]
    counted_alike(report, path)


def test_an_exact_fit_changes_nothing(tmp_path: Path) -> None:
    """Four channels between are all that a kernel of 4 channels needs, and BatchNormalization goes on as before."""
    source = saved(conv_model(c=4), tmp_path)
    report, path = written(source, tmp_path, to="depthwise separable, multiplier 4")
    (one,) = report.rewrites[0].replaced
    assert one.error is not None
    image = {"x": RANDOM.standard_normal((3, 4, 12, 12)).astype(np.float32)}
    before, after = ran(source, image)[0], ran(path, image)[0]
    seen = np.linalg.norm(after - before) / np.linalg.norm(before - 2)
    assert seen == pytest.approx(one.error, rel=0.3)


@pytest.mark.parametrize(("to", "op"), [("shuffled", "Conv"), ("resize-then-convolve", "ConvTranspose")])
def test_the_batch_stays_open(to: str, op: str, tmp_path: Path) -> None:
    proto = conv_model(op=op)
    if op == "Conv":
        proto.graph.node[0].attribute.append(helper.make_attribute("pads", [1, 1, 1, 1]))
        for d in proto.graph.output[0].type.tensor_type.shape.dim[2:]:
            d.dim_value = 12
    _, path = written(saved(proto, tmp_path), tmp_path, to=to)
    assert ran(path, {"x": np.ones((5, 8, 12, 12), np.float32)})[0].shape[0] == 5


def test_an_old_operator_set_is_a_reason(tmp_path: Path) -> None:
    rewrite = whatif(str(saved(conv_model(9, op="ConvTranspose"), tmp_path)), to="resized").rewrites[0]
    assert [one.reason for one in rewrite.skipped] == ["it needs Resize of operator set 13, the model has 9"]


def test_a_function_is_left_alone(tmp_path: Path) -> None:
    proto = conv_model()
    conv = proto.graph.node[0]
    opset = [helper.make_opsetid("", 17)]
    body = helper.make_node("Conv", ["a", "b", "c"], ["d"], name="inner")
    proto.functions.append(helper.make_function("own", "F", ["a", "b", "c"], ["d"], [body], opset))
    proto.opset_import.append(helper.make_opsetid("own", 1))
    proto.graph.node[0].CopyFrom(helper.make_node("F", list(conv.input), list(conv.output), name="call", domain="own"))
    rewrite = whatif(str(saved(proto, tmp_path)), to="low-rank").rewrites[0]
    assert [one.reason for one in rewrite.skipped] == ["it is in the function F, whose other calls would change too"]


def test_a_body_of_a_loop_counts_each_time(tmp_path: Path) -> None:
    """Three iterations: the new layer's MACs three times, its weights once."""
    kernel = numpy_helper.from_array(RANDOM.standard_normal((4, 4, 3, 3)).astype(np.float32), "w")
    info = helper.make_tensor_value_info
    state = [info(n, TensorProto.FLOAT, [1, 4, 8, 8]) for n in ("s", "t")]
    body = helper.make_graph(
        [
            helper.make_node("Conv", ["s", "w"], ["t"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node("Identity", ["go"], ["on"]),
        ],
        "b",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []), state[0]],
        [info("on", TensorProto.BOOL, []), state[1]],
    )
    stored = [kernel, numpy_helper.from_array(np.array(3), "n"), numpy_helper.from_array(np.array(True), "yes")]
    loop = helper.make_node("Loop", ["n", "yes", "x"], ["y"], name="loop", body=body)
    ends = [info(n, TensorProto.FLOAT, [1, 4, 8, 8]) for n in ("x", "y")]
    graph = helper.make_graph([loop], "g", ends[:1], ends[1:], stored)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    report, path = written(saved(proto, tmp_path), tmp_path, to="depthwise-separable")
    (one,) = report.rewrites[0].replaced
    assert (one.old.macs, one.new.macs, one.new.params) == (3 * 64 * 144, 3 * 64 * (36 + 16), 36 + 16)
    assert report.rewrites[0].new is not None
    assert report.rewrites[0].new.macs == one.new.macs
    assert ran(path)[0].shape == (1, 4, 8, 8)
    counted_alike(report, path)


def test_lenet5_by_hand() -> None:
    """conv2 of 5x5x6x16 on 10x10 outputs: 240,000 MACs become 100·(6·25 + 6·16) = 24,600."""
    rewrite = whatif(str(SAMPLES / "lenet5.onnx"), to="depthwise-separable", where="cin > 1").rewrites[0]
    (one,) = rewrite.replaced
    assert (one.name, one.old.macs, one.new.macs, one.new.params) == ("conv2", 240_000, 24_600, 262)
    assert rewrite.new is not None
    assert (rewrite.old.macs, rewrite.new.macs) == (416_520, 416_520 - 240_000 + 24_600)
    assert rewrite.ratio is not None
    assert rewrite.ratio.macs == pytest.approx(201_120 / 416_520)


def test_the_ranking_is_what_each_replacement_alone_gives() -> None:
    """Each row of the ranking, checked by replacing that one layer."""
    path = str(SAMPLES / "lenet5.onnx")
    for saving in whatif(path).rewrites[0].ranking:
        alone = whatif(path, to=saving.form, where=f"name == '{saving.name}'").rewrites[0]
        assert alone.new is not None
        assert alone.old.macs is not None
        assert saving.saved_macs == alone.old.macs - (alone.new.macs or 0)
    for idea in whatif(path).rewrites[0].ideas:
        total = whatif(path, to=idea.idea).rewrites[0].new
        assert total is not None
        assert (total.macs, total.params) == (idea.macs, idea.params)


def test_a_shape_string(tmp_path: Path) -> None:
    report, path = written("8x8x4 -(3x3x4x8)-> -(3x3x8x8 bias)->", tmp_path, to="low-rank", where="cin == 8")
    assert ran(path)[0].shape == (1, 8, 4, 4)
    counted_alike(report, path)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"to": "depthwise"}, UsageError, "did you mean depthwise"),
        ({"to": "winograd"}, UsageError, "another algorithm"),
        ({"to": "padding"}, UsageError, "changes the output's size"),
        ({"to": "low-rank", "where": "kernl > 3"}, NotationError, "unknown name"),
        ({"to": "low-rank", "where": "cin > 1000"}, UsageError, "none of the 2 convolutions"),
        ({"output": "x.onnx"}, UsageError, "once it is said"),
        ({"to": "bottleneck", "output": "x.onnx"}, UsageError, "nothing to write"),
        ({"to": "low-rank", "seed": -1}, UsageError, "seed"),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[ConvcostError], said: str, tmp_path: Path) -> None:
    if "output" in options:
        options = options | {"output": str(tmp_path / options["output"])}
    with pytest.raises(error, match=said):
        whatif(str(SAMPLES / "lenet5.onnx"), **options)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names are all that is asked


def test_the_input_is_never_replaced(tmp_path: Path) -> None:
    source = saved(conv_model(), tmp_path)
    before = source.read_bytes()
    with pytest.raises(ReportError, match="is an input"):
        whatif(str(source), to="low-rank", output=str(source))
    assert source.read_bytes() == before


def test_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a.onnx", "b.onnx"):
        whatif(str(SAMPLES / "lenet5.onnx"), to="flattened", output=str(tmp_path / name))
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]


def test_calls_inside_calls_take_no_time(tmp_path: Path) -> None:
    """Ten functions that each call the next one twenty times: 20^10 convolutions on paper."""
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    proto = conv_model()
    conv = proto.graph.node[0]
    for i in range(10):
        inner = helper.make_node("Conv", ["a", "b", "c"], ["d"]) if i == 9 else None
        body = [inner or helper.make_node(f"F{i + 1}", ["a", "b", "c"], [f"d{j}"], domain="own") for j in range(20)]
        out = "d" if i == 9 else "d0"
        proto.functions.append(
            helper.make_function("own", f"F{i}", ["a", "b", "c"], [out], body[: 1 if inner else 20], opset)
        )
    proto.opset_import.append(opset[1])
    proto.graph.node.append(helper.make_node("F0", list(conv.input), ["other"], name="call", domain="own"))
    assert whatif(str(saved(proto, tmp_path)), to="low-rank").rewrites[0].replaced[0].name == "conv"
