"""The name of every kind of convolution, as the articles use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost import api

KINDS = [
    ("12x12x3 -(5x5x3x256)->", "standard", ["valid"]),
    ("12x12x3 -(5x5x3x256 same)->", "standard", ["same"]),
    ("12x12x3 -(5x5x3x256 full)->", "standard", ["full"]),
    ("12x12x3 -(5x5x3x256 p1)->", "standard", []),
    ("12x12x8 -(1x1x8x16)->", "pointwise", ["valid"]),
    ("12x12x8 -(3x3x1x8)->", "depthwise", ["valid"]),
    ("12x12x8 -(3x3 dw2)->", "depthwise", ["multiplier", "valid"]),
    ("12x12x8 -(3x1 dw)->", "depthwise", ["flattened", "valid"]),
    ("12x12x8 -(3x3x4x16 g2)->", "grouped", ["valid"]),
    ("12x12x8 -(1x1x4x16 g2)->", "pointwise_grouped", ["valid"]),
    ("12x12x8 -(3x1x8x8)->", "spatial", ["valid"]),
    ("12x12x8 -(1x3x8x8)->", "spatial", ["valid"]),
    ("12x12x8 -(3x3x8x8 d2 same)->", "standard", ["dilated", "same"]),
    ("12x12x8 -(3x3x8x8 s2)->", "standard", ["strided", "valid"]),
    ("12x12x8 -(3x3x8x8 T s2)->", "transposed", ["strided"]),
    ("100x8 -(3x8x8)->", "standard", ["1d", "valid"]),
    ("9x9x9x8 -(3x3x3x8x8)->", "standard", ["3d", "valid"]),
]


@pytest.mark.parametrize(("text", "kind", "traits"), KINDS)
def test_kind_of_a_layer(text: str, kind: str, traits: list[str]) -> None:
    layer = api.count(text).models[0].layers[0]
    assert (layer.kind, layer.traits) == (kind, traits)


def test_a_grouped_layer_before_a_shuffle_is_shuffled() -> None:
    """Also through the normalisation and the activation between them."""
    text = "28x28x240 -(1x1x80x60 g3)-> -(bn)-> -(relu)-> -(shuffle g3)-> -(3x3 dw same)-> -(1x1x20x240 g3)->"
    layers = {layer.name: layer for layer in api.count(text).models[0].layers}
    assert "shuffled" in layers["conv1"].traits
    assert "shuffled" not in layers["conv2"].traits
    assert "shuffled" not in layers["conv3"].traits


@pytest.mark.corpus
def test_shufflenet_has_a_shuffle_in_each_of_its_units(corpus: Path) -> None:
    """16 units: 4 + 8 + 4, arXiv:1707.01083, table 1."""
    layers = api.count(str(corpus / "models" / "light_shufflenet.onnx")).models[0].layers
    assert sum("shuffled" in layer.traits for layer in layers) == 16
