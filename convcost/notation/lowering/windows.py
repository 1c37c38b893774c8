"""Stride, dilation and padding of a step, from its options and what the output declares; axis by axis."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Fault
from convcost.notation.grammar.options import Options
from convcost.notation.grammar.syntax import Number, Option, Shape
from convcost.notation.lowering.axis import Asked, Axis, output, plain, transposed
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
    source: Flow, sizes: tuple[Number, ...], o: Options, declared: Shape | None, end: int, *, pool: bool = False
) -> Windows:
    """The windows of a step on `source`; `end` is where an option may be added to the text."""
    n = len(source.spatial)
    dilations = per_axis(o.dilation, n) or (1,) * n
    at = o.dilation.value_span if o.dilation else (sizes[0].start, sizes[-1].end)
    strides, extra = per_axis(o.stride, n), per_axis(o.op, n)
    mode = o.padding.name if o.padding and o.padding.name != "pad" else None
    pads = paddings(o.padding, n) if o.padding and mode is None else None
    axes = []
    for a, size in enumerate(sizes):
        k = effective_kernel(size.value, dilations[a])
        assert isinstance(k, int)
        axes.append(
            Axis(
                source.spatial[a],
                within_limit(k, "the kernel's extent", at),
                strides[a] if strides else None,
                mode,
                pads[a] if pads else None,
                extra[a] if extra else None,
                declared.numbers[a].value if declared else None,
                size.value if pool else 1,
            )
        )
    asked = Asked(source.at, sizes, o, declared, end, tuple(axes), dilations)
    if o.T is not None:
        return _transposed(asked)
    return _settled(asked, [_pooled(asked, a) if pool else plain(a) for a in axes])


def _pooled(asked: Asked, a: Axis) -> Window | None:
    """A pooling window steps by its own size unless told; a declared output may show another stride."""
    if a.pads and max(a.pads) >= a.k:
        assert asked.options.padding is not None
        message = f"the padding {max(a.pads)} must be smaller than the window, {a.k}"
        raise Fault("C134", message, asked.options.padding.value_span, others=(asked.kernel_at,))
    found = plain(a if a.stride else msgspec.structs.replace(a, stride=a.usual))
    return found if found or a.stride or a.declared is None else plain(a)


def _settled(asked: Asked, chosen: list[Window | None]) -> Windows:
    """The windows and their outputs, or the Fault of the first axis that has none."""
    outputs, windows = [], []
    for index, (a, w) in enumerate(zip(asked.axes, chosen, strict=True)):
        if w is None:
            raise no_fit(asked, index)
        size = output(a, w)
        if size < 1:
            raise _too_large(asked, index, w)
        outputs.append(within_limit(size, "the output", asked.sizes[index].span))
        windows.append(w)
    reading, note = told(asked, windows)
    return Windows(tuple(windows), asked.dilations, tuple(outputs), reading, note)


def _too_large(asked: Asked, index: int, w: Window) -> Fault:
    a = asked.axes[index]
    padded = a.i + w.before + w.after
    what = f"{padded} with its padding" if padded != a.i else f"{a.i}"
    return Fault(
        "C133",
        f"the kernel covers {a.k}, which is larger than the input {what}: there would be no output",
        asked.kernel_at,
        others=asked.source_at,
        fixes=(tuple((*n.span, str(min(n.value, x.i))) for n, x in zip(asked.sizes, asked.axes, strict=True)),),
    )


def _transposed(asked: Asked) -> Windows:
    """The windows of a transposed convolution and their outputs, or the Fault of the first axis that has none."""
    outputs, windows = [], []
    o = asked.options
    for index, (a, d) in enumerate(zip(asked.axes, asked.dilations, strict=True)):
        w = transposed(a)
        if a.op is not None and a.op >= max(w.stride if w else a.stride or 1, d):
            assert o.op is not None
            message = f"the output padding {a.op} must be smaller than the stride or the dilation"
            raise Fault("C134", message, o.op.value_span, others=(o.stride.value_span,) if o.stride else ())
        size = transposed_output(a.i, a.k, w) if w else 0
        if w is None or (a.declared is not None and size != a.declared):
            raise no_transposed_fit(asked, index)
        if size < 1:
            at = o.padding.value_span if o.padding else asked.sizes[index].span
            raise Fault("C133", f"the padding cuts away the whole output along axis {index + 1}", at)
        outputs.append(within_limit(size, "the output", asked.sizes[index].span))
        windows.append(w)
    reading, _ = told(asked, windows)
    return Windows(tuple(windows), asked.dilations, tuple(outputs), reading)
