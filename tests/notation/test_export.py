"""Shape strings written as ONNX files: valid, run by onnxruntime and by our engine, and read back to the same counts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from convcost import api
from convcost.engine import Session
from convcost.errors import ConvcostError, NotationError, ReportError, UsageError
from convcost.notation import parse
from convcost.record import Cost, Report

ROOT = Path(__file__).resolve().parent.parent.parent
Weighting = Literal["random", "constant"]

BLOCKS = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024)]
"""MobileNet v1: stride of the depthwise step, outputs of the pointwise one."""


def mobilenet() -> str:
    text, c = "224x224x3 -(3x3x3x32 s2 same)-> -(bn)-> -(relu)->", 32
    for stride, m in BLOCKS:
        text += f" -(3x3 dw s{stride} same)-> -(bn)-> -(relu)-> -(1x1x{c}x{m})-> -(bn)-> -(relu)->"
        c = m
    return text + " -(gap)-> -(fc 1000)-> 1000"


NETWORKS = {
    # by hand: 6·28·28·25 + 16·10·10·6·25 + 400·120 + 120·84 + 84·10
    "LeNet-5": (
        (
            "32x32x1 -(5x5x1x6 bias)-> -(relu)-> -(maxpool 2x2)-> -(5x5x6x16 bias)-> -(relu)-> -(maxpool 2x2)-> "
            "-(fc 120)-> -(relu)-> -(fc 84)-> -(relu)-> -(fc 10)-> 10"
        ),
        416_520,
        61_706,
    ),
    # 32·32·(75·192 + 192·160 + 160·96)
    "Network in Network": (
        (
            "32x32x3 -(5x5x3x192 same bias)-> -(relu)-> -(1x1x192x160 bias)-> -(relu)-> -(1x1x160x96 bias)-> -(relu)-> "
            "-(maxpool 3x3 s2 same)-> 16x16x96"
        ),
        61_931_520,
        60_928,
    ),
    # 17·17·(768·(192 + 128 + 128 + 192) + 7·128·(128 + 192) + 7·128·(3·128 + 192)), Szegedy et al. 2016, figure 6
    "Inception, asymmetric": (
        (
            "17x17x768 -{ (1x1x768x192) | (1x1x768x128)-> (1x7x128x128 same)-> (7x1x128x192 same) | (1x1x768x128)-> "
            "(7x1x128x128 same)-> (1x7x128x128 same)-> (7x1x128x128 same)-> (1x7x128x192 same) | "
            "(avgpool 3x3 s1 same)-> (1x1x768x192) }-> 17x17x768"
        ),
        289 * (768 * 640 + 896 * 320 + 896 * 576),
        768 * 640 + 896 * 320 + 896 * 576,
    ),
    # 28·28·(60·80 + 60·9 + 240·20), Zhang et al. 2018, figure 2b, three groups
    "ShuffleNet unit": (
        (
            "28x28x240 -{ (id) + (1x1x80x60 g3)-> (bn)-> (relu)-> (shuffle g3)-> (3x3x1x60 same)-> (bn)-> "
            "(1x1x20x240 g3)-> (bn) }-> -(relu)-> 28x28x240"
        ),
        784 * (60 * 80 + 60 * 9 + 240 * 20),
        60 * 80 + 60 * 9 + 240 * 20 + 2 * (60 + 60 + 240),
    ),
    # Howard et al. 2017: 569 M and 4.2 M; 4,231,976 are the trainable parameters of the Keras model
    "MobileNet v1": (mobilenet(), 568_740_352, 4_231_976),
}


STORAGE = ("buffers", "weight_bytes", "read_bytes", "write_bytes", "peak_memory_bytes", "intensity")
"""What depends on how weights are stored: a node that makes one reads its shape and writes it."""


def work(cost: Cost, *, stored: bool) -> dict[str, Any]:
    """All quantities of a file that stores its weights, else those of the work alone."""
    fields: dict[str, Any] = msgspec.to_builtins(cost)
    return {name: n for name, n in fields.items() if stored or name not in STORAGE}


def run(path: Path) -> dict[str, Any]:
    """Outputs of onnxruntime and of our engine for the same input."""
    runtime = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = runtime.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[given.type]
    feeds = {given.name: np.random.default_rng(1).standard_normal(given.shape).astype(kind)}
    return {"onnxruntime": runtime.run(None, feeds)[0], "ours": Session(path).run(None, feeds)[0]}


def round_trip(text: str, path: Path, **options: Any) -> Report:
    """Export, check, count both: the report of the export."""
    report = api.export(text, output=str(path), **options)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    (model,) = report.models
    (back,) = api.count(str(path)).models
    stored = options.get("weights") != "constant"
    assert work(back.totals, stored=stored) == work(model.totals, stored=stored)
    assert back.coverage.complete
    assert [o.shape for o in back.outputs] == [o.shape for o in model.outputs]
    kept = [layer for layer in back.layers if layer.op != "ConstantOfShape"]
    assert [(x.op, x.kind, x.cost.macs) for x in kept] == [(x.op, x.kind, x.cost.macs) for x in model.layers]
    return report


@pytest.mark.parametrize("weights", ["random", "constant"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str, weights: Weighting, tmp_path: Path) -> None:
    text, macs, params = NETWORKS[name]
    path = tmp_path / "net.onnx"
    totals = round_trip(text, path, weights=weights).models[0].totals
    assert (totals.macs, totals.params) == (macs, params)
    outputs = run(path)
    assert np.isfinite(outputs["ours"]).all()
    np.testing.assert_allclose(outputs["ours"], outputs["onnxruntime"], rtol=1e-3, atol=1e-3)
    if weights == "constant":
        assert path.stat().st_size < 40_000


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data(), weights=st.sampled_from(["random", "constant"]), batch=st.integers(1, 3))
def test_random_programs(
    data: st.DataObject,
    weights: Weighting,
    batch: int,
    programs: SearchStrategy[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = data.draw(programs)
    try:
        parse(text)
    except NotationError:
        assume(condition=False)
    path = tmp_path_factory.mktemp("export") / "made.onnx"
    round_trip(text, path, weights=weights, batch=batch)
    outputs = run(path)
    np.testing.assert_allclose(outputs["ours"], outputs["onnxruntime"], rtol=1e-3, atol=1e-3)


def documented() -> list[str]:
    """Every shape string of one layer or more that the documentation shows."""
    found = set()
    for page in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md"):
        for piece in re.findall(r'"([^"\n]+)"|`([^`\n]+)`|^ *(\d.*)$', page.read_text("utf-8"), re.MULTILINE):
            text = "".join(piece)
            if re.match(r"\d+(x\d+)* ?-[({]", text) and "…" not in text:
                found.add(text)
    return sorted(text for text in found if parses(text))


def parses(text: str) -> bool:
    try:
        parse(text)
    except ConvcostError:
        return False
    return True


def test_strings_of_the_documentation(tmp_path: Path) -> None:
    texts = documented()
    assert len(texts) >= 30
    for i, text in enumerate(texts):
        report = round_trip(text, tmp_path / f"{i}.onnx", weights="constant")
        if (report.models[0].totals.macs or 0) < 3 * 10**7:
            assert list(run(tmp_path / f"{i}.onnx")["onnxruntime"].shape) == report.models[0].outputs[0].shape


def test_half_precision(tmp_path: Path) -> None:
    round_trip("8x8x4 -(3x3x4x8 same bias)-> -(relu)-> -(fc 3)->", tmp_path / "half.onnx", dtype="float16")
    outputs = run(tmp_path / "half.onnx")
    np.testing.assert_allclose(outputs["ours"], outputs["onnxruntime"], rtol=2e-2, atol=2e-2)


def test_a_seed_decides_the_bytes(tmp_path: Path) -> None:
    contents = []
    for i, seed in enumerate((0, 0, 1)):
        api.export("8x8x4 -(3x3x4x8)->", output=str(tmp_path / f"{i}.onnx"), seed=seed)
        contents.append((tmp_path / f"{i}.onnx").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_several_strings_are_numbered(tmp_path: Path) -> None:
    report = api.export("8x8x4 -(3x3x4x8)->", "8x8x4 -(1x1x4x8)->", output=str(tmp_path / "layers.onnx"))
    assert [w.file for w in report.written] == ["layers_1.onnx", "layers_2.onnx"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["layers_1.onnx", "layers_2.onnx"]


def test_one_layer_of_a_model(tmp_path: Path) -> None:
    path = tmp_path / "conv2.onnx"
    api.export(str(ROOT / "sample_models" / "lenet5.onnx"), layer="conv2", output=str(path))
    assert api.count(str(path)).models[0].totals.macs == 16 * 10 * 10 * 6 * 25


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ("8x8x4 -(3x3x4x8)->", {"dtype": "int8"}, ReportError, "Conv of operator set 21 takes no int8"),
        ("9x9x4096 -(3x3x4096x65536)->", {}, ReportError, "bytes, and a file holds at most"),
        ("8x8x4 -(3x3x4x8)->", {"weights": "zero"}, UsageError, "there are random and constant"),
        ("8x8x4 -(3x3x4x8)->", {"seed": -1}, UsageError, "at least 0"),
        ("model.onnx", {}, UsageError, "export takes shape strings"),
        ("8x8x4 -(3x3x5x8)->", {}, NotationError, "reads 5 input channels"),
    ],
)
def test_refusals_write_nothing(
    text: str, options: dict[str, Any], error: type[ConvcostError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        api.export(text, output=str(tmp_path / "x.onnx"), **options)
    assert list(tmp_path.iterdir()) == []


def test_never_over_an_input(tmp_path: Path) -> None:
    strings = tmp_path / "strings.onnx"
    strings.write_text("8x8x4 -(3x3x4x8)->\n", "utf-8")
    with pytest.raises(ReportError, match="is an input"):
        api.export(f"@{strings}", output=str(strings))
    assert strings.read_text("utf-8") == "8x8x4 -(3x3x4x8)->\n"


def test_weights_too_large_to_store_are_made(tmp_path: Path) -> None:
    round_trip("9x9x4096 -(3x3x4096x65536)->", tmp_path / "large.onnx", weights="constant")
    assert (tmp_path / "large.onnx").stat().st_size < 1000
