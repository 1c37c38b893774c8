"""Explanations of sources, layers, codes and operators."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from convcost import alternatives, record
from convcost.api import forms
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options, expand, load, options_from, read_report
from convcost.errors import UsageError
from convcost.explaining import codes, models, operators, topics
from convcost.explaining.instead import against_one, instead
from convcost.explaining.layers import brief_sections, layer_sections

WORD = re.compile(r"[A-Za-z][\w.:+ -]*|FLOP/B|[13]D|2 ?[x×*]? ?[A-Za-z]\w*", re.IGNORECASE)
FULL = 2
"""Layers of a shape string that are explained in full; of a longer one each is told briefly."""


def explain(words: Sequence[str], *, layer: str | None, options: Mapping[str, object]) -> Report:
    """The report of `convcost.api.explain`."""
    opts = options_from(options)
    if layer is not None:
        return one_layer(words, layer, opts)
    if not words:
        return report("explain", [], explanations=[topics.explanation()])
    found: list[record.Explanation] = []
    counted: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for word in words:
        if is_word(word):
            found.append(known(word))
            continue
        for source in expand((word,)):
            if isinstance(source, str) and source.endswith(".json"):
                for model in read_report(source).models:
                    counted.append(model)
                    found.append(models.explanation(model))
                continue
            item = load(source, opts)
            model, said = model_of(item, opts)
            counted.append(model)
            notes += said
            found.append(shape(item, model, opts) if model.kind == "shape" else models.explanation(model))
    return report("explain", counted, explanations=found, diagnostics=notes)


def is_word(word: str) -> bool:
    """Whether something is a code, an operator or another word, and no source."""
    return WORD.fullmatch(word) is not None and not word.endswith((".onnx", ".json")) and not os.path.lexists(word)


def known(word: str) -> record.Explanation:
    """The explanation of a code, an operator or another word of reports; the error offers the nearest names."""
    found = codes.explanation(word) or operators.explanation(word) or topics.word(word)
    if found is not None:
        return found
    import difflib  # noqa: PLC0415 - only for a mistake

    names = {name.lower(): name for name in (*codes.names(), *operators.names(), *topics.names())}
    near = [names[n] for n in difflib.get_close_matches(word[:60].lower(), names, 3, 0.7)]
    hint = f"did you mean {' or '.join(near)}?" if near else "convcost explain alone lists what there is"
    raise UsageError(f"there is no {word[:60]} to explain; {hint}")


def shape(item: Loaded, model: record.Model, opts: Options) -> record.Explanation:
    """A shape string: a layer or two in full and what it could be instead, or a chain layer by layer."""
    layers = [layer for layer in model.layers if layer.notation or layer.cost.flops]
    found = forms.other_forms(item, model, opts)
    if len(layers) == 1:
        sections = [*layer_sections(layers[0]), *others(model, found)]
        return record.Explanation(of=item.name, topic="layer", sections=sections)
    sections = []
    for layer in layers[: models.LISTED]:
        tell = layer_sections if len(layers) <= FULL else brief_sections
        parts = tell(layer)
        name = layer.notation or layer.name
        sections.append(record.Section(title=f"Layer {layer.index}:", of=name))
        sections += parts
    sections += models.left_out(layers) + models.together(model, layers) + single(item, model, opts)
    sections += others(model, found)
    return record.Explanation(of=item.name, topic="layers", sections=sections)


def single(item: Loaded, model: record.Model, opts: Options) -> list[record.Section]:
    """Two layers that are the halves of one, beside it."""
    if len(item.graph.nodes) != 2:
        return []
    try:
        text = alternatives.written(alternatives.layer_of(item.graph))
    except alternatives.Skip:
        return []
    whole, _ = model_of(load(text, opts), opts)
    return against_one(model, text, whole.layers[0])


def others(model: record.Model, found: forms.Found) -> list[record.Section]:
    """What else the layer could be."""
    split = sum(1 for layer in model.layers if layer.cost.macs) > 1
    rows = [row for row in found.rows if row.model is not None or not split]  # algorithms are of the layer as one
    return instead(model, [(forms.described(row, model, None), row.model) for row in rows])


def one_layer(words: Sequence[str], name: str, opts: Options) -> Report:
    """One layer of a model, and what it could be instead where it is a convolution."""
    found = list(expand(tuple(words)))
    if len(found) != 1:
        raise UsageError(f"--layer takes one model, {len(found)} are given")
    source = found[0]
    if isinstance(source, str) and source.endswith(".json"):
        many = read_report(source).models
        if len(many) != 1:
            raise UsageError(f"--layer takes one model, {source} has {len(many)}")
        return report("explain", many, explanations=[of_model(many[0], models.find(many[0], name), [])])
    item = load(source, opts)
    model, notes = model_of(item, opts)
    layer = models.find(model, name)
    more: list[record.Section] = []
    if layer.op in ("Conv", "ConvTranspose"):
        more = other_layers((str(source),), name, opts) if isinstance(source, str) else []
    return report("explain", [model], explanations=[of_model(model, layer, more)], diagnostics=notes)


def of_model(model: record.Model, layer: record.Layer, more: list[record.Section]) -> record.Explanation:
    """A layer of a model."""
    sections = [models.place(model, layer), *layer_sections(layer), *more]
    return record.Explanation(of=f"{model.source}: {layer.name}", topic="layer", sections=sections)


def other_layers(source: Sequence[str], name: str, opts: Options) -> list[record.Section]:
    """What a model's convolution could be instead; nothing where it is not one that has other forms."""
    from convcost.api.picking import picked  # noqa: PLC0415 - only for a model's layer

    try:
        item, told = picked(source, name, opts)
    except UsageError:  # sizes that are open
        return []
    model, _ = model_of(item, told)
    return others(model, forms.other_forms(item, model, told))
