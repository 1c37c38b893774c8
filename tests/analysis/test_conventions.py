"""Other tools' figures for ResNet-50 from its layers.

Sources: ultralytics/thop, README, "Expected output"; facebookresearch/fvcore through timm's table (4.11 G);
open-mmlab/mmengine, model_analysis.md (4.145 G); torch/utils/flop_counter.py counts two FLOPs for each product.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost import api, record
from convcost.analysis import conventions

FIGURES = {
    "products": 4_089_184_256,
    "thop": 4_133_742_592,
    "fvcore": 4_111_512_576,
    "mmengine": 4_144_854_528,
    "torch": 8_178_368_512,
}


@pytest.fixture(scope="module")
def resnet50(corpus: Path) -> record.Model:
    return api.count(str(corpus / "models" / "light_resnet50.onnx")).models[0]


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "figure"), FIGURES.items())
def test_figures_of_other_tools_for_resnet_50(resnet50: record.Model, name: str, figure: int) -> None:
    convention = conventions.find(name)
    assert convention is not None
    assert conventions.total(resnet50.layers, convention) == figure


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "figure"), FIGURES.items())
def test_a_number_found_elsewhere_is_explained(resnet50: record.Model, name: str, figure: int) -> None:
    best = conventions.explain(resnet50, figure)[0]
    assert (best.convention, best.difference) == (name, 0)


@pytest.mark.corpus
def test_a_rounded_number_finds_the_nearest(resnet50: record.Model) -> None:
    assert conventions.explain(resnet50, 4_110_000_000)[0].convention == "fvcore"
