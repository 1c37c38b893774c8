"""ResNet-18, ResNet-50 with either place of its stride, DenseNet-121."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from convcost.analysis import conventions

if TYPE_CHECKING:
    from tests.networks.conftest import Net, X


def stem(n: Net) -> X:
    return n.maxpool(n.cbr(n.x, 64, 7, 2, 3), 3, 2, 1)


def shortcut(n: Net, x: X, c: int, s: int) -> X:
    """The input itself, or a 1×1 convolution where the shape changes."""
    return x if (x.c, s) == (c, 1) else n.bn(n.conv(x, c, 1, s))


def resnet18(n: Net) -> None:
    """arXiv:1512.03385, table 1."""
    x = stem(n)
    for stage, width in enumerate((64, 128, 256, 512)):
        for i in range(2):
            s = 2 if stage > 0 and i == 0 else 1
            y = n.bn(n.conv(n.cbr(x, width, 3, s, 1), width, 3, 1, 1))
            x = n.relu(n.add(y, shortcut(n, x, width, s)))
    n.head(x)


def resnet50(n: Net, *, on_pointwise: bool) -> None:
    """arXiv:1512.03385, table 1, with the stride on the first 1×1 as there, or on the 3×3 as torchvision has it."""
    x = stem(n)
    for stage, (width, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for i in range(depth):
            s = 2 if stage > 0 and i == 0 else 1
            first, second = (s, 1) if on_pointwise else (1, s)
            y = n.cbr(n.cbr(x, width, 1, first), width, 3, second, 1)
            y = n.bn(n.conv(y, 4 * width, 1))
            x = n.node("Add", y, shortcut(n, x, 4 * width, s), c=4 * width, name=f"block{stage + 1}_{i}")
            x = n.relu(x)
    n.head(x)


def resnet50_v1(n: Net) -> None:
    resnet50(n, on_pointwise=True)


def resnet50_v15(n: Net) -> None:
    resnet50(n, on_pointwise=False)


def densenet121(n: Net) -> None:
    """arXiv:1608.06993, table 1: growth 32, bottlenecks of 128, transitions that halve."""
    x = stem(n)
    for stage, depth in enumerate((6, 12, 24, 16)):
        for _ in range(depth):
            y = n.conv(n.relu(n.bn(x)), 128, 1)
            y = n.conv(n.relu(n.bn(y)), 32, 3, 1, 1)
            x = n.concat(x, y)
        if stage < 3:
            x = n.avgpool(n.conv(n.relu(n.bn(x)), x.c // 2, 1), 2, 2)
    n.head(n.relu(n.bn(x)))


@pytest.mark.parametrize(
    ("build", "macs", "params"),
    [
        pytest.param(resnet18, 1_814_073_344, 11_689_512, id="D13 resnet18"),
        (resnet50_v1, 3_857_973_248, 25_557_032),
        pytest.param(resnet50_v15, 4_089_184_256, 25_557_032, id="C1 resnet50_v15"),
        (densenet121, 2_834_161_664, 7_978_856),
    ],
)
def test_figures(new: Callable[..., Net], build: Callable[[Net], None], macs: int, params: int) -> None:
    """Parameters as torchvision documents them; D13: torch's test_flop_counter has 3,628,146,688 FLOPs for ResNet-18."""
    n = new(1, 3, 224, 224)
    build(n)
    assert n.count().figures == (macs, params)


@pytest.mark.parametrize(("build", "statistics"), [(resnet50_v1, 53_120), (densenet121, 83_648)])
def test_statistics_of_normalisation_are_buffers(
    new: Callable[..., Net], build: Callable[[Net], None], statistics: int
) -> None:
    """What Keras Applications prints as non-trainable parameters."""
    n = new(1, 3, 224, 224)
    build(n)
    assert n.count().totals.buffers == statistics


def test_first_stage_of_resnet18(new: Callable[..., Net]) -> None:
    """D13: the four convolutions of layer1 are 924,844,032 FLOPs in pytorch's test/test_flop_counter.py."""
    n = new(1, 64, 56, 56)
    x = n.x
    for _ in range(4):
        x = n.cbr(x, 64, 3, 1, 1)
    assert n.count().totals.macs == 924_844_032 // 2


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        pytest.param("products", 4_089_184_256, id="C1"),
        pytest.param("thop", 4_133_742_592, id="C2"),
        pytest.param("fvcore", 4_111_512_576, id="C3 fvcore"),
        pytest.param("mmengine", 4_144_854_528, id="C3 mmengine"),
        ("torch", 8_178_368_512),
    ],
)
def test_other_tools_figures_for_resnet50(new: Callable[..., Net], name: str, figure: int) -> None:
    """Sources: ultralytics/thop, README; timm's table made with fvcore; mmengine, model_analysis.md; torch flop_counter."""
    n = new(1, 3, 224, 224)
    resnet50_v15(n)
    convention = conventions.find(name)
    assert convention is not None
    assert conventions.total(n.count().layers.values(), convention) == figure


def test_normalised_elements_of_resnet50(new: Callable[..., Net]) -> None:
    """C1: 11,113,984 elements go into the normalisations."""
    n = new(1, 3, 224, 224)
    resnet50_v15(n)
    norms = [layer for layer in n.count().layers.values() if layer.op == "BatchNormalization"]
    assert len(norms) == 53
    assert sum(conventions.size(layer.inputs) for layer in norms) == 11_113_984


@pytest.mark.parametrize(
    ("on_pointwise", "name", "size", "stride"),
    [
        (True, "block1_2", 35, 4),
        (True, "block2_3", 99, 8),
        (True, "block3_5", 291, 16),
        (True, "block4_2", 483, 32),
        (False, "block4_2", 427, 32),
    ],
)
def test_receptive_fields_of_resnet50(
    new: Callable[..., Net], *, on_pointwise: bool, name: str, size: int, stride: int
) -> None:
    """Sizes 35, 99, 291, 483: google-research/receptive_field, resnet_v1_50.

    Its network (TF-Slim) has the stride in each stage's last unit, so its strides there are one stage ahead. With the
    stride on the 3×3 of a stage's first unit that window is applied at half the distance: 8 + 16 + 32 = 56 less.
    """
    n = new(1, 3, 224, 224)
    resnet50(n, on_pointwise=on_pointwise)
    assert n.count().field(name)[:2] == (size, str(stride))
