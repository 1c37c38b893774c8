"""What is worth knowing beside the numbers; each note stands where its condition holds, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convcost import units
from convcost.alternatives import ConvLayer
from convcost.analysis.algorithms import of_geometry
from convcost.explaining.convolution import extent
from convcost.explaining.facts import groups_of_axes
from convcost.explaining.saying import along, axis_names, capital, plural, say, shown, sizes
from convcost.explaining.terms import ceiled, floored, minus, number, over, plus, times
from convcost.explaining.transposed import checkerboard
from convcost.ops.conv import ConvAttrs
from convcost.record import Layer, Sentence
from convcost.window import same_padding

Note = Callable[[Layer, ConvLayer], list[Sentence]]

LARGE_BUFFER = 2
"""An im2col buffer of more than this many times the input is spoken of."""

MEMORY_BOUND = 20
"""FLOP per byte below which a processor waits for memory rather than for its arithmetic, as an order of magnitude."""


def notes(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """All notes that this layer deserves."""
    return [sentence for note in NOTES for sentence in note(layer, conv)]


def modes(_: Layer, conv: ConvLayer) -> list[Sentence]:
    """What the paddings valid, same and full would give: those that are not the layer's own."""
    if conv.transposed or not conv.large:
        return []
    out = []
    for axes in groups_of_axes(conv):
        a = axes[0]
        i, k, s = conv.spatial[a], extent(conv, a), conv.strides[a]
        if conv.kernel[a] == 1:
            continue
        where = capital(along(len(conv.kernel), axes))
        given = (conv.before[a], conv.after[a])
        if given != (0, 0) and i >= k:
            out.append(
                shown(f"{where} padding valid, which is none, would give", plus(floored(over(minus(i, k), s)), 1))
            )
        if given not in (same_padding(i, conv.kernel[a], s, conv.dilations[a], lower=low) for low in (False, True)):
            out.append(shown(f"{where} padding same, made for this size, would give", ceiled(over(i, s))))
        if given != (k - 1, k - 1):
            wide = plus(floored(over(minus(plus(i, k), 2), s)), 1)
            out.append(shown(f"{where} padding full, wherever the kernel touches the input, would give", wide))
    return out


def uneven(_: Layer, conv: ConvLayer) -> list[Sentence]:
    """Even kernels under `same`, and other paddings that are not the same on both sides."""
    if conv.transposed:
        return []
    out = []
    names = axis_names(len(conv.kernel))
    for axes in groups_of_axes(conv):
        a = axes[0]
        before, after = conv.before[a], conv.after[a]
        if before == after:
            continue
        why = "an even kernel has no middle tap" if extent(conv, a) % 2 == 0 else "the total is odd"
        out.append(
            say(
                f"Padding along the {names[a]} is {before} before and {after} after: {why}, so one side gets more, "
                "and libraries differ about which (same_upper, same_lower)."
            )
        )
    return out


def leftover(_: Layer, conv: ConvLayer) -> list[Sentence]:
    """Elements at the end that no window reaches."""
    if conv.transposed:
        return []
    out = []
    names = axis_names(len(conv.kernel))
    for axes in groups_of_axes(conv):
        a = axes[0]
        room = conv.spatial[a] + conv.before[a] + conv.after[a] - extent(conv, a)
        lost = room % conv.strides[a] - conv.after[a]
        if lost > 0 and conv.kernel[a] > 1:
            out.append(
                say(
                    f"The last {plural(lost, 'elements')} along the {names[a]} {'is' if lost == 1 else 'are'} never "
                    f"read: stride {conv.strides[a]} does not divide what is left, and the size is rounded down."
                )
            )
    return out


def unread(_: Layer, conv: ConvLayer) -> list[Sentence]:
    """A stride larger than the kernel throws input away."""
    if conv.transposed or not any(s > k for s, k in zip(conv.strides, conv.kernel, strict=True)):
        return []
    if any(s < k or b or e for s, k, b, e in zip(conv.strides, conv.kernel, conv.before, conv.after, strict=True)):
        return []
    read = times(*(times(o, k) if k > 1 else number(o) for o, k in zip(conv.out, conv.kernel, strict=True)))
    whole = times(*conv.spatial)
    text = (
        f"The kernel of {sizes(conv.kernel)} moves {sizes(conv.strides)} elements at a time and skips what lies "
        "between: the part of the input that is never read is"
    )
    return [
        shown(text, over(minus(whole, read), whole), percent=True),
        say("Pooling first, or the stride in a larger kernel beside it, would look at all of the input."),
    ]


