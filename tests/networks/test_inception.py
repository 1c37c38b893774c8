"""GoogLeNet and its successors: parallel branches, concatenated. Receptive fields also for the versions of TF-Slim."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.networks.conftest import Net, X

GOOGLENET = {
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
"""1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection: arXiv:1409.4842, table 1."""


def googlenet(n: Net) -> None:
    n.part = "conv1/"
    x = n.maxpool(n.cr(n.x, 64, 7, 2, 3), 3, 2, ceil=True)
    n.part = "conv2/"
    x = n.maxpool(n.cr(n.cr(x, 64, 1), 192, 3, 1, 1), 3, 2, ceil=True)
    for row, (one, reduce3, three, reduce5, five, pool) in GOOGLENET.items():
        n.part = f"{row}/"
        x = n.concat(
            n.cr(x, one, 1),
            n.cr(n.cr(x, reduce3, 1), three, 3, 1, 1),
            n.cr(n.cr(x, reduce5, 1), five, 5, 1, 2),
            n.cr(n.maxpool(x, 3, 1, 1), pool, 1),
        )
        if row in ("3b", "4e"):
            x = n.maxpool(x, 3, 2, ceil=True)
    n.part = "head/"
    n.head(x)


def test_googlenet(new: Callable[..., Net]) -> None:
    """The network of table 1, without auxiliary classifiers: 1,582,671,872 products; 6,998,552 parameters, as Caffe's."""
    n = new(1, 3, 224, 224)
    googlenet(n)
    assert n.count().figures == (1_582_671_872, 6_998_552)


@pytest.mark.parametrize(
    ("row", "millions", "printed"),
    [
        ("conv2", "359.7", 360),
        ("3a", "128.0", 128),
        ("3b", "304.3", 304),
        ("4a", "73.6", 73),
        ("4b", "87.9", 88),
        ("4c", "99.9", 100),
        ("4d", "118.5", 119),
        ("4e", "170.0", 170),
        ("5b", "70.7", 71),
        ("conv1", "118.0", None),
        ("5a", "51.1", None),
    ],
)
def test_rows_of_googlenet(new: Callable[..., Net], row: str, millions: str, printed: int | None) -> None:
    """I4: column "ops" of table 1. Its 34 M for conv1 and 54 M for 5a do not follow from the sizes it gives."""
    n = new(1, 3, 224, 224)
    googlenet(n)
    macs, _ = n.count().part(f"{row}/")
    assert f"{macs / 1e6:.1f}" == millions
    assert printed is None or abs(macs / 1e6 - printed) < 1


@pytest.mark.parametrize(
    ("row", "thousands"), [("conv2", 112), ("3a", 159), ("3b", 380), ("4a", 364), ("4b", 437), ("4e", 840)]
)
def test_parameters_of_googlenet_rows(new: Callable[..., Net], row: str, thousands: int) -> None:
    """I4: column "params" of table 1 in units of 1024, to 1 %.

    What it prints for conv1, 4c, 4d, 5a and 5b (2.7, 463, 580, 1072, 1388) does not follow from the sizes it gives.
    """
    n = new(1, 3, 224, 224)
    googlenet(n)
    _, params = n.count().part(f"{row}/")
    assert params == pytest.approx(1024 * thousands, rel=0.01)


def mixed(n: Net, name: str, *branches: X) -> X:
    return n.node("Concat", *branches, c=sum(b.c for b in branches), name=name, axis=1)


def chain(n: Net, x: X, *steps: tuple[int, int | tuple[int, int]]) -> X:
    """Convolutions (channels, kernel) that keep the size."""
    for c, k in steps:
        x = n.cbr(x, c, k, 1, "same")
    return x


def split(n: Net, x: X, c: int) -> tuple[X, X]:
    """1×3 and 3×1 side by side."""
    return chain(n, x, (c, (1, 3))), chain(n, x, (c, (3, 1)))


def pooled(n: Net, x: X, c: int) -> X:
    return chain(n, n.avgpool(x, 3, 1, "same"), (c, 1))


