"""Codes of configurations: each example in words raises its code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from convcost import api
from convcost.explaining import codes

Trigger = Callable[[Any], Any]
Raises = Callable[[codes.Code, Trigger], None]
TRIGGERS: dict[str, Trigger] = {}


def trigger(*names: str) -> Callable[[Trigger], Trigger]:
    def note(function: Trigger) -> Trigger:
        TRIGGERS.update(dict.fromkeys(names, function))
        return function

    return note


def check(w: Any, text: str, **options: Any) -> Any:
    (w.place / "convcost.toml").write_text(text)
    return api.check("model.onnx", **options)


@trigger("C302")
def no_toml(w: Any) -> Any:
    return check(w, "macs = = 1")


@trigger("C303")
def unknown_key(w: Any) -> Any:
    return check(w, "macz = '600M'")


@trigger("C304")
def two_files(w: Any) -> Any:
    (w.place / "pyproject.toml").write_text("[tool.convcost]\n")
    return check(w, "")


@trigger("C305")
def no_table(w: Any) -> Any:
    (w.place / "pyproject.toml").write_text("[project]\n")
    return api.check("model.onnx", config="pyproject.toml")


@trigger("C306")
def many_budgets(w: Any) -> Any:
    w.patch.setattr("convcost.ci.config.MAX_BUDGETS", 1)
    return check(w, "macs = '600M'\nparams = '60M'\n")


@trigger("C330")
def edited_baseline(w: Any) -> Any:
    (w.place / "base.json").write_text("{")
    return api.check("model.onnx", max_growth=("macs=2%",), baseline="base.json")


@trigger("C331")
def later_baseline(w: Any) -> Any:
    api.check("model.onnx", baseline="base.json", write_baseline=True)
    text = (w.place / "base.json").read_text()
    (w.place / "base.json").write_text(re.sub(r'"schema_version": "[^"]*"', '"schema_version": "9.0"', text))
    return api.check("model.onnx", max_growth=("macs=2%",), baseline="base.json")


@trigger("C332")
def no_baseline(_: Any) -> Any:
    return api.check("model.onnx", max_growth=("macs=2%",), baseline="base.json")


@trigger("C340")
def no_budget(w: Any) -> Any:
    (w.place / "other.onnx").write_bytes((w.place / "model.onnx").read_bytes())
    (w.place / "convcost.toml").write_text("[models.'other.onnx']\nmacs = '600M'\n")
    return api.check("model.onnx", "other.onnx")


@trigger("C341")
def no_layer(w: Any) -> Any:
    return check(w, "[[layer]]\nmatch = 'nothing*'\nmacs = '600M'\n")


@trigger("C342")
def written(w: Any) -> Any:
    return check(w, "macs = '600M'\n", write_baseline=True)


@pytest.mark.parametrize("entry", codes.of("Configuration and budgets"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Raises) -> None:
    raises(entry, TRIGGERS[entry.code])
