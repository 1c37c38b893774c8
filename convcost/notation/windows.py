"""Stride, dilation and padding of a step, from its options and what the output declares; axis by axis."""

from __future__ import annotations

import msgspec

from convcost.notation import fit
from convcost.notation.build import Flow, within_limit
from convcost.notation.canonical import dims_text, option_text, pads_text
from convcost.notation.faults import Edit, Fault, Span
from convcost.notation.fit import EXPLICIT, FULL, SAME, SAME_LOWER, VALID, Window
from convcost.notation.options import Options
from convcost.notation.syntax import Number, Option, Shape
from convcost.window import effective_kernel


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
    chosen = [_plain(axis, 1) for axis in axes]
    return _checked(source, sizes, o, axes, chosen, dilations, declared, end)


def _plain(a: Axis, default: int) -> Window | None:
    """The window along an axis, or None where nothing yields the declared output."""
    i, k, s, o = a.i, a.k, a.stride, a.declared
    if o is None or (s is not None and (a.mode or a.pads)):
        stride = s or default
        found = Window(stride, *a.pads, EXPLICIT) if a.pads else fit.window(i, k, stride, a.mode or VALID)
        return found if o is None or output(a, found) == o else None
    if a.mode:
        return fit.with_mode(i, k, a.mode, o)
    if a.pads:
        return fit.with_padding(i, k, *a.pads, o)
    return fit.free(i, k, o) if s is None else fit.with_stride(i, k, s, o)


def output(a: Axis, w: Window) -> int:
    """The output along an axis; not positive where the kernel does not fit."""
    return (
        (a.i + w.before + w.after - a.k) // w.stride + 1 if w.mode == EXPLICIT else fit.size(a.i, a.k, w.stride, w.mode)
    )


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
        found = _plain(stepped, size.value)
        chosen.append(found if found or a.stride or a.declared is None else _plain(a, size.value))
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


def no_fit(o: Options, axes: list[Axis], index: int, declared: Shape, end: int) -> Fault:
    """The Fault of a declared output that nothing yields, with what each mode would give."""
    a, number = axes[index], declared.numbers[index]
    others: tuple[Span, ...] = tuple(x.value_span for x in (o.stride, o.padding) if x)
    fixes: list[tuple[Edit, ...]] = []
    hint = None
    if not others:
        padded = [fit.strided_padding(x.i, x.k, x.declared or 1) for x in axes]
        found = tuple(w for w in padded if w is not None)
        if len(found) == len(padded):
            options = f"{option_text('s', tuple(w.stride for w in found))} {pads_text(found)}"
            hint = f"{options} would give it:"
            fixes.append(((end, end, " " + options),))
    fallback = []
    for x, n in zip(axes, declared.numbers, strict=False):
        w = _plain(msgspec.structs.replace(x, declared=None), 1)
        assert w is not None
        fallback.append((*n.span, str(output(x, w))))
    fixes.append(tuple(fallback))
    return Fault(
        "C140",
        f"the output {number.value} does not follow from input {a.i} and kernel {a.k}: {_offers(a)}",
        number.span,
        others=others,
        hint=hint,
        fixes=tuple(fixes),
    )


def _offers(a: Axis) -> str:
    """What each mode gives, with what is given held fixed."""
    if a.pads or a.mode:
        mode = a.mode or EXPLICIT
        name = f"pad {a.pads[0]}+{a.pads[1]}" if a.pads else mode
        steps = (a.stride,) if a.stride else (1, 2, 3)
        sizes = [output(a, Window(s, *(a.pads or (0, 0)), mode)) for s in steps]
        return f"{name} gives " + ", ".join(f"{v} at stride {s}" for s, v in zip(steps, sizes, strict=True) if v > 0)
    parts = []
    for s in (a.stride,) if a.stride else (1, 2):
        modes = (VALID, SAME, FULL) if a.stride or s == 1 else (VALID, SAME)
        given = [(fit.size(a.i, a.k, s, m), m) for m in modes]
        parts.append(f"stride {s} gives " + ", ".join(f"{v} ({m})" for v, m in given if v > 0))
    return "; ".join(parts)