def inception_v3(n: Net) -> X:
    """arXiv:1512.00567 as TF-Slim and torchvision agree on it, without the auxiliary classifier."""
    x = n.cbr(n.cbr(n.cbr(n.x, 32, 3, 2), 32, 3), 64, 3, 1, "same")
    x = n.cbr(n.cbr(n.maxpool(x, 3, 2), 80, 1), 192, 3)
    x = n.maxpool(x, 3, 2)
    for name, pool in (("5b", 32), ("5c", 64), ("5d", 64)):
        double = chain(n, x, (64, 1), (96, 3), (96, 3))
        x = mixed(n, name, chain(n, x, (64, 1)), chain(n, x, (48, 1), (64, 5)), double, pooled(n, x, pool))
    double = n.cbr(chain(n, x, (64, 1), (96, 3)), 96, 3, 2)
    x = mixed(n, "6a", n.cbr(x, 384, 3, 2), double, n.maxpool(x, 3, 2))
    for name, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        seven = chain(n, x, (c, 1), (c, (1, 7)), (192, (7, 1)))
        double = chain(n, x, (c, 1), (c, (7, 1)), (c, (1, 7)), (c, (7, 1)), (192, (1, 7)))
        x = mixed(n, name, chain(n, x, (192, 1)), seven, double, pooled(n, x, 192))
    seven = n.cbr(chain(n, x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192, 3, 2)
    x = mixed(n, "7a", n.cbr(chain(n, x, (192, 1)), 320, 3, 2), seven, n.maxpool(x, 3, 2))
    for name in ("7b", "7c"):
        three, double = chain(n, x, (384, 1)), chain(n, x, (448, 1), (384, 3))
        x = mixed(n, name, chain(n, x, (320, 1)), *split(n, three, 384), *split(n, double, 384), pooled(n, x, 192))
    return x


def test_inception_v3(new: Callable[..., Net]) -> None:
    """torchvision's inception_v3: 27,161,264 parameters, less the 3,326,696 of its auxiliary classifier."""
    n = new(1, 3, 299, 299)
    n.head(inception_v3(n))
    assert n.count().figures == (5_713_216_096, 23_834_568)


def inception_v2(n: Net) -> X:
    """TF-Slim's inception_v2.py: SAME padding everywhere, the first layer depthwise separable."""
    x = n.cbr(n.conv(n.x, 24, 7, 2, "same", 3), 64, 1)
    x = n.cbr(n.cbr(n.maxpool(x, 3, 2, "same"), 64, 1), 192, 3, 1, "same")
    x = n.maxpool(x, 3, 2, "same")
    rows = {
        "3b": (64, 64, 64, 64, 96, 32),
        "3c": (64, 64, 96, 64, 96, 64),
        "4a": (128, 160, 64, 96),
        "4b": (224, 64, 96, 96, 128, 128),
        "4c": (192, 96, 128, 96, 128, 128),
        "4d": (160, 128, 160, 128, 160, 96),
        "4e": (96, 128, 192, 160, 192, 96),
        "5a": (128, 192, 192, 256),
        "5b": (352, 192, 320, 160, 224, 128),
        "5c": (352, 192, 320, 192, 224, 128),
    }
    for name, (a, b, c, d, *rest) in rows.items():
        if not rest:
            one = n.cbr(chain(n, x, (a, 1)), b, 3, 2, "same")
            x = mixed(n, name, one, n.cbr(chain(n, x, (c, 1), (d, 3)), d, 3, 2, "same"), n.maxpool(x, 3, 2, "same"))
            continue
        e, f = rest
        last = chain(n, n.maxpool(x, 3, 1, "same"), (f, 1)) if name == "5c" else pooled(n, x, f)
        x = mixed(n, name, chain(n, x, (a, 1)), chain(n, x, (b, 1), (c, 3)), chain(n, x, (d, 1), (e, 3), (e, 3)), last)
    return x


def inception_v4(n: Net) -> X:
    """arXiv:1602.07261, figures 3 to 9, as TF-Slim has it."""
    x = n.cbr(n.cbr(n.cbr(n.x, 32, 3, 2), 32, 3), 64, 3, 1, "same")
    x = mixed(n, "3a", n.maxpool(x, 3, 2), n.cbr(x, 96, 3, 2))
    long = n.cbr(chain(n, x, (64, 1), (64, (1, 7)), (64, (7, 1))), 96, 3)
    x = mixed(n, "4a", n.cbr(chain(n, x, (64, 1)), 96, 3), long)
    x = mixed(n, "5a", n.cbr(x, 192, 3, 2), n.maxpool(x, 3, 2))
    for name in ("5b", "5c", "5d", "5e"):
        double = chain(n, x, (64, 1), (96, 3), (96, 3))
        x = mixed(n, name, chain(n, x, (96, 1)), chain(n, x, (64, 1), (96, 3)), double, pooled(n, x, 96))
    double = n.cbr(chain(n, x, (192, 1), (224, 3)), 256, 3, 2)
    x = mixed(n, "6a", n.cbr(x, 384, 3, 2), double, n.maxpool(x, 3, 2))
    for name in ("6b", "6c", "6d", "6e", "6f", "6g", "6h"):
        seven = chain(n, x, (192, 1), (224, (1, 7)), (256, (7, 1)))
        double = chain(n, x, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7)))
        x = mixed(n, name, chain(n, x, (384, 1)), seven, double, pooled(n, x, 128))
    seven = n.cbr(chain(n, x, (256, 1), (256, (1, 7)), (320, (7, 1))), 320, 3, 2)
    x = mixed(n, "7a", n.cbr(chain(n, x, (192, 1)), 192, 3, 2), seven, n.maxpool(x, 3, 2))
    for name in ("7b", "7c", "7d"):
        three, double = chain(n, x, (384, 1)), chain(n, x, (384, 1), (448, (3, 1)), (512, (1, 3)))
        x = mixed(n, name, chain(n, x, (256, 1)), *split(n, three, 256), *split(n, double, 256), pooled(n, x, 256))
    return x


