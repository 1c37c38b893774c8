"""Which file holds which operator: one literal, so that only the families in use are loaded."""

from __future__ import annotations

FAMILIES: dict[str, tuple[str, ...]] = {
    "conv": ("Conv", "ConvTranspose"),
}
"""Operators by family (a module of `convcost.ops`). `domain:Name` for operators outside of the ONNX domain."""

ALIASES = {"ai.onnx": ""}
"""Other spellings of a domain."""
