"""What an operator's record says of itself: its rules in words, and the letters that a layer's shapes give them."""

from __future__ import annotations

import inspect
import re
from math import prod

from convcost.explaining.facts import at, whole
from convcost.explaining.formulas import formula
from convcost.explaining.saying import plural, say, sizes
from convcost.explaining.saying import shown as shown_as
from convcost.explaining.terms import value_of
from convcost.ops import find
from convcost.ops.base import Op, free
from convcost.record import Layer, Section, Sentence

HEADINGS = ("Counted", "Effective", "Not counted", "Source")
TENSOR = re.compile(r"([a-z]\w*): \(([^()]*)\)")
LETTER = re.compile(r"\*?[A-Z][a-z]?\d?")

WORK = ("macs", "multiplications", "additions", "divisions", "comparisons", "special")
NOUNS = {"macs": "MACs", "special": "evaluations of exp, log, sqrt and the like"}


def rule_of(op: Op) -> dict[str, str]:
    """The cost rule's own words by heading; the definition under the empty heading."""
    text = " ".join(inspect.cleandoc(op.cost.__doc__ or "").split())
    parts = re.split(rf"(?:^| )({'|'.join(HEADINGS)}): ", text)
    out = {"": parts[0].removeprefix(f"{op.name}. ").strip()}
    for heading, words in zip(parts[1::2], parts[2::2], strict=True):
        out[heading] = words.strip()
    return out


def letters(signature: str, layer: Layer) -> dict[str, str]:
    """What the letters of a rule are in this layer: T=7, I=12×12. Letters that do not fit are left out."""
    before, _, after = signature.partition("->")
    out: dict[str, str] = {}
    for text, shapes in ((before, layer.inputs), (after, layer.outputs)):
        for i, (_, dims) in enumerate(TENSOR.findall(text)):
            for letter, value in bound([d.strip() for d in dims.split(",")], at(shapes, i)).items():
                out.setdefault(letter, value)
    return out


def bound(names: list[str], shape: list[int | str] | None) -> dict[str, str]:
    """Names of dimensions with their sizes; `*I` or `…` stands for all that the others leave."""
    if shape is None:
        return {}
    wild = [i for i, name in enumerate(names) if name.startswith("*") or name == "…"]
    if len(wild) > 1 or (not wild and len(names) != len(shape)) or len(names) - len(wild) > len(shape):
        return {}
    out: dict[str, str] = {}
    extra = len(shape) - len(names)
    for i, name in enumerate(names):
        if wild and i == wild[0]:
            part: list[int | str] = shape[i : i + extra + 1]
        else:
            where = i + extra if wild and i > wild[0] else i
            part = shape[where : where + 1]
        if LETTER.fullmatch(name) and part and all(isinstance(d, int) for d in part):
            out[name.removeprefix("*")] = sizes(part)
    return out


def generic(layer: Layer) -> list[Section]:
    """The rule in words, its letters in this layer, and the figures that come of it."""
    op = find(layer.domain, layer.op)
    if op is None:
        return [Section(title="Work", sentences=[say("There is no rule for this operator: it is not counted.")])]
    said: list[Sentence] = []
    if op.cost is free:
        said.append(say("It moves, names or describes data and computes nothing."))
    else:
        rule = rule_of(op)
        said += [say(f"The rule: {rule['']}")] if rule[""] else []
        said += [say(f"{heading}: {rule[heading]}") for heading in HEADINGS if heading in rule]
        found = letters(rule[""], layer)
        if found:
            said.append(say(f"Here {', '.join(f'{letter} = {value}' for letter, value in found.items())}."))
        said += put_in(layer, rule.get("Counted", ""), found)
    return [Section(title="Work", sentences=[*said, *figures(layer)])]


def figures(layer: Layer) -> list[Sentence]:
    """What is counted, in figures; formulas where sizes are open."""
    cost = layer.cost
    counted = [
        plural(value, NOUNS.get(name, name)) for name in WORK if (value := getattr(cost, name)) and shown(layer, name)
    ]
    out = [say(f"So this layer counts {', '.join(counted)}.")] if counted else []
    if cost.params:
        out.append(say(f"It has {plural(cost.params, 'parameters')}."))
    if cost.macs is None and "macs" in cost.symbolic:
        out.append(say("Sizes are open, --dim NAME=SIZE sets one; its MACs are", cost.symbolic["macs"]))
    return out


def put_in(layer: Layer, counted: str, found: dict[str, str]) -> list[Sentence]:
    """The formula of the rule's MACs with the layer's sizes in it, where that is all there is to them."""
    text = counted.partition(" multiply-accumulates")[0]
    sizes_of = {letter: int(value.replace(",", "")) for letter, value in found.items() if "×" not in value}
    for letter, shapes in (("|x|", layer.inputs), ("|y|", layer.outputs)):
        known = whole(at(shapes, 0))
        if known:
            sizes_of[letter] = prod(known)
    term = formula(text, sizes_of) if text != counted else None
    if term is None or value_of(term) != layer.cost.macs:
        return []
    return [shown_as("With these sizes", term, unit="MACs")]


def shown(layer: Layer, name: str) -> bool:
    """Multiplications and additions that are the MACs' own are not said twice."""
    cost = layer.cost
    return name not in ("multiplications", "additions") or getattr(cost, name) != cost.macs
