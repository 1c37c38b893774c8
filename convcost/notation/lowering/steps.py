"""Steps other than convolutions: pooling, activation, normalisation, dense, shuffle, flatten, identity, resizing."""

from __future__ import annotations

from collections.abc import Callable

from convcost.ir import product
from convcost.notation.faults import Fault
from convcost.notation.grammar import options as option_rules
from convcost.notation.grammar.options import OF_STEP, Options
from convcost.notation.grammar.syntax import Shape, Step
from convcost.notation.lowering import windows as window_rules
from convcost.notation.lowering.build import Builder, Flow, within_limit
from convcost.notation.lowering.convolution import check_rank
from convcost.notation.lowering.printing import dims_text, values_text, window_text

Emit = Callable[[Builder, Flow, Step, Options, Shape | None], tuple[Flow, str]]
"""Adds the nodes of a step: the tensor that comes out, and the canonical content of the parentheses."""


def step(b: Builder, source: Flow, given: Step, declared: Shape | None) -> tuple[Flow, str]:
    """Add the nodes of a step and check them against the declared output."""
    o = option_rules.settle(given.options, OF_STEP[given.word], given.word)
    out, inside = EMIT[given.word](b, source, given, o, declared)
    check_output(out, declared, given.word)
    return out, inside


def check_output(out: Flow, declared: Shape | None, what: str) -> None:
    """A declared output has exactly the sizes of `out`."""
    if declared is None or declared.values == out.dims:
        return
    message = f"{what} gives {dims_text(out.dims)}, but the declared output is {dims_text(declared.values[:4])}"
    fixes = (((*declared.span, dims_text(out.dims)),),)
    if len(declared.numbers) != len(out.dims):
        raise Fault("C114", message, declared.span, fixes=fixes)
    number = next(n for n, d in zip(declared.numbers, out.dims, strict=True) if n.value != d)
    raise Fault("C141", message, number.span, fixes=fixes)


def need_spatial(source: Flow, given: Step) -> None:
    """Refuse a tensor of one number."""
    if not source.spatial:
        message = f"{given.word} needs spatial dimensions, but {dims_text(source.dims)} has none"
        raise Fault("C114", message, (given.start, given.word_end), others=source.at)


def pool(b: Builder, source: Flow, given: Step, o: Options, declared: Shape | None) -> tuple[Flow, str]:
    """`maxpool 3x3 s2`: the window is its own stride unless told."""
    need_spatial(source, given)
    check_rank(source, declared)
    assert given.arguments is not None
    n, sizes = len(source.spatial), given.arguments.numbers
    if len(sizes) not in (1, n):
        message = f"the window has {len(sizes)} numbers for {n} spatial dimension{'s' if n > 1 else ''}"
        raise Fault("C114", message, given.arguments.span, others=source.at)
    sizes = sizes * n if len(sizes) == 1 else sizes
    kernel = tuple([s.value for s in sizes])
    w = window_rules.settle(source, sizes, o, declared, given.end, pool=True)
    options = window_text(source.spatial, kernel, w.dilations, w.axes, default=kernel)
    inside = " ".join([given.word, dims_text(kernel), *options])
    name = b.name(given.word)
    if w.note:
        b.note("C150", w.note, name)
    out = b.layer(
        "MaxPool" if given.word == "maxpool" else "AveragePool",
        name,
        source,
        inside,
        (*w.outputs, source.channels),
        reading=w.reading,
        dilations=w.dilations,
        kernel_shape=kernel,
        pads=tuple([x.before for x in w.axes] + [x.after for x in w.axes]),
        strides=tuple([x.stride for x in w.axes]),
    )
    return out, inside


