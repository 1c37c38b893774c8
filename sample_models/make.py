"""Writes the sample models beside this file: the same bytes each time. README.md has their figures.

The weights of lenet5.onnx and sobel.onnx are stored; those of the others are made by ConstantOfShape nodes, so that
the files are small.

Usage, in the folder above: python -m sample_models.make [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from sample_models.builder import Builder

SOBEL = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))

MOBILENET_BLOCKS = (
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512), (1, 512), (1, 512), (1, 512), (1, 512),
    (2, 1024), (1, 1024),
)  # fmt: skip
"""(stride of the depthwise step, output channels of the pointwise step)."""

GOOGLENET_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""1 x 1, 3 x 3 reduce, 3 x 3, 5 x 5 reduce, 5 x 5, pool projection: arXiv:1409.4842, table 1."""

SHUFFLENET_STAGES = ((240, 4), (480, 8), (960, 4))
"""(channels, units) with three groups: arXiv:1707.01083, table 1."""

Step = tuple[int, tuple[int, int]]


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

    # as in the first implementation: "same" with the odd zero at the end
    net.normed("conv", 3, 32, (3, 3), 2, [0, 0, 1, 1])
    cin = 32
    for i, (stride, cout) in enumerate(MOBILENET_BLOCKS, 1):
        pads = [0, 0, 1, 1] if stride == 2 else None
        net.normed(f"block{i}.depthwise", cin, cin, (3, 3), stride, pads, cin)
        net.normed(f"block{i}.pointwise", cin, cout, (1, 1))
        cin = cout
    net.add("GlobalAveragePool", "pool")
    net.add("Flatten", "flatten")
    net.add(
        "Gemm", "fc", net.constant("fc.weight", (1000, 1024), 0.001), net.constant("fc.bias", (1000,), 0.1), transB=1
    )
    net.save(path, (1, 1000))


def alexnet(path: Path) -> None:
    """The network of 2012 with its two groups, one for each graphics card, on 227 x 227."""
    net = Builder("alexnet", (1, 3, 227, 227))
    # the article's 1e-4 is for each element, the operator divides by the size
    response: dict[str, Any] = {"size": 5, "alpha": 5e-4, "beta": 0.75, "bias": 2.0}
    net.rectified("conv1", 3, 96, (11, 11), 4, [0] * 4)
    net.add("LRN", "norm1", **response)
    net.pool("pool1", 3, 2)
    net.rectified("conv2", 96, 256, (5, 5), group=2)
    net.add("LRN", "norm2", **response)
    net.pool("pool2", 3, 2)
    net.rectified("conv3", 256, 384, (3, 3))
    net.rectified("conv4", 384, 384, (3, 3), group=2)
    net.rectified("conv5", 384, 256, (3, 3), group=2)
    net.pool("pool5", 3, 2)
    net.add("Flatten", "flatten")
    for name, cin, cout in (("fc6", 9216, 4096), ("fc7", 4096, 4096)):
        net.dense(name, cin, cout)
        net.add("Relu", f"{name}.relu")
    net.dense("fc8", 4096, 1000)
    net.save(path, (1, 1000))


def googlenet(path: Path) -> None:
    """The network of table 1 without its auxiliary classifiers, on 224 x 224."""
    net = Builder("googlenet", (1, 3, 224, 224))
    response: dict[str, Any] = {"size": 5, "alpha": 5e-4, "beta": 0.75, "bias": 2.0}
    net.rectified("conv1", 3, 64, (7, 7), 2)
    net.pool("pool1", 3, 2, ceil=True)
    net.add("LRN", "norm1", **response)
    net.rectified("conv2.reduce", 64, 64, (1, 1))
    net.rectified("conv2", 64, 192, (3, 3))
    net.add("LRN", "norm2", **response)
    net.pool("pool2", 3, 2, ceil=True)
    cin = 192
    for name, (one, reduce3, three, reduce5, five, project) in GOOGLENET_MODULES.items():
        source, ends = net.last, []
        net.rectified(f"{name}/1x1", cin, one, (1, 1))
        ends.append(net.last)
        for k, narrow, wide in ((3, reduce3, three), (5, reduce5, five)):
            net.last = source
            net.rectified(f"{name}/{k}x{k}.reduce", cin, narrow, (1, 1))
            net.rectified(f"{name}/{k}x{k}", narrow, wide, (k, k))
            ends.append(net.last)
        net.last = source
        net.pool(f"{name}/pool", 3, 1, 1)
        net.rectified(f"{name}/project", cin, project, (1, 1))
        net.joined(name, *ends, net.last)
        cin = one + three + five + project
        if name in ("3b", "4e"):
            net.pool(f"pool{name[0]}", 3, 2, ceil=True)
    net.head(cin)
    net.save(path, (1, 1000))


