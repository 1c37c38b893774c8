"""How each operator moves the receptive field of one input: a rule from the field before to the field after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import msgspec

from convcost.ir import Shape, Tensor, known
from convcost.ops.base import Call, remembered
from convcost.ops.conv import transposed_window
from convcost.ops.reduce import reduced_axes
from convcost.ops.windows import WindowAttrs, window_of
from convcost.window import effective_kernel

Number = int | Fraction


class Axis(msgspec.Struct, frozen=True, gc=False):
    """The receptive field along one axis, in elements of axis `of` of the input."""

    of: int
    size: Number
    jump: Number
    start: Number
    aligned: bool = True

    @property
    def centre(self) -> Number:
        """Twice the position of the middle."""
        return 2 * self.start + self.size - 1


Field = tuple[Axis | None, ...]
"""One entry an axis of the tensor; None where the axis mixes input axes or is not followed."""

LOST: Field = ()
"""The field of a tensor that an input reaches in a way that is not followed."""

ANY = Axis(-1, 0, 0, 0)
"""Stands for an axis that a branch of lower rank does not have: it adds nothing there."""

Fields = dict[str, Field]
"""By input of the graph."""


def drop(field: Field, axis: int) -> Field:
    """`field` without what is known of one axis."""
    return tuple(None if i == axis else a for i, a in enumerate(field))


def slide(a: Axis | None, reach: int, s: int, before: int) -> Axis | None:
    """One axis through a window of effective size `reach`."""
    if a is None:
        return None
    jump = a.jump
    return Axis(a.of, a.size + (reach - 1) * jump, jump * s, a.start - before * jump, a.aligned)


@remembered
def steps(a: WindowAttrs, x: Shape, kernel: Shape) -> tuple[tuple[int, int, int], ...]:
    """(k', s, pb) of each axis of a window over `x`."""
    window = window_of(a, x, kernel)
    return tuple(
        [
            (known(effective_kernel(known(k, "kernel"), d), "kernel"), s, known(b, "padding"))
            for k, s, d, b in zip(kernel, window.strides, window.dilations, window.before, strict=True)
        ]
    )


def spatial(call: Call, field: Field, kernel: Shape) -> Field:
    """A window over the axes from the third on; the channels are mixed."""
    moves = steps(call.attrs, call.x(0).dims[2:], kernel)
    return (field[0], None, *[slide(a, k, s, b) for a, (k, s, b) in zip(field[2:], moves, strict=True)])


def conv(call: Call, field: Field) -> Field:
    """A convolution."""
    return spatial(call, field, call.x(1).dims[2:])


def pool(call: Call, field: Field) -> Field:
    """Pooling with a kernel."""
    return spatial(call, field, call.attrs.kernel_shape)


def transposed(call: Call, field: Field) -> Field:
    """A transposed convolution: an output sees ceil(k'/s) inputs, outputs are s times as dense."""
    kernel = call.x(1).dims[2:]
    window, _ = transposed_window(call.attrs, call.x(0).dims[2:], kernel)
    out: list[Axis | None] = [field[0], None]
    for a, k, s, d, b in zip(field[2:], kernel, window.strides, window.dilations, window.before, strict=True):
        reach, pad = known(effective_kernel(k, d), "kernel"), known(b, "padding")
        if a is None:
            out.append(None)
            continue
        first = -((reach - 1 - pad) // s)
        start = a.start + first * a.jump
        out.append(Axis(a.of, a.size + (-(-reach // s) - 1) * a.jump, Fraction(a.jump) / s, start, a.aligned))
    return tuple(out)


def whole(call: Call, field: Field) -> Field:
    """Global pooling: all elements of the axes from the third on."""
    return (*field[:2], *(span(a, call.x(0), i) for i, a in enumerate(field) if i >= 2))


def span(a: Axis | None, x: Tensor, axis: int) -> Axis | None:
    """All elements of one axis."""
    n = known(x.dims[axis], "size")
    return None if a is None else Axis(a.of, a.size + (n - 1) * a.jump, a.jump * n, a.start, a.aligned)


def reduced(call: Call, field: Field) -> Field:
    """A sum, mean or maximum: all elements of the axes that it runs over."""
    axes, keep = reduced_axes(call), call.attrs.keepdims != 0
    seen = [span(a, call.x(0), i) if i in axes else a for i, a in enumerate(field)]
    return tuple(a for i, a in enumerate(seen) if keep or i not in axes)


def transpose(call: Call, field: Field) -> Field:
    """A permutation of the axes."""
    perm = call.attrs.perm or tuple(reversed(range(len(field))))
    return tuple(field[i] for i in perm)


def reshape(call: Call, field: Field) -> Field:
    """Axes that keep their place and size, counted from either end, are followed."""
    x, y = call.x(0).dims, call.y().dims
    out: list[Axis | None] = [None] * len(y)
    for i in range(min(len(x), len(y))):
        if x[i] != y[i]:
            break
        out[i] = field[i]
    for i in range(1, min(len(x), len(y)) + 1):
        if x[-i] != y[-i]:
            break
        out[-i] = field[-i]
    return tuple(out)


def pad(call: Call, field: Field) -> Field:
    """Padding in front moves the start."""
    x, y = call.x(0).dims, call.y().dims
    pads = getattr(call.attrs, "pads", None) or (call.inputs[1].content if call.has(1) and call.inputs[1] else ())
    if len(pads) != 2 * len(field):
        return tuple(a if x[i] == y[i] else None for i, a in enumerate(field))
    return tuple(
        None if a is None else Axis(a.of, a.size, a.jump, a.start - int(str(pads[i])) * a.jump, a.aligned)
        for i, a in enumerate(field)
    )


def same_size(call: Call, field: Field) -> Field:
    """Axes whose size does not change are followed (Slice, Resize of other axes …)."""
    x, y = call.x(0).dims, call.y().dims
    return tuple(a if x[i] == y[i] else None for i, a in enumerate(field)) if len(x) == len(y) else (None,) * len(y)


def resize(call: Call, field: Field) -> Field:
    """Enlarging makes outputs denser; linear reads two neighbours, cubic four, nearest one."""
    taps = {"linear": 1, "cubic": 3}.get(call.attrs.mode, 0)
    out: list[Axis | None] = []
    for a, i, o in zip(field, call.x(0).dims, call.y().dims, strict=True):
        if a is None or i == o:
            out.append(a)
            continue
        jump = Fraction(a.jump) * Fraction(known(i, "size"), known(o, "size"))
        out.append(Axis(a.of, a.size + taps * a.jump, jump, a.start, a.aligned))
    return tuple(out)


def blocks(call: Call, field: Field) -> Field:
    """DepthToSpace: outputs are as many times as dense as the block is wide."""
    b = call.attrs.blocksize
    return (
        field[0],
        None,
        *(None if a is None else Axis(a.of, a.size, Fraction(a.jump) / b, a.start, a.aligned) for a in field[2:]),
    )


def unblocks(call: Call, field: Field) -> Field:
    """SpaceToDepth: one output sees a block."""
    b = call.attrs.blocksize
    return (field[0], None, *(slide(a, b, b, 0) for a in field[2:]))


def squeezed(call: Call, field: Field) -> Field:
    """Axes are matched in order; those of size 1 come and go."""
    kept = iter([a for a, d in zip(field, call.x(0).dims, strict=True) if d != 1])
    return tuple([next(kept, None) if d != 1 else None for d in call.y().dims])


RULES: Mapping[str, Callable[[Call, Field], Field]] = {
    "Conv": conv,
    "FusedConv": conv,
    "ConvTranspose": transposed,
    "MaxPool": pool,
    "AveragePool": pool,
    "LpPool": pool,
    "GlobalAveragePool": whole,
    "GlobalMaxPool": whole,
    "GlobalLpPool": whole,
    "ReduceMean": reduced,
    "ReduceMax": reduced,
    "ReduceSum": reduced,
    "Transpose": transpose,
    "Reshape": reshape,
    "Squeeze": squeezed,
    "Unsqueeze": squeezed,
    "Pad": pad,
    "Slice": same_size,
    "Resize": resize,
    "Upsample": resize,
    "DepthToSpace": blocks,
    "SpaceToDepth": unblocks,
}
"""Operators that change where an element looks; those of the passing kinds need no row."""
