"""One spatial axis: what is given along it, and the window that follows."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Span
from convcost.notation.grammar.options import Options
from convcost.notation.grammar.syntax import Number, Shape
from convcost.notation.lowering import fit
from convcost.notation.lowering.fit import EXPLICIT, SAME, SAME_LOWER, VALID, Window


class Asked(msgspec.Struct, frozen=True):
    """What a step asks for: its kernel, options and declared output; where an option may be added; axis by axis."""

    source_at: tuple[Span, ...]
    sizes: tuple[Number, ...]
    options: Options
    declared: Shape | None
    end: int
    axes: tuple[Axis, ...]
    dilations: tuple[int, ...]

    @property
    def kernel_at(self) -> Span:
        return self.sizes[0].start, self.sizes[-1].end


class Axis(msgspec.Struct, frozen=True):
    """What is given along one axis: sizes, and None for what is left to infer."""

    i: int
    k: int
    """Effective kernel."""
    stride: int | None
    mode: str | None
    pads: tuple[int, int] | None
    op: int | None
    declared: int | None
    usual: int = 1
    """The stride where none is given: 1, or the size of a pooling window."""


def output(a: Axis, w: Window) -> int:
    """The output along an axis; not positive where the kernel does not fit."""
    return (
        (a.i + w.before + w.after - a.k) // w.stride + 1 if w.mode == EXPLICIT else fit.size(a.i, a.k, w.stride, w.mode)
    )


def plain(a: Axis) -> Window | None:
    """The window along an axis, or None where nothing yields the declared output."""
    i, k, s, o = a.i, a.k, a.stride, a.declared
    if o is None or (s is not None and (a.mode or a.pads)):
        stride = s or a.usual
        found = Window(stride, *a.pads, EXPLICIT) if a.pads else fit.window(i, k, stride, a.mode or VALID)
        return found if o is None or output(a, found) == o else None
    if a.mode:
        return fit.with_mode(i, k, a.mode, o)
    if a.pads:
        return fit.with_padding(i, k, *a.pads, o)
    return fit.free(i, k, o) if s is None else fit.with_stride(i, k, s, o)


def transposed(a: Axis) -> Window | None:
    """The transposed window along an axis, or None where nothing yields the declared output."""
    if a.mode in (SAME, SAME_LOWER):
        s = a.stride
        if s is None:
            s = max(-(-a.declared // a.i), 1) if a.declared else 1
        w = fit.transposed_same(a.k, s, lower=a.mode == SAME_LOWER)
        return w if a.op in (None, w.output_padding) else msgspec.structs.replace(w, output_padding=a.op)
    pads = (0, 0) if a.mode == VALID else a.pads
    if a.declared is None:
        return Window(a.stride or 1, *(pads or (0, 0)), EXPLICIT if pads and any(pads) else VALID, a.op or 0)
    return fit.transposed(a.i, a.k, a.declared, s=a.stride, pads=pads, op=a.op)
