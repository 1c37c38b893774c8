"""What is worth knowing is said where it holds, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from convcost import api


def notes(text: str) -> str:
    (explanation,) = api.explain(text).explanations
    return " ".join(
        f"{sentence.text} {sentence.equation.text if sentence.equation else ''}"
        for section in explanation.sections
        if section.note
        for sentence in section.sentences
    )


PLAIN = "8x8x8 -(3x3x8x8 same)->"

CASES = [
    ("cross-correlation", PLAIN, "8x8x8 -(1x1x8x8)->"),
    ("checkerboard; a kernel", "8x8x8 -(3x3x8x8 T s2)->", "8x8x8 -(3x3x8x8 T)->"),
    ("waits for memory", "8x8x8 -(3x3 dw same)->", PLAIN),
    ("Channels do not mix", "8x8x8 -(3x3 dw same)->", PLAIN),
    ("without a common divisor", "16x16x8 -(3x3x8x8 d2)->", PLAIN),
    ("no middle tap", "8x8x8 -(2x2x8x8 same)->", PLAIN),
    ("never read is", "8x8x8 -(1x1x8x8 s2)->", "8x8x8 -(1x1x8x8)->"),
    ("does not divide what is left", "8x8x8 -(3x3x8x8 s2)->", PLAIN),
    ("im2col", PLAIN, "8x8x8 -(1x1x8x8)->"),
    ("price of no kernel", "8x8x8 -(1x1x8x8)->", PLAIN),
    ("costs that part", "8x8x8 -(3x3x4x8 g2)->", PLAIN),
    ("deals the channels", "8x8x8 -(1x1x4x8 g2)-> -(shuffle g2)->", "8x8x8 -(1x1x4x8 g2)->"),
    ("padding full", PLAIN, "8x8x8 -(3x3x8x8 full)->"),
    ("padding same", "8x8x8 -(3x3x8x8)->", PLAIN),
    ("padding valid", PLAIN, "8x8x8 -(3x3x8x8)->"),
    ("waits for memory", "400 -(fc 10)->", PLAIN),
]


@pytest.mark.parametrize(("words", "where", "elsewhere"), CASES)
def test_a_note_stands_where_it_matters(words: str, where: str, elsewhere: str) -> None:
    assert words in notes(where)
    assert words not in notes(elsewhere)


def test_a_strided_pointwise_layer_reads_a_quarter() -> None:
    """56·56 places, 28·28 of them read: three quarters of the input are thrown away."""
    assert "(56·56 − 28·28) / (56·56) = 3 / 4 = 75.00 %" in notes("56x56x64 -(1x1x64x128 s2)->")


def test_im2col_of_a_3x3_layer_is_nine_times_the_input() -> None:
    assert "56·56·64·3·3 = 1,806,336" in notes("56x56x64 -(3x3x64x64 same)->")
    assert "1,806,336 / 200,704 = 9" in notes("56x56x64 -(3x3x64x64 same)->")


def test_stacked_layers_have_room_for_activations() -> None:
    (explanation,) = api.explain("8x8x8 -(5x5x8x8 same)->").explanations
    (two,) = [section for section in explanation.sections if section.title == "Instead: two 3×3"]
    assert any("room for an activation" in sentence.text for sentence in two.sentences)


def pooled(ceil_mode: int) -> bytes:
    node = helper.make_node("MaxPool", ["x"], ["y"], name="p", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=ceil_mode)
    x, y = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8, 8]), helper.make_empty_tensor_value_info("y")
    graph = helper.make_graph([node], "g", [x], [y])
    data: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return data


@pytest.mark.parametrize(
    ("ceil_mode", "wanted"),
    [(0, "floor((8 + 0 + 0 − 3) / 2) + 1 = 3"), (1, "ceil((8 + 0 + 0 − 3) / 2) + 1 = 4")],
)
def test_pooling_rounds_down_or_up(ceil_mode: int, wanted: str, tmp_path: Path) -> None:
    """onnxruntime gives 3 and 4 for a window of 3 that moves 2 over 8."""
    ort = pytest.importorskip("onnxruntime")
    data = pooled(ceil_mode)
    (out,) = ort.InferenceSession(data).run(None, {"x": np.zeros((1, 4, 8, 8), np.float32)})
    assert wanted.endswith(f"= {out.shape[2]}")
    (tmp_path / "p.onnx").write_bytes(data)
    (explanation,) = api.explain(str(tmp_path / "p.onnx"), layer="p").explanations
    sentences = [s for section in explanation.sections for s in section.sentences]
    assert any(s.equation and s.equation.text.startswith(wanted) for s in sentences)
    assert any("ceil_mode" in s.text for s in sentences)
