"""Tables that stand below the layers when they were asked for: other algorithms, other conventions, the machine."""

from __future__ import annotations

from convcost import units
from convcost.record import AlgorithmCost, Environment, Figure, Layer, Model
from convcost.report.picture import Block, Cell, Column, Facts, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import number

ALGORITHM_COLUMNS = (
    Column(key="index", title="#"),
    Column(key="name", title="layer", right=False, words=True, drop=9, least=9),
    Column(key="algorithm", title="algorithm", right=False, words=True, least=14),
    Column(key="multiplications", title="mults"),
    Column(key="fewer", title="fewer", drop=1),
    Column(key="transforms", title="transform FLOPs", drop=2),
    Column(key="buffer", title="buffer", drop=3),
)

FIGURE_COLUMNS = (
    Column(key="index", title="#"),
    Column(key="convention", title="convention", right=False, words=True, least=14),
    Column(key="figure", title="figure"),
    Column(key="difference", title="difference"),
)

NEAREST = 3
"""Conventions that are spelled out where none gives the number."""


def extra_blocks(model: Model, how: str) -> list[Block]:
    """What a model's report holds besides its layers."""
    blocks: list[Block] = []
    if any(layer.algorithms for layer in model.layers):
        blocks += algorithm_blocks(model, how)
    if model.figures:
        blocks += [Heading(("Other conventions",)), figure_table(model.figures), meanings(model.figures)]
    return blocks


def algorithm_blocks(model: Model, how: str) -> list[Block]:
    """Multiplications of each convolution under each algorithm that applies, and why the others do not."""
    rows: list[tuple[Cell, ...]] = []
    skipped: list[Line] = []
    for layer in model.layers:
        for one in layer.algorithms or ():
            if one.skipped is None:
                rows.append(algorithm_row(layer, one, how))
            else:
                skipped.append((f"#{layer.index} skipped ", Text(one.name), ": ", Text(one.skipped)))
    table = Table(title=(), columns=ALGORITHM_COLUMNS, rows=tuple(rows))
    out: list[Block] = [Heading(("Other algorithms",)), table]
    return [*out, Paragraph(tuple(skipped), "dim")] if skipped else out


def algorithm_row(layer: Layer, one: AlgorithmCost, how: str) -> tuple[Cell, ...]:
    """One algorithm for one layer."""
    transforms = one.data_transform_flops + one.filter_transform_flops + one.inverse_transform_flops
    return (
        str(layer.index),
        Text(layer.name),
        Text(one.name),
        number(one.multiplications, how),
        units.ratio(one.multiplications, layer.cost.macs),
        number(transforms, how),
        number(one.buffer_elements, how),
    )


def figure_table(figures: list[Figure]) -> Table:
    """The total as other tools count it; where a number is to be explained, the nearest first."""
    rows: list[tuple[Cell, ...]] = []
    for i, one in enumerate(figures):
        difference = () if one.difference is None else (units.exact(one.difference).replace("-", "−"),)
        rows.append((str(i), Text(one.convention), units.exact(one.figure), *difference))
    columns = FIGURE_COLUMNS if any(one.difference is not None for one in figures) else FIGURE_COLUMNS[:3]
    return Table(title=(), columns=columns, rows=tuple(rows))


def meanings(figures: list[Figure]) -> Paragraph:
    """What each figure counts; where a number is to be explained, only those that give it, or else the nearest."""
    explains = any(one.difference is not None for one in figures)
    exact = [one for one in figures if one.difference == 0]
    shown = (exact or figures[:NEAREST]) if explains else figures
    lines: list[Line] = [(f"#{figures.index(one)} ", Text(one.convention), ": ", Text(one.says)) for one in shown]
    if explains:
        verdict = "this number is" if exact else "no convention gives this number; the nearest:"
        lines.insert(0, (verdict,))
    return Paragraph(tuple(lines))


def environment_facts(machine: Environment) -> Facts:
    """Where times were measured."""
    items: list[Line] = [
        ("measured on ", Text(machine.processor or machine.machine, local=True), f", {machine.cores} cores"),
        ("Python ", Text(machine.python, local=True)),
        ("NumPy ", Text(machine.numpy, local=True), " with ", Text(machine.blas, local=True)),
    ]
    if machine.gemm_gflops is not None:
        items.append((f"roof {machine.gemm_gflops:.3g} GFLOP/s",))
    if machine.copy_gbytes_per_s is not None:
        items.append((f"{machine.copy_gbytes_per_s:.3g} GB/s",))
    return Facts(tuple(items))
