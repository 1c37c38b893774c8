"""Convolutions against loops that really multiply, and count each multiplication they do."""

from __future__ import annotations

import os
import random
from itertools import product
from math import prod
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper

CASES = 900
"""Random layers for each of {conv, transposed} × {1-D, 2-D, 3-D}."""

LARGEST = {1: (9, 5), 2: (6, 3), 3: (4, 2)}
"""Largest size of the input and of the kernel along an axis, by the number of axes."""


class Layer(msgspec.Struct, frozen=True):
    """A random layer; `channels` in and out are multiples of the group."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    group: int
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    extra: tuple[int, ...]

    def attributes(self) -> dict[str, Any]:
        return {
            "group": self.group,
            "strides": self.strides,
            "dilations": self.dilations,
            "pads": self.before + self.after,
        }


class Executed(msgspec.Struct, frozen=True):
    """What a loop did: multiplications in all, those with a real element, and the output."""

    multiplications: int
    inside: int
    y: np.ndarray[Any, Any]


def drawn(rng: random.Random, rank: int, *, transposed: bool) -> Layer:
    """A layer whose windows fit: standard, grouped, depthwise, with a multiplier, pointwise."""
    size, tap = LARGEST[rank]
    while True:
        group = rng.choice((1, 1, 2, 3))
        c, m = group * rng.choice((1, 1, 2)), group * rng.choice((1, 1, 2))
        axes = range(rank)
        spatial = [rng.randint(1, size) for _ in axes]
        kernel = [rng.randint(1, tap) for _ in axes]
        strides = tuple(rng.randint(1, 3) for _ in axes)
        dilations = tuple(rng.randint(1, 3) for _ in axes)
        before, after = (tuple(rng.choice((0, 0, 1, 2, 4)) for _ in axes) for _ in range(2))
        extra = tuple(rng.randint(0, max(s, d) - 1) for s, d in zip(strides, dilations, strict=True))
        wide = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
        if transposed:
            out = [
                (i - 1) * s + e + k - p - q
                for i, s, e, k, p, q in zip(spatial, strides, extra, wide, before, after, strict=True)
            ]
        else:
            out = [i + p + q - k + 1 for i, k, p, q in zip(spatial, wide, before, after, strict=True)]
        if min(out) >= 1:
            weight = (c, m // group, *kernel) if transposed else (m, c // group, *kernel)
            return Layer((rng.choice((1, 1, 2)), c, *spatial), weight, group, strides, dilations, before, after, extra)


def integers(shape: tuple[int, ...], rng: random.Random) -> np.ndarray[Any, Any]:
    """Small random integers."""
    return np.array([rng.randint(-3, 3) for _ in range(prod(shape))], dtype=np.float32).reshape(shape)


def convolved(a: Layer, x: np.ndarray[Any, Any], w: np.ndarray[Any, Any]) -> Executed:
    """Every window of the padded input, every tap, every channel of the group: one multiplication each."""
    (n, _, *spatial), (m, cg, *kernel) = a.x, a.w
    starts = []
    for i, k, s, d, p, q in zip(spatial, kernel, a.strides, a.dilations, a.before, a.after, strict=True):
        starts.append([at for at in range(-p, i + q, s) if at + d * (k - 1) < i + q])
    y = np.zeros((n, m, *map(len, starts)), dtype=np.float32)
    done = inside = 0
    for b, o in product(range(n), range(m)):
        first = o // (m // a.group) * cg
        for out in product(*(range(len(s)) for s in starts)):
            for channel, tap in product(range(cg), product(*map(range, kernel))):
                at = tuple(s[j] + t * d for s, j, t, d in zip(starts, out, tap, a.dilations, strict=True))
                real = all(0 <= v < i for v, i in zip(at, spatial, strict=True))
                element = x[(b, first + channel, *at)] if real else 0
                y[(b, o, *out)] += element * w[(o, channel, *tap)]
                done, inside = done + 1, inside + real
    return Executed(done, inside, y)


def scattered(a: Layer, x: np.ndarray[Any, Any], w: np.ndarray[Any, Any]) -> Executed:
    """Every input element times every tap of the kernels of its group, added where it lands; padding cuts it off."""
    (n, c, *spatial), (_, mg, *kernel) = a.x, a.w
    sizes = [
        (i - 1) * s + e + d * (k - 1) + 1 - p - q
        for i, k, s, d, e, p, q in zip(spatial, kernel, a.strides, a.dilations, a.extra, a.before, a.after, strict=True)
    ]
    y = np.zeros((n, mg * a.group, *sizes), dtype=np.float32)
    done = inside = 0
    for b, channel, at in product(range(n), range(c), product(*map(range, spatial))):
        first = channel // (c // a.group) * mg
        for o, tap in product(range(mg), product(*map(range, kernel))):
            value = x[(b, channel, *at)] * w[(channel, o, *tap)]
            to = tuple(
                i * s + t * d - p for i, s, t, d, p in zip(at, a.strides, tap, a.dilations, a.before, strict=True)
            )
            done += 1
            if all(0 <= v < size for v, size in zip(to, sizes, strict=True)):
                y[(b, first + o, *to)] += value
                inside += 1
    return Executed(done, inside, y)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv(rank: int, apply: Any) -> None:
    rng = random.Random(f"conv{rank}")
    for _ in range(CASES):
        layer = drawn(rng, rank, transposed=False)
        executed = convolved(layer, integers(layer.x, rng), integers(layer.w, rng))
        bias = (layer.w[0],) if rng.random() < 0.5 else None
        used = apply("Conv", layer.x, layer.w, bias, **layer.attributes())
        work = used.cost()
        assert used.y.shape == executed.y.shape, layer
        assert (work.macs, work.effective) == (executed.multiplications, executed.inside), layer
        assert work.multiplications == executed.multiplications
        assert work.additions == executed.multiplications + (executed.y.size if bias else 0)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose(rank: int, apply: Any) -> None:
    rng = random.Random(f"transposed{rank}")
    for _ in range(CASES):
        layer = drawn(rng, rank, transposed=True)
        executed = scattered(layer, integers(layer.x, rng), integers(layer.w, rng))
        bias = (layer.w[1] * layer.group,) if rng.random() < 0.5 else None
        used = apply("ConvTranspose", layer.x, layer.w, bias, output_padding=layer.extra, **layer.attributes())
        work = used.cost()
        assert used.y.shape == executed.y.shape, layer
        assert (work.macs, work.effective) == (executed.multiplications, executed.inside), layer
        assert work.additions == executed.multiplications + (executed.y.size if bias else 0)


def real(op: str, layer: Layer, x: Any, w: Any, **more: tuple[int, ...]) -> Any:
    """The output of onnxruntime."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    runtime = pytest.importorskip("onnxruntime")
    node = helper.make_node(op, ["x", "w"], ["y"])
    for name, value in (layer.attributes() | more).items():
        node.attribute.append(helper.make_attribute(name, value if isinstance(value, int) else list(value)))
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in (("x", x), ("w", w))]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)
    return runtime.InferenceSession(model.SerializeToString()).run(None, {"x": x, "w": w})[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_loop_is_a_convolution(seed: int) -> None:
    rng = random.Random(seed)
    layer = drawn(rng, 2, transposed=False)
    x, w = integers(layer.x, rng), integers(layer.w, rng)
    np.testing.assert_array_equal(convolved(layer, x, w).y, real("Conv", layer, x, w))


@pytest.mark.parametrize("seed", range(20))
def test_the_scatter_is_a_transposed_convolution(seed: int) -> None:
    rng = random.Random(seed)
    layer = drawn(rng, 2, transposed=True)
    while any(e >= s for e, s in zip(layer.extra, layer.strides, strict=True)):  # onnxruntime refuses these
        layer = drawn(rng, 2, transposed=True)
    x, w = integers(layer.x, rng), integers(layer.w, rng)
    np.testing.assert_array_equal(
        scattered(layer, x, w).y, real("ConvTranspose", layer, x, w, output_padding=layer.extra)
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_convolution_and_its_transpose_cost_the_same(rank: int, apply: Any) -> None:
    rng = random.Random(f"symmetry{rank}")
    for _ in range(CASES):
        layer = drawn(rng, rank, transposed=False)
        down = apply("Conv", layer.x, layer.w, **layer.attributes())
        reached = [
            (o - 1) * s + d * (k - 1) + 1 - p - q
            for o, k, s, d, p, q in zip(
                down.y.dims[2:], layer.w[2:], layer.strides, layer.dilations, layer.before, layer.after, strict=True
            )
        ]
        back = tuple(i - r for i, r in zip(layer.x[2:], reached, strict=True))
        up = apply("ConvTranspose", down.y.dims, layer.w, output_padding=back, **layer.attributes())
        assert up.y.shape == layer.x, layer
        assert (up.cost().macs, up.cost().effective) == (down.cost().macs, down.cost().effective), layer
