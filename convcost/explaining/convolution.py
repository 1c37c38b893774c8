"""A convolution: kernels that move over an image, and what each step of that costs."""

from __future__ import annotations

from convcost.alternatives import ConvLayer
from convcost.explaining.facts import groups_of_axes
from convcost.explaining.saying import along, capital, plural, proved, repeated, say, shown, sizes
from convcost.explaining.terms import floored, minus, number, over, plus, times
from convcost.record import Layer, Sentence, Term
from convcost.window import effective_kernel, taps_inside

LISTED = 12
"""Outputs along an axis whose taps are listed one by one."""


def work(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Multiplications, with the kernels in words."""
    out = proved(moving(layer, conv), layer.cost.macs, repeated(layer, *factors(layer, conv)), "multiplications")
    if layer.repeats not in (1, None):
        out.append(say(f"The loop around it runs {plural(layer.repeats or 1, 'times')}; its products count each time."))
    return out


def moving(layer: Layer, conv: ConvLayer) -> str:
    """256 kernels of 5×5×3 move 8×8 times."""
    k, o, c = sizes(conv.kernel), sizes(conv.out), conv.c
    per_group = c // conv.group
    kernels = plural(conv.m, "kernels")
    s = "s" if conv.m == 1 else ""
    times_ = f"{o} times" if len(conv.out) > 1 or conv.out != (1,) else "once"
    every = f" over each of {plural(conv.batch, 'images')}" if conv.batch > 1 else ""
    if layer.kind == "depthwise":
        many = conv.m // c
        each = f"one for each of {plural(c, 'channels')}" if many == 1 else f"{many} for each of {c:,} channels"
        return f"{kernels} of {k}, {each}, move{s} {times_}{every}"
    if layer.kind in ("grouped", "pointwise_grouped"):
        inside = plural(conv.m // conv.group, "kernels")
        return (
            f"The channels are in {plural(conv.group, 'groups')}; in each, {inside} of {k}×{per_group:,} "
            f"move{'s' if conv.m == conv.group else ''} {times_}{every}"
        )
    if layer.kind == "pointwise":
        return f"{kernels} of {k}×{c:,} mix{'es' if conv.m == 1 else ''} the channels at {o} places{every}"
    if layer.kind == "spatial":
        axis = along(len(conv.kernel), conv.large)
        return f"{kernels} of {k}×{c:,}, which look {axis} only, move{s} {times_}{every}"
    return f"{kernels} of {k}×{c:,} move{s} {times_}{every}"


def factors(layer: Layer, conv: ConvLayer) -> list[Term]:
    """The factors of the products, each with its meaning."""
    kernel = [number(k, "kernel") for k in conv.kernel if layer.kind not in ("pointwise", "pointwise_grouped")]
    places = [number(o, "places") for o in conv.out]
    images = [number(conv.batch, "images")] if conv.batch > 1 else []
    per_group = conv.c // conv.group
    if layer.kind == "depthwise":
        heads = [number(conv.c, "channels")]
        if conv.m != conv.c:
            heads.append(number(conv.m // conv.c, "kernels for each channel"))
    elif conv.group > 1:
        inside = number(conv.m // conv.group, "kernels in a group")
        heads = [number(conv.group, "groups"), inside, number(per_group, "channels in a group")]
    else:
        heads = [number(conv.m, "kernels"), number(conv.c, "channels")]
    return [*images, *heads, *kernel, *places]


def output_size(conv: ConvLayer) -> list[Sentence]:
    """Floor((12 + 0 + 0 - 5) / 1) + 1 = 8, for axes that differ."""
    out = [*holes(conv)]
    rank = len(conv.kernel)
    for axes in groups_of_axes(conv):
        a = axes[0]
        reach = extent(conv, a)
        padded = plus(
            number(conv.spatial[a], "input"), number(conv.before[a], "before"), number(conv.after[a], "after")
        )
        fits = plus(floored(over(minus(padded, number(reach, "kernel")), number(conv.strides[a], "stride"))), 1)
        out.append(shown(f"{capital(along(rank, axes))} the kernel fits at", fits, unit="places"))
    return out


def extent(conv: ConvLayer, axis: int) -> int:
    """The effective kernel along an axis."""
    k = effective_kernel(conv.kernel[axis], conv.dilations[axis])
    assert isinstance(k, int)
    return k


def holes(conv: ConvLayer) -> list[Sentence]:
    """How far a dilated kernel reaches."""
    out = []
    seen = set()
    for k, d in zip(conv.kernel, conv.dilations, strict=True):
        if d > 1 and k > 1 and (k, d) not in seen:
            seen.add((k, d))
            reach = plus(times(number(d, "dilation"), minus(number(k, "kernel"), 1)), 1)
            out.append(shown(f"With dilation {d:,} the {k:,} taps along an axis reach over", reach, unit="elements"))
    return out


def effective(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Products without those on padding zeros: taps inside the input along each axis, multiplied."""
    cost = layer.cost
    if cost.macs_effective is None or cost.macs_effective == cost.macs:
        return []
    pairs = [inside(conv, a) for a in range(len(conv.kernel))]
    out = []
    rank = len(conv.kernel)
    for axes in groups_of_axes(conv):
        a = axes[0]
        o, k = conv.out[a], conv.kernel[a]
        if conv.before[a] == conv.after[a] == 0 and not conv.transposed:
            continue
        if pairs[a] == (conv.spatial[a] * k if conv.transposed else o * k):
            continue
        what = "products that land inside the output" if conv.transposed else "taps on real input"
        out.append(shown(f"{capital(along(rank, axes))} there are this many {what}", tap_sum(conv, a, pairs[a])))
    heads: list[Term | int] = [conv.batch] if conv.batch > 1 else []
    if conv.transposed:
        heads += [conv.c, conv.m // conv.group]
        text = "Without the products that padding cuts away"
    else:
        heads += [conv.m, conv.c // conv.group]
        text = "Without multiplications by padding zeros"
    return out + proved(text, cost.macs_effective, repeated(layer, *heads, *pairs), "multiplications")


def inside(conv: ConvLayer, a: int) -> int:
    """Pairs of output and tap along an axis that read real input (of a transposed layer: that land in the output)."""
    i, o = (conv.out[a], conv.spatial[a]) if conv.transposed else (conv.spatial[a], conv.out[a])
    pairs = taps_inside(i, conv.kernel[a], conv.strides[a], conv.dilations[a], conv.before[a], conv.after[a], o)
    assert isinstance(pairs, int)
    return pairs


def tap_sum(conv: ConvLayer, a: int, pairs: int) -> Term:
    """2 + 3 + 3 + 2: what each place has inside; for many places all of them without those outside."""
    i, o = (conv.out[a], conv.spatial[a]) if conv.transposed else (conv.spatial[a], conv.out[a])
    k, s, d, before = conv.kernel[a], conv.strides[a], conv.dilations[a], conv.before[a]
    if o <= LISTED and k <= 1000:
        return plus(*(sum(0 <= x * s - before + j * d < i for j in range(k)) for x in range(o)))
    return minus(times(o, k), o * k - pairs)


def parameters(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """Weights, and one bias for each output channel."""
    params = layer.cost.params
    kernel = (conv.m, conv.c // conv.group, *conv.kernel)
    term = times(*kernel)
    if conv.transposed:
        term = times(conv.c, conv.m // conv.group, *conv.kernel)
    if layer.shared_weights and params == 0:
        return [say("Its weights are those of an earlier layer, where they count as parameters.")]
    if params == 0:
        return [say("Its kernel comes from another layer: it has no parameters of its own.")]
    text = "Each kernel has its own weights, and reuses them at every place"
    if conv.bias:
        return proved(f"{text}; with one bias for each", params, plus(term, conv.m), "parameters")
    return proved(text, params, term, "parameters")


def bias(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """One addition for each output."""
    if not conv.bias or layer.cost.additions is None or layer.cost.macs is None:
        return []
    whole = repeated(layer, *([conv.batch] if conv.batch > 1 else []), conv.m, *conv.out)
    return proved("The bias adds once for each output", layer.cost.additions - layer.cost.macs, whole, "additions")
