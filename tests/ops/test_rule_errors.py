"""What an operator cannot take is refused with a message that names the law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcost.errors import ShapeError, Unknown
from convcost.ir import DType, Tensor


def i64(*values: int) -> np.ndarray[Any, Any]:
    """A vector of int64."""
    return np.array(values, dtype=np.int64)


X = (2, 3, 4)
DATA = Tensor("", dtype=DType.INT64, shape=(2,))
WRONG: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("Add", ((2, 3), (4, 3)), {}, "2x3 and 4x3 do not broadcast"),
    ("Add", ((2,), i64(1, 2)), {}, "mismatch of the input types: float32 and int64"),
    ("Add", ((2, 3), (3, 1)), {"version": 6, "broadcast": 1, "axis": 2}, "axis 2 is out of range"),
    ("Mod", (i64(7), i64(0)), {}, "zero"),
    ("Div", (i64(7), i64(0)), {}, "zero"),
    ("Where", (X, X, X), {}, "condition is not of type bool"),
    ("Clip", (X, (2,)), {}, "min is not a scalar"),
    ("PRelu", ((3,), (2, 3)), {}, "slope 2x3 does not broadcast"),
    ("SwiGLU", ((2, 3), (3, 2)), {}, "differ"),
    ("Gelu", (X,), {"approximate": "sometimes"}, "approximate 'sometimes'"),
    ("Cast", (X,), {"to": 99}, "stands for no element type"),
    ("BitCast", (X,), {"to": 7}, "size other than the input's type"),
    ("QuantizeLinear", (X, (5,)), {}, "scale 5 does not match axis 1"),
    ("DequantizeLinear", ((2, 8), (2, 3)), {"block_size": 4}, "2 blocks on axis 1"),
    ("Reshape", (X, i64(5, 5)), {}, "24 elements, the shape 5x5 has 25"),
    ("Reshape", (X, i64(-1, -1)), {}, "2 sizes of -1"),
    ("Reshape", (X, i64(-7)), {}, "negative size -7"),
    ("Reshape", (X, i64(7, -1)), {}, "do not fill"),
    ("Reshape", (X, i64(1, 1, 1, 0)), {}, "copies dimension 3"),
    ("Reshape", (X, i64(0, -1)), {"allowzero": 1}, "leaves the size of -1 open"),
    ("Reshape", (X, np.ones(65, dtype=np.int64)), {}, "rank 64"),
    ("Flatten", (X,), {"axis": 4}, "axis 4 is out of range"),
    ("Squeeze", (X, i64(0)), {}, "axis 0 of the shape 2x3x4 has size 2, not 1"),
    ("Squeeze", (X,), {"axes": (0,)}, "attribute axes was removed in opset 13"),
    ("Unsqueeze", (X, i64(0, 0)), {}, "axis stands twice"),
    ("Unsqueeze", (X, i64(9)), {}, "out of range"),
    ("Expand", (X, i64(5)), {}, "do not broadcast"),
    ("Expand", (X, i64(-5)), {}, "negative size"),
    ("Tile", (X, i64(1, 2)), {}, "2 values for a shape of 3"),
    ("Tile", (X, i64(1, 1, -1)), {}, "negative"),
    ("Transpose", (X,), {"perm": (0, 0, 1)}, "perm"),
    ("Concat", ((2, 3), (2, 4)), {"axis": 0}, "mismatch on axis 1"),
    ("Concat", ((2, 3), (2,)), {"axis": 0}, "differ in rank"),
    ("Concat", ((2, 3),), {"axis": 99}, "axis 99 is out of range"),
    ("Concat", ((2, 3),), {}, "axis"),
    ("Split", ((6,), i64(1, 2)), {"n_outputs": 2}, "sum to 3, but the axis has size 6"),
    ("Split", ((6,), i64(7, -1)), {"n_outputs": 2}, "negative size"),
    ("Split", ((6,), i64(6)), {"n_outputs": 2}, "1 values for 2 outputs"),
    ("Split", ((2,),), {"n_outputs": 4, "num_outputs": 4}, "cannot be split into 4 parts"),
    ("Slice", (X, i64(0), i64(1), i64(0), i64(0)), {}, "step is zero"),
    ("Slice", (X, i64(0), i64(1, 2)), {}, "mismatch"),
    ("Slice", (X, i64(0), i64(1), i64(3)), {}, "out of range"),
    ("Pad", (X, i64(-3, 0, 0, 0, 0, 0)), {}, "negative size -1"),
    ("Pad", (X, i64(1, 1)), {}, "2 values for 3 axes"),
    ("Pad", (X, i64(1, 1, 1, 1, 1, 1)), {"mode": "mirror"}, "mode 'mirror'"),
    ("DepthToSpace", ((1, 8, 2, 2),), {"blocksize": 0}, "blocksize 0"),
    ("DepthToSpace", ((1, 6, 2, 2),), {"blocksize": 2}, "no multiple"),
    ("SpaceToDepth", ((1, 6, 3, 2),), {"blocksize": 2}, "no multiple"),
    ("Gather", (X, i64(3)), {"axis": 1}, "index 3 is out of range for axis 1 of size 3"),
    ("GatherElements", (X, i64(0)), {}, "differ in rank"),
    ("GatherND", (X, (2, 4)), {}, "indices of length 4"),
    ("ScatterND", (X, (2, 1), (2, 3, 3)), {}, "not 2x3x4"),
    ("ScatterElements", (X, X, X), {"reduction": "sub"}, "reduction 'sub'"),
    ("OneHot", (X, np.array(-2), (2,)), {}, "depth -2 is negative"),
    ("TopK", (X, i64(5)), {}, "k 5 is out of range"),
    ("Range", (np.float32(0), np.float32(1), np.float32(0)), {}, "delta is zero"),
    ("ConstantOfShape", (i64(-4),), {}, "negative size"),
    ("Constant", (), {}, "value is missing"),
    ("HannWindow", (np.array(-4),), {}, "negative"),
    ("Col2Im", ((1, 5, 4), i64(3, 3), i64(2, 2)), {}, "no multiple of the block size 4"),
    ("Col2Im", ((1, 4, 5), i64(3, 3), i64(2, 2)), {}, "5 windows"),
    ("ReverseSequence", (X, i64(1)), {}, "mismatch batch 3"),
    ("Trilu", ((3,),), {}, "rank 1"),
]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "message"), WRONG, ids=lambda v: v if isinstance(v, str) else ""
)
def test_wrong_input_is_refused(
    name: str, inputs: tuple[Any, ...], attributes: dict[str, Any], message: str, apply: Any
) -> None:
    with pytest.raises(ShapeError, match=message):
        apply(name, *inputs, **attributes)


OPEN: list[tuple[str, tuple[Any, ...], str]] = [
    ("Reshape", (X, DATA), "the shape is computed from data"),
    ("Expand", (X, DATA), "the shape is computed from data"),
    ("Slice", (X, DATA, DATA), "starts is computed from data"),
    ("ConstantOfShape", (DATA,), "the shape is computed from data"),
    ("TopK", (X, Tensor("", dtype=DType.INT64, shape=(1,))), "k is computed from data"),
    ("Relu", (Tensor("t"),), "the shape of t is not known"),
]


@pytest.mark.parametrize(("name", "inputs", "reason"), OPEN, ids=lambda v: v if isinstance(v, str) else "")
def test_what_depends_on_data_is_unknown(name: str, inputs: tuple[Any, ...], reason: str, apply: Any) -> None:
    with pytest.raises(Unknown, match=reason):
        apply(name, *inputs)
