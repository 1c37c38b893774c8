"""Two models: the headline, the totals, the layers that differ."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Change, CoverageDiff, Delta, Diff, LayerDiff
from convcost.report.checks import signed
from convcost.report.picture import Block, Cell, Column, Facts, Fold, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import View, number, shape_text, size

HEADLINE = (
    ("macs", "MACs"),
    ("params", "parameters"),
    ("weight_bytes", "weights"),
    ("peak_memory_bytes", "peak memory"),
)
MOST = 40
"""Layers that are shown unless told."""

TOTALS = (
    Column(key="quantity", title="quantity", right=False),
    Column(key="old", title="old"),
    Column(key="new", title="new"),
    Column(key="change", title="change"),
    Column(key="percent", title="%", drop=1),
)
LAYERS = (
    Column(key="rank", title="#"),
    Column(key="status", title="", right=False),
    Column(key="layer", title="layer", right=False, words=True, least=20),
    Column(key="kind", title="kind", right=False, words=True, least=8, drop=3),
    Column(key="macs", title="Δ MACs"),
    Column(key="params", title="Δ params", drop=1),
    Column(key="bytes", title="Δ bytes moved", drop=2),
    Column(key="output", title="output", right=False, words=True, drop=4),
)
CHANGES = (
    Column(key="rank", title="#"),
    Column(key="layer", title="layer", right=False, words=True, least=12, drop=1),
    Column(key="what", title="what", right=False, words=True, least=12),
    Column(key="old", title="old", right=False, words=True, least=10),
    Column(key="new", title="new", right=False, words=True, least=10),
)
FOLLOWED = 12
"""Layers whose changes are listed unless all are."""


def diff_blocks(diff: Diff, view: View, how: str) -> list[Block]:
    """The whole difference."""
    blocks: list[Block] = [
        Heading(("Difference ", Text(diff.old), " → ", Text(diff.new))),
        Facts(tuple(headline(diff, field, title, how) for field, title in HEADLINE)),
        Facts(counts(diff)),
    ]
    if coverage_changed(diff.coverage):
        blocks.append(Paragraph(coverage(diff.coverage), "warning"))
    if diff.layers:
        blocks.append(layer_table(diff, view, how))
        changed = change_table(diff, view)
        blocks += [Fold("What changed in these layers", (changed,))] if changed.rows else []
    if any(d.change != 0 for d in diff.totals):
        blocks.append(Fold("All totals that differ", (totals(diff, how),)))
    if view.all_layers and diff.renamed:
        blocks.append(Paragraph(renamed(diff), "dim"))
    return blocks


def headline(diff: Diff, field: str, title: str, how: str) -> Line:
    """MACs 569 M → 320 M, −43.8 %."""
    d = next((d for d in diff.totals if d.metric == field), None)
    if d is None:  # a report that others have written
        return (f"{title} ?",)
    bound = "" if d.exact else "≈"
    form = size if field.endswith("_bytes") else number
    if d.change == 0:
        return (f"{title} {form(d.new, how, bound)}, unchanged",)
    old, new = form(d.old, how, bound), form(d.new, how, bound)
    if old == new and d.change is not None:
        old, new = form(d.old, "exact", bound), form(d.new, "exact", bound)
    return (f"{title} {old} → {new}, {percent(d)}",)


def percent(d: Delta) -> str:
    """−43.8 %, or what was added where a percentage says nothing."""
    if d.change is None:
        return "?"
    if not d.old:
        return "new"
    sign = "+" if d.change > 0 else "−" if d.change < 0 else ""
    share = Fraction(100 * abs(d.change), d.old)
    if d.change > 10 * d.old:
        return f"×{units.significant(Fraction(d.new or 0, d.old), 3)}"
    places = next((p for p in range(1, 5) if not d.change or share >= Fraction(1, 10**p)), None)
    return f"{sign}{units.decimal(share, places)} %" if places else "≈ 0 %"


def counts(diff: Diff) -> tuple[Line, ...]:
    """3 changed · 1 added · 0 removed · 24 unchanged."""
    kinds = {
        status: sum(one.status == status for one in diff.layers) for status in ("changed", "added", "removed", "moved")
    }
    items = [f"{kinds[status]} {status}" for status in ("changed", "added", "removed")]
    items += [f"{kinds['moved']} moved"] if kinds["moved"] else []
    items += [f"{len(diff.renamed)} only renamed"] if diff.renamed else []
    items.append(f"{diff.unchanged} unchanged")
    if diff.by_structure:
        items.append(
            f"{diff.by_structure} of {diff.by_name + diff.by_structure} pairs matched by structure, a guess (~)"
        )
    return tuple((item,) for item in items)


def coverage_changed(seen: CoverageDiff) -> bool:
    """Whether more or fewer nodes are not counted, or totals are bounds."""
    missing = seen.old_nodes - seen.old_counted, seen.new_nodes - seen.new_counted
    return missing[0] != missing[1] or not (seen.old_complete and seen.new_complete)


def coverage(seen: CoverageDiff) -> tuple[Line, ...]:
    """Nodes counted, before and after."""
    old, new = f"{seen.old_counted}/{seen.old_nodes}", f"{seen.new_counted}/{seen.new_nodes}"
    both = seen.old_complete and seen.new_complete
    return ((f"nodes counted {old} → {new}" + ("" if both else "; totals are bounds, and so is their difference"),),)


def totals(diff: Diff, how: str) -> Table:
    """All quantities that differ."""
    rows: list[tuple[Cell, ...]] = []
    for d in diff.totals:
        if d.change == 0:
            continue
        form, in_bytes = (size, True) if d.metric.endswith("_bytes") else (number, False)
        name = d.metric.removesuffix("_bytes") + (" bytes" if in_bytes and d.metric != "peak_memory_bytes" else "")
        rows.append(
            (
                name.replace("_", " "),
                form(d.old, how),
                form(d.new, how),
                signed(d.change, how, in_bytes=in_bytes),
                percent(d),
            )
        )
    same = len(diff.totals) - len(rows)
    return Table(title=(), columns=TOTALS, rows=tuple(rows), note=unchanged(same))


def unchanged(same: int) -> str:
    """How many totals are left out of the table."""
    return f"{same} quantit{'y' if same == 1 else 'ies'} unchanged" if same else ""


def layer_table(diff: Diff, view: View, how: str) -> Table:
    """The layers that differ, the largest change of MACs first."""
    most = shown_layers(diff, view)
    rows = tuple(layer_row(i, one, how) for i, one in enumerate(diff.layers[:most]))
    left = len(diff.layers) - len(rows)
    note = f"{left} more layer{'s' if left > 1 else ''} (-v, --top)" if left else ""
    return Table(title=(), columns=LAYERS, rows=rows, note=note)


def shown_layers(diff: Diff, view: View) -> int:
    """How many layers are listed."""
    return view.top or (len(diff.layers) if view.all_layers else MOST)


def layer_row(rank: int, one: LayerDiff, how: str) -> tuple[Cell, ...]:
    """One layer that differs."""
    place = one.new or one.old
    assert place is not None
    kind = Text(place.kind if place.op in ("Conv", "ConvTranspose") else place.op)
    moved = [change(one, "read_bytes"), change(one, "write_bytes")]
    bytes_moved = None if None in moved else sum(n or 0 for n in moved)
    return (
        str(rank + 1),
        f"{one.status} ~" if one.matched == "structure" else one.status,
        Text(place.name),
        kind,
        signed(change(one, "macs"), how),
        signed(change(one, "params"), how),
        signed(bytes_moved, how, in_bytes=True),
        shape_text(place.output),
    )


def change_table(diff: Diff, view: View) -> Table:
    """What is different about each layer, by its number in the list."""
    most = min(shown_layers(diff, view), len(diff.layers) if view.all_layers else FOLLOWED)
    rows: list[tuple[Cell, ...]] = []
    followed = [(i, one) for i, one in enumerate(diff.layers[: shown_layers(diff, view)]) if told(one)]
    for i, one in followed[:most]:
        place = one.new or one.old
        assert place is not None
        rows += [(str(i + 1), Text(place.name), Text(c.what), word(c.old), word(c.new)) for c in told(one)]
    left = len(followed) - min(len(followed), most)
    note = f"changes of {left} more layer{'s' if left > 1 else ''}: -v" if left else ""
    return Table(title=(), columns=CHANGES, rows=tuple(rows), note=note)


def told(one: LayerDiff) -> list[Change]:
    """What changed, and the old name where the pair is a guess."""
    if one.old is None or one.new is None or one.old.name == one.new.name:
        return one.changes
    return [Change(what="name", old=one.old.name, new=one.new.name), *one.changes]


def word(value: str | None) -> Cell:
    """A value before or after."""
    return "–" if value is None else Text(value)


def change(one: LayerDiff, metric: str) -> int | None:
    """How much a quantity changed; what is not listed did not."""
    return next((d.change for d in one.deltas if d.metric == metric), 0)


def renamed(diff: Diff) -> tuple[Line, ...]:
    """Layers that only have another name."""
    return tuple(("renamed ", Text(one.old), " → ", Text(one.new)) for one in diff.renamed)
