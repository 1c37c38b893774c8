"""A fused operator costs what its parts cost one after the other."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from convcost.ops import Work

MS = {"domain": "com.microsoft"}
Use = tuple[str, tuple[Any, ...], dict[str, Any]]

X, W, Y = (2, 4, 9, 9), (6, 4, 3, 3), (2, 6, 7, 7)
XLAST, YLAST = (2, 9, 9, 4), (2, 7, 7, 6)
A, B, C = (2, 5, 8), (8, 6), (2, 5, 6)
ROW = (2, 5, 8)
Q, K, V = (2, 3, 8), (2, 5, 8), (2, 5, 8)
HEADS = {"num_heads": 2}
S: tuple[int, ...] = ()
Q8 = (S, S)
LSTM_X = (5, 2, 3)


def times(shape: tuple[int, ...], n: int = 1) -> list[Use]:
    """N multiplications for each element."""
    return [("Mul", (shape, shape), {})] * n


def plus(shape: tuple[int, ...], n: int = 1) -> list[Use]:
    """N additions for each element."""
    return [("Add", (shape, shape), {})] * n


def requantized(shape: tuple[int, ...]) -> list[Use]:
    """A scale and a zero point."""
    return times(shape) + plus(shape)


CASES: list[tuple[Use, list[Use]]] = [
    (("FusedConv", (X, W, (6,)), {**MS, "activation": "Relu"}), [("Conv", (X, W, (6,)), {}), ("Relu", (Y,), {})]),
    (("FusedConv", (X, W, (6,), Y), MS), [("Conv", (X, W, (6,)), {}), *plus(Y)]),
    (("NhwcFusedConv", (XLAST, W, (6,), YLAST), MS), [("Conv", (X, W, (6,)), {}), *plus(Y)]),
    (("NhwcConv", (XLAST, W), MS), [("Conv", (X, W), {})]),
    (("ConvInteger", (X, W), {}), [("Conv", (X, W), {})]),
    (("QLinearConv", (X, *Q8, W, *Q8, *Q8, (6,)), {}), [("Conv", (X, W, (6,)), {}), *requantized(Y)]),
    (
        ("QLinearConv", (XLAST, *Q8, W, *Q8, *Q8), {**MS, "channels_last": 1}),
        [("Conv", (X, W), {}), *requantized(Y)],
    ),
    (
        ("ConvTransposeWithDynamicPads", (X, (4, 3, 2, 2), np.zeros(4, dtype=np.int64)), MS),
        [("ConvTranspose", (X, (4, 3, 2, 2)), {})],
    ),
    (
        ("DeformConv", (X, W, (2, 18, 7, 7), None, (2, 9, 7, 7)), {}),
        [("Conv", (X, W), {}), *times((2, 4, 7, 7, 9), 5), *plus((2, 4, 7, 7, 9), 3)],
    ),
    (
        ("CausalConvWithState", ((2, 4, 9), (4, 1, 3), (4,)), {"activation": "silu"}),
        [
            ("Conv", ((2, 4, 9), (4, 1, 3), (4,)), {"group": 4, "pads": (2, 0)}),
            ("Sigmoid", ((2, 4, 9),), {}),
            *times((2, 4, 9)),
        ],
    ),
    (("QLinearAveragePool", (X, *Q8, *Q8), {**MS, "kernel_shape": (3, 3)}), [("AveragePool", (X,), {"kernel_shape": (3, 3)}), *requantized((2, 4, 7, 7))]),
    (("QLinearGlobalAveragePool", (X, *Q8, *Q8), MS), [("GlobalAveragePool", (X,), {}), *requantized((2, 4, 1, 1))]),
    (("FusedMatMul", (A, (6, 8)), {**MS, "transB": 1, "alpha": 0.5}), [("MatMul", (A, B), {}), *times(C)]),
    (("FusedMatMulActivation", (A, B), {**MS, "activation": "Relu"}), [("MatMul", (A, B), {}), ("Relu", (C,), {})]),
    (("FusedGemm", ((5, 8), B, (6,)), {**MS, "activation": "Relu"}), [("Gemm", ((5, 8), B, (6,)), {}), ("Relu", ((5, 6),), {})]),
    (("MatMulInteger", (A, B), {}), [("MatMul", (A, B), {})]),
    (("QLinearMatMul", (A, *Q8, B, *Q8, *Q8), {}), [("MatMul", (A, B), {}), *requantized(C)]),
    (("MatMulNBits", (A, (6, 1, 4), (6,), None, None, (6,)), {**MS, "K": 8, "N": 6}), [("MatMul", (A, B), {}), *plus(C)]),
    (("MatMulIntegerToFloat", (A, B, S, S, None, None, (6,)), MS), [("MatMul", (A, B), {}), *times(C), *plus(C)]),
    (("MatMulInteger16", (A, B), MS), [("MatMul", (A, B), {})]),
    (("QGemm", ((5, 8), *Q8, B, *Q8, (6,), *Q8), MS), [("Gemm", ((5, 8), B, (6,)), {}), *requantized((5, 6))]),
    (("QGemm", ((5, 8), *Q8, B, *Q8), MS), [("Gemm", ((5, 8), B), {}), *times((5, 6))]),
    (("GemmFastGelu", (A, B, (6,)), MS), [("MatMul", (A, B), {}), *plus(C), ("FastGelu", (C,), MS)]),
    (("GemmFloat8", ((5, 8), B), MS), [("Gemm", ((5, 8), B), {})]),
    (("QOrderedMatMul", (A, S, B, S, S, (6,)), MS), [("MatMul", (A, B), {}), *plus(C), *times(C)]),
    (("MatMulFpQ4", (A, (24,), np.array([8, 6])), MS), [("MatMul", (A, B), {})]),
    (("Gelu", (ROW,), MS), [("Gelu", (ROW,), {})]),
    (("BiasGelu", (ROW, (8,)), MS), [*plus(ROW), ("Gelu", (ROW,), {})]),
    (("FastGelu", (ROW, (8,)), MS), [*plus(ROW), ("Gelu", (ROW,), {"approximate": "tanh"})]),
    (("QuickGelu", (ROW,), MS), [*times(ROW, 2), ("Sigmoid", (ROW,), {})]),
    (("BiasSplitGelu", (ROW, (8,)), MS), [*plus(ROW), ("Gelu", ((2, 5, 4),), {}), *times((2, 5, 4))]),
    (("BiasAdd", (ROW, (8,), ROW), MS), plus(ROW, 2)),
    (("BiasSoftmax", (ROW, ROW), {**MS, "axis": 2}), [*plus(ROW), ("Softmax", (ROW,), {})]),
    (("ComplexMul", ((3, 2), (3, 2)), MS), [*times((3,), 4), *plus((3,), 2)]),
    (("QLinearAdd", (ROW, *Q8, (8,), *Q8, *Q8), MS), [*times(ROW, 2), *plus(ROW), *requantized(ROW)]),
    (("QLinearMul", (ROW, *Q8, (8,), *Q8, *Q8), MS), [*times(ROW), *requantized(ROW)]),
    (("QLinearSigmoid", (ROW, *Q8, *Q8), MS), [*times(ROW), ("Sigmoid", (ROW,), {}), *requantized(ROW)]),
    (("QLinearLeakyRelu", (ROW, *Q8, *Q8), MS), [*times(ROW), ("LeakyRelu", (ROW,), {}), *requantized(ROW)]),
    (("QLinearSoftmax", (ROW, *Q8, *Q8), {**MS, "opset": 13}), [*times(ROW), ("Softmax", (ROW,), {}), *requantized(ROW)]),
    (("QLinearReduceMean", (ROW, *Q8, *Q8), {**MS, "axes": (2,)}), [("ReduceMean", (ROW, np.array([2])), {}), *requantized((2, 5))]),
    (("ReduceSumInteger", (ROW,), {**MS, "axes": (2,)}), [("ReduceSum", (ROW, np.array([2])), {})]),
    (("QLinearConcat", (*Q8, (2, 3), *Q8, (2, 5), *Q8), {**MS, "axis": 1}), requantized((2, 8))),
    (("SkipLayerNormalization", (ROW, ROW, (8,), (8,), (8,)), MS), [*plus(ROW, 2), ("LayerNormalization", (ROW, (8,), (8,)), {})]),
    (("SkipSimplifiedLayerNormalization", (ROW, ROW, (8,)), MS), [*plus(ROW), ("RMSNormalization", (ROW, (8,)), {})]),
    (("SimplifiedLayerNormalization", (ROW, (8,)), {}), [("RMSNormalization", (ROW, (8,)), {})]),
    (
        ("EmbedLayerNormalization", ((2, 5), (2, 5), (9, 8), (7, 8), (3, 8), (8,), (8,)), MS),
        [*plus(ROW, 2), ("LayerNormalization", (ROW, (8,), (8,)), {})],
    ),
    (("GroupNorm", (XLAST, (4,), (4,)), {**MS, "groups": 2}), [("GroupNormalization", (X, (4,), (4,)), {"num_groups": 2})]),
    (
        ("SkipGroupNorm", (X, (4,), (4,), X, (4,)), {**MS, "groups": 2, "activation": 1, "channels_last": 0}),
        [*plus(X, 2), ("GroupNormalization", (X, (4,), (4,)), {"num_groups": 2}), ("Sigmoid", (X,), {}), *times(X)],
    ),
    (
        ("MultiHeadAttention", (Q, K, V, (24,), (2, 5)), {**MS, **HEADS}),
        [
            *plus(Q),
            *plus(K),
            *plus(V),
            ("MatMul", ((2, 2, 3, 4), (2, 2, 4, 5)), {}),
            *times((2, 2, 3, 5)),
            *plus((2, 2, 3, 5)),
            ("Softmax", ((2, 2, 3, 5),), {}),
            ("MatMul", ((2, 2, 3, 5), (2, 2, 5, 4)), {}),
        ],
    ),
    (
        ("Attention", (K, (8, 24), (24,), (2, 5)), {**MS, **HEADS}),
        [("MatMul", (K, (8, 24)), {}), *plus((2, 5, 24)), ("MultiHeadAttention", (K, K, K, None, (2, 5)), {**MS, **HEADS})],
    ),
    (
        ("QAttention", (K, (8, 24), (24,), S, S), {**MS, **HEADS}),
        [("Attention", (K, (8, 24), (24,)), {**MS, **HEADS}), *times((2, 5, 24))],
    ),
    (
        ("GroupQueryAttention", ((2, 3, 16), (2, 3, 8), (2, 3, 8), None, None, (2,), S), {**MS, "num_heads": 4, "kv_num_heads": 2, "do_rotary": 1}),
        [
            ("RotaryEmbedding", ((2, 4, 3, 4), (2, 3, 2), (2, 3, 2)), {}),
            ("RotaryEmbedding", ((2, 2, 3, 4), (2, 3, 2), (2, 3, 2)), {}),
            ("MatMul", ((2, 4, 3, 4), (2, 4, 4, 3)), {}),
            *times((2, 4, 3, 3)),
            *plus((2, 4, 3, 3)),
            ("Softmax", ((2, 4, 3, 3),), {}),
            ("MatMul", ((2, 4, 3, 3), (2, 4, 3, 4)), {}),
        ],
    ),
    (
        ("RotaryEmbedding", ((2, 3, 16), (2, 3), (9, 1), (9, 1)), {**MS, "num_heads": 4, "rotary_embedding_dim": 2}),
        [("RotaryEmbedding", ((2, 4, 3, 4), (2, 3, 1), (2, 3, 1)), {"rotary_embedding_dim": 2})],
    ),
    (
        ("MoE", ((7, 8), (7, 3), (3, 16, 8), (3, 16), (3, 8, 16)), {**MS, "k": 2}),
        [
            ("MatMul", ((14, 8), (8, 16)), {}),
            *plus((14, 16)),
            ("MatMul", ((14, 16), (16, 8)), {}),
            ("Softmax", ((7, 3),), {}),
            *times((14, 8)),
            *plus((14, 8)),
        ],
    ),
    (
        ("DynamicQuantizeLSTM", (LSTM_X, (1, 3, 16), (1, 4, 16), *[None] * 5, S, S, S, S), MS),
        [("LSTM", (LSTM_X, (1, 16, 3), (1, 16, 4)), {})],
    ),
    (
        ("FlexAttention", ((2, 4, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6)), {"domain": "ai.onnx.preview"}),
        [
            ("MatMul", ((2, 4, 3, 4), (2, 4, 4, 5)), {}),
            *times((2, 4, 3, 5)),
            ("Softmax", ((2, 4, 3, 5),), {}),
            ("MatMul", ((2, 4, 3, 5), (2, 4, 5, 6)), {}),
        ],
    ),
    (("AffineGrid", ((2, 2, 3), np.array([2, 3, 4, 5])), {}), [("MatMul", ((2, 2, 3), (3, 20)), {})]),
    (("RoiAlign", (X, (3, 4), (3,)), {"sampling_ratio": 1}), [*times((3, 4, 1, 1), 4), *plus((3, 4, 1, 1), 3), ("Div", ((3, 4), (3, 4)), {})]),
    (("CropAndResize", (X, (3, 4), (3,), np.array([2, 5])), MS), [*times((3, 4, 2, 5), 4), *plus((3, 4, 2, 5), 3)]),
    (("GridSample", (X, (2, 5, 6, 2)), {}), [*requantized((2, 5, 6, 2)), *times((2, 4, 5, 6), 4), *plus((2, 4, 5, 6), 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("fused", "parts"), CASES, ids=lambda v: v[0] if isinstance(v[0], str) else "")
def test_a_fused_operator_costs_its_parts(fused: Use, parts: list[Use], apply: Any) -> None:
    def work(use: Use) -> Work:
        name, inputs, attributes = use
        done: Work = apply(name, *inputs, **attributes).cost()
        return done

    own, sum_of_parts = work(fused), Work()
    for part in parts:
        sum_of_parts += work(part)
    for what in ("macs", "multiplications", "additions", "divisions", "comparisons", "special"):
        assert getattr(own, what) == getattr(sum_of_parts, what), what


def linear_steps(rule: str, b: int, t: int, h: int, g: int, dk: int, dv: int) -> Counter[str]:
    """The operations of a linear attention, one loop over elements after the other."""
    n: Counter[str] = Counter()
    for _ in range(b * t):
        for _ in range(g):  # the state of a key head
            if "gated" in rule:
                n["special"] += 1  # exp(decay)
                n["multiplications"] += dk * dv  # … · S
            if "delta" in rule:
                n["macs"] += dk * dv  # S · k
                n["additions"] += dv  # v - …
                n["multiplications"] += dv  # β · …
            n["macs"] += dk * dv  # S + k ⊗ v
        for _ in range(h):
            n["macs"] += dk * dv  # q · S
            n["multiplications"] += dv  # scale · …
    n["multiplications"] += n["macs"]
    n["additions"] += n["macs"]
    return n


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
def test_linear_attention(rule: str, apply: Any) -> None:
    used = apply(
        "LinearAttention",
        (2, 5, 12),
        (2, 5, 6),
        (2, 5, 8),
        None,
        (2, 5, 2),
        (2, 5, 2),
        q_num_heads=4,
        kv_num_heads=2,
        update_rule=rule,
    )
    assert [o.shape for o in used.outputs] == [(2, 5, 16), (2, 2, 3, 4)]
    work = used.cost()
    found = {what: getattr(work, what) for what in ("macs", "multiplications", "additions", "special")}
    assert +Counter(found) == linear_steps(rule, 2, 5, 4, 2, 3, 4)
    assert (work.divisions, work.comparisons) == (0, 0)


def test_blocks_of_channels_are_filled_up(apply: Any) -> None:
    """A convolution in blocks reads 32 channels where the tensor has 28: the zeros are multiplied too."""
    nchwc = {"domain": "com.microsoft.nchwc"}
    used = apply("Conv", (1, 28, 8, 8), (16, 32, 3, 3), **nchwc)
    plain = apply("Conv", (1, 32, 8, 8), (16, 32, 3, 3))
    assert used.y.shape == plain.y.shape
    assert used.cost() == plain.cost()
    assert apply("ReorderOutput", (1, 32, 8, 8), channels=28, **nchwc).y.shape == (1, 28, 8, 8)
    assert apply("ReorderInput", (1, 8, 9, 28), channels_last=1, **nchwc).y.shape == (1, 28, 8, 9)
    assert apply("Upsample", (1, 16, 8, 8), scales=(1, 1, 2, 3), **nchwc).y.shape == (1, 16, 16, 24)
