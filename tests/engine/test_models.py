"""Whole models against onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcost import Session
from convcost.engine.verify import compare

FEW = ("squeezenet", "shufflenet")
MORE = ("densenet121", "inception_v1", "inception_v2", "resnet50")
NOT_RUN = {
    "espcn_nnresize_brevitas": "onnxruntime has no onnx.brevitas:Quant",
    "espcn_subpixel_brevitas": "onnxruntime has no onnx.brevitas:Quant",
}
LOOSE = {"tashkeel_rawi_v3_int8"}
"""Inputs are rounded to 8 bits at every step: a last bit that falls the other way moves a value by 1/255."""


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("options", [{"exact": True}, {"exact": False}])
def test_light_model_agrees_with_onnxruntime(
    name: str, options: dict[str, bool], light_model: Callable[[str], Path], onnxruntime_outputs: Any
) -> None:
    _agree(light_model(name), onnxruntime_outputs, **options)


@pytest.mark.corpus
@pytest.mark.parametrize("name", MORE)
def test_larger_light_model_agrees_with_onnxruntime(
    name: str, corpus: Path, light_model: Callable[[str], Path], onnxruntime_outputs: Any
) -> None:
    assert corpus.is_dir()
    _agree(light_model(name), onnxruntime_outputs)


def _agree(path: Path, reference: Any, *, exact: bool = False) -> None:
    session = Session(path, exact=exact, threads=1)
    (arg,) = session.get_inputs()
    feeds = {arg.name: np.random.default_rng(0).standard_normal((1, 3, 224, 224), np.float32)}
    (ours,), (theirs,) = session.run(None, feeds), reference(path, feeds)
    assert np.std(theirs) > 0, "uniform outputs would hide errors"
    assert compare(ours, theirs).passed


@pytest.mark.corpus
def test_every_public_model_agrees_with_onnxruntime(corpus: Path, onnxruntime_outputs: Any) -> None:
    rows = (corpus / "models" / "index.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wrong = []
    seen = 0
    for name, _, _, _, _, inputs, *_ in (row.split("\t") for row in rows):
        if name in NOT_RUN or name.startswith("light_"):
            continue
        path = corpus / "models" / f"{name}.onnx"
        session = Session(path, threads=1)
        feeds = {a.name: _input(a.name, a.type, json.loads(inputs)[a.name]) for a in session.get_inputs()}
        theirs = onnxruntime_outputs(path, feeds)
        for ours, other in zip(session.run(None, feeds), theirs, strict=True):
            if isinstance(other, list):
                agreed = [r.keys() for r in ours] == [r.keys() for r in other]
                agreed = agreed and all(
                    r[k] == pytest.approx(o[k], rel=1e-5) for r, o in zip(ours, other, strict=True) for k in o
                )
            else:
                found = compare(ours, other, loose=name in LOOSE)
                agreed = found.passed
            if not agreed:
                wrong.append(name)
        seen += 1
    assert not wrong
    assert seen == 41 - 9 - len(NOT_RUN)


def _input(name: str, kind: str, shape: list[int]) -> Any:
    draw = np.random.default_rng(0)
    if name == "sr":
        return np.array(16000, np.int64)
    if "int" in kind:
        return draw.integers(1, 30, shape).astype(kind[len("tensor(") : -1])
    return draw.uniform(0, 1, shape).astype(np.float16 if "float16" in kind else np.float32)


@pytest.mark.corpus
def test_quantised_model_of_another_domain_runs(corpus: Path) -> None:
    session = Session(corpus / "models" / "espcn_subpixel_brevitas.onnx", threads=1)
    (out,) = session.run(None, {"x.7": np.random.default_rng(0).uniform(0, 1, (1, 3, 128, 128)).astype(np.float32)})
    models = json.loads((corpus / "models" / "expected.json").read_text(encoding="utf-8"))["models"]
    expected = models["espcn_subpixel_brevitas"]["outputs"]
    assert [list(out.shape)] == [o["shape"] for o in expected.values()]
    assert np.isfinite(out).all()
