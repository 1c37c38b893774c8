"""One convolution taken out of a graph, as the alternatives see it."""

from __future__ import annotations

import msgspec

from convcost.ir import Dim, Graph, Shape
from convcost.ops.conv import ConvAttrs, window_of


class Skip(Exception):  # noqa: N818 - an answer, not an error
    """An alternative that does not apply; the message says why."""


class ConvLayer(msgspec.Struct, frozen=True):
    """A convolution x: I×C → y: O×M with kernel K, channels last, all sizes numbers.

    `before` and `after` are the padding of each spatial axis.
    """

    spatial: tuple[int, ...]
    c: int
    m: int
    kernel: tuple[int, ...]
    group: int
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    out: tuple[int, ...]
    bias: bool


def numbers(shape: Shape) -> tuple[int, ...]:
    """`shape`, all numbers, or `Skip`."""
    if not all(isinstance(d, int) for d in shape):
        raise Skip("its shapes are not numbers")
    return tuple(d for d in shape if isinstance(d, int))


def layer_of(graph: Graph) -> ConvLayer:
    """The one standard convolution that `graph` does in one or two nodes; `Skip` where it is something else.

    A depthwise node followed by a pointwise one, or two spatial ones, are read as the convolution that they split.
    """
    parts = [single(graph, i) for i in range(len(graph.nodes))]
    if len(parts) == 1:
        return parts[0]
    if len(parts) != 2:
        raise Skip(f"it has {len(parts)} layers; alternatives are worked out for one")
    first, second = parts
    pointwise = all(k == 1 for k in second.kernel) and second.group == 1
    if first.group == first.c and first.m == first.c and pointwise:
        return msgspec.structs.replace(first, m=second.m, group=1, bias=second.bias)
    if first.group == second.group == 1 and one_axis_each(first, second):
        join = zip(first.kernel, second.kernel, strict=True)
        return ConvLayer(
            spatial=first.spatial,
            c=first.c,
            m=second.m,
            kernel=tuple(max(a, b) for a, b in join),
            group=1,
            strides=tuple(a * b for a, b in zip(first.strides, second.strides, strict=True)),
            dilations=tuple(max(a, b) for a, b in zip(first.dilations, second.dilations, strict=True)),
            before=tuple(a + b for a, b in zip(first.before, second.before, strict=True)),
            after=tuple(a + b for a, b in zip(first.after, second.after, strict=True)),
            out=second.out,
            bias=second.bias,
        )
    raise Skip("it has 2 layers that are not the halves of one convolution")


def one_axis_each(a: ConvLayer, b: ConvLayer) -> bool:
    """Whether the two kernels work along different axes."""
    pairs = list(zip(a.kernel, b.kernel, strict=True))
    return all(1 in pair for pair in pairs) and any(x > 1 for x, _ in pairs) and any(y > 1 for _, y in pairs)


def single(graph: Graph, i: int) -> ConvLayer:
    """Node i of `graph`, which must be a convolution of the main path."""
    node = graph.nodes[i]
    if node.op != "Conv" or not isinstance(node.attrs, ConvAttrs):
        raise Skip(f"{node.op} is not a convolution")
    x, w, y = (numbers(graph.tensors[name].dims) for name in (node.inputs[0], node.inputs[1], node.outputs[0]))
    window = window_of(node.attrs, x[2:], w[2:])
    return ConvLayer(
        spatial=x[2:],
        c=x[1],
        m=y[1],
        kernel=w[2:],
        group=node.attrs.group,
        strides=window.strides,
        dilations=window.dilations,
        before=numbers(window.before),
        after=numbers(window.after),
        out=y[2:],
        bias=len(node.inputs) > 2,
    )


def shown(dims: tuple[Dim, ...]) -> str:
    """12x12x3."""
    return "x".join(str(d) for d in dims)


def options(layer: ConvLayer) -> str:
    """Stride, dilation, padding and bias as the notation writes them, each with a space before."""
    out = ""
    if any(s != 1 for s in layer.strides):
        out += f" s={shown(layer.strides)}"
    if any(d != 1 for d in layer.dilations):
        out += f" d={shown(layer.dilations)}"
    if any(layer.before) or any(layer.after):
        out += " p=" + "/".join(str(p) for p in (*layer.before, *layer.after))
    return out + (" bias" if layer.bias else "")


def written(layer: ConvLayer, form: str = "") -> str:
    """The layer as a shape string with its output written out; `form` is an option such as `sep`."""
    group = f" g{layer.group}" if layer.group > 1 and not form else ""
    kernel = shown((*layer.kernel, layer.c // (1 if form else layer.group), layer.m))
    form = f" {form}" if form else ""
    source, target = shown((*layer.spatial, layer.c)), shown((*layer.out, layer.m))
    return f"{source} -({kernel}{group}{form}{options(layer)})-> {target}"
