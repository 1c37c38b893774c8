"""Flat rows against the records that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convcost import record
from convcost.ci.diffing.difference import difference
from convcost.report.rows import table

Make = Callable[..., Any]


def rows(report: record.Report, of: str | None = None) -> list[dict[str, Any]]:
    columns, lines = table(report, of)
    return [dict(zip(columns, line, strict=True)) for line in lines]


def test_a_layer(layer: Make, model: Make, report: Make) -> None:
    one = layer(
        3, "c", 70, scope=["block", "0"], traits=["same", "strided"], inputs=[["N", 3, 8], None], outputs=[[]],
        share=record.Share(macs=0.7), notation="-(3x3x3x16)->",
    )  # fmt: skip
    (row,) = rows(report(model([one])))
    given = {"source": "net.onnx", "index": 3, "name": "c", "scope": "block/0", "op": "Conv", "domain": "",
             "kind": "standard", "traits": "same strided", "input": "Nx3x8", "output": "scalar", "dtype": "float32",
             "notation": "-(3x3x3x16)->", "share_macs": 0.7}  # fmt: skip
    assert row == given | {name: getattr(one.cost, name) for name in record.COUNTED}
    assert rows(report(model([layer(0, "c", inputs=[], outputs=[None])])))[0]["input"] is None


def test_times_are_columns_where_a_model_has_them(layer: Make, model: Make, report: Make) -> None:
    time = record.LayerTiming(algorithm="gemm", runs=3, median_ns=25, mad_ns=2, min_ns=20, gflops=1.5, bound="memory")
    timing = record.ModelTiming(
        backend="numpy", threads=1, runs=3, warmup=1, median_ns=50, mad_ns=0, min_ns=1, layers_sum_ns=25,
        weights="random",
    )  # fmt: skip
    timed = model([layer(0, "a", timing=time), layer(1, "b")], timing=timing)
    seen = rows(report(timed, model([layer(0, "c")])))
    names = ("algorithm", "runs", "median_ns", "mad_ns", "min_ns", "gflops", "roof_share", "bound")
    assert [tuple(row[name] for name in names) for row in seen] == [
        ("gemm", 3, 25, 2, 20, 1.5, None, "memory"), (None,) * 8, (None,) * 8,
    ]  # fmt: skip
    assert not {*names} & {*rows(report(timed), "models")[0]}
    assert "runs" not in rows(report(model([layer(0, "c")])))[0]


def test_a_difference(layer: Make, model: Make, report: Make) -> None:
    old, new = (
        model([layer(0, "a", 5), layer(1, name, n, op=op)]) for name, n, op in (("b", 7, "Conv"), ("c", 9, "Gemm"))
    )
    seen = rows(report(old, new, diff=difference(old, new)))
    macs = [row for row in seen if row["metric"] == "macs"]
    names = ("status", "old_name", "new_name", "op", "old", "new", "change")
    assert [tuple(row[name] for name in names) for row in macs] == [
        ("total", None, None, None, 12, 14, 2),
        ("added", None, "c", "Gemm", 0, 9, 9),
        ("removed", "b", None, "Conv", 7, 0, -7),
    ]
    assert [row["metric"] for row in seen if row["status"] == "total"] == [*record.COUNTED, "peak_memory_bytes"]
    assert rows(report(old), "changes") == []


def test_verdicts(layer: Make, model: Make, report: Make) -> None:
    place = record.Location(file="convcost.toml", line=4)
    checks = [
        record.Check(rule="macs", level="error", status="fail", model="a", limit=5, value=6, location=at)
        for at in (place, None)
    ]
    seen = rows(report(model([layer(0, "c")]), checks=checks))
    assert [(row["rule"], row["limit"], row["value"], row["file"], row["line"]) for row in seen] == [
        ("macs", 5, 6, "convcost.toml", 4), ("macs", 5, 6, None, None),
    ]  # fmt: skip


def test_a_fleet_tells_why_a_model_failed(cost: Make, report: Make) -> None:
    entries = [
        record.FleetEntry(path="a", status="counted", sha256="x", options="", layers=2, nodes=3, counted=3,
                          complete=True, totals=cost(8, 2)),
        record.FleetEntry(path="b", status="failed", sha256=None, options=""),
    ]  # fmt: skip
    problems: list[tuple[Any, str, record.Location | None]] = [
        ("error", "no file has this", None),
        ("error", "not a model", record.Location(file="b")),
        ("warning", "odd", record.Location(file="b")),
        ("error", "not of a model that is counted", record.Location(file="a")),
    ]
    said = [record.Diagnostic(code="C1", severity=how, message=what, location=at) for how, what, at in problems]
    fleet = record.Fleet(counted=1, failed=1, entries=entries)
    seen = rows(report(fleet=fleet, diagnostics=said))
    assert [(row["model"], row["status"], row["macs"], row["complete"], row["error"]) for row in seen] == [
        ("a", "counted", 8, True, None), ("b", "failed", None, None, "not a model"),
    ]  # fmt: skip


@pytest.mark.parametrize("of", ["layers", "models", "alternatives", "kernels", "changes", "checks"])
def test_an_empty_report_has_columns_and_no_rows(of: str, report: Make) -> None:
    columns, lines = table(report(), of)
    assert columns
    assert list(lines) == []
