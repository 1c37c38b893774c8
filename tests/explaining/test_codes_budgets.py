"""Codes of configurations: each example in words raises its code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from convcost import api
from convcost.explaining import codes


def check(w: Any, text: str, **options: Any) -> Any:
    (w.place / "convcost.toml").write_text(text)
    return api.check("model.onnx", **options)


def c302_no_toml(w: Any) -> Any:
    return check(w, "macs = = 1")


def c303_unknown_key(w: Any) -> Any:
    return check(w, "macz = '600M'")


def c304_two_files(w: Any) -> Any:
    (w.place / "pyproject.toml").write_text("[tool.convcost]\n")
    return check(w, "")


def c305_no_table(w: Any) -> Any:
    (w.place / "pyproject.toml").write_text("[project]\n")
    return api.check("model.onnx", config="pyproject.toml")


def c306_many_budgets(w: Any) -> Any:
    w.patch.setattr("convcost.ci.config.MAX_BUDGETS", 1)
    return check(w, "macs = '600M'\nparams = '60M'\n")


def c330_edited_baseline(w: Any) -> Any:
    (w.place / "base.json").write_text("{")
    return api.check("model.onnx", max_growth=("macs=2%",), baseline="base.json")


def c331_later_baseline(w: Any) -> Any:
    api.check("model.onnx", baseline="base.json", write_baseline=True)
    text = (w.place / "base.json").read_text()
    (w.place / "base.json").write_text(re.sub(r'"schema_version": "[^"]*"', '"schema_version": "9.0"', text))
    return api.check("model.onnx", max_growth=("macs=2%",), baseline="base.json")


def c332_no_baseline(_: Any) -> Any:
    return api.check("model.onnx", max_growth=("macs=2%",), baseline="base.json")


def c340_no_budget(w: Any) -> Any:
    (w.place / "other.onnx").write_bytes((w.place / "model.onnx").read_bytes())
    (w.place / "convcost.toml").write_text("[models.'other.onnx']\nmacs = '600M'\n")
    return api.check("model.onnx", "other.onnx")


def c341_no_layer(w: Any) -> Any:
    return check(w, "[[layer]]\nmatch = 'nothing*'\nmacs = '600M'\n")


def c342_written(w: Any) -> Any:
    return check(w, "macs = '600M'\n", write_baseline=True)


@pytest.mark.parametrize("entry", codes.of("Configuration and budgets"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Callable[[codes.Code], None]) -> None:
    raises(entry)
