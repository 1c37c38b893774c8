"""Networks written layer by layer as in their publications, for counting: an ONNX model in memory, without weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import onnx
import pytest
from onnx import TensorProto, helper

from convcost import analysis, notation, record
from convcost.ir import Graph
from convcost.onnx_reader import from_bytes

OPSET = 17


class X(NamedTuple):
    """A tensor under construction: its name and its channels (NCHW), or its features."""

    name: str
    c: int


class Result(NamedTuple):
    """Totals, and rows by name in the order of the nodes."""

    totals: record.Cost
    layers: dict[str, record.Layer]

    @property
    def figures(self) -> tuple[int | None, int | None]:
        """(MACs, parameters)."""
        return self.totals.macs, self.totals.params

    def part(self, prefix: str) -> tuple[int, int]:
        """(MACs, parameters) of the layers whose name starts with `prefix`."""
        rows = [layer.cost for name, layer in self.layers.items() if name.startswith(prefix)]
        assert rows
        return sum(c.macs or 0 for c in rows), sum(c.params or 0 for c in rows)

    def field(self, name: str) -> tuple[int, str, str]:
        """(size, stride, padding) of the receptive field of a row, the same along both axes."""
        fields = self.layers[name].receptive_field
        assert fields is not None
        rows = {(a.size, a.stride, a.padding) for a in fields[0].axes}
        assert len(rows) == 1
        return rows.pop()


def result(graph: Graph) -> Result:
    """A graph, counted; all of it is known."""
    counted = analysis.count(graph)
    assert counted.coverage.complete
    return Result(analysis.total_cost(graph, counted), {layer.name: layer for layer in counted.layers})


class Net:
    """One model. Every method adds a layer and returns its output; weights have a shape but no content.

    `part` stands before the names of the layers added while it is set.
    """

    def __init__(self, *shape: int, dtype: int = TensorProto.FLOAT) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.part = ""
        self.x = self.input("input", *shape, dtype=dtype)

    def input(self, name: str, *shape: int, dtype: int = TensorProto.FLOAT) -> X:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return X(name, shape[1])

    def weight(self, *shape: int) -> str:
        """A weight whose content lies in a file that is not there."""
        tensor = TensorProto(name=f"w{len(self.weights)}", data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="absent")
        self.weights.append(tensor)
        return tensor.name

    def integers(self, *values: int) -> str:
        """A constant of the graph's own arithmetic: a shape, a list of axes."""
        name = f"w{len(self.weights)}"
        self.weights.append(helper.make_tensor(name, TensorProto.INT64, [len(values)], list(values)))
        return name

    def node(self, op: str, *inputs: X | str, c: int, name: str = "", **attributes: Any) -> X:
        """Any operator; `c` channels come out."""
        label = name or f"{self.part}{op.lower()}_{len(self.nodes)}"
        names = [i.name if isinstance(i, X) else i for i in inputs]
        self.nodes.append(helper.make_node(op, names, [f"{label}.out"], name=label, **attributes))
        return X(f"{label}.out", c)

    def conv(
        self,
        x: X,
        c: int,
        k: int | tuple[int, int],
        s: int = 1,
        p: int | tuple[int, int] | str = 0,
        g: int = 1,
        *,
        bias: bool = False,
        name: str = "",
    ) -> X:
        """A convolution with a k×k (or k[0]×k[1]) kernel, padding p on both sides, or p = "same"."""
        kh, kw = (k, k) if isinstance(k, int) else k
        ph, pw = (p, p) if isinstance(p, int) else (0, 0) if isinstance(p, str) else p
        extra: dict[str, Any] = {"auto_pad": "SAME_UPPER"} if p == "same" else {"pads": [ph, pw, ph, pw]}
        weights = [self.weight(c, x.c // g, kh, kw), *([self.weight(c)] if bias else [])]
        return self.node("Conv", x, *weights, c=c, name=name, strides=[s, s], group=g, **extra)

    def up(self, x: X, c: int, k: int, s: int) -> X:
        """A transposed convolution, with bias."""
        weights = self.weight(x.c, c, k, k), self.weight(c)
        return self.node("ConvTranspose", x, *weights, c=c, strides=[s, s])

    def bn(self, x: X) -> X:
        """Batch normalisation: scale and shift are parameters, mean and variance buffers."""
        return self.node("BatchNormalization", x, *(self.weight(x.c) for _ in range(4)), c=x.c)

    def relu(self, x: X) -> X:
        return self.node("Relu", x, c=x.c)

    def cbr(
        self, x: X, c: int, k: int | tuple[int, int], s: int = 1, p: int | tuple[int, int] | str = 0, g: int = 1
    ) -> X:
        """Convolution, batch normalisation, ReLU."""
        return self.relu(self.bn(self.conv(x, c, k, s, p, g)))

    def cr(self, x: X, c: int, k: int, s: int = 1, p: int | str = 0, g: int = 1) -> X:
        """Convolution with bias, ReLU."""
        return self.relu(self.conv(x, c, k, s, p, g, bias=True))

    def pool(self, op: str, x: X, k: int, s: int, p: int | str = 0, *, ceil: bool = False) -> X:
        """`MaxPool` or `AveragePool`; p = "same" as for conv."""
        extra: dict[str, Any] = {"auto_pad": "SAME_UPPER"} if isinstance(p, str) else {"pads": [p] * 4}
        if op == "AveragePool":
            extra["count_include_pad"] = 1
        return self.node(op, x, c=x.c, kernel_shape=[k, k], strides=[s, s], ceil_mode=int(ceil), **extra)

    def maxpool(self, x: X, k: int, s: int, p: int | str = 0, *, ceil: bool = False) -> X:
        return self.pool("MaxPool", x, k, s, p, ceil=ceil)

    def avgpool(self, x: X, k: int, s: int, p: int | str = 0) -> X:
        return self.pool("AveragePool", x, k, s, p)

    def concat(self, *xs: X, axis: int = 1) -> X:
        return self.node("Concat", *xs, c=sum(x.c for x in xs), axis=axis)

    def add(self, x: X, y: X | str) -> X:
        return self.node("Add", x, y, c=x.c)

    def flatten(self, x: X, features: int) -> X:
        return self.node("Flatten", x, c=features)

    def fc(self, x: X, c: int) -> X:
        """A fully connected layer with bias."""
        return self.node("Gemm", x, self.weight(c, x.c), self.weight(c), c=c, transB=1)

    def head(self, x: X, classes: int = 1000) -> X:
        """Global average, then a classifier."""
        return self.fc(self.flatten(self.node("GlobalAveragePool", x, c=x.c), x.c), classes)

    def count(self, *outputs: X) -> Result:
        """What the program says of the model; its output is the last layer unless told."""
        names = [o.name for o in outputs] or [self.nodes[-1].output[0]]
        values = [onnx.ValueInfoProto(name=name) for name in names]
        graph = helper.make_graph(self.nodes, "network", self.inputs, values, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        return result(from_bytes(model.SerializeToString()).graph)


@pytest.fixture
def new() -> Callable[..., Net]:
    """Makes an empty network from the shape of its input."""
    return Net


def read(text: str, batch: int = 1) -> Result:
    """A shape string, counted."""
    return result(notation.parse(text, batch=batch))


@pytest.fixture
def written() -> Callable[..., Result]:
    """Counts a shape string."""
    return read
