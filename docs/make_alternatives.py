"""Writes alternatives.md from the ideas themselves: run `python docs/make_alternatives.py` after changing one."""

from __future__ import annotations

from pathlib import Path

from convcost import api, units
from convcost.alternatives import IDEAS, Idea
from convcost.record import Alternative

PAGE = Path(__file__).parent / "alternatives.md"

INTRODUCTION = """# What a layer could be instead

`convcost compare "12x12x3 -(5x5x3x256)->"` puts one layer beside everything here that applies to it; `--all` adds the
forms that a short table leaves out and those that would cost more, `--layer NAME model.onnx` takes the layer out of a
model. This page is made from the ideas themselves (`python docs/make_alternatives.py`).

I and O are the sizes of input and output, k the kernel's, C and M the channels in and out; costs are multiplications at
stride 1 in two dimensions, where the standard layer has O²·k²·C·M. Strings are in the [notation](notation.md).
Activations and normalisation between the steps cost no products and are left out.

What an idea keeps is tested on random layers: the *output shape*; the *receptive field*, as far as an output sees; the
number of *parameters*; the *function*, when the result is the same but for rounding. No other form computes what the
layer computed with the weights that it had: it has to be trained, or fitted to them.

A row of the comparison has a `*` when no other beats it in MACs and parameters together (with `--time` in time too).
Fewer MACs are not always faster: with `--time` a note says where a gain is missing and which step waits for what.
"""


def rows(idea: Idea) -> list[Alternative]:
    """The example and the idea's forms of it."""
    (comparison,) = api.compare(idea.example, everything=True).comparisons
    first, *others = comparison.alternatives
    return [first, *(way for way in others if way.summary == idea.summary)]


def table(ways: list[Alternative]) -> str:
    """String, MACs, part of the first row's, parameters."""
    base = ways[0].cost.macs
    lines = ["| form | string | MACs | of the layer | parameters |", "|---|---|---:|---:|---:|"]
    for i, way in enumerate(ways):
        name = way.name if i else "the layer"
        text = f"`{way.notation}`".replace("|", "\\|") if way.notation else "the same"
        part = units.percent(way.cost.macs, base, 2) if i else ""
        lines.append(f"| {name} | {text} | {units.exact(way.cost.macs)} | {part} | {units.exact(way.cost.params)} |")
    return "\n".join(lines)


def section(idea: Idea) -> str:
    """One idea."""
    facts = (
        f"Applies: {idea.when}.",
        f"Becomes: `{idea.becomes}`",
        f"Costs: {idea.cost}.",
        f"Keeps: {', '.join(idea.keeps)}.",
        f"Loses: {idea.loses}.",
        f"Source: {idea.source}.",
    )
    summary = f"{idea.summary[0].upper()}{idea.summary[1:]}."
    return (
        f"## {idea.name[0].upper()}{idea.name[1:]}\n\n{summary}\n\n" + "  \n".join(facts) + f"\n\n{table(rows(idea))}\n"
    )


def page() -> str:
    """The whole page."""
    return "\n".join((INTRODUCTION, *(section(idea) for idea in IDEAS)))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
