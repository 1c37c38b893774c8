"""SqueezeNet, MobileNet v1 and v2, ShuffleNet v1: networks for phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.networks.conftest import Net, Result, X

MOBILENET = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""(channels, stride) of each separable layer: arXiv:1704.04861, table 1. The last layer's stride is 1: 7×7 remains."""

MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""(expansion, channels, repeats, stride): arXiv:1801.04381, table 2."""

SHUFFLENET = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
"""Channels of stage 2 by groups; they double each stage: arXiv:1707.01083, table 1."""


def squeezenet(n: Net) -> None:
    """Version 1.0: arXiv:1602.07360, table 1. (squeeze, expand) of each Fire module."""
    x = n.maxpool(n.cr(n.x, 96, 7, 2), 3, 2, ceil=True)
    rows = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
    for i, (squeeze, expand) in enumerate(rows):
        y = n.cr(x, squeeze, 1)
        x = n.concat(n.cr(y, expand, 1), n.cr(y, expand, 3, 1, 1))
        if i in (2, 6):
            x = n.maxpool(x, 3, 2, ceil=True)
    n.node("GlobalAveragePool", n.cr(x, 1000, 1), c=1000)


def mobilenet(n: Net, percent: int = 100, *, separable: bool = True) -> X:
    """Up to the last pointwise layer; not `separable`: each pair of layers as one full convolution."""
    x = n.cbr(n.x, 32 * percent // 100, 3, 2, "same")
    for width, s in MOBILENET:
        c = width * percent // 100
        x = n.cbr(n.cbr(x, x.c, 3, s, "same", x.c), c, 1) if separable else n.cbr(x, c, 3, s, "same")
    return x


def mobilenet_v1(n: Net) -> None:
    n.head(mobilenet(n))


def mobilenet_v1_050(n: Net) -> None:
    n.head(mobilenet(n, 50))


def mobilenet_full(n: Net) -> None:
    n.head(mobilenet(n, separable=False))


def mobilenet_v2(n: Net) -> None:
    x = n.cbr(n.x, 32, 3, 2, 1)
    for expansion, c, repeats, stride in MOBILENET_V2:
        for i in range(repeats):
            s = stride if i == 0 else 1
            y = n.cbr(x, expansion * x.c, 1) if expansion > 1 else x
            y = n.bn(n.conv(n.cbr(y, y.c, 3, s, 1, y.c), c, 1))
            x = n.add(x, y) if (x.c, s) == (c, 1) else y
    n.head(n.cbr(x, 1280, 1))


def shuffled(n: Net, x: X, g: int, side: int) -> X:
    """Channel shuffle."""
    y = n.node("Reshape", x, n.integers(1, g, x.c // g, side, side), c=g)
    y = n.node("Transpose", y, c=x.c, perm=[0, 2, 1, 3, 4])
    return n.node("Reshape", y, n.integers(1, x.c, side, side), c=x.c)


def shufflenet(n: Net, g: int) -> None:
    """arXiv:1707.01083: bottlenecks of a quarter; no groups in the very first pointwise layer; stride 2 concatenates."""
    x = n.maxpool(n.cbr(n.x, 24, 3, 2, 1), 3, 2, 1)
    side = 56
    for stage, units in enumerate((4, 8, 4)):
        c = SHUFFLENET[g] << stage
        for i in range(units):
            s = 2 if i == 0 else 1
            y = n.cbr(x, c // 4, 1, g=1 if (stage, i) == (0, 0) else g)
            y = n.bn(n.conv(shuffled(n, y, g, side), c // 4, 3, s, 1, c // 4))
            y = n.bn(n.conv(y, c - x.c if s == 2 else c, 1, g=g))
            x = n.relu(n.concat(n.avgpool(x, 3, 2, 1), y) if s == 2 else n.add(x, y))
            side //= s
    n.head(x)


def shufflenet_g3(n: Net) -> None:
    shufflenet(n, 3)


def shufflenet_g8(n: Net) -> None:
    shufflenet(n, 8)


@pytest.mark.parametrize(
    ("build", "side", "macs", "params"),
    [
        (squeezenet, 224, 818_924_576, 1_248_424),
        pytest.param(mobilenet_v1, 224, 568_740_352, 4_231_976, id="S4 separable"),
        pytest.param(mobilenet_full, 224, 4_867_293_184, 29_294_088, id="S4 full"),
        (mobilenet_v1_050, 160, 76_524_800, 1_331_592),
        (mobilenet_v2, 224, 300_774_272, 3_504_872),
        (shufflenet_g3, 224, 137_460_672, 1_865_728),
        (shufflenet_g8, 224, 138_365_952, 2_434_768),
    ],
)
def test_figures(new: Callable[..., Net], build: Callable[[Net], None], side: int, macs: int, params: int) -> None:
    """Printed: 569 M and 4.2 M, 4866 M and 29.3 M, 76 M and 1.3 M (arXiv:1704.04861, tables 4, 9); torchvision's rest."""
    n = new(1, 3, side, side)
    build(n)
    assert n.count().figures == (macs, params)


