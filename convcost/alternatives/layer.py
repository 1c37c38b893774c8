"""One convolution taken out of a graph, as the alternatives see it."""

from __future__ import annotations

import msgspec

from convcost.ir import DType, Graph, Node, Shape
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs, transposed_window
from convcost.ops.windows import Window, window_of


class Skip(Exception):  # noqa: N818 - an answer, not an error
    """An alternative that does not apply; the message says why."""


def need(condition: object, reason: str) -> None:
    """Skip with `reason` unless the condition holds."""
    if not condition:
        raise Skip(reason)


class ConvLayer(msgspec.Struct, frozen=True):
    """A convolution x: I×C → y: O×M with kernel K, channels last, all sizes numbers.

    `before` and `after` are the padding of each spatial axis, `extra` the output padding of a transposed layer.
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
    transposed: bool = False
    extra: tuple[int, ...] = ()
    batch: int = 1
    dtype: DType = DType.FLOAT32

    @property
    def window(self) -> Window:
        """Kernel, stride, dilation and padding."""
        return Window(
            kernel=self.kernel,
            strides=self.strides,
            dilations=self.dilations,
            before=self.before,
            after=self.after,
        )

    @property
    def large(self) -> tuple[int, ...]:
        """The axes along which the kernel is larger than 1."""
        return tuple(a for a, k in enumerate(self.kernel) if k > 1)

    @property
    def depthwise(self) -> bool:
        """Whether each group reads one of several channels."""
        return self.group == self.c > 1


def numbers(shape: Shape) -> tuple[int, ...]:
    """`shape`, all numbers, or `Skip`."""
    need(all(isinstance(d, int) for d in shape), "its shapes are not numbers: --dim or --input gives them")
    return tuple(d for d in shape if isinstance(d, int))


def layer_of(graph: Graph) -> ConvLayer:
    """The one convolution that `graph` does in one or two nodes; `Skip` where it is something else.

    A depthwise node followed by a pointwise one, or two spatial ones, are read as the convolution that they split.
    """
    n = len(graph.nodes)
    need(0 < n <= 2, f"it has {n} layers; alternatives are worked out for one: --layer names it")
    parts = [single(graph, node) for node in graph.nodes]
    if len(parts) == 1:
        return parts[0]
    first, second = parts
    form = halves(first, second)
    need(form, "it has 2 layers that are not the halves of one convolution")
    if form == "sep":
        return msgspec.structs.replace(first, m=second.m, group=1, bias=second.bias, out=second.out)
    return msgspec.structs.replace(
        first,
        m=second.m,
        kernel=tuple(map(max, first.kernel, second.kernel)),
        strides=tuple(a * b for a, b in zip(first.strides, second.strides, strict=True)),
        dilations=tuple(map(max, first.dilations, second.dilations)),
        before=tuple(a + b for a, b in zip(first.before, second.before, strict=True)),
        after=tuple(a + b for a, b in zip(first.after, second.after, strict=True)),
        out=second.out,
        bias=second.bias,
    )


def halves(first: ConvLayer, second: ConvLayer) -> str:
    """`sep` or `spatial` for two layers that are one convolution split in this way, else nothing."""
    if first.transposed or second.transposed:
        return ""
    pointwise = second.group == 1 and not second.large and second.out == second.spatial
    if first.group == first.c and first.m == first.c and pointwise:
        return "sep"
    apart = bool(first.large and second.large) and not set(first.large) & set(second.large)
    return "spatial" if first.group == second.group == 1 and apart else ""


def single(graph: Graph, node: Node) -> ConvLayer:
    """One node of `graph`, which must be a convolution; `Skip` where it is something else."""
    attrs = node.attrs
    if node.domain or not isinstance(attrs, ConvAttrs) or node.op not in ("Conv", "ConvTranspose"):
        raise Skip(f"{node.op} is not a convolution of one kernel")
    tensors = [graph.tensors[name] for name in (node.inputs[0], node.inputs[1], node.outputs[0])]
    need(all(t.shape is not None for t in tensors), "its shapes are not known")
    x, w, y = (numbers(t.dims) for t in tensors)
    transposed = isinstance(attrs, ConvTransposeAttrs)
    extra: tuple[int, ...] = ()
    if isinstance(attrs, ConvTransposeAttrs):
        window, extra = transposed_window(attrs, x[2:], w[2:])
    else:
        window = window_of(attrs, x[2:], w[2:])
    return ConvLayer(
        spatial=x[2:],
        c=x[1],
        m=y[1],
        kernel=w[2:],
        group=attrs.group,
        strides=window.strides,
        dilations=window.dilations,
        before=numbers(window.before),
        after=numbers(window.after),
        out=y[2:],
        bias=len(node.inputs) > 2 and bool(node.inputs[2]),
        transposed=transposed,
        extra=extra,
        batch=x[0],
        dtype=tensors[0].dtype or DType.FLOAT32,
    )
