"""Saying what was inferred about windows, what else would fit, and why nothing does."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Edit, Fault, Span
from convcost.notation.grammar.options import Options
from convcost.notation.lowering import fit
from convcost.notation.lowering.axis import Asked, Axis, output, plain, transposed
from convcost.notation.lowering.fit import EXPLICIT, FULL, SAME, VALID, Window
from convcost.notation.lowering.printing import dims_text, option_text, pads_text


def no_fit(asked: Asked, index: int) -> Fault:
    """The Fault of a declared output that nothing yields, with what each mode would give."""
    o, a, declared = asked.options, asked.axes[index], asked.declared
    assert declared is not None
    others: tuple[Span, ...] = tuple(x.value_span for x in (o.stride, o.padding) if x)
    fixes: list[tuple[Edit, ...]] = []
    hint = None
    if not others:
        padded = [fit.strided_padding(x.i, x.k, x.declared or 1) for x in asked.axes]
        found = tuple(w for w in padded if w is not None)
        if len(found) == len(padded):
            options = f"{option_text('s', tuple(w.stride for w in found))} {pads_text(found)}"
            hint = f"{options} would give it:"
            fixes.append(((asked.end, asked.end, " " + options),))
    fallback = []
    for x, n in zip(asked.axes, declared.numbers, strict=False):
        w = plain(msgspec.structs.replace(x, declared=None))
        assert w is not None
        fallback.append((*n.span, str(output(x, w))))
    fixes.append(tuple(fallback))
    number = declared.numbers[index]
    return Fault(
        "C140",
        f"the output {number.value} does not follow from input {a.i} and kernel {a.k}: {offers(a)}",
        number.span,
        others=others,
        hint=hint,
        fixes=tuple(fixes),
    )


def offers(a: Axis) -> str:
    """What each mode gives, with what is given held fixed."""
    steps = (a.stride,) if a.stride else tuple(sorted({1, 2, a.usual}))
    parts = []
    for s in steps:
        if a.pads:
            given = [(output(a, Window(s, *a.pads, EXPLICIT)), f"pad {a.pads[0]}+{a.pads[1]}")]
        else:
            modes = (a.mode,) if a.mode else (VALID, SAME, FULL) if a.stride or s == 1 else (VALID, SAME)
            given = [(fit.size(a.i, a.k, s, m), m) for m in modes]
        parts.append(f"stride {s} gives " + (", ".join(f"{v} ({m})" for v, m in given if v > 0) or "nothing"))
    return "; ".join(parts)


def no_transposed_fit(asked: Asked, index: int) -> Fault:
    """The Fault of a declared output that no transposed window yields."""
    o, declared = asked.options, asked.declared
    assert declared is not None
    sizes = []
    for x in asked.axes:
        w = transposed(msgspec.structs.replace(x, declared=None))
        assert w is not None
        sizes.append((fit.transposed_output(x.i, x.k, w), w))
    number, a = declared.numbers[index], asked.axes[index]
    size, w = sizes[index]
    return Fault(
        "C140",
        f"the output {number.value} does not follow from input {a.i} and transposed kernel {a.k}: stride {w.stride} "
        f"with padding {w.before}+{w.after} gives {size}",
        number.span,
        others=tuple(x.value_span for x in (o.stride, o.padding, o.op) if x),
        fixes=(tuple((*n.span, str(size)) for n, (size, _) in zip(declared.numbers, sizes, strict=False)),),
    )


def told(asked: Asked, windows: list[Window]) -> tuple[tuple[str, ...], str | None]:
    """What was inferred from a declared output, in sentences, and the ambiguity where there is one."""
    o = asked.options
    if asked.declared is None or (o.stride is not None and o.padding is not None):
        return (), None
    texts = [_inferred(o, a, w) for a, w in zip(asked.axes, windows, strict=True)]
    outputs = tuple([a.declared or 0 for a in asked.axes])
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
    ambiguity = _ambiguity(asked.axes, windows)
    return (*reading, ambiguity) if ambiguity else tuple(reading), ambiguity


def _ambiguity(axes: tuple[Axis, ...], windows: list[Window]) -> str | None:
    """The other strides that give the declared output too, along the first axis that has some."""
    for a, w in zip(axes, windows, strict=True):
        if a.declared is None or (w.stride == a.usual and w.mode != EXPLICIT):
            continue
        also = [f"{_range(first, last)} {mode}" for mode, (first, last) in fit.others(a.i, a.k, w, a.declared)]
        if also:
            return f"ambiguous: {' or '.join(also)} gives {a.declared} too; the nominal count is the same"
    return None


def _range(first: int, last: int | None) -> str:
    return f"stride {first} or more" if last is None else f"stride {first}" + (f" to {last}" if last > first else "")


def _inferred(o: Options, a: Axis, w: Window) -> str:
    """Words for what the text did not say and is not the default."""
    parts = []
    if o.stride is None and w.stride != a.usual:
        parts.append(f"stride {w.stride}")
    if o.padding is None and (w.mode != VALID or parts):
        name = "padding" if w.mode == EXPLICIT else f"padding {w.mode}"
        both = f" {w.before}" if w.mode == EXPLICIT else f" ({w.before} on each side)"
        sides = both if w.before == w.after else f" ({w.before} before, {w.after} after)"
        parts.append(name + (sides if w.before or w.after else ""))
    if o.op is None and w.output_padding:
        parts.append(f"output padding {w.output_padding}")
    return ", ".join(parts)
