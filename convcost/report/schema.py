"""The JSON Schemas (2020-12): of the report, made from its types, and of the files of `convcost check`."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.record import SCHEMA_VERSION, Cost, Report

NAMES = ("report", "config", "baseline")

FIELDS = {
    "multiplications": "Scalar multiplications of all kinds: those of the MACs and of elementwise work.",
    "macs": "Multiply-accumulates of products, padding zeros included. 1 MAC = 1 multiplication + 1 addition.",
    "macs_effective": "MACs without multiplications by padding zeros.",
    "additions": "Scalar additions and subtractions, those of the MACs included.",
    "divisions": "Scalar divisions.",
    "comparisons": "Scalar comparisons, as in Relu and MaxPool.",
    "special": "Evaluations of exp, log, tanh, erf, sqrt, sin and the like, one each.",
    "flops": "Sum of multiplications, additions, divisions, comparisons and special.",
    "params": "Elements of weights, each tensor once, on its first use.",
    "buffers": "Elements of the other constants.",
    "weight_bytes": "Bytes of params as stored.",
    "read_bytes": "Bytes read: each input of a node once.",
    "write_bytes": "Bytes written: each output of a node once.",
    "peak_memory_bytes": "Most activation bytes alive at once in the graph's order, plus weights.",
    "intensity": "FLOP per byte read or written.",
    "symbolic": "Formulas of the fields that depend on dimensions left open (they are null) or on a batch taken as 1.",
}


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
