"""A model with some of its layers replaced: totals before and after, each layer, what would save most."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Cost, CostRatio, IdeaTotal, Replaced, Rewrite, Saving, Skipped
from convcost.report.picture import Bar, Block, Cell, Column, Facts, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import View, number, size

SHOWN = 20
"""Rows of a table, unless told; the JSON report has all."""

NAMED = 3
"""Names in a line of skipped layers."""

TOTALS = (
    Column(key="what", title="", right=False),
    Column(key="old", title="before"),
    Column(key="new", title="after"),
    Column(key="percent", title="of before"),
    Column(key="times", title="fewer"),
)
LAYERS = (
    Column(key="index", title="#"),
    Column(key="name", title="layer", right=False, words=True, least=12),
    Column(key="old", title="MACs"),
    Column(key="new", title="after"),
    Column(key="times", title="fewer", drop=4),
    Column(key="params", title="params", drop=6),
    Column(key="new_params", title="after", drop=5),
    Column(key="share", title="saves", drop=1),
    Column(key="weights", title="weights", right=False, drop=2),
)
RANKING = (
    Column(key="index", title="#"),
    Column(key="name", title="layer", right=False, words=True, least=12),
    Column(key="macs", title="MACs"),
    Column(key="saved", title="saves", drop=1),
    Column(key="share", title="of all"),
    Column(key="bar", title="", right=False, drop=5),
    Column(key="way", title="by", right=False, words=True, least=12),
)
IDEAS = (
    Column(key="idea", title="idea", right=False),
    Column(key="layers", title="layers"),
    Column(key="macs", title="MACs"),
    Column(key="percent", title="of now"),
    Column(key="times", title="fewer", drop=2),
    Column(key="params", title="params", drop=1),
    Column(key="params_percent", title="of now", drop=3),
)


def rewrite_blocks(rewrite: Rewrite, view: View, how: str) -> list[Block]:
    """What was asked, the totals, the layers, and what could not be replaced."""
    blocks: list[Block] = [Heading(title(rewrite)), Facts(counts(rewrite))]
    if rewrite.new is not None and rewrite.ratio is not None:
        blocks.append(totals(rewrite.old, rewrite.new, rewrite.ratio, how))
        blocks += layers(rewrite, view, how)
    if rewrite.ideas:
        blocks += [Heading(("Each idea, wherever it applies",)), ideas(rewrite.ideas, how)]
    if rewrite.to is None:
        blocks += ranking(rewrite.ranking, view, how)
    lines = skipped(rewrite.skipped)
    return [*blocks, Paragraph(lines, "dim")] if lines else blocks


def title(rewrite: Rewrite) -> Line:
    """What if model.onnx: --to depthwise-separable --where kernel>=3."""
    words: list[str | Text] = ["What if ", Text(rewrite.of)]
    if rewrite.to is not None:
        words += [": --to ", Text(rewrite.to)]
    if rewrite.where is not None:
        words += [" --where ", Text(rewrite.where)]
    return tuple(words)


def counts(rewrite: Rewrite) -> tuple[Line, ...]:
    """How many layers are selected and replaced."""
    items: list[Line] = [(f"{rewrite.selected} of {rewrite.convolutions} convolutions selected",)]
    if rewrite.to is not None:
        items.append((f"{len(rewrite.replaced)} replaced",))
        items.append((f"{len(rewrite.skipped)} skipped",))
    return tuple(items)


def totals(old: Cost, new: Cost, ratio: CostRatio, how: str) -> Table:
    """The model before and after."""
    rows = [
        ("MACs", number(old.macs, how), number(new.macs, how), ratio.macs),
        ("parameters", number(old.params, how), number(new.params, how), ratio.params),
        ("weights", size(old.weight_bytes, how), size(new.weight_bytes, how), ratio.weight_bytes),
        ("peak memory", size(old.peak_memory_bytes, how), size(new.peak_memory_bytes, how), ratio.peak_memory_bytes),
        ("bytes moved", size(moved(old), how), size(moved(new), how), ratio.moved_bytes),
        ("FLOP/B", per_byte(old), per_byte(new), ratio.intensity),
    ]
    made: list[tuple[Cell, ...]] = [(*row[:3], part(row[3]), times(row[3])) for row in rows]
    return Table(title=(), columns=TOTALS, rows=tuple(made))


def layers(rewrite: Rewrite, view: View, how: str) -> list[Block]:
    """The replaced layers, the largest saving first, and the shape string of each form."""
    order = {saving.index: i for i, saving in enumerate(rewrite.ranking)}
    share = {saving.index: saving.share for saving in rewrite.ranking}
    ordered = sorted(rewrite.replaced, key=lambda one: (order.get(one.index, len(order)), one.index))
    shown = ordered[: view.top or SHOWN]
    rows = []
    for one in shown:
        cells: dict[str, Cell] = {
            "index": str(one.index),
            "name": Text(one.name),
            "old": number(one.old.macs, how),
            "new": number(one.new.macs, how),
            "times": times(one.ratio.macs),
            "params": number(one.old.params, how),
            "new_params": number(one.new.params, how),
            "share": part(share.get(one.index)),
            "weights": weights(one),
        }
        rows.append(tuple(cells[column.key] for column in LAYERS))
    table = Table(title=(), columns=LAYERS, rows=tuple(rows), note=more(len(ordered), len(shown)))
    lines = [*unlike(ordered), *reasons(ordered)]
    if view.all_layers:
        lines += [(f"#{one.index} ", Text(one.notation, local=True)) for one in shown]
    return [table, Paragraph(tuple(lines))] if lines else [table]


def unlike(replaced: list[Replaced]) -> list[Line]:
    """The form that the layers became, where it is one; else each with its layers."""
    forms: dict[str, list[str]] = {}
    for one in replaced:
        forms.setdefault(one.form, []).append(f"#{one.index}")
    if len(forms) == 1:
        return [("form: ", Text(next(iter(forms)), local=True))]
    return [("form ", Text(form, local=True), ": ", listed(where)) for form, where in forms.items()]


def reasons(replaced: list[Replaced]) -> list[Line]:
    """Why weights are generated, and what fitted ones do not prove, a line for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in replaced:
        if one.weights is not None and one.why:
            found.setdefault((f"{one.weights} weights", one.why), []).append(f"#{one.index}")
        if weights(one) == INSIDE:
            found.setdefault((INSIDE, BORDERS), []).append(f"#{one.index}")
    return [(f"{what} ", listed(where), ": ", Text(why, local=True)) for (what, why), where in found.items()]


