"""One layer under other parameters: a row for each combination of values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import msgspec

from convcost import alternatives, record
from convcost.alternatives import ConvLayer, Skip, padding
from convcost.api.comparing import reported
from convcost.api.forms import Found, Row
from convcost.api.models import model_of
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options, expand, load, options_from, split
from convcost.errors import NotationError, UsageError

MAX_ROWS = 1000


def scan(
    source: str, values: Mapping[str, Sequence[int]], *, time: bool, layer: str | None, options: Mapping[str, object]
) -> Report:
    """The report of `convcost.api.scan`."""
    how, rest = split(options)
    opts = options_from(rest)
    check(values)
    if layer is not None:
        from convcost.api.picking import picked  # noqa: PLC0415 - only for a model's layer

        item, opts = picked((source,), layer, opts)
    else:
        found = list(expand((source,)))
        if len(found) != 1:
            raise UsageError(f"a scan takes one layer, {len(found)} are given")
        item = load(found[0], opts)
    rows, skipped = scanned(item, values, opts)
    if not rows:
        raise UsageError(f"no combination of these values is a layer: {skipped[0].name}: {skipped[0].reason}")
    return reported(item.origin or item.name, rows, Found([], skipped), [], how if time else None, list(values))


def check(values: Mapping[str, Sequence[int]]) -> None:
    """Known names, values from 1, not too many combinations."""
    for name, given in values.items():
        if name not in PARAMETERS:
            raise UsageError(f"unknown parameter {name[:20]!r}; there are {', '.join(PARAMETERS)}")
        if not given or min(given) < 1:
            raise UsageError(f"{name} takes whole numbers from 1")
    rows = math.prod(len(given) for given in values.values())
    if rows > MAX_ROWS:
        raise UsageError(f"{rows:,} combinations are too many: at most {MAX_ROWS:,}")


def scanned(item: Loaded, values: Mapping[str, Sequence[int]], opts: Options) -> tuple[list[Row], list[record.Skipped]]:
    """Rows in the order of the values, and the combinations that are no layer."""
    try:
        layer = alternatives.layer_of(item.graph)
    except Skip as why:
        raise UsageError(f"nothing to scan: {why}") from None
    parts = [alternatives.single(item.graph, node) for node in item.graph.nodes]
    form = alternatives.halves(*parts) if len(parts) == 2 else ""
    rows: list[Row] = []
    skipped: list[record.Skipped] = []
    for combination in product(*values.values()):
        pairs = list(zip(values, combination, strict=True))
        name = ", ".join(f"{parameter}={value}" for parameter, value in pairs)
        try:
            other = load(text(layer, pairs, form), opts)
        except (Skip, NotationError) as why:
            skipped.append(
                record.Skipped(name=name, reason=why.message if isinstance(why, NotationError) else str(why))
            )
            continue
        rows.append(Row(name, other, model_of(other, opts)[0]))
    return rows, skipped


def text(layer: ConvLayer, pairs: Sequence[tuple[str, int]], form: str) -> str:
    """The layer with these parameters; its padding keeps its name (valid, same, full) or else its numbers."""
    other = layer
    for name, value in pairs:
        other = PARAMETERS[name](other, value)
    if other.c % other.group or other.m % other.group:
        raise Skip(f"{other.group} groups do not divide {other.c} and {other.m} channels")
    return alternatives.written(padding.like(layer, other), form)


def with_inputs(layer: ConvLayer, c: int) -> ConvLayer:
    """A depthwise layer stays one, with the same multiplier."""
    if layer.depthwise:
        return msgspec.structs.replace(layer, c=c, group=c, m=c * (layer.m // layer.c))
    return msgspec.structs.replace(layer, c=c)


def with_size(layer: ConvLayer, axis: int, size: int) -> ConvLayer:
    """Another size along one spatial axis."""
    if axis >= len(layer.spatial):
        raise Skip(f"it has {len(layer.spatial)} spatial dimension{'s' if len(layer.spatial) > 1 else ''}")
    return msgspec.structs.replace(layer, spatial=tuple(size if a == axis else i for a, i in enumerate(layer.spatial)))


def everywhere(layer: ConvLayer, value: int) -> tuple[int, ...]:
    """The value for each spatial axis."""
    return (value,) * len(layer.spatial)


PARAMETERS: dict[str, Callable[[ConvLayer, int], ConvLayer]] = {
    "k": lambda layer, v: msgspec.structs.replace(layer, kernel=everywhere(layer, v)),
    "cin": with_inputs,
    "cout": lambda layer, v: msgspec.structs.replace(layer, m=v),
    "s": lambda layer, v: msgspec.structs.replace(layer, strides=everywhere(layer, v)),
    "d": lambda layer, v: msgspec.structs.replace(layer, dilations=everywhere(layer, v)),
    "g": lambda layer, v: msgspec.structs.replace(layer, group=v),
    "h": lambda layer, v: with_size(layer, 0, v),
    "w": lambda layer, v: with_size(layer, 1, v),
}
"""What a scan may vary: kernel, channels in and out, stride, dilation, groups, height and width."""
