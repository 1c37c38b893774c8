"""Shape arithmetic with open dimensions, as exporters write it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcost.errors import Unknown
from convcost.ir import DType, Tensor, ceildiv, floordiv, symbol

H, W, N = symbol("H"), symbol("W"), symbol("N")


def i64(*values: int) -> np.ndarray[Any, Any]:
    """A vector of int64."""
    return np.array(values, dtype=np.int64)


def held(*values: Any) -> Tensor:
    """An int64 vector with this content."""
    return Tensor("", dtype=DType.INT64, shape=(len(values),), value=values)


END = 2**63 - 1
SHAPES: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    ("Reshape", ((N, 3, H, W), i64(0, 3, -1)), {}, (N, 3, H * W)),
    ("Reshape", ((N, 3, H, W), i64(-1, 3)), {}, (N * H * W, 3)),
    ("Reshape", ((N, 12, 64), held(N, 12, 4, 16)), {}, (N, 12, 4, 16)),
    ("Flatten", ((N, 3, H),), {}, (N, 3 * H)),
    ("Slice", ((N, H), i64(1), i64(END), i64(1)), {}, (N, H - 1)),
    ("Slice", ((N, H), i64(0), i64(-1), i64(1)), {}, (N, H - 1)),
    ("Slice", ((N, H), i64(-1), i64(END), i64(1)), {}, (N, 1)),
    ("Slice", ((N, H), i64(0), i64(END), i64(1), i64(2)), {}, (N, ceildiv(H, 2))),
    ("Slice", ((N, H), i64(-1), i64(-END), i64(1), i64(-1)), {}, (N, H)),
    ("Slice", ((512, 8), held(0), held(H), i64(0)), {}, (H, 8)),
    ("Concat", ((N, H), (N, W)), {"axis": 1}, (N, H + W)),
    ("Split", ((N, H),), {"axis": 1, "n_outputs": 2}, (N, ceildiv(H, 2))),
    ("Pad", ((N, H), i64(0, 1, 0, 2)), {}, (N, H + 3)),
    ("Tile", ((N, H), i64(1, 4)), {}, (N, 4 * H)),
    ("Expand", ((1, 4), held(N, 1)), {}, (N, 4)),
    ("Gather", ((512, 8), (N, H)), {}, (N, H, 8)),
    ("DepthToSpace", ((N, 16, H, W),), {"blocksize": 2}, (N, 4, 2 * H, 2 * W)),
    ("SpaceToDepth", ((N, 16, H, W),), {"blocksize": 2}, (N, 64, floordiv(H, 2), floordiv(W, 2))),
    ("ConstantOfShape", (held(N, 2),), {}, (N, 2)),
    ("Range", (held(0), held(H), held(1)), {}, (H,)),
    ("Add", ((N, 1, H), (4, 1)), {}, (N, 4, H)),
]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "shape"), SHAPES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_shapes(name: str, inputs: tuple[Any, ...], attributes: dict[str, Any], shape: Any, apply: Any) -> None:
    assert apply(name, *inputs, **attributes).y.shape == shape


CONTENTS: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    ("Shape", ((N, 3, H, W),), {}, (N, 3, H, W)),
    ("Shape", ((N, 3, H, W),), {"start": -2, "end": 4}, (H, W)),
    ("Size", ((N, 3),), {}, (3 * N,)),
    ("Gather", (held(N, 3, H), i64(2)), {}, (H,)),
    ("Add", (held(H), i64(1)), {}, (H + 1,)),
    ("Mul", (held(H), held(W)), {}, (H * W,)),
    ("Div", (held(H, 4 * H), i64(2, 2)), {}, (floordiv(H, 2), 2 * H)),
    ("Mod", (held(4 * H), i64(2)), {}, (0,)),
    ("Equal", (held(H, -1, 3), i64(-1, -1, 3)), {}, (0, 1, 1)),
    ("Where", (np.array([True, False]), held(1, 1), held(H, W)), {}, (1, W)),
    ("Cast", (held(H),), {"to": 1}, (H,)),
    ("Max", (held(H + 2), i64(1)), {}, (H + 2,)),
    ("Min", (held(H + 2), i64(1)), {}, (1,)),
    ("Neg", (held(H),), {}, (-H,)),
]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "value"), CONTENTS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_contents(name: str, inputs: tuple[Any, ...], attributes: dict[str, Any], value: Any, apply: Any) -> None:
    assert apply(name, *inputs, **attributes).y.value == value


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("Less", (held(H), i64(4))),
        ("Equal", (held(H), i64(4))),
        ("Pow", (i64(2), held(H))),
    ],
)
def test_what_the_symbols_leave_open_has_no_content(name: str, inputs: tuple[Any, ...], apply: Any) -> None:
    assert apply(name, *inputs).y.value is None


def test_a_symbol_of_a_float_type_divides_without_a_rest_only(apply: Any) -> None:
    size = Tensor("", dtype=DType.FLOAT32, shape=(1,), value=(4 * H,))
    assert apply("Div", size, np.array([2], dtype=np.float32)).y.value == (2 * H,)
    assert apply("Div", size, np.array([3], dtype=np.float32)).y.value is None


def test_squeezing_symbols_needs_axes(apply: Any) -> None:
    assert apply("Squeeze", (1, H), i64(0)).y.shape == (H,)
    with pytest.raises(Unknown, match="which dimensions are 1"):
        apply("Squeeze", (1, H))
