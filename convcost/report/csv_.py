"""The report as CSV (RFC 4180): a line a layer, an alternative, or a fleet's model; not known is empty."""

from __future__ import annotations

from collections.abc import Iterable

from convcost.record import COUNTED, Alternative, Cost, Layer, Model, Report
from convcost.report.fleet import csv_lines
from convcost.report.text import csv

LAYER = ("source", "index", "name", "scope", "op", "domain", "kind", "traits", "input", "output", "dtype", "notation")
TIMING = ("algorithm", "runs", "median_ns", "mad_ns", "min_ns", "gflops", "roof_share", "bound")
WAY = ("of", "name", "notation", "output")


def render(report: Report) -> str:
    """Lines end in CR LF, as RFC 4180 has it."""
    if report.fleet is not None:
        lines = csv_lines(report, report.fleet)
    else:
        lines = comparison_lines(report) if report.comparisons else layer_lines(report)
        lines = separation_lines(report) if report.separations else lines
    return "".join(",".join(line) + "\r\n" for line in lines)


def layer_lines(report: Report) -> Iterable[list[str]]:
    """A header, then the layers of all models."""
    timed = any(model.timing for model in report.models)
    yield [*LAYER, *COUNTED, "share_macs", *(TIMING if timed else ())]
    for model in report.models:
        for layer in model.layers:
            yield layer_line(model, layer) + (timing(layer) if timed else [])


def layer_line(model: Model, layer: Layer) -> list[str]:
    """One layer."""
    words = [
        model.source, str(layer.index), layer.name, "/".join(layer.scope), layer.op, layer.domain, layer.kind,
        " ".join(layer.traits), shape(layer.inputs), shape(layer.outputs), layer.dtype or "", layer.notation or "",
    ]  # fmt: skip
    return [*map(csv, words), *numbers(layer.cost), plain(layer.share.macs)]


def comparison_lines(report: Report) -> Iterable[list[str]]:
    """A header, then the alternatives of all comparisons."""
    yield [*WAY, *COUNTED, "peak_memory_bytes", "ratio_macs", "ratio_params", "ratio_time", "median_ns"]
    for comparison in report.comparisons:
        for way in comparison.alternatives:
            words = [comparison.of, way.name, way.notation or "", shape([o.shape for o in way.outputs])]
            yield [*map(csv, words), *numbers(way.cost), plain(way.cost.peak_memory_bytes), *ratios(way)]


def separation_lines(report: Report) -> Iterable[list[str]]:
    """A header, then every rank of every unfolding of all kernels."""
    yield [
        "source", "name", "op", "weight", "group", "dtype", "layer_macs", "separable", "form", "first", "matrices",
        "rows", "columns", "exact_rank", "pays_to", "rank", "energy", "macs", "saved",
    ]  # fmt: skip
    for found in report.separations:
        for layer in found.layers:
            weight, same = "x".join(map(str, layer.weight)), str(layer.separable).lower()
            words = [csv(found.source), csv(layer.name), layer.op, weight, plain(layer.group), layer.dtype]
            for u in layer.unfoldings:
                size = [
                    u.form,
                    " ".join(map(str, u.first)),
                    *map(plain, (u.matrices, u.rows, u.columns, u.rank, u.pays_to)),
                ]
                for r in u.ranks:
                    yield [*words, plain(layer.macs), same, *size, *map(plain, (r.rank, r.energy, r.macs, r.saved))]


def ratios(way: Alternative) -> list[str]:
    """Ratios to the first alternative, and the time."""
    r = way.ratio
    return [plain(r.macs), plain(r.params), plain(r.time), plain(way.timing.median_ns if way.timing else None)]


def numbers(cost: Cost) -> list[str]:
    """All counts."""
    return [plain(getattr(cost, field)) for field in COUNTED]


def timing(layer: Layer) -> list[str]:
    """Measured times."""
    t = layer.timing
    if t is None:
        return [""] * len(TIMING)
    return [csv(t.algorithm), *(plain(getattr(t, field)) for field in TIMING[1:-1]), t.bound or ""]


def plain(n: float | None) -> str:
    """A number, or nothing."""
    return "" if n is None else repr(n)


def shape(shapes: list[list[int | str] | None]) -> str:
    """1x256x8x8: the first of `shapes`."""
    first = shapes[0] if shapes else None
    return "" if first is None else "x".join(map(str, first)) or "scalar"