def branch(net: Builder, name: str, source: str, cin: int, *steps: Step, last: int = 1) -> str:
    """Steps (channels, kernel) from `source`, of one size but the last, which may have a stride: its output."""
    net.last = source
    for i, (cout, kernel) in enumerate(steps):
        final = i == len(steps) - 1 and last > 1
        net.normed(f"{name}.{i}", cin, cout, kernel, last if final else 1, [0] * 4 if final else None)
        cin = cout
    return net.last


def inception_v3(path: Path) -> None:
    """The network as TF-Slim and torchvision agree on it, without the auxiliary classifier, on 299 x 299."""
    net = Builder("inception_v3", (1, 3, 299, 299))
    one, three, five, row, column = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)
    net.normed("conv1", 3, 32, three, 2, [0] * 4)
    net.normed("conv2", 32, 32, three, 1, [0] * 4)
    net.normed("conv3", 32, 64, three)
    net.pool("pool1", 3, 2)
    net.normed("conv4", 64, 80, one)
    net.normed("conv5", 80, 192, three, 1, [0] * 4)
    net.pool("pool2", 3, 2)
    cin = 192

    def module(name: str, *paths: tuple[Step, ...], pooled: int = 0, last: int = 1) -> None:
        """Branches beside each other, one of them a pooling; with `last` = 2 they halve the size."""
        nonlocal cin
        source = net.last
        ends = [branch(net, f"{name}.{i}", source, cin, *steps, last=last) for i, steps in enumerate(paths)]
        net.last = source
        if last > 1:
            net.pool(f"{name}.pool", 3, 2)
        else:
            net.pool(f"{name}.pool", 3, 1, 1, "AveragePool")
            net.normed(f"{name}.project", cin, pooled, one)
        net.joined(name, *ends, net.last)
        cin = sum(steps[-1][0] for steps in paths) + (pooled or cin)

    for name, pooled in (("5b", 32), ("5c", 64), ("5d", 64)):
        module(name, ((64, one),), ((48, one), (64, five)), ((64, one), (96, three), (96, three)), pooled=pooled)
    module("6a", ((384, three),), ((64, one), (96, three), (96, three)), last=2)
    for name, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        double = ((c, one), (c, column), (c, row), (c, column), (192, row))
        module(name, ((192, one),), ((c, one), (c, row), (192, column)), double, pooled=192)
    module("7a", ((192, one), (320, three)), ((192, one), (192, row), (192, column), (192, three)), last=2)
    for name in ("7b", "7c"):
        source, ends = net.last, []
        ends.append(branch(net, f"{name}.0", source, cin, (320, one)))
        for i, steps in enumerate((((384, one),), ((448, one), (384, three))), 1):
            middle = branch(net, f"{name}.{i}", source, cin, *steps)
            ends += [
                branch(net, f"{name}.{i}{side}", middle, 384, (384, k)) for side, k in (("a", (1, 3)), ("b", (3, 1)))
            ]
        net.last = source
        net.pool(f"{name}.pool", 3, 1, 1, "AveragePool")
        net.normed(f"{name}.project", cin, 192, one)
        net.joined(name, *ends, net.last)
        cin = 2048
    net.head(cin)
    net.save(path, (1, 1000))


def shufflenet_v1(path: Path) -> None:
    """Width 1 with three groups, on 224 x 224; the very first pointwise layer has no groups."""
    net = Builder("shufflenet_v1", (1, 3, 224, 224))
    net.normed("conv1", 3, 24, (3, 3), 2)
    net.pool("pool1", 3, 2, 1)
    cin, side, g = 24, 56, 3
    for stage, (c, units) in enumerate(SHUFFLENET_STAGES, 2):
        for i in range(units):
            name, stride, source = f"stage{stage}.{i}", 1 if i else 2, net.last
            inner = c // 4
            net.normed(f"{name}.squeeze", cin, inner, (1, 1), group=1 if (stage, i) == (2, 0) else g)
            for part, shape in (("split", (1, g, inner // g, side, side)), ("merge", (1, inner, side, side))):
                net.add("Reshape", f"{name}.{part}", net.array(f"{name}.{part}.shape", np.array(shape, np.int64)))
                if part == "split":
                    net.add("Transpose", f"{name}.swap", perm=[0, 2, 1, 3, 4])
            net.conv(f"{name}.depthwise", inner, inner, (3, 3), stride, group=inner)
            net.norm(f"{name}.depthwise.bn", inner)
            cout = c if i else c - cin
            net.conv(f"{name}.expand", inner, cout, (1, 1), group=g)
            net.norm(f"{name}.expand.bn", cout)
            expanded, net.last = net.last, source
            if i:
                net.add("Add", f"{name}.add", expanded)
            else:
                net.pool(f"{name}.pool", 3, 2, 1, "AveragePool")
                net.joined(f"{name}.concat", net.last, expanded)
                side //= 2
            net.add("Relu", f"{name}.relu")
            cin = c
    net.head(cin)
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
    for make in (alexnet, googlenet, inception_v3, lenet5, mobilenet_v1, shufflenet_v1, sobel):
        path = folder / f"{make.__name__}.onnx"
        make(path)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
