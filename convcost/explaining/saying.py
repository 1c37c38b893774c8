"""Small pieces of explanations: sentences that carry a number of the record, sizes and plurals in words."""

from __future__ import annotations

from collections.abc import Sequence

from convcost import units
from convcost.explaining.terms import equation, over, times, value_of
from convcost.record import Layer, Sentence, Term

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def say(text: str, spelled: str = "") -> Sentence:
    """A sentence without numbers to prove."""
    return Sentence(text=text, spelled=spelled)


def shown(text: str, *sides: Term, unit: str = "", percent: bool = False) -> Sentence:
    """A sentence and its arithmetic."""
    return Sentence(text=f"{text}:", equation=equation(*sides, unit=unit, percent=percent))


def proved(text: str, figure: int | None, term: Term, unit: str) -> list[Sentence]:
    """A sentence whose arithmetic gives the record's figure; where it does not, the figure alone; where none, nothing.

    So a derivation never contradicts the count: a layer with more to it than the derivation knows shows its figure.
    """
    if figure is None:
        return []
    if value_of(term) == figure:
        return [shown(text, term, unit=unit)]
    return [say(f"In all {plural(figure, unit)}.")]


def sizes(values: Sequence[object]) -> str:
    """8×8."""
    return "×".join(units.exact(v) if isinstance(v, int) else str(v) for v in values)


def plural(n: int, noun: str) -> str:
    """1 kernel, 256 kernels; a noun is given in the plural, `MACs` too."""
    word = SINGULAR.get(noun, noun) if n == 1 else noun
    return f"{units.exact(n)} {word}"


SINGULAR = {
    "MACs": "MAC",
    "additions": "addition",
    "axes": "axis",
    "bytes": "byte",
    "channels": "channel",
    "comparisons": "comparison",
    "divisions": "division",
    "elements": "element",
    "groups": "group",
    "images": "image",
    "input channels": "input channel",
    "kernels": "kernel",
    "layers": "layer",
    "multiplications": "multiplication",
    "output channels": "output channel",
    "outputs": "output",
    "parameters": "parameter",
    "places": "place",
    "taps": "tap",
    "times": "time",
    "zeros": "zero",
}


def axis_names(rank: int) -> tuple[str, ...]:
    """What the spatial axes are called."""
    return AXES.get(rank) or tuple(f"axis {i}" for i in range(1, rank + 1))


def along(rank: int, axes: Sequence[int]) -> str:
    """`Along the height`, or `Along each axis` for all of several."""
    if len(axes) == rank and rank > 1:
        return "along each axis"
    return "along the " + " and the ".join(axis_names(rank)[a] for a in axes)


def capital(text: str) -> str:
    """`text` with its first letter large."""
    return text[:1].upper() + text[1:]


def repeated(layer: Layer, *factors: Term | int) -> Term:
    """A product, times the iterations of the loop around the layer."""
    return times(*factors, *([] if layer.repeats is None or layer.repeats == 1 else [layer.repeats]))


def share(text: str, part: int, whole: int) -> Sentence:
    """A part of a whole, as per cent."""
    return shown(text, over(part, whole), percent=True)
