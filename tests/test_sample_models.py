"""The sample models: their bytes, their figures, and that they run."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from convcost.api import count
from convcost.engine import Session

FOLDER = Path(__file__).resolve().parent.parent / "sample_models"

PUBLISHED = {
    # Caffe's bvlc_alexnet, and Krizhevsky et al. 2012: 60 million parameters
    "alexnet": (724_406_816, 60_965_224),
    # Caffe's bvlc_googlenet; every row of table 1 of Szegedy et al. 2015 is a test of its own, in networks/
    "googlenet": (1_582_671_872, 6_998_552),
    # torchvision's inception_v3: 27,161,264 less the 3,326,696 of its auxiliary classifier
    "inception_v3": (5_713_216_096, 27_161_264 - 3_326_696),
    # convolutions and dense layers by hand: 6·28·28·25 + 16·10·10·6·25 + 400·120 + 120·84 + 84·10
    "lenet5": (416_520, 61_706),
    # Howard et al. 2017 give 569 M and 4.2 M; 4,231,976 are the trainable parameters of the Keras model
    "mobilenet_v1": (568_740_352, 4_231_976),
    # Zhang et al. 2018 give 137 M
    "shufflenet_v1": (137_460_672, 1_865_728),
    # two kernels of 3×3 at 62×62 places
    "sobel": (2 * 9 * 62 * 62, 18),
}

PRINTED = {
    # millions of MACs in a publication, and how many of its digits are meant
    "googlenet": (1500, 100),
    "inception_v3": (5000, 1000),
    "mobilenet_v1": (569, 1),
    "shufflenet_v1": (137, 1),
}


@pytest.fixture(params=sorted(PUBLISHED))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_figures(name: str) -> None:
    model = count(str(FOLDER / f"{name}.onnx")).models[0]
    assert (model.totals.macs, model.totals.params) == PUBLISHED[name]
    assert model.coverage.complete


@pytest.mark.parametrize("name", PRINTED)
def test_figures_as_printed(name: str) -> None:
    millions, digit = PRINTED[name]
    assert abs(PUBLISHED[name][0] / 1e6 - millions) < digit


def test_the_page_lists_every_model() -> None:
    rows = re.findall(
        r"(?m)^\| `(\w+)\.onnx` \|[^|]*\|[^|]*\| ([\d,]+) \| ([\d,]+) \|", (FOLDER / "README.md").read_text()
    )
    listed = {name: (int(macs.replace(",", "")), int(params.replace(",", ""))) for name, macs, params in rows}
    assert listed == PUBLISHED
    assert {path.stem for path in FOLDER.glob("*.onnx")} == set(PUBLISHED)


def test_the_script_writes_the_same_bytes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER.parent)
    getattr(importlib.import_module("sample_models.make"), name)(tmp_path / f"{name}.onnx")
    assert (tmp_path / f"{name}.onnx").read_bytes() == (FOLDER / f"{name}.onnx").read_bytes()


def test_files_are_small(name: str) -> None:
    assert (FOLDER / f"{name}.onnx").stat().st_size < 250_000


def run(name: str, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(FOLDER / f"{name}.onnx", providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": image})[0])


def test_valid_and_runnable(name: str) -> None:
    """Valid for onnx; onnxruntime and our engine compute the same, of the declared shape."""
    model = onnx.load(FOLDER / f"{name}.onnx")
    onnx.checker.check_model(model, full_check=True)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    declared = [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    out = run(name, image)
    assert list(out.shape) == declared
    assert np.isfinite(out).all()
    (ours,) = Session(FOLDER / f"{name}.onnx").run(None, {"image": image})
    np.testing.assert_allclose(ours, out, rtol=1e-3, atol=1e-4 * np.abs(out).max())


def test_sobel_finds_an_edge() -> None:
    image = np.zeros((1, 1, 64, 64), np.float32)
    image[..., 32:] = 1
    horizontal, vertical = run("sobel", image)[0]
    assert sorted(set(horizontal[0])) == [-4.0, 0.0]
    assert not vertical.any()


def test_sobel_kernels_are_separable() -> None:
    kernels = onnx.numpy_helper.to_array(onnx.load(FOLDER / "sobel.onnx").graph.initializer[0])
    assert [int(np.linalg.matrix_rank(kernel)) for kernel in kernels[:, 0]] == [1, 1]
