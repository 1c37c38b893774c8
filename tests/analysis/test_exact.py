"""Counts are Python integers of any size, from the dimensions to the JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcost import api, record

LARGE = 10**9


def assert_integers_only(report: record.Report) -> None:
    for model in report.models:
        for cost in (model.totals, *(layer.cost for layer in model.layers)):
            for name in (*record.COUNTED, "peak_memory_bytes"):
                assert type(getattr(cost, name)) in (int, type(None)), name


def test_dimensions_of_a_thousand_million_multiply_exactly() -> None:
    """|y| · C · ΠK with |y| = N · 10^18 · M."""
    report = api.count(f"{LARGE}x{LARGE}x3 -(3x3x3x7 same bias)->", batch=11)
    totals = report.models[0].totals
    y = 11 * LARGE * LARGE * 7
    assert totals.macs == y * 27
    assert totals.macs_effective == 11 * 7 * 3 * (3 * LARGE - 2) ** 2
    assert totals.additions == y * 27 + y
    assert totals.write_bytes == 4 * y
    assert json.loads(record.encode(report))["models"][0]["totals"]["macs"] == y * 27
    assert record.decode(record.encode(report)) == report


@pytest.mark.parametrize(
    "text",
    [
        "12x12x3 -(5x5x3x256 bias)-> -(relu)-> -(bn)-> -(maxpool 2x2)-> -(avgpool 2x2)-> -(gap)-> -(fc 10)->",
        "12x12x8 -(3x3 dw same)-> -(shuffle g2)-> -{ (1x1x8x8) + (id) }-> -(flatten)->",
        "9x9x9x4 -(3x3x3x4x8 d2 full)->",
        "7x7x4 -(3x3x4x8 T s2 op=1)->",
    ],
)
def test_no_float_anywhere_in_a_count(text: str) -> None:
    assert_integers_only(api.count(text, algorithms=True))


@pytest.mark.corpus
def test_no_float_anywhere_in_the_counts_of_real_models(corpus: Path) -> None:
    for path in sorted((corpus / "models").glob("*.onnx")):
        assert_integers_only(api.count(str(path)))


def test_batch_scales_the_work_and_leaves_the_parameters() -> None:
    one, many = (api.count("56x56x64 -(3x3x64x128 s2 bias)->", batch=n).models[0].totals for n in (1, 10**12))
    assert one.macs is not None
    assert many.macs == one.macs * 10**12
    assert many.params == one.params
