"""Convolutions where they stand in a model: in the main graph, in branches and loops, in functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from convcost.alternatives.condition import Value
from convcost.alternatives.layer import ConvLayer, Skip, need, single
from convcost.analysis.count import MAX_ROWS, rows_in
from convcost.ir import Graph, Node, Scope, Tensor
from convcost.record import Layer

CONVOLUTIONS = frozenset(
    {"Conv", "ConvTranspose", "QLinearConv", "ConvInteger", "DeformConv", "FusedConv", "NhwcFusedConv", "NhwcConv"}
)
"""Operators that a condition can select."""

QUANTIZED = frozenset({"DequantizeLinear", "Quant", "BipolarQuant", "Trunc"})


class Site(msgspec.Struct, frozen=True):
    """One convolution: `place` by positions as in `ir.visits`, `path` by names as in the report.

    `graph` holds nothing but the node and the tensors it touches; `weight_maker` is the node that makes its weight.
    `function` is the function that it stands in.
    """

    place: str
    path: str
    node: Node
    graph: Graph
    weight_maker: Node | None
    function: str = ""

    @property
    def weight(self) -> Tensor | None:
        """The kernel, where it has one."""
        return self.graph.tensors.get(self.node.inputs[1]) if len(self.node.inputs) > 1 else None

    def layer(self) -> ConvLayer:
        """The convolution; `Skip` with the reason where it cannot be replaced."""
        need(not self.function, f"it is in the function {self.function[:60]}, whose other calls would change too")
        op = self.node.op
        need(op not in ("QLinearConv", "ConvInteger"), f"{op} is quantized: replace the layer before quantizing")
        maker = self.weight_maker
        if maker is not None and maker.op in QUANTIZED:
            raise Skip(f"its weights are quantized ({maker.op}): replace the layer before quantizing")
        return single(self.graph, self.node)


def sites(graph: Graph) -> list[Site]:
    """All convolutions of a resolved graph in the order of the report; functions as far as the report shows them."""
    return list(Walk().graph(graph, Scope(graph.tensors), Scope(), Spot()))


class Spot(msgspec.Struct, frozen=True):
    """Where a graph stands: what comes before its nodes' places and names, and the function it belongs to."""

    place: str = ""
    path: str = ""
    function: str = ""


class Walk:
    """One walk; calls inside calls are entered while rows are left."""

    def __init__(self) -> None:
        self.left = MAX_ROWS

    def graph(self, graph: Graph, tensors: Scope[Tensor], makers: Scope[Node], at: Spot) -> Iterator[Site]:
        """The sites of one graph and of the graphs inside it."""
        makers.own.update((o, node) for node in graph.nodes for o in node.outputs)
        for node in graph.nodes:
            if node.op in CONVOLUTIONS and not node.bodies:
                yield site(node, tensors, makers, at)
            for role, body in node.bodies:
                inner = Spot(f"{at.place}{node.index}/{role}/", f"{at.path}{node.name}/{role}/", at.function)
                if role != "function":
                    yield from self.graph(body, Scope(body.tensors, tensors), Scope(parent=makers), inner)
                elif (rows := rows_in(body)) <= self.left:
                    self.left -= rows
                    called = Spot(inner.place, f"{at.path}{node.name}/", node.op)
                    yield from self.graph(body, Scope(body.tensors), Scope(), called)


def site(node: Node, tensors: Scope[Tensor], makers: Scope[Node], at: Spot) -> Site:
    """One convolution with what it touches."""
    maker = makers.get(node.inputs[1]) if len(node.inputs) > 1 else None
    return Site(f"{at.place}{node.index}", at.path + node.name, node, alone(node, tensors), maker, at.function)


def alone(node: Node, tensors: Scope[Tensor]) -> Graph:
    """A graph of one node and the tensors it touches, some of which may be those of graphs around it."""
    seen = {name: t for name in (*node.inputs, *node.outputs) if name and (t := tensors.get(name)) is not None}
    return Graph("", (), node.outputs, (node,), seen, resolved=True)


def matched(found: list[Site], layers: list[Layer]) -> list[tuple[Layer, Site | None]]:
    """Each convolution of a report with its site; None where names do not tell which it is."""
    by_path: dict[str, list[Site]] = {}
    for site in found:
        by_path.setdefault(site.path, []).append(site)
    rows = [layer for layer in layers if layer.op in CONVOLUTIONS]
    numbers, seen = Counter(layer.name for layer in rows), Counter[str]()
    out: list[tuple[Layer, Site | None]] = []
    for layer in rows:
        name = layer.name
        same = by_path.get(name, [])
        out.append((layer, same[seen[name]] if len(same) == numbers[name] else None))
        seen[name] += 1
    return out


def facts(layer: Layer) -> Mapping[str, Value]:
    """What a condition may ask of a layer."""
    x = layer.inputs[0] if layer.inputs else None
    y = layer.outputs[0] if layer.outputs else None
    kernel = kernel_of(layer)
    out: dict[str, Value] = {
        "cin": whole(x[1]) if x and len(x) > 1 else None,
        "cout": whole(y[1]) if y and len(y) > 1 else None,
        "kernel": max(kernel, default=None),
        "stride": max(layer.attributes.get("strides", (1,)), default=1),
        "dilation": max(layer.attributes.get("dilations", (1,)), default=1),
        "groups": layer.attributes.get("group", 1),
        "macs": layer.cost.macs,
        "params": layer.cost.params,
        "bytes": None
        if layer.cost.read_bytes is None or layer.cost.write_bytes is None
        else layer.cost.read_bytes + layer.cost.write_bytes,
        "index": layer.index,
        "kind": (layer.kind, *layer.traits),
        "name": layer.name,
        "op": layer.op,
    }
    for names, sizes in ((("w", "h", "d"), x[2:] if x else ()), (("kernel_w", "kernel_h", "kernel_d"), kernel)):
        out.update(zip(names, (whole(n) for n in reversed(sizes)), strict=False))
    return out


def kernel_of(layer: Layer) -> list[int]:
    """The sizes of the kernel, from the weight's shape."""
    given = layer.attributes.get("kernel_shape")
    position = 3 if layer.op == "QLinearConv" else 1
    weight = layer.inputs[position] if len(layer.inputs) > position else None
    return [n for n in given or (weight or [])[2:] if isinstance(n, int)]


def whole(n: object) -> int | None:
    """A number; None for a symbol."""
    return n if isinstance(n, int) else None
