"""Verdicts on budgets: a line each, a tally, and for each failure what caused it and what to do."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Check, CheckedLayer
from convcost.report.picture import Amount, Bar, Block, Cell, Column, Facts, Fold, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import number, size

ORDER = ("fail", "warn", "skip", "pass")
WORDS = {"pass": "passed", "warn": "warned", "fail": "failed", "skip": "skipped"}

COLUMNS = (
    Column(key="status", title="", right=False),
    Column(key="rule", title="budget", right=False, words=True, least=20),
    Column(key="verdict", title="verdict", right=False),
    Column(key="place", title="where", right=False, words=True, least=18, drop=1),
)

LAYERS = (
    Column(key="rank", title="#"),
    Column(key="layer", title="layer", right=False, words=True, least=16),
    Column(key="kind", title="kind", right=False, words=True, least=6, drop=2),
    Column(key="value", title="now"),
)
SHARE = (Column(key="share", title="%", drop=1), Column(key="bar", title="", right=False))
CHANGE = (Column(key="old", title="was"), Column(key="change", title="change"))


def check_blocks(checks: list[Check], how: str) -> list[Block]:
    """All verdicts, model by model, then the failures one by one; `how` are the reader's units."""
    models: dict[str, list[Check]] = {}
    for check in checks:
        models.setdefault(check.model, []).append(check)
    blocks: list[Block] = []
    for name, own in models.items():
        blocks += [
            Heading(("Budgets of ", Text(name))),
            Table(title=(), columns=COLUMNS, rows=tuple(row(c, how) for c in own)),
        ]
    blocks.append(tally(checks))
    for status in ("fail", "warn"):
        for check in checks:
            if check.status == status:
                blocks += cause(check, how)
    return blocks


def row(check: Check, how: str) -> tuple[Cell, ...]:
    """PASS  macs  569 M ≤ 600 M  pyproject.toml:3."""
    return (check.status.upper(), Text(check.rule), verdict(check, how), place(check))


def verdict(check: Check, how: str) -> str:
    """The comparison; where that is no proof, that it is none."""
    message = (how == "exact" and check.exact_message) or check.message
    return message if check.reason is None or check.status == "skip" else f"{message} (not proven)"


def place(check: Check) -> Cell:
    """pyproject.toml:3, or that the command line says so."""
    where = check.location
    if where is None or where.file is None:
        return "command line"
    return Text(where.file if where.line is None else f"{where.file}:{where.line}")


def tally(checks: list[Check]) -> Facts:
    """1 failed · 4 passed."""
    numbers = [(sum(check.status == status for check in checks), WORDS[status]) for status in ORDER]
    return Facts(tuple((f"{n} {word}",) for n, word in numbers if n))


def cause(check: Check, how: str) -> list[Block]:
    """One failure: why, which layers, what to do."""
    title: Line = (f"{check.status.upper()} ", Text(check.rule), " · ", Text(check.model), f" · {verdict(check, how)}")
    blocks: list[Block] = [Heading(title)]
    if check.reason is not None:
        blocks.append(Paragraph((("not proven: ", Text(check.reason)),), "warning"))
    if check.layers:
        blocks.append(Fold("Layers behind it", (layers(check, how),)))
    lines: list[Line] = []
    if check.help is not None:
        lines.append(("help: ", Text(check.help)))
    if check.accept is not None:
        lines.append(("accept it: ", Text(check.accept, local=True)))
    return [*blocks, Paragraph(tuple(lines))] if lines else blocks


def layers(check: Check, how: str) -> Table:
    """The layers behind a failure: those that grew, or those with the largest parts."""
    grew = any(layer.old is not None for layer in check.layers)
    columns = (*LAYERS, *(CHANGE if grew else SHARE))
    rows = tuple((str(i + 1), *cells(layer, check, how, grew=grew)) for i, layer in enumerate(check.layers))
    note = f"and {check.more} more layer{'s' if check.more > 1 else ''}" if check.more else ""
    return Table(title=(), columns=columns, rows=rows, note=note)


def cells(layer: CheckedLayer, check: Check, how: str, *, grew: bool) -> tuple[Cell, ...]:
    """One layer."""
    kind = Text(layer.kind if layer.op in ("", "Conv", "ConvTranspose") else layer.op)
    begin: tuple[Cell, ...] = (Text(layer.name), kind, amount(layer.value, check, how))
    if grew:
        change = None if layer.value is None or layer.old is None else layer.value - layer.old
        return (*begin, amount(layer.old, check, how), signed(change, how, in_bytes=in_bytes(check)))
    share = Fraction(layer.share or 0)
    return (*begin, units.decimal(100 * share, 1) if layer.share is not None else "?", Bar(share))


def in_bytes(check: Check) -> bool:
    """Whether a budget is about bytes."""
    return check.unit == "bytes"


def amount(n: int | None, check: Check, how: str) -> str:
    """A quantity of a layer, in the unit of the budget."""
    return size(n, how) if in_bytes(check) else number(n, how)


def signed(change: int | None, how: str, *, in_bytes: bool = False) -> str:
    """+1.2 M, −3.4 KiB, 0."""
    if not change:
        return "?" if change is None else "0"
    text = ("+" if change > 0 else "−") + (size if in_bytes else number)(abs(change), how)
    return Amount(text, change, "B" if in_bytes else "")
