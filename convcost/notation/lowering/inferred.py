"""Saying what was inferred about windows, what else would fit, and why nothing does."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Edit, Fault, Span
from convcost.notation.grammar.options import Options
from convcost.notation.grammar.syntax import Shape
from convcost.notation.lowering import fit
from convcost.notation.lowering.axis import Axis, output, plain, transposed
from convcost.notation.lowering.fit import EXPLICIT, FULL, SAME, VALID, Window
from convcost.notation.lowering.printing import dims_text, option_text, pads_text


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
        w = plain(msgspec.structs.replace(x, declared=None), 1)
        assert w is not None
        fallback.append((*n.span, str(output(x, w))))
    fixes.append(tuple(fallback))
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


def no_transposed_fit(o: Options, axes: list[Axis], index: int, declared: Shape) -> Fault:
    """The Fault of a declared output that no transposed window yields."""
    a, number = axes[index], declared.numbers[index]
    fallback = []
    for x, n in zip(axes, declared.numbers, strict=False):
        w = transposed(msgspec.structs.replace(x, declared=None))
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
        also = [f"{_range(first, last)} {mode}" for mode, (first, last) in fit.others(a.i, a.k, w, size)]
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
        both = f" {w.before}" if w.mode == EXPLICIT else f" ({w.before} on each side)"
        sides = both if w.before == w.after else f" ({w.before} before, {w.after} after)"
        parts.append(name + (sides if w.before or w.after else ""))
    if o.op is None and w.output_padding:
        parts.append(f"output padding {w.output_padding}")
    return ", ".join(parts)
