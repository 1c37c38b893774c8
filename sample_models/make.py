"""Writes the sample models beside this file: the same bytes each time.

    lenet5.onnx        LeNet-5 in its modern form (max pooling, ReLU, biases): 416,520 MACs, 61,706 parameters
    mobilenet_v1.onnx  MobileNet v1, 224 x 224: 568,740,352 MACs, 4,231,976 parameters; the weights are made by
                       ConstantOfShape nodes, so that the file is small
    sobel.onnx         both Sobel filters as one layer: each kernel is the product of a column and a row

Usage: python sample_models/make.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8

SOBEL = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))

MOBILENET_BLOCKS = (
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512), (1, 512), (1, 512), (1, 512), (1, 512),
    (2, 1024), (1, 1024),
)  # fmt: skip
"""(stride of the depthwise step, output channels of the pointwise step)."""


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


def lenet5(path: Path) -> None:
    """Convolutions 6 and 16 of 5 x 5, dense layers 120, 84 and 10, on a 32 x 32 grey image."""
    random = np.random.RandomState(1998)  # its numbers never change between releases
    net = Builder("lenet5", (1, 1, 32, 32))

    def weights(name: str, *shape: int) -> tuple[str, str]:
        fan_in = int(np.prod(shape[1:]))
        kernel = (random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)
        return net.array(name + ".weight", kernel), net.array(name + ".bias", np.full(shape[0], 0.1, np.float32))

    for i, (cin, cout) in enumerate(((1, 6), (6, 16)), 1):
        net.add("Conv", f"conv{i}", *weights(f"conv{i}", cout, cin, 5, 5), kernel_shape=[5, 5])
        net.add("Relu", f"relu{i}")
        net.add("MaxPool", f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Flatten", "flatten")
    for i, (cin, cout) in enumerate(((400, 120), (120, 84), (84, 10)), 3):
        net.add("Gemm", f"fc{i}", *weights(f"fc{i}", cout, cin), transB=1)
        if cout != 10:
            net.add("Relu", f"relu{i}")
    net.save(path, (1, 10))


def mobilenet_v1(path: Path) -> None:
    """Thirteen depthwise separable blocks after one ordinary convolution, width 1."""
    net = Builder("mobilenet_v1", (1, 3, 224, 224))

    def conv(name: str, cin: int, cout: int, k: int, stride: int, group: int = 1) -> None:
        kernel = net.constant(f"{name}.weight", (cout, cin // group, k, k), 1.0 / (cin // group * k * k))
        # as in the first implementation: "same" with the odd zero at the end
        pads = [0, 0, 1, 1] if stride == 2 else [k // 2] * 4
        net.add("Conv", name, kernel, kernel_shape=[k, k], strides=[stride] * 2, pads=pads, group=group)
        norm = [
            net.constant(f"{name}.bn.{part}", (cout,), value)
            for part, value in (("scale", 1.0), ("shift", 0.1), ("mean", 0.0), ("variance", 1.0))
        ]
        net.add("BatchNormalization", f"{name}.bn", *norm)
        net.add("Relu", f"{name}.relu")

    conv("conv", 3, 32, 3, 2)
    cin = 32
    for i, (stride, cout) in enumerate(MOBILENET_BLOCKS, 1):
        conv(f"block{i}.depthwise", cin, cin, 3, stride, group=cin)
        conv(f"block{i}.pointwise", cin, cout, 1, 1)
        cin = cout
    net.add("GlobalAveragePool", "pool")
    net.add("Flatten", "flatten")
    net.add(
        "Gemm", "fc", net.constant("fc.weight", (1000, 1024), 0.001), net.constant("fc.bias", (1000,), 0.1), transB=1
    )
    net.save(path, (1, 1000))


def sobel(path: Path) -> None:
    """Horizontal and vertical gradient of a 64 x 64 grey image."""
    net = Builder("sobel", (1, 1, 64, 64))
    horizontal = np.array(SOBEL, np.float32)
    kernels = np.stack([horizontal, horizontal.T])[:, None]
    net.add("Conv", "sobel", net.array("sobel.weight", kernels), kernel_shape=[3, 3])
    net.save(path, (1, 2, 62, 62))


def main(folder: Path) -> None:
    """Write all models into `folder`."""
    for make in (lenet5, mobilenet_v1, sobel):
        path = folder / f"{make.__name__}.onnx"
        make(path)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
