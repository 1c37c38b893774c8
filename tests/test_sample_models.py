"""The sample models: their bytes, their figures, and that they run."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from convcost.api import count

FOLDER = Path(__file__).resolve().parent.parent / "sample_models"

PUBLISHED = {
    # convolutions and dense layers by hand: 6·28·28·25 + 16·10·10·6·25 + 400·120 + 120·84 + 84·10
    "lenet5": (416_520, 61_706),
    # Howard et al. 2017 give 569 M and 4.2 M; 4,231,976 are the trainable parameters of the Keras model
    "mobilenet_v1": (568_740_352, 4_231_976),
    # two kernels of 3×3 at 62×62 places
    "sobel": (2 * 9 * 62 * 62, 18),
}


@pytest.fixture(params=sorted(PUBLISHED))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_figures(name: str) -> None:
    model = count(str(FOLDER / f"{name}.onnx")).models[0]
    assert (model.totals.macs, model.totals.params) == PUBLISHED[name]
    assert model.coverage.complete


def test_the_script_writes_the_same_bytes(name: str, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_sample_models", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    assert (tmp_path / f"{name}.onnx").read_bytes() == (FOLDER / f"{name}.onnx").read_bytes()


def run(name: str, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(FOLDER / f"{name}.onnx", providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": image})[0])


def test_valid_and_runnable(name: str) -> None:
    model = onnx.load(FOLDER / f"{name}.onnx")
    onnx.checker.check_model(model, full_check=True)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    declared = [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    out = run(name, np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    assert list(out.shape) == declared
    assert np.isfinite(out).all()


def test_sobel_finds_an_edge() -> None:
    image = np.zeros((1, 1, 64, 64), np.float32)
    image[..., 32:] = 1
    horizontal, vertical = run("sobel", image)[0]
    assert sorted(set(horizontal[0])) == [-4.0, 0.0]
    assert not vertical.any()


def test_sobel_kernels_are_separable() -> None:
    kernels = onnx.numpy_helper.to_array(onnx.load(FOLDER / "sobel.onnx").graph.initializer[0])
    assert [int(np.linalg.matrix_rank(kernel)) for kernel in kernels[:, 0]] == [1, 1]