def residual(n: Net, x: X, name: str, *branches: X) -> X:
    """Branches, concatenated, brought to the width of x and added to it."""
    up = n.conv(n.concat(*branches), x.c, 1, bias=True)
    return n.node("Add", x, up, c=x.c, name=name)


def inception_resnet_v2(n: Net) -> X:
    """arXiv:1602.07261 as TF-Slim has it."""
    x = n.cbr(n.cbr(n.cbr(n.x, 32, 3, 2), 32, 3), 64, 3, 1, "same")
    x = n.maxpool(n.cbr(n.cbr(n.maxpool(x, 3, 2), 80, 1), 192, 3), 3, 2)
    double = chain(n, x, (64, 1), (96, 3), (96, 3))
    x = mixed(n, "5b", chain(n, x, (96, 1)), chain(n, x, (48, 1), (64, 5)), double, pooled(n, x, 64))
    for i in range(10):
        double = chain(n, x, (32, 1), (48, 3), (64, 3))
        x = residual(n, x, f"block35_{i}", chain(n, x, (32, 1)), chain(n, x, (32, 1), (32, 3)), double)
    double = n.cbr(chain(n, x, (256, 1), (256, 3)), 384, 3, 2)
    x = mixed(n, "6a", n.cbr(x, 384, 3, 2), double, n.maxpool(x, 3, 2))
    for i in range(20):
        seven = chain(n, x, (128, 1), (160, (1, 7)), (192, (7, 1)))
        x = residual(n, x, f"block17_{i}", chain(n, x, (192, 1)), seven)
    double = n.cbr(chain(n, x, (256, 1), (288, 3)), 320, 3, 2)
    ones = [n.cbr(chain(n, x, (256, 1)), c, 3, 2) for c in (384, 288)]
    x = mixed(n, "7a", *ones, double, n.maxpool(x, 3, 2))
    for i in range(10):
        three = chain(n, x, (192, 1), (224, (1, 3)), (256, (3, 1)))
        x = residual(n, x, f"block8_{i}", chain(n, x, (192, 1)), three)
    return x


@pytest.mark.parametrize(
    ("build", "side", "fields"),
    [
        pytest.param(
            inception_v2,
            224,
            {
                "3b": (59, 8, 22), "3c": (91, 8, 38), "4a": (123, 16, 46), "4b": (187, 16, 78), "4c": (251, 16, 110),
                "4d": (315, 16, 142), "4e": (379, 16, 174), "5a": (443, 32, 190), "5b": (571, 32, 254),
                "5c": (699, 32, 318),
            },
            id="R3 v2",
        ),
        pytest.param(
            inception_v3,
            299,
            {
                "5b": (63, 8, 18), "5c": (95, 8, 34), "5d": (127, 8, 50), "6a": (159, 16, 58), "6b": (351, 16, 154),
                "6c": (543, 16, 250), "6d": (735, 16, 346), "6e": (927, 16, 442), "7a": (1055, 32, 490),
                "7b": (1183, 32, 554), "7c": (1311, 32, 618),
            },
            id="R3 v3",
        ),
        pytest.param(
            inception_v4,
            299,
            {
                "3a": (15, 4, 2), "4a": (47, 4, 14), "5a": (55, 8, 14), "5e": (183, 8, 78), "6a": (215, 16, 86),
                "6b": (407, 16, 182), "6h": (1559, 16, 758), "7a": (1687, 32, 806), "7d": (2071, 32, 998),
            },
            id="R3 v4",
        ),
        pytest.param(
            inception_resnet_v2,
            299,
            {
                "5b": (63, 8, 18), "6a": (415, 16, 186), "block17_19": (2335, 16, 1146), "7a": (2399, 32, 1162),
                "block8_9": (3039, 32, 1482),
            },
            id="R3 resnet_v2",
        ),
    ],
)  # fmt: skip
def test_receptive_fields(
    new: Callable[..., Net], build: Callable[[Net], X], side: int, fields: dict[str, tuple[int, int, int]]
) -> None:
    """(size, stride, padding) at the end points of google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md.

    The table gives paddings only for networks whose branches meet around one centre.
    """
    n = new(1, 3, side, side)
    build(n)
    net = n.count()
    assert {name: net.field(name) for name in fields} == {k: (r, str(s), str(p)) for k, (r, s, p) in fields.items()}
    assert all(f.aligned for name in fields for f in net.layers[name].receptive_field or ())