def gap(b: Builder, source: Flow, given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """Global average pooling: 1x1xC."""
    need_spatial(source, given)
    dims = (*(1 for _ in source.spatial), source.channels)
    return b.layer("GlobalAveragePool", b.name("gap"), source, "gap", dims), "gap"


def relu(b: Builder, source: Flow, _given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """max(x, 0)."""
    return b.layer("Relu", b.name("relu"), source, "relu", source.dims), "relu"


def bn(b: Builder, source: Flow, _given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """Batch normalisation as at inference: scale, shift, stored mean and variance for each channel."""
    name = b.name("bn")
    stored = [b.weight(name, role, source.channels) for role in ("scale", "bias", "mean", "variance")]
    return b.layer("BatchNormalization", name, source, "bn", source.dims, *stored), "bn"


def flat(b: Builder, source: Flow, at: tuple[int, int], reading: tuple[str, ...] = ()) -> Flow:
    """Flatten to one number."""
    total = product(source.dims)
    assert isinstance(total, int)
    within_limit(total, "the flattened size", at)
    return b.layer("Flatten", b.name("flatten"), source, "flatten", (total,), reading=reading, axis=1)


def flatten(b: Builder, source: Flow, given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """HxWxC as one number."""
    return flat(b, source, (given.start, given.word_end)), "flatten"


def fc(b: Builder, source: Flow, given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """A fully connected layer with a bias; a tensor with spatial dimensions is flattened first."""
    assert given.arguments is not None
    if len(given.arguments.numbers) != 1:
        raise Fault("C114", "fc takes one number, its outputs", given.arguments.span)
    m = given.arguments.numbers[0].value
    if source.spatial:
        source = flat(b, source, (given.start, given.word_end), ("flattened for the fc after it",))
    name = b.name("fc")
    weights = b.weight(name, "weight", m, source.channels), b.weight(name, "bias", m)
    return b.layer("Gemm", name, source, f"fc {m}", (m,), *weights, transB=1), f"fc {m}"


def shuffle(b: Builder, source: Flow, given: Step, o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """Channel shuffle: split the channels into g groups, exchange the two, merge."""
    if o.groups is None:
        at = given.word_end
        fault = Fault(
            "C124", "shuffle needs its groups, as in shuffle g3", (given.start, at), fixes=(((at, at, " g2"),),)
        )
        raise fault
    g, c = o.groups.values[0].value, source.channels
    if c % g:
        message = f"{c} channels cannot be divided into {g} groups"
        raise Fault("C131", message, o.groups.value_span, others=source.channels_at)
    name = b.name("shuffle")
    inside = f"shuffle g{g}"
    split, merged = (b.batch, g, c // g, *source.spatial), b.activation(source.dims)
    swap = (0, 2, 1, *range(3, len(split)))
    shapes = b.integers(f"{name}_split", "shape", split), b.integers(f"{name}_merge", "shape", merged)
    x = b.node("Reshape", f"{name}_split", (source.name, shapes[0]), source.dims)
    x = b.node("Transpose", f"{name}_swap", (x.name,), source.dims, perm=swap)
    return b.layer("Reshape", f"{name}_merge", Flow(x.name, source.dims), inside, source.dims, shapes[1]), inside


def identity(_b: Builder, source: Flow, _given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """The tensor itself: a shortcut in branches."""
    return source, "id"


def up(b: Builder, source: Flow, given: Step, _o: Options, _declared: Shape | None) -> tuple[Flow, str]:
    """Nearest neighbours: every element s times along each axis."""
    need_spatial(source, given)
    assert given.arguments is not None
    n, numbers = len(source.spatial), given.arguments.numbers
    if len(numbers) not in (1, n):
        message = f"up has {len(numbers)} factors for {n} spatial dimension{'s' if n > 1 else ''}"
        raise Fault("C114", message, given.arguments.span, others=source.at)
    factors = tuple([f.value for f in numbers]) * (n if len(numbers) == 1 else 1)
    what = "the output"
    sizes = tuple(
        [within_limit(i * f, what, given.arguments.span) for i, f in zip(source.spatial, factors, strict=True)]
    )
    name, inside = b.name("up"), f"up {values_text(factors)}"
    target = b.integers(name, "sizes", (b.batch, source.channels, *sizes))
    out = b.layer(
        "Resize",
        name,
        source,
        inside,
        (*sizes, source.channels),
        "",
        "",
        target,
        coordinate_transformation_mode="asymmetric",
        mode="nearest",
        nearest_mode="floor",
    )
    return out, inside


EMIT: dict[str, Emit] = {
    "maxpool": pool,
    "avgpool": pool,
    "gap": gap,
    "relu": relu,
    "bn": bn,
    "fc": fc,
    "shuffle": shuffle,
    "flatten": flatten,
    "id": identity,
    "up": up,
}
