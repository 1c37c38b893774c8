"""Writes convolutions.md, the gallery: `python docs/make_convolutions.py` after a change of counts or drawings.

`python docs/make_convolutions.py --time` also measures, and keeps the times in convolutions.json, from which later
runs take them; times that a string does not have yet are left open.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from convcost import api, units
from convcost.record import Explanation, Model
from convcost.report.explanation import grid_text
from convcost.report.picture import Grid

PAGE = Path(__file__).parent / "convolutions.md"
TIMES = Path(__file__).parent / "convolutions.json"

INTRODUCTION = """# The convolutions

Every kind of convolution that a [shape string](notation.md) can say, each with a small example: how its window lies,
what it costs, and what it is for. The page is made by the tool (`python docs/make_convolutions.py`), and each example
is told step by step by `convcost explain "STRING"`. How they stand to each other is in [alternatives](alternatives.md).

In the drawings ■ is a tap, □ an input or output element, ░ padding; the first window lies at the upper left. MACs are
multiply-accumulates, padding zeros included; *effective* leaves those out. Times are measured with the engine here on
one machine, in float32, and compare only with each other.
"""


class Kind(NamedTuple):
    """One entry: a name, a string small enough to draw, one large enough to time, what it is for, where it is from."""

    name: str
    text: str
    timed: str
    words: str
    source: str


KINDS = (
    Kind(
        "Standard",
        "12x12x3 -(5x5x3x256)-> 8x8x256",
        "56x56x64 -(3x3x64x64 same)->",
        "Every output channel has a kernel that reads all input channels around each place. It is the layer that the "
        "others save from; its weights are shared by all places, which is what makes it small beside a fully "
        "connected one.",
        "Y. LeCun et al., Backpropagation Applied to Handwritten Zip Code Recognition, Neural Computation 1989",
    ),
    Kind(
        "Pointwise, or 1×1",
        "8x8x3 -(1x1x3x256)-> 8x8x256",
        "56x56x64 -(1x1x64x64)->",
        "It mixes the channels at each place and looks at no neighbours: to narrow or widen the channels before or "
        "after a costly layer, or to add a nonlinearity cheaply.",
        "M. Lin, Q. Chen, S. Yan, Network in Network, arXiv:1312.4400",
    ),
    Kind(
        "Depthwise",
        "12x12x3 -(5x5 dw)-> 8x8x3",
        "56x56x64 -(3x3 dw same)->",
        "One kernel for each channel: it looks around and mixes no channels. Few multiplications, but each byte that "
        "it moves is used little, so it is bound by memory.",
        "L. Sifre, Rigid-Motion Scattering for Image Classification, PhD thesis, 2014",
    ),
    Kind(
        "Depthwise with a multiplier",
        "8x8x4 -(3x3 dw2)-> 6x6x8",
        "56x56x64 -(3x3 dw2 same)->",
        "Several kernels for each channel, so that more channels come out than go in.",
        "TensorFlow, tf.nn.depthwise_conv2d (channel_multiplier)",
    ),
    Kind(
        "Depthwise separable",
        "12x12x3 -(5x5x3x256 sep)-> 8x8x256",
        "56x56x64 -(3x3x64x64 sep same)->",
        "A depthwise step that looks around, then a pointwise one that mixes: 1/M + 1/k² of the multiplications of "
        "the standard layer. What it gives up are kernels that look at space and channels at once.",
        "A. Howard et al., MobileNets, arXiv:1704.04861; F. Chollet, Xception, arXiv:1610.02357",
    ),
    Kind(
        "Grouped",
        "8x8x8 -(3x3x4x8 g2 same)-> 8x8x8",
        "56x56x64 -(3x3x32x64 g2 same)->",
        "The channels in groups that do not see each other: 1/g of the multiplications and weights. AlexNet split "
        "its layers so that they fitted on two graphics cards; ResNeXt found that many narrow groups learn well.",
        "A. Krizhevsky, I. Sutskever, G. Hinton, NIPS 2012; S. Xie et al., arXiv:1611.05431",
    ),
    Kind(
        "Pointwise grouped",
        "8x8x12 -(1x1x4x12 g3)-> 8x8x12",
        "56x56x64 -(1x1x32x64 g2)->",
        "Groups in the 1×1 layers, which hold most of the multiplications once the others are depthwise.",
        "X. Zhang et al., ShuffleNet, arXiv:1707.01083",
    ),
    Kind(
        "Shuffled grouped",
        "8x8x12 -(1x1x4x12 g3)-> -(shuffle g3)-> -(3x3 dw same)-> 8x8x12",
        "56x56x64 -(1x1x32x64 g2)-> -(shuffle g2)-> -(3x3 dw same)->",
        "A shuffle between grouped layers deals each group's channels out to all groups, so that the next layer sees "
        "them all. It moves data and multiplies nothing.",
        "X. Zhang et al., ShuffleNet, arXiv:1707.01083, section 3.1",
    ),
    Kind(
        "Spatially separable",
        "5x5x1 -(3x1x1x1)-> -(1x3x1x1)-> 3x3x1",
        "56x56x64 -(3x3x64x64 spatial same)->",
        "A column and then a row: 2/k of the multiplications on large images. Exact only for kernels that are a "
        "column times a row, as Sobel's is; in networks the two are learned, as asymmetric convolutions.",
        "C. Szegedy et al., Rethinking the Inception Architecture, arXiv:1512.00567, section 3.2",
    ),
    Kind(
        "Flattened",
        "8x8x4 -(1x1x4x8)-> -(3x1 dw)-> -(1x3 dw)-> 6x6x8",
        "56x56x64 -(1x1x64x64)-> -(3x1 dw same)-> -(1x3 dw same)->",
        "Across the channels, then down the columns, then along the rows: kernels of one dimension only.",
        "J. Jin, A. Dundar, E. Culurciello, arXiv:1412.5474",
    ),
    Kind(
        "Dilated, or atrous",
        "9x9x1 -(3x3x1x1 d2)-> 5x5x1",
        "56x56x64 -(3x3x64x64 d2 same)->",
        "The same taps further apart: a larger field for the same price, without losing resolution. Repeating one "
        "dilation leaves a grid of places that never meet.",
        "F. Yu, V. Koltun, arXiv:1511.07122",
    ),
    Kind(
        "Strided",
        "9x9x1 -(3x3x1x1 s2)-> 4x4x1",
        "56x56x64 -(3x3x64x64 s2 same)->",
        "The window moves several elements at a time: about 1/s² of the places along two axes, and of the "
        "multiplications. It takes the place of a pooling layer.",
        "J. Springenberg et al., Striving for Simplicity, arXiv:1412.6806",
    ),
    Kind(
        "Transposed, or deconvolution",
        "3x3x1 -(3x3x1x1 T s2)-> 7x7x1",
        "28x28x64 -(3x3x64x64 T s2 p1 op=1)-> 56x56x64",
        "Each input element spreads a kernel over the output: a learned way to make images larger. It costs what the "
        "convolution does that it transposes, counted at the input's places. A stride that does not divide the "
        "kernel makes the outputs overlap unevenly.",
        "M. Zeiler et al., Deconvolutional Networks, CVPR 2010; V. Dumoulin, F. Visin, arXiv:1603.07285",
    ),
    Kind(
        "One dimension",
        "12x4 -(3x4x8)-> 10x8",
        "4096x64 -(3x64x64 same)->",
        "The window moves along a line: sound, text, series of measurements.",
        "A. Waibel et al., Phoneme Recognition Using Time-Delay Neural Networks, IEEE 1989",
    ),
    Kind(
        "Three dimensions",
        "6x6x6x1 -(3x3x3x1x4)-> 4x4x4x4",
        "16x28x28x16 -(3x3x3x16x16 same)->",
        "The window moves through a volume: scans of bodies, or images and time. Cost grows with k³.",
        "S. Ji et al., 3D Convolutional Neural Networks for Human Action Recognition, ICML 2010",
    ),
    Kind(
        "Padding valid",
        "5x5x1 -(3x3x1x1 valid)-> 3x3x1",
        "56x56x64 -(3x3x64x64 valid)->",
        "No padding: only places where the kernel fits. The image shrinks by k-1.",
        "V. Dumoulin, F. Visin, arXiv:1603.07285, section 2.1",
    ),
    Kind(
        "Padding same",
        "5x5x1 -(3x3x1x1 same)-> 5x5x1",
        "56x56x64 -(3x3x64x64 same)->",
        "So many zeros around that the size stays. Even kernels need one more on one side than on the other.",
        "V. Dumoulin, F. Visin, arXiv:1603.07285, section 2.2.1",
    ),
    Kind(
        "Padding full",
        "5x5x1 -(3x3x1x1 full)-> 7x7x1",
        "56x56x64 -(3x3x64x64 full)->",
        "Every place where the kernel touches the image: it grows by k-1. It is what the backward pass of a valid "
        "convolution does.",
        "V. Dumoulin, F. Visin, arXiv:1603.07285, section 2.2.2",
    ),
    Kind(
        "Bottleneck",
        "8x8x16 -(1x1x16x4)-> -(3x3x4x4 same)-> -(1x1x4x16)-> 8x8x16",
        "56x56x64 -(1x1x64x16)-> -(3x3x16x16 same)-> -(1x1x16x64)->",
        "Narrow, look around, widen: the costly 3×3 sees a quarter of the channels.",
        "K. He et al., Deep Residual Learning, arXiv:1512.03385",
    ),
    Kind(
        "Inception module with asymmetric layers",
        "8x8x4 -{ (1x1x4x2) | (1x1x4x2)-> (1x3x2x2 same)-> (3x1x2x2 same) | "
        "(avgpool 3x3 s1 same)-> (1x1x4x2) }-> 8x8x6",
        "28x28x64 -{ (1x1x64x32) | (1x1x64x32)-> (1x3x32x32 same)-> (3x1x32x32 same) | "
        "(avgpool 3x3 s1 same)-> (1x1x64x32) }->",
        "Branches of several sizes side by side, joined along channels; 1×1 layers before the costly ones.",
        "C. Szegedy et al., arXiv:1409.4842 and arXiv:1512.00567",
    ),
)


def drawings(explanation: Explanation) -> list[str]:
    """The drawings of an explanation, each as a block of text."""
    out = []
    for section in explanation.sections:
        for drawing in section.drawings:
            rows = tuple((row.label, tuple(row.cells)) for row in drawing.rows)
            out.append(
                f"{drawing.caption}:\n\n```text\n" + "\n".join(grid_text(Grid(drawing.caption, rows))) + "\n```\n"
            )
    return out


def equation(explanation: Explanation) -> list[str]:
    """The sentences that count multiplications."""
    return [
        f"{sentence.text} {sentence.equation.text}."
        for section in explanation.sections
        if section.title in ("Multiplications", "Together")
        for sentence in section.sentences
        if sentence.equation is not None and sentence.equation.unit.startswith("multipl")
    ]


def row(text: str, model: Model, time: str) -> str:
    """One line of the table."""
    total = model.totals
    shape = "×".join(map(str, model.outputs[0].shape or ()))
    cells = (
        f"`{text}`".replace("|", "\\|"),
        shape,
        units.exact(total.macs),
        units.exact(total.macs_effective),
        units.exact(total.params),
        units.significant(Fraction(total.intensity or 0), 3),
        time,
    )
    return f"| {' | '.join(cells)} |"


HEAD = "| string | output | MACs | effective | parameters | FLOP/B | time |\n|---|---|---:|---:|---:|---:|---:|"


def section(kind: Kind, times: dict[str, int]) -> str:
    """One kind."""
    explained = api.explain(kind.text)
    (explanation,), (model,) = explained.explanations, explained.models
    (large,) = api.count(kind.timed).models
    measured = times.get(kind.timed)
    lines = [
        f"## {kind.name}\n",
        f"{kind.words}  \nSource: {kind.source}.\n",
        *drawings(explanation),
        *(f"{said}\n" for said in equation(explanation)),
        HEAD,
        row(kind.text, model, ""),
        row(kind.timed, large, units.duration(measured) if measured is not None else ""),
    ]
    return "\n".join(lines) + "\n"


def page(times: dict[str, int] | None = None) -> str:
    """The whole page, with the times that are kept, or those given."""
    if times is None:
        times = json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.exists() else {}
    return "\n".join((INTRODUCTION, *(section(kind, times) for kind in KINDS)))


def measured() -> dict[str, int]:
    """Nanoseconds of each string that is timed, measured in turn."""
    texts = list(dict.fromkeys(kind.timed for kind in KINDS))
    report = api.compare(*texts, time=True)
    ways = report.comparisons[0].alternatives
    return {text: way.timing.median_ns for text, way in zip(texts, ways, strict=True) if way.timing is not None}


if __name__ == "__main__":
    if "--time" in sys.argv[1:]:
        TIMES.write_text(json.dumps(measured(), indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
