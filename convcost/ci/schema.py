"""The JSON Schemas (2020-12) of the configuration and of the baseline."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.ci.baseline import KEPT, VERSION, Baseline
from convcost.ci.budgets import LEVELS
from convcost.ci.config import MAX_PATTERN
from convcost.ci.metrics import COSTS, METRICS, PER_LAYER, Metric

DRAFT = "https://json-schema.org/draft/2020-12/schema"

NUMBER = r"[0-9][0-9_,]*(\.[0-9]+)?"
PERCENT = rf"^\s*{NUMBER}\s*%\s*$"
PATTERNS = {
    "count": rf"^\s*{NUMBER}\s*[kKmMgGtT]?\s*$",
    "bytes": rf"^\s*{NUMBER}\s*([kKmMgGtT]?([iI]?[bB])?)\s*$",
    "share": PERCENT,
    "ns": rf"^\s*{NUMBER}\s*(ns|us|µs|ms|s)\s*$",
}

Schema = dict[str, Any]


def config_schema() -> Schema:
    """The schema of `[tool.convcost]` and of a convcost.toml, as JSON would have it."""
    return {
        "$schema": DRAFT,
        "title": "convcost configuration",
        "description": "Budgets of models: convcost.toml, or [tool.convcost] of a pyproject.toml.",
        **table(
            {
                "models": {
                    "description": "What a plain `convcost check` checks: paths, patterns of paths, shape strings. "
                    "A table of them gives each its own budgets.",
                    "anyOf": [
                        {"type": "array", "items": text()},
                        {"type": "object", "additionalProperties": {"$ref": "#/$defs/section"}},
                    ],
                },
                "baseline": text("The baseline's path, from the folder of this file."),
                **common(),
            }
        ),
        "$defs": {"section": table(common()), "layer": layer(), "level": {"enum": list(LEVELS)}},
    }


def common() -> Schema:
    """What stands at the top and under each model."""
    sizes = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    growing = {key: budget(growth(metric)) for key, metric in COSTS.items()}
    anything = {"anyOf": [growth(COSTS["macs"]), growth(COSTS["weight-bytes"])]}
    level = {"$ref": "#/$defs/level"}
    return {
        "level": level,
        **{key: budget(limit(metric)) for key, metric in METRICS.items()},
        "max-growth": {"anyOf": [budget(anything), table({"level": level, **growing})]},
        "layer": {"type": "array", "items": {"$ref": "#/$defs/layer"}},
        "dim": sizes,
        "input": {"type": "object", "additionalProperties": text()},
        "trip-count": sizes,
        "batch": {"type": "integer", "minimum": 1},
        "dtype": text(),
    }


def layer() -> Schema:
    """Limits of the layers that patterns choose."""
    words = ("match", "name", "op", "kind")
    share = {"type": "string", "pattern": PERCENT}
    limits = {key: budget({"anyOf": [limit(metric), share]}) for key, metric in PER_LAYER.items()}
    patterns = {word: {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN} for word in words}
    return {
        **table({**patterns, "level": {"$ref": "#/$defs/level"}, **limits}),
        "anyOf": [{"required": [word]} for word in words],
    }


def table(properties: Schema) -> Schema:
    """An object with these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def text(description: str | None = None) -> Schema:
    """A string that is not empty."""
    return {"type": "string", "minLength": 1} | ({"description": description} if description else {})


def limit(metric: Metric) -> Schema:
    """A number, or a string with a unit."""
    words = {"type": "string", "pattern": PATTERNS[metric.unit]}
    if metric.unit in ("share", "ns"):
        return words
    return {"description": metric.title, "anyOf": [{"type": "number", "multipleOf": 1, "minimum": 0}, words]}


def growth(metric: Metric) -> Schema:
    """A percentage or an amount, with a sign."""
    amount = PATTERNS[metric.unit].removeprefix(r"^\s*")
    both = rf"^\s*[+−-]?\s*({NUMBER}\s*%\s*$|{amount})"
    return {"anyOf": [{"type": "number", "multipleOf": 1}, {"type": "string", "pattern": both}]}


def budget(bare: Schema) -> Schema:
    """A limit, or a table of it and a level."""
    full = table({"limit": bare, "level": {"$ref": "#/$defs/level"}}) | {"required": ["limit"]}
    return {"anyOf": [bare, full]}


def baseline_schema() -> Schema:
    """The schema of a baseline."""
    schema = msgspec.json.schema(Baseline)
    for definition in schema["$defs"].values():
        definition["description"] = " ".join(definition.get("description", "").split())
    schema["$defs"]["Baseline"]["properties"]["layer_fields"]["examples"] = [list(KEPT)]
    return {"$schema": DRAFT, "title": f"convcost baseline {VERSION}", **schema}