def listed(words: list[str]) -> str:
    """A few, and how many others there are."""
    others = len(words) - 2 * NAMED
    return ", ".join(words[: 2 * NAMED]) + (f" and {others} more" if others > 0 else "")


def weights(one: Replaced) -> str:
    """Fitted ±12.3 %: how far the new kernels are from the old ones."""
    if one.weights is None:
        return ""
    if one.error is None:
        return one.weights
    if one.error < EXACT:
        return INSIDE if one.borders_differ else "exact"
    return f"fitted, {percent(one.error)} off"


EXACT = 1e-6
"""Relative error up to which a fit is called exact: what rounding to the stored type leaves."""

INSIDE = "exact inside"
BORDERS = "the form pads what is between its steps, so that borders differ"


def ranking(savings: list[Saving], view: View, how: str) -> list[Block]:
    """What replacing one layer alone would save, the most first."""
    if not savings:
        return [Paragraph((("no idea would save MACs in a selected layer",),))]
    most = savings[0].share or 1.0
    rows = []
    for one in savings[: view.top or SHOWN]:
        cells: dict[str, Cell] = {
            "index": str(one.index),
            "name": Text(one.name),
            "macs": number(one.macs, how),
            "saved": number(one.saved_macs, how),
            "share": part(one.share),
            "bar": Bar(Fraction((one.share or 0.0) / most)),
            "way": Text(one.form, local=True),
        }
        rows.append(tuple(cells[column.key] for column in RANKING))
    note = more(len(savings), len(rows))
    return [
        Heading(("Each layer alone, under the idea that saves most",)),
        Table(title=(), columns=RANKING, rows=tuple(rows), note=note),
    ]


def ideas(found: list[IdeaTotal], how: str) -> Table:
    """The model under each idea."""
    rows = []
    for one in found:
        cells: dict[str, Cell] = {
            "idea": one.idea,
            "layers": str(one.layers),
            "macs": number(one.macs, how),
            "percent": part(one.ratio_macs),
            "times": times(one.ratio_macs),
            "params": number(one.params, how),
            "params_percent": part(one.ratio_params),
        }
        rows.append(tuple(cells[column.key] for column in IDEAS))
    return Table(title=(), columns=IDEAS, rows=tuple(rows), note="--to IDEA replaces the layers, -o new.onnx writes it")


def skipped(given: list[Skipped]) -> tuple[Line, ...]:
    """What is not replaced, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for one in given:
        reasons.setdefault(one.reason, []).append(one.name)
    out: list[Line] = []
    for why, names in reasons.items():
        words: list[str | Text] = ["skipped ", Text(names[0])]
        for name in names[1:NAMED]:
            words += [", ", Text(name)]
        if len(names) > NAMED:
            words.append(f" and {len(names) - NAMED} more")
        out.append((*words, ": ", Text(why)))
    return tuple(out)


def more(all_rows: int, shown: int) -> str:
    """What the table leaves out."""
    return f"{all_rows - shown} more: --top {all_rows}" if all_rows > shown else ""


def moved(cost: Cost) -> int | None:
    """Bytes read and written."""
    return None if cost.read_bytes is None or cost.write_bytes is None else cost.read_bytes + cost.write_bytes


def per_byte(cost: Cost) -> str:
    """FLOP for each byte moved."""
    return "?" if cost.intensity is None else units.significant(Fraction(cost.intensity), 3)


def part(ratio: float | None) -> str:
    """A ratio as a percentage."""
    return "?" if ratio is None else percent(ratio)


def percent(ratio: float) -> str:
    """12.3 %; a part that is not zero never prints as zero."""
    if 0 < ratio < 0.0005:
        return "<0.1 %"
    return f"{100 * ratio:.1f} %"


def times(ratio: float | None) -> str:
    """How many times fewer."""
    if not ratio:
        return "?" if ratio is None else "∞×"
    return f"{1 / ratio:.2f}×"
