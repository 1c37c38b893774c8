"""What a layer could be instead: each form's own products, their part of the layer's, and what is given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from convcost.alternatives import ConvLayer
from convcost.explaining.convolution import factors
from convcost.explaining.facts import convolution_of
from convcost.explaining.saying import capital, say, shown
from convcost.explaining.terms import number, over, plus, times, value_of
from convcost.record import Alternative, Layer, Model, Ratio, Section, Sentence, Term

Law = Callable[[ConvLayer, ConvLayer], Term | None]
"""A general law of a form's part of the layer, with its numbers; None where it does not speak of it."""


def instead(model: Model, rows: Sequence[tuple[Alternative, Model | None]]) -> list[Section]:
    """One section for each other form of the layer that `model` is."""
    macs = model.totals.macs
    if not macs:
        return []
    first = [convolution_of(layer) for layer in model.layers if layer.cost.macs]
    base = first[0] if len(first) == 1 else None
    return [section(way, form, macs, base) for way, form in rows]


def against_one(model: Model, text: str, one: Layer) -> list[Section]:
    """Two layers that split a convolution, beside that convolution."""
    whole = convolution_of(one)
    parts, macs = model.totals.macs, one.cost.macs
    if whole is None or not parts or not macs:
        return []
    said = [say("As a single layer it would be", spelled=text)]
    said.append(shown("That one multiplies", times(*factors(one, whole)), unit="times"))
    way = Alternative(name="depthwise separable", notation=None, cost=model.totals, ratio=Ratio(macs=None, params=None))
    law = law_of(way, model, whole)
    sides = [over(parts, macs)]
    if law is not None and value_of(law) == Fraction(parts, macs):
        sides.append(law)
    said.append(shown("The two layers do this part of it", *sides, percent=True))
    return [Section(title="Against one layer", sentences=said)]


def section(way: Alternative, form: Model | None, macs: int, base: ConvLayer | None) -> Section:
    """One form: what it is, its products, the ratio, and what it keeps and loses."""
    said = [say(f"{capital(way.summary)}.")] if way.summary else []
    if way.notation:
        said.append(say("Written", spelled=way.notation))
    products = way.cost.macs or 0
    if form is not None:
        layers = [layer for layer in form.layers if layer.cost.macs]
        if products:
            sides = [plus(*(number(layer.cost.macs or 0, layer.kind) for layer in layers))]
            derived = [product_of(layer) for layer in layers]
            if None not in derived:
                sides.insert(0, plus(*(term for term in derived if term is not None)))
            said.append(shown("Its layers multiply" if len(layers) > 1 else "It multiplies", *sides, unit="times"))
    else:
        said.append(shown("The same weights under another algorithm; products, its transforms apart", number(products)))
    said.append(ratio(way, form, products, macs, base))
    if form is not None and len(form.layers) > 1 and all(layer.kind == "standard" for layer in form.layers):
        room = len(form.layers) - 1
        said.append(
            say(
                f"Between its {len(form.layers)} layers there is room for {'an activation' if room == 1 else room}"
                f"{'' if room == 1 else ' activations'}: a nonlinearity that one layer cannot have."
            )
        )
    if way.keeps or way.loses:
        said.append(say(given_up(way.keeps, way.loses, way.source)))
    return Section(title=f"Instead: {way.name}", sentences=said)


def ratio(way: Alternative, form: Model | None, products: int, macs: int, base: ConvLayer | None) -> Sentence:
    """Its part of the layer's multiplications, by the law of the form where one holds."""
    part = over(products, macs)
    law = law_of(way, form, base)
    if law is not None and value_of(law) == Fraction(products, macs) != 1:
        return shown("Its part of the layer's multiplications", part, law, percent=True)
    return shown("Its part of the layer's multiplications", part, percent=True)


def law_of(way: Alternative, form: Model | None, base: ConvLayer | None) -> Term | None:
    """The law with the layer's numbers."""
    if base is None or base.group != 1 or form is None:
        return None
    parts = [convolution_of(layer) for layer in form.layers if layer.cost.macs]
    if way.name == "depthwise separable":
        return plus(over(1, number(base.m, "output channels")), over(1, times(*base.kernel)))
    if len(parts) == 1 and parts[0] is not None and parts[0].group > 1:
        return over(1, number(parts[0].group, "groups"))
    known = [conv for conv in parts if conv is not None]
    taps = times(*base.kernel)
    if known and len(known) == len(parts) and len({(c.c, c.m) for c in [*known, base]}) == 1:
        return over(plus(*(times(*conv.kernel) for conv in known)), taps)
    if len(known) == 1 and len(parts) == 1 and known[0].group == 1 and known[0].m == base.m:
        return over(times(*known[0].kernel), taps)
    return None


def product_of(layer: Layer) -> Term | None:
    """The factors of a layer's products."""
    conv = convolution_of(layer)
    if conv is None or conv.transposed:
        return None
    term = times(*factors(layer, conv))
    return term if value_of(term) == layer.cost.macs else None


def given_up(keeps: Sequence[str], loses: str, source: str) -> str:
    """What an idea promises, what it gives up, and who says so."""
    return f"Keeps: {', '.join(keeps) or 'nothing'}. Loses: {loses}. Source: {source}."
