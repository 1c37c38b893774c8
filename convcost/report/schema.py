"""The JSON Schemas (2020-12): of the report, made from its types, and of the files of `convcost check`."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.record import FIELDS, SCHEMA_VERSION, Cost, Report

NAMES = ("report", "config", "baseline")


def report_schema() -> dict[str, Any]:
    """The schema as a JSON object. `null` means not known."""
    schema = msgspec.json.schema(Report)
    definitions = schema["$defs"]
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = " ".join(definition["description"].split())
    properties = definitions[Cost.__name__]["properties"]
    for name, description in FIELDS.items():
        properties[name] = {"description": description, **properties[name]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"convcost report {SCHEMA_VERSION}",
        **schema,
    }


def render(name: str = "report") -> str:
    """One of `NAMES` as indented JSON."""
    if name == "report":
        schema = report_schema()
    else:
        from convcost.ci.schema import baseline_schema, config_schema  # noqa: PLC0415 - only for these

        schema = config_schema() if name == "config" else baseline_schema()
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
