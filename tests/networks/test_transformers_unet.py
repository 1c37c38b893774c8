"""BERT, ViT-B/16 and the original U-Net."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from onnx import TensorProto

if TYPE_CHECKING:
    from tests.networks.conftest import Net, X

WIDTH, HEADS, LAYERS, MLP = 768, 12, 12, 3072
"""The base size of BERT (arXiv:1810.04805, section 3) and of ViT (arXiv:2010.11929, table 1)."""


def dense(n: Net, x: X, c: int) -> X:
    """MatMul and bias over the last axis."""
    return n.add(n.node("MatMul", x, n.weight(x.c, c), c=c), n.weight(c))


def norm(n: Net, x: X) -> X:
    return n.node("LayerNormalization", x, n.weight(x.c), n.weight(x.c), c=x.c, axis=-1)


def attention(n: Net, x: X, tokens: int) -> X:
    """Self-attention with its four projections; the products of activations are called attention/…."""
    apart, together = n.integers(1, tokens, HEADS, WIDTH // HEADS), n.integers(1, tokens, WIDTH)

    def heads(*perm: int) -> X:
        return n.node("Transpose", n.node("Reshape", dense(n, x, WIDTH), apart, c=HEADS), c=HEADS, perm=list(perm))

    q, k, v = heads(0, 2, 1, 3), heads(0, 2, 3, 1), heads(0, 2, 1, 3)
    part, n.part = n.part, "attention/"
    scores = n.node("Softmax", n.node("MatMul", q, k, c=HEADS), c=HEADS)
    mixed = n.node("MatMul", scores, v, c=HEADS)
    n.part = part
    mixed = n.node("Transpose", mixed, c=HEADS, perm=[0, 2, 1, 3])
    return dense(n, n.node("Reshape", mixed, together, c=WIDTH), WIDTH)


def mlp(n: Net, x: X) -> X:
    h = dense(n, x, MLP)
    gate = n.node("Erf", h, c=MLP)
    return dense(n, n.node("Mul", h, gate, c=MLP), WIDTH)


def bert(n: Net, tokens: int) -> None:
    """Embeddings, 12 layers with normalisation after each half, pooler."""
    kinds, places = (n.input(name, 1, tokens, dtype=TensorProto.INT64) for name in ("kinds", "places"))
    words, types, spots = (
        n.node("Gather", n.weight(size, WIDTH), ids, c=WIDTH)
        for size, ids in ((30_522, n.x), (2, kinds), (512, places))
    )
    x = norm(n, n.add(n.add(words, types), spots))
    for _ in range(LAYERS):
        x = norm(n, n.add(x, attention(n, x, tokens)))
        x = norm(n, n.add(x, mlp(n, x)))
    first = n.node("Gather", x, n.integers(0), c=WIDTH, axis=1)
    n.node("Tanh", dense(n, first, WIDTH), c=WIDTH)


def vit(n: Net) -> None:
    """Patches of 16, a class token, 12 layers with normalisation before each half."""
    patches = n.conv(n.x, WIDTH, 16, 16, bias=True)
    x = n.node("Transpose", n.node("Reshape", patches, n.integers(1, WIDTH, 196), c=WIDTH), c=WIDTH, perm=[0, 2, 1])
    x = n.node("Concat", n.weight(1, 1, WIDTH), x, c=WIDTH, axis=1, name="class_token")
    x = n.add(x, n.weight(1, 197, WIDTH))
    for _ in range(LAYERS):
        x = n.add(x, attention(n, norm(n, x), 197))
        x = n.add(x, mlp(n, norm(n, x)))
    first = n.node("Gather", norm(n, x), n.integers(0), c=WIDTH, axis=1)
    n.fc(n.flatten(first, WIDTH), 1000)


def test_bert_base(new: Callable[..., Net]) -> None:
    """109,482,240 parameters as Hugging Face's bert-base-uncased has with its pooler, 128 tokens."""
    n = new(1, 128, dtype=TensorProto.INT64)
    bert(n, 128)
    assert n.count().figures == (11_174_215_680, 109_482_240)


def test_vit_b_16(new: Callable[..., Net]) -> None:
    """V1: 17.564 G products and 86,567,656 parameters as torchvision documents; 16.85 G where attention is not seen.

    Of the parameters 768 are the class token. A constant that is concatenated to activations may as well be padding
    (BlazeFace concatenates zeros), and contents are not read to count: the program has it among the buffers.
    """
    n = new(1, 3, 224, 224)
    vit(n)
    net = n.count()
    token = net.layers["class_token"].cost.buffers
    assert token == WIDTH
    assert net.figures == (17_563_828_224, 86_567_656 - token)
    attention_only, _ = net.part("attention/")
    assert 17_563_828_224 - attention_only == 16_848_500_736


def unet(n: Net) -> X:
    """arXiv:1505.04597, figure 1: no padding, 2×2 up-convolutions, cropped copies, 2 classes."""
    x, copies = n.x, []
    for c in (64, 128, 256, 512):
        x = n.cr(n.cr(x, c, 3), c, 3)
        copies.append(x)
        x = n.maxpool(x, 2, 2)
    x = n.cr(n.cr(x, 1024, 3), 1024, 3)
    for copy, side, small in zip(reversed(copies), (64, 136, 280, 568), (56, 104, 200, 392), strict=True):
        up = n.up(x, x.c // 2, 2, 2)
        edge = (side - small) // 2
        ends = n.integers(edge + small, edge + small)
        cut = n.node("Slice", copy, n.integers(edge, edge), ends, n.integers(2, 3), c=copy.c)
        x = n.concat(cut, up)
        x = n.cr(n.cr(x, x.c // 2, 3), x.c // 2, 3)
    return n.conv(x, 2, 1, bias=True)


@pytest.mark.parametrize("quantity", ["macs", "params"])
def test_unet(new: Callable[..., Net], quantity: str) -> None:
    """572×572 gives 388×388; up-convolutions counted at their inputs."""
    n = new(1, 1, 572, 572)
    last = unet(n)
    net = n.count(last)
    assert net.layers[last.name.removesuffix(".out")].outputs == [[1, 2, 388, 388]]
    assert getattr(net.totals, quantity) == {"macs": 150_428_424_448, "params": 31_030_658}[quantity]
