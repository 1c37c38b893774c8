"""How far kernels come apart: a row a layer, and for few layers a row a rank."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import RankCost, Separation, Separations, Split, SplitModel, Unfolding
from convcost.report.comparison import skipped
from convcost.report.picture import Block, Cell, Column, Facts, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import View, number

DETAILED = 2
"""With more layers than this, ranks are listed only where all is asked for."""

FEW_RANKS = 5
"""Ranks of one unfolding in a table; the JSON report has more."""

LAYERS = (
    Column(key="index", title="#"),
    Column(key="name", title="layer", right=False, words=True, least=14),
    Column(key="kernel", title="kernel", drop=3),
    Column(key="one", title="rank 1 keeps"),
    Column(key="two", title="rank 2", drop=5),
    Column(key="needs", title="needs", drop=6),
    Column(key="pays", title="pays to", drop=7),
    Column(key="pair", title="two steps", right=False, drop=4),
    Column(key="macs", title="MACs", drop=2),
    Column(key="saved", title="saved"),
)

RANKS = (
    Column(key="form", title="unfolding", right=False),
    Column(key="size", title="matrices", drop=3),
    Column(key="rank", title="rank"),
    Column(key="keeps", title="keeps"),
    Column(key="macs", title="MACs", drop=2),
    Column(key="saved", title="saved", drop=1),
    Column(key="said", title="", right=False),
)

BY_KEY = {column.key: column for column in LAYERS[2:]}
"""Columns that `--columns` chooses from; the index and the name always lead."""

PAIRS = ("joint", "by_output", "by_input")

NAMES = {
    "slices": "each slice",
    "joint": "joint",
    "by_output": "by output",
    "by_input": "by input",
    "outputs": "output channels",
    "inputs": "input channels",
}


def separation_blocks(found: Separations, view: View, how: str) -> list[Block]:
    """A heading, the layers, ranks where there are few layers, what was skipped, what was written."""
    layers = [layer.unfoldings for layer in found.layers]
    exact = sum(1 for layer in found.layers if layer.exact is not None)
    blocks: list[Block] = [Heading(("Separate ", Text(found.source))), Facts(tuple(headline(found, exact)))]
    if layers:
        blocks.append(layer_table(found, view, how))
    reasons: tuple[Line, ...] = tuple(
        (f"#{i} ", Text(layer.reason, local=True)) for i, layer in enumerate(found.layers) if layer.reason
    )
    if reasons and (view.all_layers or len(layers) <= DETAILED):
        blocks.append(Paragraph(reasons, "dim"))
    for i, layer in enumerate(found.layers):
        if view.all_layers or len(layers) <= DETAILED:
            blocks += [Heading((f"#{i} ", Text(layer.name))), rank_table(layer, how)]
    if found.skipped:
        blocks.append(Paragraph(skipped(found.skipped), "dim"))
    if layers:
        blocks.append(Paragraph((("exact: ", Text(found.tolerance, local=True)),), "dim"))
    return blocks + (written_blocks(found.written) if found.written is not None else [])


def headline(found: Separations, exact: int) -> list[Line]:
    """How many kernels come apart, and what that saves."""
    layers = found.layers
    separable = sum(layer.separable for layer in layers)
    out: list[Line] = [
        (f"{separable} of {len(layers)} kernel{'s' if len(layers) != 1 else ''} with separable slices",),
        (f"{exact} exactly in two steps that save MACs",),
    ]
    saved = sum(layer.exact.saved for layer in layers if layer.exact is not None)
    whole = sum(layer.macs or 0 for layer in layers)
    if exact:
        out.append((f"saves {units.exact(saved)} of their {units.exact(whole)} MACs",))
    return out


def layer_table(found: Separations, view: View, how: str) -> Table:
    """One row for each layer."""
    columns = LAYERS if view.columns is None else (*LAYERS[:2], *(BY_KEY[key] for key in view.columns))
    rows = []
    for i, layer in enumerate(found.layers[: view.top]):
        cells = layer_cells(layer, how) | {"index": str(i)}
        rows.append(tuple(cells[column.key] for column in columns))
    note = "keeps: part of the sum of squares, each slice by itself; needs, pays to: channels between joint steps"
    return Table(title=(), columns=columns, rows=tuple(rows), note=note, hint="--width, --columns")


def layer_cells(layer: Separation, how: str) -> dict[str, Cell]:
    """One layer, by column."""
    slices = next((u for u in layer.unfoldings if u.form == "slices"), None)
    joint = min((u for u in layer.unfoldings if u.form == "joint"), key=lambda u: u.rank, default=None)
    split = layer.split or layer.exact
    return {
        "name": Text(layer.name),
        "kernel": "×".join(map(str, layer.weight)),
        "one": kept(slices, 1),
        "two": kept(slices, 2),
        "needs": str(joint.rank) if joint is not None else "",
        "pays": "" if joint is None or joint.pays_to is None else str(joint.pays_to),
        "pair": steps(split) if split is not None else "",
        "macs": number(layer.macs, how),
        "saved": units.percent(split.saved, layer.macs) if split is not None else "",
    }


def kept(unfolding: Unfolding | None, rank: int) -> str:
    """The part that a rank keeps."""
    found = next((r for r in unfolding.ranks if r.rank == rank), None) if unfolding is not None else None
    return share(found.energy) if found is not None else ""


def share(energy: float) -> str:
    """99.95 %; 100 % is said only of all."""
    text = units.percent(round(energy * 10**9), 10**9, 2)
    return "99.99 %" if text == "100.00 %" and energy < 1 else text


def steps(split: Split) -> str:
    """3×1, 16, 1×3: kernel, channels between, kernel; ≈ where that is not exact."""
    first, second = ("×".join(map(str, kernel)) for kernel in split.kernels)
    return f"{'' if split.exact else '≈ '}{first}, {split.inner}, {second}"


def rank_table(layer: Separation, how: str) -> Table:
    """Ranks of each unfolding of one layer."""
    rows = []
    for unfolding in layer.unfoldings:
        for cost in chosen(unfolding):
            first = cost.rank == 1
            cells: dict[str, Cell] = {
                "form": f"{NAMES[unfolding.form]}{order(layer, unfolding)}" if first else "",
                "size": f"{unfolding.matrices} of {unfolding.rows}×{unfolding.columns}" if first else "",
                "rank": str(cost.rank),
                "keeps": share(cost.energy),
                "macs": number(cost.macs, how) if cost.macs is not None else "",
                "saved": signed(cost.saved, layer.macs),
                "said": said(unfolding, cost),
            }
            rows.append(tuple(cells[column.key] for column in RANKS))
    return Table(title=(), columns=RANKS, rows=tuple(rows))


def chosen(unfolding: Unfolding) -> list[RankCost]:
    """The first ranks, the last that pays and the one that is exact."""
    exact = max(unfolding.rank, 1)
    special = {exact, unfolding.pays_to}
    return [r for i, r in enumerate(unfolding.ranks) if (i < FEW_RANKS - 2 or r.rank in special) and r.rank <= exact]


def order(layer: Separation, unfolding: Unfolding) -> str:
    """Which kernel comes first: ', 3×1 first'."""
    if unfolding.form not in PAIRS:
        return ""
    kernel = layer.weight[2:]
    return ", " + "×".join(str(k if a in unfolding.first else 1) for a, k in enumerate(kernel)) + " first"


def signed(saved: int | None, macs: int | None) -> str:
    """32.3 %, or -5.0 % where it costs more."""
    if saved is None or not macs:
        return ""
    return units.decimal(Fraction(100 * saved, macs), 1) + " %"


def said(unfolding: Unfolding, cost: RankCost) -> str:
    """What is special about a rank."""
    words = ["exact"] if cost.rank == max(unfolding.rank, 1) else []
    if unfolding.pays_to == cost.rank:
        words.append("the last that saves")
    return ", ".join(words)


def written_blocks(made: SplitModel) -> list[Block]:
    """The file, what it saves, and how far its outputs are."""
    facts: list[Line] = [
        ("wrote ", Text(made.file)),
        (f"{units.exact(made.bytes)} bytes",),
        (f"{made.layers} layer{'s' if made.layers != 1 else ''} split",),
        (f"{units.exact(made.macs_before)} → {units.exact(made.macs_after)} MACs",),
        (f"{units.exact(made.params_before)} → {units.exact(made.params_after)} parameters",),
    ]
    return [Facts(tuple(facts)), Paragraph((difference(made),), "plain" if not made.reason else "warning")]


def difference(made: SplitModel) -> Line:
    """Both models on one input."""
    if made.max_abs_difference is None or made.max_rel_difference is None:
        return ("not compared: ", Text(made.reason, local=True))
    size = f"{made.max_abs_difference:.3g}, {made.max_rel_difference:.3g} of the largest output"
    kind = "an approximation: " if made.approximate else ""
    end = "" if made.approximate else f" (tolerance {made.tolerance})"
    return (f"{kind}both run on the same random input, outputs differ by at most {size}{end}",)