@pytest.mark.parametrize(("build", "statistics"), [(mobilenet_v1, 21_888), (mobilenet_v2, 34_112)])
def test_statistics_of_normalisation_are_buffers(
    new: Callable[..., Net], build: Callable[[Net], None], statistics: int
) -> None:
    """What Keras Applications prints as non-trainable parameters."""
    n = new(1, 3, 224, 224)
    build(n)
    assert n.count().totals.buffers == statistics


@pytest.mark.parametrize(
    ("g", "exact", "printed"),
    [(1, 143.08, 143), (2, 140.84, 140), (3, 137.46, 137), (4, 134.34, 133), (8, 138.37, 137)],
)
def test_groups_of_shufflenet(new: Callable[..., Net], g: int, exact: float, printed: int) -> None:
    """G2: arXiv:1707.01083, table 1, in millions; it prints 140, 133 and 137 for what is 140.84, 134.34 and 138.37."""
    n = new(1, 3, 224, 224)
    shufflenet(n, g)
    macs = n.count().totals.macs
    assert macs is not None
    assert round(macs / 1e6, 2) == exact
    assert printed <= macs / 1e6 < printed + 1.5


def text(percent: int = 100, side: int = 224, step: str = "-(3x3x{i}x{o} s{s} same sep)->") -> str:
    """MobileNet v1 as a shape string."""
    c = 32 * percent // 100
    steps = [f"{side}x{side}x3 -(3x3x3x{c} s2 same)->"]
    if "bn" in step:
        steps.append("-(bn)->")
    for width, s in MOBILENET:
        o = width * percent // 100
        steps.append(step.format(i=c, o=o, s=s))
        c = o
    return " ".join([*steps, "-(gap)-> -(fc 1000)->"])


@pytest.mark.parametrize(
    ("percent", "side", "millions", "printed"),
    [
        (100, 224, "568.74", 569),
        (75, 224, "325.40", 325),
        (50, 224, "149.50", 149),
        (25, 224, "41.03", 41),
        (100, 192, "418.12", 418),
        (100, 160, "290.68", 290),
        (100, 128, "186.40", 186),
    ],
)
def test_multipliers_of_mobilenet(
    written: Callable[..., Result], percent: int, side: int, millions: str, printed: int
) -> None:
    """S6: arXiv:1704.04861, tables 6 and 7."""
    macs = written(text(percent, side)).totals.macs
    assert macs is not None
    assert f"{macs / 1e6:.2f}" == millions
    assert abs(macs / 1e6 - printed) < 1


def test_mobilenet_with_normalisation_as_a_shape_string(written: Callable[..., Result]) -> None:
    net = written(text(step="-(3x3 dw s{s} same)-> -(bn)-> -(1x1x{i}x{o})-> -(bn)->"))
    assert net.figures == (568_740_352, 4_231_976)


def test_shares_of_mobilenet(written: Callable[..., Result]) -> None:
    """S3: arXiv:1704.04861, table 2, products and weights by type of layer; it prints 1.19 % where 1.91 % follows."""
    net = written(text())
    rows: dict[str, list[int]] = {}
    for layer in net.layers.values():
        row = rows.setdefault(layer.kind, [0, 0])
        row[0] += layer.cost.macs or 0
        row[1] += layer.cost.params or 0
    rows["matmul"][1] -= 1000
    whole = [sum(row[i] for row in rows.values()) for i in (0, 1)]
    shares = {kind: tuple(f"{100 * a / b:.2f}" for a, b in zip(row, whole, strict=True)) for kind, row in rows.items()}
    assert shares["pointwise"] == ("94.86", "74.59")
    assert shares["depthwise"] == ("3.06", "1.06")
    assert shares["standard"] == ("1.91", "0.02")
    assert shares["matmul"] == ("0.18", "24.33")


FIELDS = (
    (7, 2, 2),
    (11, 4, 2),
    (19, 4, 6),
    (27, 8, 6),
    (43, 8, 14),
    (59, 16, 14),
    (91, 16, 30),
    (123, 16, 46),
    (155, 16, 62),
    (187, 16, 78),
    (219, 16, 94),
    (251, 32, 94),
    (315, 32, 126),
)


def test_receptive_fields_of_mobilenet(written: Callable[..., Result]) -> None:
    """R1: 315/32 at the last pointwise layer. google-research/receptive_field, mobilenet_v1 at 224, all pointwise layers."""
    net = written(text())
    pointwise = [name for name, layer in net.layers.items() if layer.kind == "pointwise"]
    assert [net.field(name) for name in pointwise] == [(size, str(s), str(p)) for size, s, p in FIELDS]
