"""An operator explained from its record: what it computes, what it counts, which attributes matter."""

from __future__ import annotations

import inspect

import msgspec

from convcost.explaining.rules import HEADINGS, rule_of
from convcost.explaining.saying import say
from convcost.ops import all_keys, find
from convcost.ops.base import KINDS, MANY, Op, free
from convcost.record import Explanation, Section, Sentence


def names() -> tuple[str, ...]:
    """Every operator, with its domain in front where it is not ONNX's own."""
    return tuple(f"{domain}:{name}" if domain else name for domain, name in all_keys())


def explanation(word: str) -> Explanation | None:
    """The operator called so, its case aside; a name without a domain also finds those of other domains."""
    wanted = word.lower()
    keys = [key for name, key in zip(names(), all_keys(), strict=True) if name.lower() == wanted]
    keys = keys or [key for key in all_keys() if key[1].lower() == wanted]
    found = [op for op in (find(*key) for key in keys) if op is not None]
    if not found:
        return None
    sections = [part for op in found for part in sections_of(op, titled=len(found) > 1)]
    return Explanation(of=found[0].name if len(found) > 1 else spelling(found[0]), topic="operator", sections=sections)


def spelling(op: Op) -> str:
    """The operator with its domain."""
    return f"{op.domain}:{op.name}" if op.domain else op.name


def sections_of(op: Op, *, titled: bool) -> list[Section]:
    """Its shapes, its cost, its attributes."""
    head = [Section(title="Operator", of=spelling(op))] if titled else []
    out = [*head, Section(title="What it is", sentences=[say(what(op)), say(arity(op))])]
    rule = inspect.cleandoc(op.shape.__doc__ or "")
    if rule:
        out.append(Section(title="Shapes", sentences=[say(" ".join(rule.split()))]))
    out.append(Section(title="Cost", sentences=cost(op)))
    if op.weights:
        slots = ", ".join(str(slot) for slot in op.weights)
        said = say(
            f"Inputs, from 0: constants that reach {slots} are weights and count as parameters, each tensor once."
        )
        out.append(Section(title="Parameters", sentences=[said]))
    given = attributes(op)
    if given:
        out.append(Section(title="Attributes", sentences=given))
    return out


def what(op: Op) -> str:
    """Its kind, in words."""
    if not isinstance(op.kind, str):
        words = ": standard, pointwise, depthwise, grouped and so on" if "Conv" in op.name else ""
        return f"Its kind depends on its shapes and attributes{words}."
    return f"Kind {op.kind}: {dict(KINDS)[op.kind]}."


def arity(op: Op) -> str:
    """How many inputs and outputs."""
    return f"Inputs: {span(op.inputs)}. Outputs: {span(op.outputs)}."


def span(limits: tuple[int, int]) -> str:
    """1 to 3."""
    least, most = limits
    if most >= MANY:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def cost(op: Op) -> list[Sentence]:
    """The cost rule in its own words."""
    if op.cost is free:
        return [say("Nothing: it moves, names or describes data.")]
    rule = rule_of(op)
    said = [say(rule[""])] if rule[""] else []
    return said + [say(f"{heading}: {rule[heading]}") for heading in HEADINGS if heading in rule]


def attributes(op: Op) -> list[Sentence]:
    """The attributes that its rules read, with their defaults."""
    said = []
    for field in msgspec.structs.fields(op.attrs):
        name, default = field.encode_name, field.default
        if field.required:
            said.append(f"{name} (required)")
        elif isinstance(default, bool | int | float) or (isinstance(default, str | tuple) and default):
            said.append(f"{name} ({default})")
        else:
            said.append(name)
    return [say(f"Those that its rules read, with what they are if not given: {', '.join(said)}.")] if said else []