def gridding(_: Layer, conv: ConvLayer) -> list[Sentence]:
    """Dilated layers whose neighbours share no input."""
    found = [a for a in conv.large if conv.dilations[a] > 1 and conv.strides[a] % conv.dilations[a]]
    if not found or conv.transposed:
        return []
    d = conv.dilations[found[0]]
    return [
        say(
            f"Neighbouring outputs read disjoint elements: those {d} apart belong together, as in {d} separate "
            "grids. Several layers of this dilation never mix the grids (gridding); dilations without a common "
            "divisor, as in 1, 2, 5, do (P. Wang et al., arXiv:1702.08502)."
        )
    ]


def traffic(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Depthwise layers wait for memory."""
    intensity = layer.cost.intensity
    if layer.kind != "depthwise" or intensity is None or intensity >= MEMORY_BOUND:
        return []
    taps = 1
    for k in conv.kernel:
        taps *= k
    return [
        say(
            f"Every input element is used for {taps} products at most and no other channel reads it, so this layer "
            f"does {units.significant(Fraction(intensity), 3)} FLOP for each byte it moves. Processors do tens of "
            "them: a depthwise layer waits for memory, and takes more time than its few multiplications suggest."
        )
    ]


def gives_up(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """What grouping of any kind leaves out."""
    if layer.kind == "depthwise":
        return [say("Channels do not mix here: a pointwise layer has to follow for that.")]
    if layer.kind in ("grouped", "pointwise_grouped") and not conv.transposed:
        text = (
            f"Each output sees {conv.c // conv.group} of {conv.c} channels, and costs that part of an ungrouped layer"
        )
        out = [shown(text, over(1, conv.group), percent=True)]
        if "shuffled" in layer.traits:
            out.append(
                say(
                    "The shuffle after it deals the channels of every group out to all groups, so that the next "
                    "grouped layer mixes them; it moves data and multiplies nothing (arXiv:1707.01083)."
                )
            )
        else:
            out.append(say("Groups never exchange anything unless a shuffle or an ungrouped layer follows."))
        return out
    return []


def correlation(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Convolution against cross-correlation."""
    if not conv.large:
        return []
    if conv.transposed:
        return [
            say(
                "It is the transpose of the matrix of a convolution, not its inverse: it brings back the shape, not "
                "the values. Written as a convolution over the input with zeros, the kernel is turned by half a turn."
            )
        ]
    if layer.kind not in ("standard", "spatial"):
        return []
    return [
        say(
            "The kernel is laid on the input as it is, which mathematics calls cross-correlation; a convolution "
            "would turn it by half a turn first. Frameworks all do the former. Learned weights do not care, but a "
            "kernel taken from a textbook, such as Sobel's, must be turned."
        )
    ]


def nonlinearity(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """What a 1×1 layer is for."""
    if layer.kind != "pointwise" or not conv.spatial or conv.transposed:
        return []
    how = "narrows" if conv.m < conv.c else "widens" if conv.m > conv.c else "keeps"
    return [
        say(
            f"At each place it is a fully connected layer from {conv.c:,} to {conv.m:,} channels: it {how} the "
            "channels without looking around. With an activation behind it, it adds a nonlinearity at the price of "
            "no kernel (Network in Network, arXiv:1312.4400)."
        )
    ]


def unrolled(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Memory of im2col."""
    if conv.transposed or layer.kind == "depthwise" or conv.batch < 1:
        return []
    attrs = ConvAttrs(
        group=conv.group, strides=conv.strides, dilations=conv.dilations, pads=(*conv.before, *conv.after)
    )
    x = (conv.batch, conv.c, *conv.spatial)
    found = of_geometry(x, (conv.m, conv.c // conv.group, *conv.kernel), (conv.batch, conv.m, *conv.out), attrs)
    buffer = next(cost.buffer_elements for cost in found if cost.name == "im2col")
    elements = conv.batch * conv.c
    for i in conv.spatial:
        elements *= i
    if buffer <= LARGE_BUFFER * elements:
        return []
    images = [conv.batch] if conv.batch > 1 else []
    return [
        shown(
            "Done as one matrix product (im2col), every window is written out first; elements of that matrix",
            times(*images, *conv.out, conv.c, *conv.kernel),
        ),
        shown("That is so many times the input", over(buffer, elements)),
    ]


def boards(_: Layer, conv: ConvLayer) -> list[Sentence]:
    """The checkerboard of a transposed layer."""
    return checkerboard(conv) if conv.transposed else []


NOTES: tuple[Note, ...] = (
    boards, gives_up, traffic, nonlinearity, unread, uneven, leftover, gridding, modes, unrolled, correlation,
)  # fmt: skip
"""In the order in which they are said."""
