"""What layers are called."""

from __future__ import annotations

from typing import Any

import pytest

from convcost.ops import find
from convcost.ops.base import Call, Kind, make_attrs

X = (1, 8, 16, 16)

CASES: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any], str, set[str]]] = [
    ("Conv", X, (4, 8, 3, 3), {}, "standard", {"valid"}),
    ("Conv", X, (4, 8, 3, 3), {"pads": (1, 1, 1, 1)}, "standard", {"same"}),
    ("Conv", X, (4, 8, 3, 3), {"pads": (2, 2, 2, 2)}, "standard", {"full"}),
    ("Conv", X, (4, 8, 3, 3), {"pads": (1, 1, 1, 1), "strides": (2, 2)}, "standard", {"strided"}),
    ("Conv", X, (4, 8, 3, 3), {"auto_pad": "SAME_UPPER", "strides": (2, 2)}, "standard", {"strided", "same"}),
    ("Conv", X, (4, 8, 3, 3), {"dilations": (2, 2)}, "standard", {"dilated", "valid"}),
    ("Conv", X, (4, 8, 1, 1), {}, "pointwise", {"valid"}),
    ("Conv", X, (8, 1, 3, 3), {"group": 8}, "depthwise", {"valid"}),
    ("Conv", X, (16, 1, 3, 3), {"group": 8}, "depthwise", {"multiplier", "valid"}),
    ("Conv", X, (4, 4, 3, 3), {"group": 2}, "grouped", {"valid"}),
    ("Conv", X, (4, 4, 1, 1), {"group": 2}, "pointwise_grouped", {"valid"}),
    ("Conv", X, (4, 8, 1, 3), {}, "spatial", {"valid"}),
    ("Conv", (1, 8, 16), (4, 8, 3), {}, "standard", {"1d", "valid"}),
    ("Conv", (1, 8, 5, 5, 5), (4, 8, 3, 3, 3), {}, "standard", {"3d", "valid"}),
    ("ConvTranspose", X, (8, 4, 2, 2), {"strides": (2, 2)}, "transposed", {"strided"}),
    ("ConvTranspose", X, (8, 1, 2, 2), {"strides": (2, 2), "group": 8}, "transposed", {"depthwise", "strided"}),
    ("Conv", (1, 1, 16, 16), (4, 1, 3, 3), {}, "standard", {"valid"}),
    ("Conv", (1, 2, 16, 16), (2, 1, 3, 3), {"group": 2}, "depthwise", {"valid"}),
    ("Conv", X, (8, 1, 3, 1), {"group": 8}, "depthwise", {"flattened", "valid"}),
    ("Conv", (1, 8, 16), (8, 1, 3), {"group": 8}, "depthwise", {"1d", "valid"}),
    ("Conv", X, (4, 8, 3, 3), {"strides": (2, 1)}, "standard", {"strided", "valid"}),
    ("Conv", X, (4, 8, 3, 3), {"dilations": (1, 2)}, "standard", {"dilated", "valid"}),
    ("Conv", X, (4, 8, 1, 3), {"dilations": (2, 1)}, "spatial", {"valid"}),
    ("Conv", X, (4, 8, 2, 2), {"dilations": (2, 2)}, "standard", {"dilated", "valid"}),
    ("Conv", X, (4, 8, 3, 3), {"pads": (1, 0, 1, 0)}, "standard", set()),
    ("Conv", X, (4, 8, 3, 3), {"pads": (2, 1, 2, 1)}, "standard", set()),
    ("Conv", X, (4, 8, 3, 3), {"pads": (2, 2, 0, 0)}, "standard", set()),
    ("Conv", X, (4, 8, 3, 3), {"pads": (0, 0, 2, 2)}, "standard", set()),
    ("Conv", X, (4, 8, 4, 4), {"pads": (1, 1, 2, 2)}, "standard", {"same"}),
    ("Conv", X, (4, 8, 4, 4), {"pads": (2, 2, 1, 1)}, "standard", {"same"}),
    ("Conv", X, (4, 8, 4, 4), {"pads": (6, 6, 6, 6), "dilations": (2, 2)}, "standard", {"dilated", "full"}),
    ("Conv", X, (4, 8, 4, 4), {"pads": (1, 1, 1, 1), "strides": (2, 2)}, "standard", {"strided", "same"}),
    (
        "Conv",
        X,
        (4, 8, 4, 4),
        {"auto_pad": "SAME_LOWER", "strides": (3, 2), "dilations": (2, 3)},
        "standard",
        {"strided", "dilated", "same"},
    ),
    ("Conv", X, (4, 8, 4, 4), {"auto_pad": "SAME_LOWER", "strides": (3, 3)}, "standard", {"strided", "same"}),
    ("ConvTranspose", X, (8, 4, 1, 3), {}, "transposed", set()),
    ("ConvTranspose", X, (8, 2, 2, 2), {"group": 8}, "transposed", {"depthwise", "multiplier"}),
    ("ConvTranspose", X, (8, 4, 3, 2), {"auto_pad": "SAME_UPPER", "dilations": (1, 2)}, "transposed", {"dilated"}),
    ("ConvTranspose", X, (8, 4, 3, 3), {"output_shape": (16, 16)}, "transposed", set()),
    ("ConvInteger", X, (8, 1, 3, 3), {"group": 8}, "depthwise", {"valid"}),
    ("DeformConv", X, (4, 8, 3, 3), {}, "standard", {"valid"}),
]


@pytest.mark.parametrize(("op", "x", "w", "attributes", "name", "traits"), CASES)
def test_names(op: str, x: Any, w: Any, attributes: Any, name: str, traits: set[str], apply: Any) -> None:
    record = find("", op)
    assert record is not None
    assert not isinstance(record.kind, str)
    offset = [(1, 18, 14, 14)] if op == "DeformConv" else []
    used = apply(op, x, w, *offset, **attributes)
    inputs = tuple(apply("Identity", shape).y for shape in (x, w))
    named: Kind = record.kind(Call(make_attrs(record, 22, attributes), inputs, used.outputs))
    assert (named.name, set(named.traits)) == (name, traits)
