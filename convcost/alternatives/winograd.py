"""Winograd's minimal filtering: fewer multiplications for the same result."""

from __future__ import annotations

from convcost.alternatives.fast import under
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """F(2), F(4) and F(6) along each axis."""
    return under(layer, "winograd")


IDEA = Idea(
    name="winograd",
    summary="the same layer in tiles of m outputs, computed with m+k-1 products along each axis",
    when="stride 1, dilation 1, a kernel of one size along its axes",
    becomes="the same layer: another algorithm",
    cost="(m+k-1)²/(m²·k²) of the multiplications: 1/2.25 for F(2×2, 3×3), 1/4 for F(4×4, 3×3); transforms apart",
    keeps=("output shape", "receptive field", "parameters", "function"),
    loses="digits: the larger the tile, the more; memory for the transformed tiles",
    source="A. Lavin, S. Gray, arXiv:1509.09308, section 4",
    example="56x56x64 -(3x3x64x64 same)->",
    propose=propose,
)
