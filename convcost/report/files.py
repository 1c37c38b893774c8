"""Model files that were written."""

from __future__ import annotations

from convcost import units
from convcost.record import Written
from convcost.report.picture import Block, Facts
from convcost.report.text import Line, Text


def written_blocks(written: list[Written]) -> list[Block]:
    """A line a file."""
    return [Facts(tuple(written_facts(one))) for one in written]


def written_facts(one: Written) -> list[Line]:
    """Lines: wrote layer.onnx · 77,312 bytes · opset 21 · random weights, seed 0."""
    opset = ", ".join(str(version) for domain, version in one.opset.items() if not domain)
    seed = f", seed {one.seed}" if one.seed is not None else ""
    return [
        ("wrote ", Text(one.file)),
        (f"{units.exact(one.bytes)} bytes",),
        (f"opset {opset}",),
        (f"{one.weights} weights{seed}",),
    ]
