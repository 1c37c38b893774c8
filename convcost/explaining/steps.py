"""Layers that are no convolutions and have a derivation of their own: pooling, dense, normalisation, activation."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from convcost.alternatives import ConvLayer
from convcost.alternatives.layer import numbers
from convcost.errors import ShapeError
from convcost.explaining.convolution import output_size
from convcost.explaining.facts import at, groups_of_axes, whole
from convcost.explaining.notes import leftover
from convcost.explaining.saying import along, capital, plural, proved, repeated, say, shown, sizes
from convcost.explaining.terms import ceiled, minus, number, over, plus, times
from convcost.ops.matmul import GemmAttrs, gemm_operands
from convcost.ops.pool import PoolAttrs, pool_window
from convcost.record import Layer, Section, Sentence

Tell = Callable[[Layer], list[Section]]


def pooling_of(layer: Layer) -> ConvLayer | None:
    """The window of a pooling layer, as that of a depthwise convolution without weights."""
    x, y = whole(at(layer.inputs, 0)), whole(at(layer.outputs, 0))
    if len(x) < 3 or len(y) != len(x):
        return None
    attrs = msgspec.convert(layer.attributes, PoolAttrs)
    window = pool_window(attrs, x)
    return ConvLayer(
        spatial=x[2:], c=x[1], m=y[1], kernel=numbers(window.kernel), group=x[1], strides=window.strides,
        dilations=window.dilations, before=numbers(window.before), after=numbers(window.after), out=y[2:], bias=False,
        batch=x[0],
    )  # fmt: skip


def pooling(layer: Layer) -> list[Section]:
    """Windows that take the largest, or the mean."""
    conv = pooling_of(layer)
    if conv is None:
        return []
    elements = 1
    for k in conv.kernel:
        elements *= k
    images = [conv.batch] if conv.batch > 1 else []
    places = repeated(layer, *images, conv.c, *conv.out, minus(times(*conv.kernel), 1))
    text = f"A window of {sizes(conv.kernel)} moves over each of {plural(conv.c, 'channels')}, {sizes(conv.out)} times"
    if layer.op == "MaxPool":
        said = proved(f"{text}, and keeps the largest element", layer.cost.comparisons, places, "comparisons")
    else:
        said = proved(f"{text}, and adds its elements up", layer.cost.additions, places, "additions")
        each = repeated(layer, *images, conv.c, *conv.out)
        said += proved("Each sum is divided once", layer.cost.divisions, each, "divisions")
    said.append(say("It multiplies nothing and has no weights."))
    return [Section(title="Work", sentences=said), Section(title="Output size", sentences=pooled_size(layer, conv))]


def pooled_size(layer: Layer, conv: ConvLayer) -> list[Sentence]:
    """As of a convolution, or rounded up."""
    if not layer.attributes.get("ceil_mode"):
        lost = leftover(layer, conv)
        more = (
            [say("Rounding up instead (ceil_mode) would let one more window hang over the edge there.")] if lost else []
        )
        return output_size(conv) + lost + more
    out = []
    for axes in groups_of_axes(conv):
        a = axes[0]
        room = minus(plus(conv.spatial[a], conv.before[a], conv.after[a]), conv.dilations[a] * (conv.kernel[a] - 1) + 1)
        where = capital(along(len(conv.kernel), axes))
        up = plus(ceiled(over(room, conv.strides[a])), 1)
        out.append(shown(f"{where}, rounded up (ceil_mode), the window is placed at", up, unit="places"))
    out.append(
        say(
            "Rounding up lets the last window hang over the edge. A last window that would begin beyond the input is "
            f"dropped again; what is left is {sizes(conv.out)}."
        )
    )
    return out


def global_pooling(layer: Layer) -> list[Section]:
    """One number for each channel."""
    x = whole(at(layer.inputs, 0))
    if len(x) < 3:
        return []
    images = [x[0]] if x[0] > 1 else []
    work = repeated(layer, *images, x[1], minus(times(*x[2:]), 1))
    text = f"Each of {plural(x[1], 'channels')} of {sizes(x[2:])} becomes one number"
    if layer.op == "GlobalMaxPool":
        said = proved(f"{text}, its largest", layer.cost.comparisons, work, "comparisons")
    else:
        said = proved(f"{text}, its mean", layer.cost.additions, work, "additions")
        said += proved("Each sum is divided once", layer.cost.divisions, repeated(layer, *images, x[1]), "divisions")
    said.append(say("So any image size becomes the same vector, without the weights of a fully connected layer."))
    return [Section(title="Work", sentences=said)]


def gemm(layer: Layer) -> list[Section]:
    """A fully connected layer."""
    a, b = whole(at(layer.inputs, 0)), whole(at(layer.inputs, 1))
    if len(a) != 2 or len(b) != 2:
        return []
    turned = {name: layer.attributes[name] for name in ("transA", "transB") if name in layer.attributes}
    try:
        m, n, k = numbers(gemm_operands(msgspec.convert(turned, GemmAttrs), a, b))
    except ShapeError:
        return []
    rows = [number(m, "rows")] if m > 1 else []
    images = f" for each of {m:,} rows" if m > 1 else ""
    text = f"Each of {plural(n, 'outputs')} multiplies all {k:,} inputs by weights of its own{images}"
    said = proved(text, layer.cost.macs, repeated(layer, *rows, number(n, "outputs"), number(k, "inputs")), "MACs")
    cost = layer.cost
    if at(layer.inputs, 2) is not None and cost.additions is not None and cost.macs is not None:
        said += proved(
            "The bias adds once for each", cost.additions - cost.macs, repeated(layer, *rows, n), "additions"
        )
    out = [Section(title="Multiplications", sentences=said)]
    params = times(n, k)
    bias = at(layer.inputs, 2)
    if cost.params:
        term = plus(params, times(*whole(bias))) if bias else params
        out.append(
            Section(title="Parameters", sentences=proved("No weight is used twice", cost.params, term, "parameters"))
        )
    said = [
        say(
            "It is a convolution whose kernel covers the whole input. Every weight is read for one product, so with "
            "few rows it waits for memory: a larger batch reuses the weights."
        )
    ]
    return [*out, Section(title="Worth knowing", sentences=said, note=True)]


def matmul(layer: Layer) -> list[Section]:
    """(…, M, K) times (…, K, N)."""
    a, b, y = (whole(at(shapes, i)) for shapes, i in ((layer.inputs, 0), (layer.inputs, 1), (layer.outputs, 0)))
    if not a or not b or not y:
        return []
    text = f"Each of {sizes(y)} outputs is the product of a row and a column of {plural(a[-1], 'elements')}"
    term = repeated(layer, *(number(n, "outputs") for n in y), number(a[-1], "inner size"))
    return [Section(title="Multiplications", sentences=proved(text, layer.cost.macs, term, "MACs"))]


def batch_norm(layer: Layer) -> list[Section]:
    """One multiplication and one addition for each element."""
    y = whole(at(layer.outputs, 0))
    if len(y) < 2 or layer.attributes:
        return []
    cost = layer.cost
    text = "At inference scale, shift, mean and variance are one factor and one summand for each channel"
    said = proved(text, cost.multiplications, repeated(layer, *y), "multiplications")
    said += proved("And as many additions", cost.additions, repeated(layer, *y), "additions")
    said += proved("Scale and shift are parameters", cost.params, times(2, y[1]), "parameters")
    said += proved("Mean and variance are kept beside them, as buffers", cost.buffers, times(2, y[1]), "elements")
    note = say("Behind a convolution it costs nothing once it is merged into that layer's weights and bias.")
    return [Section(title="Work", sentences=said), Section(title="Worth knowing", sentences=[note], note=True)]


def relu(layer: Layer) -> list[Section]:
    """One comparison for each element."""
    y = whole(at(layer.outputs, 0))
    if not y:
        return []
    said = proved("Each element is compared with 0", layer.cost.comparisons, repeated(layer, *y), "comparisons")
    note = say("It multiplies nothing, but it is why layers can be stacked: two linear layers in a row are one.")
    return [Section(title="Work", sentences=said), Section(title="Worth knowing", sentences=[note], note=True)]


GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def recurrent(layer: Layer) -> list[Section]:
    """Gates of a hidden state, step after step."""
    x, r = whole(at(layer.inputs, 0)), whole(at(layer.inputs, 2))
    if len(x) != 3 or len(r) != 3:
        return []
    t, b = (x[1], x[0]) if layer.attributes.get("layout") else (x[0], x[1])
    gates, hidden = GATES[layer.op], r[2]
    text = (
        f"At each of {t:,} steps {plural(gates, 'gates') if gates > 1 else 'one gate'} of {hidden:,} units "
        f"multipl{'y' if gates > 1 else 'ies'} {x[2]:,} inputs and {hidden:,} numbers of the state"
    )
    factors = [number(gates, "gates"), number(t, "steps"), number(b, "batch"), number(r[0], "directions")]
    term = repeated(layer, *factors, number(hidden, "units"), plus(number(x[2], "inputs"), number(hidden, "state")))
    said = proved(text, layer.cost.macs, term, "MACs")
    said.append(say("Steps follow each other: they cannot run side by side, as the places of a convolution can."))
    return [Section(title="Multiplications", sentences=said)]


STEPS: dict[str, Tell] = {
    "MaxPool": pooling,
    "AveragePool": pooling,
    "GlobalAveragePool": global_pooling,
    "GlobalMaxPool": global_pooling,
    "Gemm": gemm,
    "MatMul": matmul,
    "BatchNormalization": batch_norm,
    "Relu": relu,
    "RNN": recurrent,
    "GRU": recurrent,
    "LSTM": recurrent,
}
"""Operators of ONNX's own domain, and what tells about them."""