def _transposed(
    sizes: tuple[Number, ...], o: Options, axes: list[Axis], dilations: tuple[int, ...], declared: Shape | None
) -> Windows:
    windows, outputs = [], []
    for index, a in enumerate(axes):
        if a.op is not None and a.stride is not None and a.op >= max(a.stride, dilations[index]):
            assert o.op is not None
            message = f"the output padding {a.op} must be smaller than the stride {a.stride} or the dilation"
            raise Fault("C134", message, o.op.value_span, others=(o.stride.value_span,) if o.stride else ())
        w = _transposed_axis(a)
        size = fit.transposed_output(a.i, a.k, w) if w else None
        if w is None or (a.declared is not None and size != a.declared):
            assert declared is not None
            raise _no_transposed(o, axes, index, declared)
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


def _transposed_axis(a: Axis) -> Window | None:
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


def _no_transposed(o: Options, axes: list[Axis], index: int, declared: Shape) -> Fault:
    a, number = axes[index], declared.numbers[index]
    fallback = []
    for x, n in zip(axes, declared.numbers, strict=False):
        w = _transposed_axis(msgspec.structs.replace(x, declared=None))
        assert w is not None
        fallback.append((*n.span, str(max(fit.transposed_output(x.i, x.k, w), 1))))
    return Fault(
        "C140",
        f"the output {number.value} does not follow from input {a.i} and transposed kernel {a.k}: "
        f"without padding, stride {a.stride or 1} gives {(a.stride or 1) * (a.i - 1) + a.k}",
        number.span,
        others=tuple(x.value_span for x in (o.stride, o.padding, o.op) if x),
        fixes=(tuple(fallback),),
    )


def told(o: Options, axes: list[Axis], windows: tuple[Window, ...]) -> tuple[tuple[str, ...], str | None]:
    """What was inferred, in sentences, and the ambiguity where there is one."""
    if o.stride is not None and o.padding is not None:
        return (), None
    texts = [_inferred(o, w) for w in windows]
    outputs = tuple([a.declared or 0 for a in axes])
    reading: list[str] = []
    if any(texts):
        if len(set(texts)) == 1:
            reading.append(f"{texts[0]}: inferred from the declared output {dims_text(outputs)}")
        else:
            reading += [
                f"axis {index}: {text or 'padding valid'}, inferred from the declared output {size}"
                for index, (text, size) in enumerate(zip(texts, outputs, strict=True), 1)
            ]
    if o.stride is not None or o.padding is not None or o.T is not None:
        return tuple(reading), None
    ambiguity = None
    for a, w, size in zip(axes, windows, outputs, strict=True):
        if w.stride == 1 and w.mode != EXPLICIT:
            continue
        also = [f"{_range(first, last)}, {mode}" for mode, (first, last) in fit.others(a.i, a.k, w, size)]
        if also:
            ambiguity = f"ambiguous: {' or '.join(also)} gives {size} too; the nominal count is the same"
            reading.append(ambiguity)
            break
    return tuple(reading), ambiguity


def _range(first: int, last: int | None) -> str:
    return f"stride {first} or more" if last is None else f"stride {first}" + (f" to {last}" if last > first else "")


def _inferred(o: Options, w: Window) -> str:
    """Words for what the text did not say and is not the default."""
    parts = []
    if o.stride is None and w.stride != 1:
        parts.append(f"stride {w.stride}")
    if o.padding is None and (w.mode != VALID or parts):
        name = "padding" if w.mode == EXPLICIT else f"padding {w.mode}"
        both = f" {w.before}" if w.mode == EXPLICIT else f" ({w.before})"
        sides = both if w.before == w.after else f" ({w.before} before, {w.after} after)"
        parts.append(name + (sides if w.before or w.after else ""))
    if o.op is None and w.output_padding:
        parts.append(f"output padding {w.output_padding}")
    return ", ".join(parts)
