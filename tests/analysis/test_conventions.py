"""Other tools' figures for ResNet-50 from its layers.

Sources: ultralytics/thop, README, "Expected output"; facebookresearch/fvcore through timm's table (4.11 G);
open-mmlab/mmengine, model_analysis.md (4.145 G); torch/utils/flop_counter.py counts two FLOPs for each product.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from convcost import api, record
from convcost.analysis import conventions
from convcost.errors import UsageError

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


def layer(op: str, macs: int, inputs: list[Any], output: list[Any], **given: Any) -> record.Layer:
    """A layer of which a convention sees nothing but its operator, its MACs and its shapes."""
    numbers: dict[str, Any] = dict.fromkeys(record.COUNTED, 0) | {"macs": macs}
    cost = record.Cost(**numbers, peak_memory_bytes=None, intensity=None)
    fields: dict[str, Any] = {
        "index": 0,
        "name": op,
        "scope": [],
        "domain": "",
        "kind": "",
        "traits": [],
        "attributes": {},
    }
    return record.Layer(
        op=op, inputs=inputs, outputs=[output], dtype=None, cost=cost, share=record.Share(macs=None), **fields | given
    )


@pytest.mark.parametrize(
    ("one", "figures"),
    [
        (layer("Conv", 70, [[1, 2, 4, 4], [3, 2, 1, 1]], [1, 3, 4, 4]), (70, 70, 70, 70, 140, 70, 140)),
        (layer("Conv", 70, [[1, 2, 4, 4], [3, 2, 1, 1], [3]], [1, 3, 4, 4]), (70, 70, 70, 70, 140, 118, 188)),
        (layer("Conv", 70, [[1, 2, 4, 4], [3, 2, 1, 1], None], [1, 3, 4, 4]), (70, 70, 70, 70, 140, 70, 140)),
        (layer("ConvTranspose", 0, [[1, 2], [3], [3]], [1, 5]), (0, 0, 0, 0, 0, 5, 5)),
        (layer("MatMul", 9, [[1, 2], [3], [3]], [1, 5]), (9, 9, 9, 9, 18, 9, 18)),
        (layer("LayerNormalization", 0, [[2, 5], [5]], [2, 5]), (0, 40, 20, 50, 0, 0, 0)),
        (layer("BatchNormalization", 0, [["N", 5], [5]], ["N", 5]), (0, 0, 0, 0, 0, 0, 0)),
        (layer("InstanceNormalization", 0, [None], [2]), (0, 0, 0, 0, 0, 0, 0)),
        (layer("GlobalAveragePool", 0, [[1, 2, 3, 3]], [1, 2, 1, 1]), (0, 20, 18, 18, 0, 0, 0)),
        (layer("AveragePool", 0, [[1, 2, 3, 3]], [1, 2, 1, 1]), (0, 20, 18, 18, 0, 0, 0)),
        (layer("AveragePool", 0, [[1, 2, 3, 3]], [1, 2, 1, 2]), (0, 0, 0, 0, 0, 0, 0)),
        (layer("MaxPool", 0, [[1, 2, 3, 3]], [1, 2, 1, 1]), (0, 0, 0, 0, 0, 0, 0)),
    ],
    ids=lambda one: one.op if isinstance(one, record.Layer) else "",
)
def test_one_layer_by_hand(one: record.Layer, figures: tuple[int, ...]) -> None:
    """In the order products, thop, fvcore, mmengine, torch, products+bias, flops+bias."""
    assert tuple(conventions.total([one], c) for c in conventions.TOOLS) == figures
    assert [conventions.total([one, one], c) for c in conventions.TOOLS] == [2 * n for n in figures]
    assert [conventions.total([one], c.twice()) for c in conventions.TOOLS] == [2 * n for n in figures]


def test_every_figure_has_its_difference_and_four_are_doubled_too() -> None:
    report = api.count("6x6x2 -(3x3x2x4 same bias)->")
    found = {f.convention: (f.figure, f.difference) for f in conventions.explain(report.models[0], 5000)}
    macs, outputs = 6 * 6 * 3 * 3 * 2 * 4, 6 * 6 * 4
    inside = (3 * 6 - 2) ** 2 * 2 * 4  # along an axis the first and the last window lack one tap
    figures = {
        "products": macs, "thop": macs, "fvcore": macs, "mmengine": macs, "torch": 2 * macs,
        "products+bias": macs + outputs, "flops+bias": 2 * macs + outputs, "multiplications": macs,
        "flops": 2 * macs + outputs, "macs_effective": inside, "2 × thop": 2 * macs, "2 × fvcore": 2 * macs,
        "2 × mmengine": 2 * macs, "2 × macs_effective": 2 * inside,
    }  # fmt: skip
    assert found == {name: (n, 5000 - n) for name, n in figures.items()}


@pytest.mark.parametrize("name", ["2 × thop", "2×thop", "2x thop", "2*THOP", "2 thop"])
def test_a_doubled_convention_can_be_typed(name: str) -> None:
    found = conventions.find(name)
    assert found is not None
    assert found.name == "2 × thop"


def test_whatever_a_difference_is_explained_by_can_be_asked_for() -> None:
    text = "6x6x2 -(3x3x2x4 same bias)->"
    for listed in api.count(text, explain_difference=5000).models[0].figures:
        (asked,) = api.count(text, convention=listed.convention).models[0].figures
        assert (asked.figure, asked.says) == (listed.figure, listed.says)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("flosp", "did you mean flops?"), ("x", "there are products, thop"), ("2 × nonsense", "there are")],
)
def test_an_unknown_convention_is_an_error(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"unknown convention '{name}'; {re.escape(hint)}"):
        api.count("6x6x2 -(3x3x2x4)->", convention=name)


@pytest.mark.corpus
def test_a_total_that_depends_on_open_sizes_has_no_figure(corpus: Path) -> None:
    path = str(corpus / "models" / "mtcnn_pnet.onnx")
    assert api.count(path, convention="thop").models[0].figures == []
    assert api.count(path, explain_difference=4_000_000).models[0].figures == []
    assert api.count(path, convention="thop", dims={"M1": 12, "M2": 12}).models[0].figures[0].figure > 0


def test_a_number_to_explain_is_looked_for_in_all_conventions_whichever_is_asked_for() -> None:
    text = "6x6x2 -(3x3x2x4)->"
    both = api.count(text, convention="thop", explain_difference=5000)
    assert both == api.count(text, explain_difference=5000)
    assert "the nearest" in both.render("table")
