"""LeNet-5, AlexNet, VGG-16: layers with biases, no normalisation; as ONNX models and as shape strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.networks.conftest import Net, Result, X

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""(channels, convolutions) of each stage: arXiv:1409.1556, table 1, column D."""


def classifier(n: Net, x: X, features: int) -> None:
    """Fully connected layers of 4096, 4096 and 1000."""
    y = n.flatten(x, features)
    for width in (4096, 4096):
        y = n.relu(n.fc(y, width))
    n.fc(y, 1000)


def alexnet_torchvision(n: Net) -> None:
    """One tower of arXiv:1404.5997."""
    x = n.maxpool(n.cr(n.x, 64, 11, 4, 2), 3, 2)
    x = n.maxpool(n.cr(x, 192, 5, 1, 2), 3, 2)
    for width in (384, 256, 256):
        x = n.cr(x, width, 3, 1, 1)
    classifier(n, n.maxpool(x, 3, 2), 9216)


def alexnet_caffe(n: Net, groups: int = 1) -> None:
    """The network of 2012; with 2 groups as its two graphics cards computed it."""
    x = n.node("LRN", n.cr(n.x, 96, 11, 4), c=96, size=5)
    x = n.cr(n.maxpool(x, 3, 2), 256, 5, 1, 2, groups)
    x = n.maxpool(n.node("LRN", x, c=256, size=5), 3, 2)
    for width, g in ((384, 1), (384, groups), (256, groups)):
        x = n.cr(x, width, 3, 1, 1, g)
    classifier(n, n.maxpool(x, 3, 2), 9216)


def alexnet_caffe_grouped(n: Net) -> None:
    alexnet_caffe(n, 2)


def vgg16(n: Net) -> None:
    x = n.x
    for width, depth in VGG16:
        for _ in range(depth):
            x = n.cr(x, width, 3, 1, 1)
        x = n.maxpool(x, 2, 2)
    classifier(n, x, 512 * 7 * 7)


@pytest.mark.parametrize(
    ("build", "side", "macs", "params"),
    [
        (alexnet_torchvision, 224, 714_188_480, 61_100_840),
        (alexnet_caffe_grouped, 227, 724_406_816, 60_965_224),
        (alexnet_caffe, 227, 1_135_256_096, 62_378_344),
        (vgg16, 224, 15_470_264_320, 138_357_544),
    ],
)
def test_figures(new: Callable[..., Net], build: Callable[[Net], None], side: int, macs: int, params: int) -> None:
    """61,100,840 and 138,357,544 parameters are torchvision's; 724 M and 60,965,224 those of Caffe's model."""
    n = new(1, 3, side, side)
    build(n)
    assert n.count().figures == (macs, params)


ALEXNET = (
    "227x227x3 -(11x11x3x96 s4 bias)-> 55x55x96 -(relu)-> -(maxpool 3x3 s2)-> 27x27x96 -(5x5x{half}x256 same g{g} bias)->"
    " -(relu)-> -(maxpool 3x3 s2)-> 13x13x256 -(3x3x256x384 same bias)-> -(relu)-> -(3x3x{most}x384 same g{g} bias)->"
    " -(relu)-> -(3x3x{most}x256 same g{g} bias)-> -(relu)-> -(maxpool 3x3 s2)-> 6x6x256"
    " -(fc 4096)-> -(relu)-> -(fc 4096)-> -(relu)-> -(fc 1000)-> 1000"
)


@pytest.mark.parametrize(
    ("text", "macs", "params"),
    [
        (ALEXNET.format(half=48, most=192, g=2), 724_406_816, 60_965_224),
        (ALEXNET.format(half=96, most=384, g=1), 1_135_256_096, 62_378_344),
    ],
    ids=["alexnet grouped", "alexnet ungrouped"],
)
def test_alexnet_as_a_shape_string(written: Callable[..., Result], text: str, macs: int, params: int) -> None:
    assert written(text).figures == (macs, params)


def vgg16_text() -> str:
    steps, c = ["224x224x3"], 3
    for width, depth in VGG16:
        for _ in range(depth):
            steps += [f"-(3x3x{c}x{width} same bias)->", "-(relu)->"]
            c = width
        steps.append("-(maxpool 2x2)->")
    return " ".join([*steps, "7x7x512"])


def test_vgg16_as_a_shape_string(written: Callable[..., Result]) -> None:
    text = vgg16_text() + " -(fc 4096)-> -(relu)-> -(fc 4096)-> -(relu)-> -(fc 1000)-> 1000"
    assert written(text).figures == (15_470_264_320, 138_357_544)


def test_lenet5(written: Callable[..., Result]) -> None:
    """C1 has 156 parameters and 122,304 connections (products and biases), C5 48,120, F6 10,164 parameters.

    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, section II.B.
    """
    net = written(
        "32x32x1 -(5x5x1x6 bias)-> 28x28x6 -(avgpool 2x2)-> 14x14x6 -(5x5x6x16 bias)-> 10x10x16 -(avgpool 2x2)-> 5x5x16"
        " -(5x5x16x120 bias)-> 1x1x120 -(fc 84)-> -(fc 10)-> 10"
    )
    c1 = net.layers["conv1"].cost
    assert c1.macs is not None
    assert (c1.params, c1.macs + 28 * 28 * 6) == (156, 122_304)
    assert (net.layers["conv3"].cost.params, net.layers["fc1"].cost.params) == (48_120, 10_164)


@pytest.mark.parametrize(
    ("name", "size", "stride", "padding"),
    [
        ("conv1", 11, 4, 0),
        ("maxpool1", 19, 8, 0),
        ("conv2", 51, 8, 16),
        ("conv3", 99, 16, 32),
        ("conv4", 131, 16, 48),
        ("conv5", 163, 16, 64),
        ("maxpool3", 195, 32, 64),
    ],
)
def test_receptive_fields_of_alexnet_v2(
    written: Callable[..., Result], name: str, size: int, stride: int, padding: int
) -> None:
    """R1: 195/32 at pool5. google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md, alexnet_v2 at 224."""
    net = written(
        "224x224x3 -(11x11x3x64 s4 valid)-> -(maxpool 3x3 s2)-> -(5x5x64x192 same)-> -(maxpool 3x3 s2)->"
        " -(3x3x192x384 same)-> -(3x3x384x384 same)-> -(3x3x384x256 same)-> -(maxpool 3x3 s2)->"
    )
    assert net.field(name) == (size, str(stride), str(padding))


@pytest.mark.parametrize(
    ("name", "size", "stride", "padding"),
    [
        ("conv1", 3, 1, 1),
        ("maxpool1", 6, 2, 2),
        ("conv3", 10, 2, 4),
        ("maxpool2", 16, 4, 6),
        ("conv5", 24, 4, 10),
        ("conv6", 32, 4, 14),
        ("maxpool3", 44, 8, 18),
        ("conv8", 60, 8, 26),
        ("conv9", 76, 8, 34),
        ("maxpool4", 100, 16, 42),
        ("conv11", 132, 16, 58),
        ("conv12", 164, 16, 74),
        ("maxpool5", 212, 32, 90),
    ],
)
def test_receptive_fields_of_vgg16(
    written: Callable[..., Result], name: str, size: int, stride: int, padding: int
) -> None:
    """R1: 212/32 at pool5. google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md, vgg_16 at 224."""
    assert written(vgg16_text()).field(name) == (size, str(stride), str(padding))
