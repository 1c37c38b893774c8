"""Groups and output channels, from the kernel's third and fourth number and what the output declares."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Fault
from convcost.notation.grammar.options import Options
from convcost.notation.grammar.syntax import Conv, Number, Shape
from convcost.notation.lowering.build import Flow, within_limit
from convcost.notation.lowering.printing import dims_text


class Channels(msgspec.Struct, frozen=True):
    """Groups, input channels per group, total output channels; how they were read, and whether that deserves a note."""

    groups: int
    per_group: int
    outputs: int
    reading: tuple[str, ...] = ()
    note: str | None = None


def decide(source: Flow, conv: Conv, o: Options, declared: Shape | None) -> Channels:
    """The channels of a convolution on `source`."""
    if o.dw is not None:
        channels = depthwise(source, o)
    elif conv.twin:
        channels = in_twin(source, o)
    else:
        channels = written(source, conv, o, declared)
    if declared is not None and declared.values[-1] != channels.outputs:
        raise disagree(channels.outputs, declared.numbers[-1], conv)
    return channels


def disagree(outputs: int, declared: Number, conv: Conv) -> Fault:
    """The declared output has other channels than the kernel makes."""
    last = conv.kernel.numbers[-1] if conv.kernel.numbers else None
    fixes = [((*declared.span, str(outputs)),)]
    if last is not None and last.value == outputs:
        fixes.append(((*last.span, str(declared.value)),))
    return Fault(
        "C132",
        f"the convolution makes {outputs} channels, but the declared output has {declared.value}",
        declared.span,
        others=(last.span,) if last else (),
        fixes=tuple(fixes),
    )


def depthwise(source: Flow, o: Options) -> Channels:
    """`dw` or `dw2`: each channel by itself, with a multiplier."""
    assert o.dw is not None
    multiplier = o.dw.values[0].value if o.dw.values else 1
    c = source.channels
    return Channels(c, 1, within_limit(c * multiplier, "the number of output channels", o.dw.whole))


def in_twin(source: Flow, o: Options) -> Channels:
    """`c256`, and `g4`."""
    assert o.channels is not None
    c, m = source.channels, o.channels.values[0].value
    groups = o.groups.values[0].value if o.groups else 1
    if o.groups is not None and c % groups:
        raise Fault(
            "C131",
            f"{c} channels cannot be divided into {groups} groups",
            o.groups.value_span,
            others=source.channels_at,
        )
    if o.groups is not None and m % groups:
        raise Fault(
            "C131",
            f"{m} output channels cannot be divided into {groups} groups",
            o.channels.value_span,
            others=(o.groups.value_span,),
        )
    return Channels(groups, c // groups, m)


def written(source: Flow, conv: Conv, o: Options, declared: Shape | None) -> Channels:
    """The kernel is KHxKWxCINxCOUT."""
    c = source.channels
    third, fourth = conv.kernel.numbers[-2:]
    if o.groups is not None:
        g = o.groups.values[0].value
        if c % g:
            message = f"{c} input channels cannot be divided into {g} groups"
            raise Fault("C131", message, o.groups.value_span, others=source.channels_at)
        if third.value * g != c:
            raise Fault(
                "C101",
                f"the kernel reads {third.value} input channels in each of {g} groups, but {dims_text(source.dims)} "
                f"has {c}: {c // g} in each",
                third.span,
                others=(*source.channels_at, o.groups.value_span),
                fixes=(((*third.span, str(c // g)),),),
            )
    elif third.value in (c, 1):
        g = 1 if third.value == c else c
    else:
        raise wrong_input(source, conv, third, fourth)
    return outputs(g, third, fourth, declared, named=o.groups is not None)


def wrong_input(source: Flow, conv: Conv, third: Number, fourth: Number) -> Fault:
    """The kernel's third number is neither the tensor's channels nor 1."""
    c, t = source.channels, third.value
    fixes = [((*third.span, str(c)),)]
    hint = None
    first, second = conv.kernel.numbers[:2]
    if source.dims[0] == t and len(source.at) == 1:  # channels first, as frameworks lay tensors out
        fixes.insert(0, ((*source.at[0], dims_text((*source.dims[1:], t))),))
    elif second.value == c and len(conv.kernel.numbers) > 3:  # output channels first, as they lay out weights
        order = (*conv.kernel.numbers[2:], second, first)
        fixes.insert(0, ((*conv.kernel.span, dims_text(tuple(n.value for n in order))),))
    elif t < c and c % t == 0 and fourth.value % (c // t) == 0:
        hint = f"did you mean g={c // t}?"
        fixes.insert(0, ((conv.end, conv.end, f" g{c // t}"),))
    return Fault(
        "C101",
        f"the kernel reads {t} input channel{'s' if t > 1 else ''}, but {dims_text(source.dims)} has {c}",
        third.span,
        others=source.channels_at,
        hint=hint,
        fixes=tuple(fixes),
    )


def outputs(g: int, third: Number, fourth: Number, declared: Shape | None, *, named: bool) -> Channels:
    """Whether the fourth number is the total or per group: total, unless the output says or shows otherwise."""
    m = fourth.value
    said = declared.values[-1] if declared else None
    alone = third.value == 1
    reading: tuple[str, ...] = ()
    if alone and g > 1 and not named:
        reading = (f"depthwise: the kernel's third number is 1 and the input has {g} channels",)
    if g == 1 or (said == m and m % g == 0):
        return Channels(g, third.value, m, reading)
    by_declaration = said is not None and said != m and said == m * g
    if by_declaration or (alone and m % g):
        why = f"the declared output has {said} channels" if by_declaration else f"{g} channels do not divide {m}"
        what = "channel" if alone else "group"
        per = f"the kernel's fourth number, {m}, is per {what}, {m * g} outputs in all, because {why}"
        total = within_limit(m * g, "the number of output channels", fourth.span)
        return Channels(g, third.value, total, (*reading, per), per if m > 1 or not alone else None)
    if m % g:
        message = f"{m} output channels cannot be divided into {g} groups"
        raise Fault("C131", message, fourth.span)
    return Channels(g, third.value, m, reading)
