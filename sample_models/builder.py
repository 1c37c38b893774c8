"""A model under construction, for the sample models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Builder:
    """A graph that grows by one layer at a time; `last` is the tensor it ends in."""

    def __init__(self, name: str, input_shape: tuple[int, ...]) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.input_shape = input_shape
        self.last = "image"

    def add(self, op: str, name: str, *inputs: str, **attributes: Any) -> None:
        """A node on top of what is there."""
        self.nodes.append(helper.make_node(op, [self.last, *inputs], [name + "_out"], name=name, **attributes))
        self.last = name + "_out"

    def array(self, name: str, values: np.ndarray) -> str:
        """A stored weight."""
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, name: str, shape: tuple[int, ...], value: float) -> str:
        """A weight of one value, made when the model runs."""
        self.array(name + "_shape", np.array(shape, np.int64))
        fill = helper.make_tensor(name + "_value", TensorProto.FLOAT, [1], [value])
        self.nodes.append(helper.make_node("ConstantOfShape", [name + "_shape"], [name], name=name, value=fill))
        return name

    def conv(
        self,
        name: str,
        cin: int,
        cout: int,
        kernel: tuple[int, int],
        stride: int = 1,
        pads: list[int] | None = None,
        group: int = 1,
        *,
        bias: bool = False,
    ) -> None:
        """A convolution whose weights average its inputs; padded to keep the size unless told."""
        kh, kw = kernel
        weights = [self.constant(f"{name}.weight", (cout, cin // group, kh, kw), 1.0 / (cin // group * kh * kw))]
        if bias:
            weights.append(self.constant(f"{name}.bias", (cout,), 0.1))
        pads = [(kh - 1) // 2, (kw - 1) // 2] * 2 if pads is None else pads
        self.add("Conv", name, *weights, kernel_shape=[kh, kw], strides=[stride] * 2, pads=pads, group=group)

    def norm(self, name: str, c: int) -> None:
        """Batch normalisation."""
        parts = (("scale", 1.0), ("shift", 0.1), ("mean", 0.0), ("variance", 1.0))
        self.add("BatchNormalization", name, *[self.constant(f"{name}.{part}", (c,), value) for part, value in parts])

    def rectified(self, name: str, *sizes: Any, **options: Any) -> None:
        """Convolution with a bias, ReLU."""
        self.conv(name, *sizes, bias=True, **options)
        self.add("Relu", f"{name}.relu")

    def normed(self, name: str, cin: int, cout: int, *sizes: Any, **options: Any) -> None:
        """Convolution, batch normalisation, ReLU."""
        self.conv(name, cin, cout, *sizes, **options)
        self.norm(f"{name}.bn", cout)
        self.add("Relu", f"{name}.relu")

    def dense(self, name: str, cin: int, cout: int) -> None:
        """A fully connected layer."""
        weight = self.constant(f"{name}.weight", (cout, cin), 1.0 / cin)
        self.add("Gemm", name, weight, self.constant(f"{name}.bias", (cout,), 0.1), transB=1)

    def pool(self, name: str, size: int, stride: int, pad: int = 0, op: str = "MaxPool", *, ceil: bool = False) -> None:
        """A pooling; `ceil` keeps windows that begin inside."""
        self.add(op, name, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[pad] * 4, ceil_mode=int(ceil))

    def joined(self, name: str, *ends: str) -> None:
        """Branches, concatenated along channels."""
        self.nodes.append(helper.make_node("Concat", list(ends), [name + "_out"], name=name, axis=1))
        self.last = name + "_out"

    def head(self, c: int) -> None:
        """Global average, then 1000 classes."""
        self.add("GlobalAveragePool", "pool")
        self.add("Flatten", "flatten")
        self.dense("fc", c, 1000)

    def save(self, path: Path, output_shape: tuple[int, ...]) -> None:
        """Write the model."""
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, self.input_shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, output_shape)],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        model.producer_name = "convcost sample_models"
        path.write_bytes(model.SerializeToString(deterministic=True))
