"""A transposed convolution: each input element spreads a kernel over the output."""

from __future__ import annotations

from convcost.alternatives import ConvLayer
from convcost.explaining.convolution import extent, holes
from convcost.explaining.facts import groups_of_axes
from convcost.explaining.saying import along, capital, plural, proved, repeated, say, shown, sizes
from convcost.explaining.terms import minus, number, plus, times
from convcost.record import Layer, Sentence

COUNTED = 16
"""Positions along an axis whose overlap is counted."""


def work(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Products at the places of the input."""
    per = conv.m // conv.group
    images = [number(conv.batch, "images")] if conv.batch > 1 else []
    text = (
        f"Each of {sizes(conv.spatial)} places of {plural(conv.c, 'input channels')} is multiplied by a kernel of "
        f"{sizes(conv.kernel)} for {'each of ' if per > 1 else ''}{plural(per, 'output channels')}"
    )
    if conv.group > 1:
        text += f" of its group ({plural(conv.group, 'groups')})"
    factors = [
        *images,
        number(conv.c, "input channels"),
        *(number(i, "places") for i in conv.spatial),
        number(per, "output channels"),
        *(number(k, "kernel") for k in conv.kernel),
    ]
    out = proved(text, layer.cost.macs, repeated(layer, *factors), "multiplications")
    wrong = repeated(layer, *factors[: len(images)], conv.m, *conv.out, conv.c // conv.group, *conv.kernel)
    if any(s > 1 for s in conv.strides):
        text = "Counting at the output's places instead would multiply the zeros that stride puts between the inputs"
        out.append(shown(f"{text}, and be wrong", wrong))
    return out


def output_size(conv: ConvLayer) -> list[Sentence]:
    """s(i-1) + op + k' - pb - pe, for axes that differ."""
    out = holes(conv)
    for axes in groups_of_axes(conv):
        a = axes[0]
        grown = plus(
            times(number(conv.strides[a], "stride"), minus(number(conv.spatial[a], "input"), 1)),
            number(conv.extra[a], "output padding"),
            number(extent(conv, a), "kernel"),
        )
        size = minus(grown, number(conv.before[a], "before"), number(conv.after[a], "after"))
        out.append(shown(f"{capital(along(len(conv.kernel), axes))} the output has", size, unit="elements"))
    return out


def overlaps(conv: ConvLayer, a: int, most: int = COUNTED) -> list[int]:
    """How many inputs write to each of the first outputs along an axis."""
    s, d, k, i = conv.strides[a], conv.dilations[a], conv.kernel[a], conv.spatial[a]
    out = []
    for o in range(min(conv.out[a], most)):
        at = o + conv.before[a]
        out.append(sum((at - j * d) % s == 0 and 0 <= (at - j * d) // s < i for j in range(min(k, 4096))))
    return out


def checkerboard(conv: ConvLayer) -> list[Sentence]:
    """Uneven overlap, where the stride does not divide the kernel."""
    out: list[Sentence] = []
    rank = len(conv.kernel)
    for axes in groups_of_axes(conv):
        a = axes[0]
        k, s, d = conv.kernel[a], conv.strides[a], conv.dilations[a]
        if s == 1 or conv.spatial[a] < 2:
            continue
        counts = " ".join(map(str, overlaps(conv, a)))
        more = " …" if conv.out[a] > COUNTED else ""
        if d == 1 and k % s:
            out.append(
                say(
                    f"The stride {s} does not divide the kernel {k}: {along(rank, axes)} the outputs get "
                    f"{counts}{more} products each. This uneven overlap shows as a checkerboard; a kernel that the "
                    "stride divides, or resizing before a convolution, avoids it (A. Odena, V. Dumoulin, C. Olah, "
                    "Deconvolution and Checkerboard Artifacts, Distill 2016)."
                )
            )
        elif d == 1:
            out.append(
                say(
                    f"The stride {s} divides the kernel {k}: {along(rank, axes)} the outputs get {counts}{more} "
                    "products each, the same number away from the borders, so no checkerboard is built in."
                )
            )
    return out
