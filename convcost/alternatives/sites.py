"""Nodes where they stand in a model, and the convolutions of them: in the graph, in branches, loops and functions."""

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
    """One node: `place` by positions as in `ir.visits`, `path` by names as in the report.

    `around` are the graphs that it stands in, the innermost first, as far as it sees their tensors; `makers` the nodes
    that make those. `function` is the function that it stands in.
    """

    place: str
    path: str
    node: Node
    around: tuple[Graph, ...]
    makers: Scope[Node]
    function: str = ""

    def tensor(self, name: str) -> Tensor | None:
        """What is known of a tensor that the node sees."""
        return next((graph.tensors[name] for graph in self.around if name in graph.tensors), None)

    @property
    def graph(self) -> Graph:
        """A graph of nothing but the node and the tensors it touches."""
        names = (*self.node.inputs, *self.node.outputs)
        seen = {name: t for name in names if name and (t := self.tensor(name)) is not None}
        return Graph("", (), self.node.outputs, (self.node,), seen, resolved=True)

    @property
    def weight(self) -> Tensor | None:
        """The kernel, where it has one."""
        return self.tensor(self.node.inputs[1]) if len(self.node.inputs) > 1 else None

    @property
    def weight_maker(self) -> Node | None:
        """The node that makes the kernel, where one does."""
        return self.makers.get(self.node.inputs[1]) if len(self.node.inputs) > 1 else None

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
    return [site for site in nodes(graph) if site.node.op in CONVOLUTIONS and not site.node.bodies]


def nodes(graph: Graph) -> Iterator[Site]:
    """All nodes of a resolved graph, likewise."""
    return Walk().graph((graph,), Scope(), "", "", "")


class Walk:
    """One walk; calls inside calls are entered while rows are left."""

    def __init__(self) -> None:
        self.left = MAX_ROWS

    def graph(
        self, around: tuple[Graph, ...], makers: Scope[Node], place: str, path: str, function: str
    ) -> Iterator[Site]:
        """The nodes of the first graph of `around` and of the graphs inside it."""
        makers.own.update((o, node) for node in around[0].nodes for o in node.outputs)
        for node in around[0].nodes:
            here, name = f"{place}{node.index}", path + node.name
            yield Site(here, name, node, around, makers, function)
            for role, body in node.bodies:
                inner = f"{here}/{role}/"
                if role != "function":
                    scope = Scope(parent=makers)
                    yield from self.graph((body, *around), scope, inner, f"{name}/{role}/", function)
                elif (rows := rows_in(body)) <= self.left:
                    self.left -= rows
                    yield from self.graph((body,), Scope(), inner, f"{name}/", node.op)


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
