"""Formulas in open dimensions against counts with the dimensions given."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import pytest

from convcost import api


def value(formula: str, **dims: int) -> int:
    """A printed formula at a point: `^` is a power, `floor((a)/(b))` the rounded quotient, names in backquotes plain."""
    text = formula.replace("^", "**").replace("`", "")
    for name, n in dims.items():
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", f"Fraction({n})", text)
    found = eval(
        text, {"__builtins__": {}, "floor": lambda x: Fraction(math.floor(x)), "max": max, "Fraction": Fraction}
    )
    assert found.denominator == 1
    return int(found)


MODELS = [
    ("mtcnn_onet", {"N": 3}),
    ("dnsmos_p808", {"N": 5}),
    ("mtcnn_pnet", {"M1": 131, "M2": 96}),
    ("ppocr6_det_tiny", {"DynamicDimension.1": 320, "DynamicDimension.2": 352}),
]


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "dims"), MODELS)
def test_a_formula_gives_the_count(corpus: Path, name: str, dims: dict[str, int]) -> None:
    path = str(corpus / "models" / f"{name}.onnx")
    left_open, given = api.count(path).models[0], api.count(path, dims=dims).models[0].totals
    formulas = left_open.totals.symbolic
    assert "macs" in formulas
    for quantity in ("macs", "multiplications", "additions", "flops", "write_bytes"):
        if quantity in formulas:
            found, known = value(formulas[quantity], **dims), getattr(given, quantity)
            assert found == known if left_open.coverage.complete else found < known


@pytest.mark.corpus
def test_an_assumed_batch_has_a_number_and_a_formula(corpus: Path) -> None:
    totals = api.count(str(corpus / "models" / "dnsmos_p808.onnx")).models[0].totals
    assert (totals.macs, totals.symbolic["macs"]) == (435326016, "435326016*N")
    assert "params" not in totals.symbolic


@pytest.mark.corpus
def test_the_report_names_the_options_that_settle_it(corpus: Path) -> None:
    said = api.count(str(corpus / "models" / "mtcnn_pnet.onnx")).diagnostics
    assert any(d.help == "give numbers: --dim M1=N --dim M2=N" for d in said)
