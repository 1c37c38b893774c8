"""The options of a step: their names, what contradicts what, and the record that the lowering reads."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Fault
from convcost.notation.grammar.syntax import Option

NAMES: dict[str, str] = {
    "s": "stride",
    "stride": "stride",
    "d": "dilation",
    "dilation": "dilation",
    "g": "groups",
    "groups": "groups",
    "p": "pad",
    "pad": "pad",
    "valid": "valid",
    "same": "same",
    "same_upper": "same",
    "same_lower": "same_lower",
    "full": "full",
    "T": "T",
    "op": "op",
    "bias": "bias",
    "dw": "dw",
    "sep": "sep",
    "spatial": "spatial",
}
"""Option as written, to its own name."""

TWIN_NAMES = NAMES | {"k": "kernel", "kernel": "kernel", "c": "channels", "channels": "channels"}
"""In the shell-safe twin the kernel and the output channels are options too."""

SEVERAL = frozenset(("stride", "dilation", "pad", "op", "kernel"))
"""Options with a value for each spatial axis, or one for all."""

ONE = frozenset(("groups", "channels"))
"""Options with one value. `dw` takes one or none, the rest take none."""

FROM_ZERO = frozenset(("pad", "op"))
"""Options whose values may be zero."""

PADDINGS = ("pad", "valid", "same", "same_lower", "full")

OF_CONV = frozenset(NAMES.values())
OF_DENSE = frozenset(("bias",))
OF_STEP: dict[str, frozenset[str]] = {
    "maxpool": frozenset(("stride", "dilation", "pad", "valid", "same", "same_lower", "full")),
    "avgpool": frozenset(("stride", "dilation", "pad", "valid", "same", "same_lower", "full")),
    "gap": frozenset(),
    "relu": frozenset(),
    "bn": frozenset(),
    "fc": frozenset(),
    "shuffle": frozenset(("groups",)),
    "flatten": frozenset(),
    "id": frozenset(),
    "up": frozenset(),
}
"""Steps other than convolutions, each with the options it takes."""

_EXCLUDE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("T", ("full", "sep", "spatial")),
    ("dw", ("groups", "sep", "spatial", "channels")),
    ("sep", ("groups", "spatial")),
    ("spatial", ("groups",)),
)
"""Options that cannot stand together."""


class Options(msgspec.Struct, frozen=True):
    """The options of one step, at most one of each; None where not given."""

    stride: Option | None = None
    dilation: Option | None = None
    groups: Option | None = None
    padding: Option | None = None
    T: Option | None = None
    op: Option | None = None
    bias: Option | None = None
    dw: Option | None = None
    sep: Option | None = None
    spatial: Option | None = None
    kernel: Option | None = None
    channels: Option | None = None


NONE = Options()


def settle(given: tuple[Option, ...], allowed: frozenset[str], what: str) -> Options:
    """The record of `given`. Raises for an option that `what` does not take, and for two that contradict each other."""
    if not given:
        return NONE
    by_name: dict[str, Option] = {}
    for option in given:
        name = "padding" if option.name in PADDINGS else option.name
        if option.name not in allowed:
            raise Fault("C121", f"{what} takes no option {option.name}", option.whole, fixes=((without(option),),))
        before = by_name.get(name)
        if before is not None:
            raise _twice(option, before)
        by_name[name] = option
    for name, others in _EXCLUDE:
        if name in by_name:
            for option in given:
                if option.name in others:
                    _contradicts(option, by_name[name])
    if "op" in by_name and "T" not in by_name:
        raise Fault(
            "C123",
            "op is the output padding of a transposed convolution, but there is no T",
            by_name["op"].whole,
            fixes=(((by_name["op"].start, by_name["op"].start, "T "),), (without(by_name["op"]),)),
        )
    return Options(**by_name)


def without(option: Option) -> tuple[int, int, str]:
    """The edit that takes an option out."""
    return option.lead, option.whole[1], ""


def _twice(option: Option, before: Option) -> Fault:
    if option.name == before.name:
        message = f"the option {option.name} is given twice"
    else:
        message = f"the padding is given twice: {before.name} and {option.name}"
    return Fault("C122", message, option.span, others=(before.span,), fixes=((without(option),), (without(before),)))


def _contradicts(option: Option, other: Option) -> None:
    first, second = sorted((option, other), key=lambda o: o.start)
    raise Fault(
        "C123",
        f"the options {first.name} and {second.name} contradict each other",
        second.whole,
        others=(first.whole,),
        fixes=((without(second),), (without(first),)),
    )
