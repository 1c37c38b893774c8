"""Stride, dilation and padding of a step, from its options and what the output declares; axis by axis."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Fault
from convcost.notation.grammar.options import Options
from convcost.notation.grammar.syntax import Number, Option, Shape
from convcost.notation.lowering.axis import Axis, output, plain, transposed
from convcost.notation.lowering.build import Flow, within_limit
from convcost.notation.lowering.fit import Window, transposed_output
from convcost.notation.lowering.inferred import no_fit, no_transposed_fit, told
from convcost.window import effective_kernel


class Windows(msgspec.Struct, frozen=True):
    """The settled windows, their dilations and outputs, what was inferred, and a note where it was ambiguous."""

    axes: tuple[Window, ...]
    dilations: tuple[int, ...]
    outputs: tuple[int, ...]
    reading: tuple[str, ...] = ()
    note: str | None = None


def per_axis(option: Option | None, n: int) -> tuple[int, ...] | None:
    """The option's values for n axes; one value stands for all."""
    if option is None:
        return None
    values = tuple([v.value for v in option.values])
    if option.slashed or len(values) not in (1, n):
        message = f"{option.name} has {len(values)} values for {n} spatial dimension{'s' if n > 1 else ''}"
        raise Fault("C114", message, option.value_span)
    return values * n if len(values) == 1 else values


def paddings(option: Option, n: int) -> tuple[tuple[int, int], ...]:
    """Explicit padding as (before, after) for each axis."""
    if not option.slashed:
        return tuple([(p, p) for p in per_axis(option, n) or ()])
    values = [v.value for v in option.values]
    if len(values) != 2 * n:
        message = f"pad has {len(values)} values with /, expected {2 * n}: all begins, then all ends"
        raise Fault("C114", message, option.value_span)
    return tuple(zip(values[:n], values[n:], strict=True))


def settle(
    source: Flow,
    sizes: tuple[Number, ...],
    o: Options,
    declared: Shape | None,
    end: int,
    *,
    pool: bool = False,
) -> Windows:
    """The windows of a step on `source`; `end` is where an option may be added to the text."""
    n = len(source.spatial)
    values = tuple([s.value for s in sizes])
    dilations = per_axis(o.dilation, n) or (1,) * n
    at = o.dilation.value_span if o.dilation else (sizes[0].start, sizes[-1].end)
    kernels = [effective_kernel(k, d) for k, d in zip(values, dilations, strict=True)]
    strides, extra = per_axis(o.stride, n), per_axis(o.op, n)
    mode = o.padding.name if o.padding and o.padding.name != "pad" else None
    pads = paddings(o.padding, n) if o.padding and mode is None else None
    axes = []
    for a, k in enumerate(kernels):
        assert isinstance(k, int)
        within_limit(k, "the kernel's extent", at)
        axes.append(
            Axis(
                source.spatial[a],
                k,
                strides[a] if strides else None,
                mode,
                pads[a] if pads else None,
                extra[a] if extra else None,
                declared.numbers[a].value if declared else None,
            )
        )
    if pool:
        return _pool(source, sizes, o, axes, dilations, declared, end)
    if o.T is not None:
        return _transposed(sizes, o, axes, dilations, declared)
    chosen = [plain(axis, 1) for axis in axes]
    return _checked(source, sizes, o, axes, chosen, dilations, declared, end)


def _pool(
    source: Flow,
    sizes: tuple[Number, ...],
    o: Options,
    axes: list[Axis],
    dilations: tuple[int, ...],
    declared: Shape | None,
    end: int,
) -> Windows:
    """A pooling window steps by its own size unless told; a declared output may show another stride."""
    chosen: list[Window | None] = []
    for a, size in zip(axes, sizes, strict=True):
        if a.pads and max(a.pads) >= a.k:
            assert o.padding is not None
            message = f"the padding {max(a.pads)} must be smaller than the window, {a.k}"
            raise Fault("C134", message, o.padding.value_span, others=(size.span,))
        stepped = a if a.stride else msgspec.structs.replace(a, stride=size.value)
        found = plain(stepped, size.value)
        chosen.append(found if found or a.stride or a.declared is None else plain(a, size.value))
    return _checked(source, sizes, o, axes, chosen, dilations, declared, end)


def _checked(
    source: Flow,
    sizes: tuple[Number, ...],
    o: Options,
    axes: list[Axis],
    chosen: list[Window | None],
    dilations: tuple[int, ...],
    declared: Shape | None,
    end: int,
) -> Windows:
    outputs, windows = [], []
    for index, (a, w) in enumerate(zip(axes, chosen, strict=True)):
        if w is None:
            assert declared is not None
            raise no_fit(o, axes, index, declared, end)
        size = output(a, w)
        if size < 1:
            raise _too_large(source, sizes, a, w)
        outputs.append(within_limit(size, "the output", sizes[index].span))
        windows.append(w)
    found = tuple(windows)
    reading, note = told(o, axes, found) if declared else ((), None)
    return Windows(found, dilations, tuple(outputs), reading, note)


def _too_large(source: Flow, sizes: tuple[Number, ...], a: Axis, w: Window) -> Fault:
    padded = a.i + w.before + w.after
    what = f"{padded} with its padding" if padded != a.i else f"{a.i}"
    edits = tuple((n.start, n.end, str(min(n.value, i))) for n, i in zip(sizes, source.spatial, strict=True))
    return Fault(
        "C133",
        f"the kernel covers {a.k}, which is larger than the input {what}: there would be no output",
        (sizes[0].start, sizes[-1].end),
        others=source.at,
        fixes=(edits,),
    )


def _transposed(
    sizes: tuple[Number, ...], o: Options, axes: list[Axis], dilations: tuple[int, ...], declared: Shape | None
) -> Windows:
    windows, outputs = [], []
    for index, a in enumerate(axes):
        if a.op is not None and a.stride is not None and a.op >= max(a.stride, dilations[index]):
            assert o.op is not None
            message = f"the output padding {a.op} must be smaller than the stride {a.stride} or the dilation"
            raise Fault("C134", message, o.op.value_span, others=(o.stride.value_span,) if o.stride else ())
        w = transposed(a)
        size = transposed_output(a.i, a.k, w) if w else None
        if w is None or (a.declared is not None and size != a.declared):
            assert declared is not None
            raise no_transposed_fit(o, axes, index, declared)
        assert size is not None
        if size < 1:
            at = o.padding.value_span if o.padding else sizes[index].span
            raise Fault("C133", f"the padding cuts away the whole output along axis {index + 1}", at)
        if w.output_padding >= max(w.stride, dilations[index]):
            assert o.op is not None
            message = f"the output padding {w.output_padding} must be smaller than the stride {w.stride}"
            raise Fault("C134", message, o.op.value_span)
        outputs.append(within_limit(size, "the output", sizes[index].span))
        windows.append(w)
    found = tuple(windows)
    reading = told(o, axes, found)[0] if declared else ()
    return Windows(found, dilations, tuple(outputs), reading)
