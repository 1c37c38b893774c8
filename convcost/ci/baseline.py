"""Baselines: what models cost when somebody last accepted it. One small JSON file, made to be read in a diff."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import msgspec

from convcost.ci.metrics import COSTS
from convcost.errors import ConfigError
from convcost.ir import distinct
from convcost.record import COUNTED, Model

FILE = "convcost-baseline.json"
VERSION = "1.0"
MAX_BYTES = 64 * 2**20

KEPT = ("macs", "params", "weight_bytes", "read_bytes", "write_bytes", "flops")
"""Quantities that are kept for each layer."""


Count = Annotated[int, msgspec.Meta(ge=0)]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One model. `layers` holds those that cost something, each by its name: the quantities that `KEPT` names.

    `lower_bound` and `upper_bound` are those of the coverage, `dims` the sizes that were given for symbolic dimensions.
    """

    lower_bound: bool
    upper_bound: bool
    dims: dict[str, int]
    totals: dict[str, Count | None]
    layers: dict[str, list[Count | None]]


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Models by their path from the baseline's folder, or by their shape string. `layer_fields` name a layer's list."""

    schema_version: str
    layer_fields: list[str]
    models: dict[str, Entry]


def entry(model: Model) -> Entry:
    """What a baseline keeps of a model."""
    layers: dict[str, list[int | None]] = {}
    for name, layer in zip(distinct(layer.name for layer in model.layers), model.layers, strict=True):
        costs = [getattr(layer.cost, name) for name in KEPT]
        work = [getattr(layer.cost, name) for name in ("macs", "params", "flops")]
        if any(n is None or n > 0 for n in work):
            layers[name] = costs
    totals = {name: getattr(model.totals, name) for name in (*COUNTED, "peak_memory_bytes")}
    seen = model.coverage
    return Entry(
        lower_bound=seen.lower_bound,
        upper_bound=seen.upper_bound,
        dims=dict(model.dims),
        totals=totals,
        layers=layers,
    )


def encode(entries: Mapping[str, Entry]) -> bytes:
    """The file: models sorted by name, a line for each layer; the same bytes for equal models."""
    lines = ["{", f'  "schema_version": {quoted(VERSION)},', f'  "layer_fields": {json.dumps(list(KEPT))},']
    models = [one(name, entries[name]) for name in sorted(entries)]
    body = ",\n".join(models)
    return "\n".join([*lines, '  "models": {' + (f"\n{body}\n  " if body else "") + "}", "}", ""]).encode()


def one(name: str, entry: Entry) -> str:
    """One model, as it stands in the file."""
    layers = [f"        {quoted(layer)}: {json.dumps(costs)}" for layer, costs in entry.layers.items()]
    totals = [f"        {quoted(field)}: {json.dumps(n)}" for field, n in entry.totals.items()]
    return "\n".join(
        [
            f"    {quoted(name)}: {{",
            f'      "lower_bound": {json.dumps(entry.lower_bound)},',
            f'      "upper_bound": {json.dumps(entry.upper_bound)},',
            f'      "dims": {json.dumps(dict(sorted(entry.dims.items())))},',
            '      "totals": {',
            ",\n".join(totals),
            "      },",
            '      "layers": {' + ("" if layers else "}"),
            *([",\n".join(layers), "      }"] if layers else []),
            "    }",
        ]
    )


def quoted(text: str) -> str:
    """A JSON string, all of it ASCII."""
    return json.dumps(text.encode("utf-8", "backslashreplace").decode())


def decode(data: bytes, file: str) -> Baseline:
    """The baseline that `encode` wrote. Raises ConfigError."""
    try:
        head = msgspec.json.decode(data, type=Head)
        if head.schema_version.partition(".")[0] != VERSION.partition(".")[0]:
            raise ConfigError(
                f"written by another release (schema {head.schema_version[:20]}, this one reads {VERSION})",
                file=file,
                code="C331",
                help="write it again: convcost check --write-baseline",
            )
        found = msgspec.json.decode(data, type=Baseline)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"not a convcost baseline: {wrong}", file=file, code="C330") from None
    return found


class Head(msgspec.Struct, frozen=True):
    """What is read before the rest can be understood."""

    schema_version: str


def costs_by_layer(baseline: Baseline, entry: Entry, key: str) -> dict[str, int | None]:
    """One quantity of each layer, for those that the baseline keeps it of."""
    field = COSTS[key].field
    if field not in baseline.layer_fields:
        return {}
    at = baseline.layer_fields.index(field)
    return {name: costs[at] for name, costs in entry.layers.items() if at < len(costs)}
