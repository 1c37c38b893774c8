"""One layer explained: work, output size, parameters, bytes, receptive field, what is worth knowing, a drawing."""

from __future__ import annotations

from convcost.alternatives import ConvLayer
from convcost.explaining import convolution, transposed
from convcost.explaining.drawing import drawings
from convcost.explaining.facts import convolution_of
from convcost.explaining.notes import notes
from convcost.explaining.rules import generic
from convcost.explaining.steps import STEPS, pooling_of
from convcost.explaining.traffic import field, moved
from convcost.record import Layer, Section, Sentence


def layer_sections(layer: Layer, *, drawn: bool = True) -> list[Section]:
    """Everything about one layer."""
    conv = convolution_of(layer)
    if conv is None:
        pooled = pooling_of(layer) if drawn and layer.op in ("MaxPool", "AveragePool") and not layer.domain else None
        seen = pictures(pooled) if pooled is not None else []
        return [*derived(layer), *seen, *about("Bytes", moved(layer)), *about("Receptive field", field(layer))]
    return [
        *core(layer, conv),
        *(pictures(conv) if drawn else []),
        *about("Bytes", moved(layer)),
        *about("Receptive field", field(layer)),
        *about("Worth knowing", notes(layer, conv), note=True),
    ]


def brief_sections(layer: Layer) -> list[Section]:
    """A layer among many: its work, its size, its parameters."""
    conv = convolution_of(layer)
    if conv is None:
        return [section for section in derived(layer) if not section.note]
    return core(layer, conv)


def core(layer: Layer, conv: ConvLayer) -> list[Section]:
    """Work, output size and parameters of a convolution."""
    how = transposed if conv.transposed else convolution
    work = [*how.work(layer, conv), *convolution.bias(layer, conv), *convolution.effective(layer, conv)]
    return [
        *about("Multiplications", work),
        *about("Output size", how.output_size(conv)),
        *about("Parameters", convolution.parameters(layer, conv)),
    ]


def derived(layer: Layer) -> list[Section]:
    """What tells about an operator, or its rule."""
    tell = None if layer.domain else STEPS.get(layer.op)
    return (tell(layer) if tell is not None else []) or generic(layer)


def pictures(conv: ConvLayer) -> list[Section]:
    """The drawings of a convolution."""
    return [Section(title="Picture", drawings=drawings(conv))]


def about(title: str, sentences: list[Sentence], *, note: bool = False) -> list[Section]:
    """A section, where there is something to say."""
    return [Section(title=title, sentences=sentences, note=note)] if sentences else []
