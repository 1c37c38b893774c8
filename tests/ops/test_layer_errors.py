"""What the layers of networks cannot take is refused with a message that names the law and the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcost.errors import ShapeError, Unknown
from convcost.ir import symbol


def i64(*values: int) -> np.ndarray[Any, Any]:
    """A vector of int64."""
    return np.array(values, dtype=np.int64)


X = (1, 6, 8, 8)
W = (4, 6, 3, 3)
MS = {"domain": "com.microsoft"}
FLEX = {"domain": "ai.onnx.preview"}
TWO_HEADS = {"q_num_heads": 2, "kv_num_heads": 2}
WRONG: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("Conv", ((6, 8), (4, 6)), {}, "at least 3 dimensions"),
    ("Conv", (X, (4, 6, 3)), {}, "3 dimensions, the input 1x6x8x8 has 4"),
    ("Conv", (X, (4, 5, 3, 3)), {}, "reads 5 channels, but the input 1x6x8x8 has 6"),
    ("Conv", (X, (4, 2, 3, 3)), {"group": 3}, "4 output channels cannot be divided into group 3"),
    ("Conv", (X, W), {"group": 0}, "group 0 is less than 1"),
    ("Conv", ((1, 6, *(1,) * 33), (4, 6, *(1,) * 33)), {}, "33 spatial dimensions are over the limit of 32"),
    ("Conv", (X, W), {"kernel_shape": (3, 2)}, "contradicts the weight"),
    ("Conv", (X, W), {"kernel_shape": (3,)}, "contradicts the weight"),
    ("Conv", (X, W), {"strides": (0, 1)}, "stride 0 is less than 1"),
    ("Conv", (X, W), {"strides": (1, 1, 1)}, "stride has 3 values for 2 spatial"),
    ("Conv", (X, W), {"dilations": (1, -1)}, "dilation -1 is less than 1"),
    ("Conv", (X, W), {"pads": (1, 1)}, "pads has 2 values"),
    ("Conv", (X, W), {"auto_pad": "same_upper"}, "auto_pad 'same_upper' is not one of"),
    ("Conv", (X, W), {"dilations": (4, 4)}, "effective size 9.*is larger than the padded input size 8"),
    ("Conv", (X, W, (5,)), {}, "bias B has size 5, but there are 4 output channels"),
    ("Conv", (X, W, (4, 1)), {}, "bias B has rank 2"),
    ("Conv", (X, (4, 6, 0, 3)), {}, "size of zero"),
    ("ConvTranspose", (X, (5, 4, 3, 3)), {}, "reads 5 channels, but the input 1x6x8x8 has 6"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"group": 4}, "6 input channels cannot be divided into group 4"),
    ("ConvTranspose", (X, (6, 4, 3, 3), (5,)), {}, "bias B has size 5, but there are 4 output channels"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"strides": (0, 1)}, "stride 0 is less than 1"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"dilations": (0, 1)}, "dilation 0 is less than 1"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"output_padding": (0, -1)}, "output_padding -1 is less than 0"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"output_shape": (8, 0)}, "output_shape 0 is less than 1"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"output_shape": (8, 8), "auto_pad": "same"}, "auto_pad 'same' is not one of"),
    (
        "ConvTranspose",
        (X, (6, 4, 3, 3)),
        {"pads": (5, 0, 5, 0)},
        "padding 5.5 exceeds the output size on spatial axis 0",
    ),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"output_padding": (1, 0)}, "output_padding 1 is not less than the stride 1"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"output_padding": (2, 0)}, "output_padding 2 is not less than the stride 1"),
    ("ConvTranspose", (X, (6, 4, 3, 3)), {"pads": (9, 9, 9, 9)}, "exceeds the output size"),
    ("ConvInteger", (X, (4, 5, 3, 3)), {}, "reads 5 channels"),
    ("DeformConv", (X, W, (1, 17, 6, 6)), {}, "1x17x6x6, not 1x18x6x6"),
    ("CausalConvWithState", ((1, 4, 9), (5, 1, 3)), {}, "for 5 channels"),
    ("CausalConvWithState", ((1, 4, 9), (4, 2, 3)), {}, "not depthwise"),
    ("MaxPool", (X,), {}, "kernel_shape is missing"),
    ("MaxPool", (X,), {"kernel_shape": (2, 2), "strides": (0, 1)}, "stride 0"),
    ("AveragePool", (X,), {"kernel_shape": (9, 9)}, "larger than the padded input size 8"),
    ("AveragePool", ((6, 8),), {"kernel_shape": (2,)}, "at least 3 dimensions"),
    ("GlobalMaxPool", ((6,),), {}, "at least 2 dimensions"),
    ("AveragePool", ((1, 6, *(1,) * 33),), {"kernel_shape": (1,) * 33}, "33 spatial dimensions|over the limit"),
    ("MaxUnpool", (X, X), {"kernel_shape": (2, 2), "pads": (6, 6, 6, 6)}, "padding exceeds the output size"),
    ("MatMul", ((3, 4), ()), {}, "rank 1 or more, not 3x4 and scalar"),
    ("MatMulNBits", ((), (5, 1, 16), (5,)), {**MS, "K": 4, "N": 5}, "at least 1 dimension"),
    ("BatchNormalization", (X, (5,), (6,), (6,), (6,)), {}, "scale has the shape 5, not 6"),
    ("InstanceNormalization", (X, (6,), (5,)), {}, "B has the shape 5, not 6"),
    ("LayerNormalization", (X, (7,)), {}, "scale or shift 7 does not broadcast"),
    ("LayerNormalization", (X, (8,)), {"axis": 4}, "axis 4 is out of range"),
    ("GroupNormalization", (X, (6,), (6,)), {"num_groups": 4}, "6 channels cannot be divided into 4 groups"),
    ("LRN", (X,), {}, "missing required field `size`"),
    ("LpNormalization", (X,), {"p": 3}, "p 3 is not 1 or 2"),
    ("InstanceNormalization", (X, (5,), (6,)), {}, "scale has the shape 5, not 6"),
    ("BatchNormalization", (X, (6,), (6,), (6,), (6, 1)), {}, "input_var has the shape 6x1, not 6"),
    ("GroupNormalization", (X, (6,), (6,)), {"num_groups": 0}, "num_groups 0 is less than 1"),
    ("LRN", (X,), {"size": 0}, "size 0 is less than 1"),
    ("NegativeLogLikelihoodLoss", ((3, 5), (3, 1)), {}, "target has the shape 3x1, not 3"),
    ("Softmax", (X,), {"axis": -5, "version": 11}, "axis -5 is out of range"),
    ("Softmax", (X,), {"axis": 4}, "axis 4 is out of range"),
    ("Softmax", (X,), {"axis": 5, "version": 11}, "axis 5 is out of range"),
    ("SoftmaxCrossEntropyLoss", ((3, 5), (4,)), {}, "target has the shape 4, not 3"),
    ("MatMul", ((2, 3), (4, 5)), {}, "inner dimensions of 2x3 and 4x5 differ: 3 and 4"),
    ("MatMul", ((2, 2, 3), (3, 3, 4)), {}, "do not broadcast"),
    ("MatMul", ((), (3, 4)), {}, "rank 1 or more, not scalar"),
    ("Gemm", ((2, 3, 4), (4, 5)), {}, "Gemm needs matrices"),
    ("Gemm", ((2, 3), (4, 5)), {}, "inner dimensions"),
    ("Gemm", ((2, 3), (3, 5), (3, 5)), {}, "do not broadcast"),
    ("Gemm", ((1, 3), (3, 5), (2, 5)), {}, "C 2x5 does not broadcast to 1x5"),
    ("MatMulNBits", ((2, 3), (5, 1, 16), (5,)), {**MS, "K": 4, "N": 5}, "3 against K 4|2x3 against K 4"),
    ("MatMulNBits", ((2, 0), (5, 1, 16), (5,)), {**MS, "K": 0, "N": 5}, "K 0 and N 5 must be at least 1"),
    ("MatMulNBits", ((2, 3), (5, 1, 16), (5,)), {**MS, "K": 3, "N": 0}, "K 3 and N 0 must be at least 1"),
    ("FusedMatMul", ((3,), (3, 5)), {**MS, "transBatchA": 1}, "needs 2 dimensions or more, not 3"),
    ("Det", ((2, 3),), {}, "square matrices, not 2x3"),
    ("Einsum", ((2, 3), (3, 4)), {"equation": "ij->i"}, "1 terms, there are 2 inputs"),
    ("Einsum", ((2, 3), (4, 5)), {"equation": "ij,jk->ik"}, "index j has sizes 3 and 4"),
    ("Einsum", ((2, 3),), {"equation": "ijk->i"}, "does not fit an input of rank 2"),
    ("Einsum", ((2, 3),), {"equation": "ij->k"}, "k stands in no input"),
    ("Einsum", ((2, 3),), {"equation": "ij->ii"}, "names an index twice"),
    ("Einsum", ((2, 3),), {"equation": "ij->i->j"}, "more than one arrow"),
    ("Einsum", ((),), {"equation": "i" * 4097}, "has 4097 characters: more than 4096"),
    ("Einsum", ((2, 3, 4),), {"equation": "ij->i"}, "does not fit an input of rank 3"),
    ("Einsum", ((2,),), {"equation": "...ij"}, "does not fit an input of rank 1"),
    ("Einsum", ((2, 3),), {"equation": "i1->i"}, "holds '1'"),
    ("LSTM", ((5, 2, 3), (1, 16, 4), (1, 16, 4)), {}, "reads 4 values, the input 5x2x3 has 3"),
    ("LSTM", ((5, 2, 3), (1, 15, 3), (1, 16, 4)), {}, "does not hold 4 gates of 4 hidden units"),
    ("LSTM", ((5, 2, 3), (1, 16, 3), (16, 4)), {}, "weights need rank 3"),
    ("LSTM", ((5, 2, 3), (16, 3), (1, 16, 4)), {}, "weights need rank 3"),
    ("GRU", ((5, 2, 3), (1, 12, 3), (1, 12, 4)), {"activations": ("Tanh",)}, "1 activation functions are given, not 2"),
    ("LSTM", ((10,), (1, 16, 4), (1, 16, 4)), {}, "rank 3"),
    ("GRU", ((5, 2, 3), (1, 12, 3), (1, 12, 4)), {"direction": "bidirectional"}, "1 directions, bidirectional needs 2"),
    ("RNN", ((5, 2, 3), (1, 4, 3), (1, 4, 4)), {"direction": "sideways"}, "direction 'sideways' is not one of"),
    ("RNN", ((5, 2, 3), (1, 4, 3), (1, 4, 4)), {"hidden_size": 5}, "4 hidden units, hidden_size is 5"),
    ("Attention", ((1, 2, 3, 4), (1, 2, 5, 6), (1, 2, 5, 6)), {}, "heads of size 4, the key of size 6"),
    ("Attention", ((1, 3, 3, 4), (1, 2, 5, 4), (1, 2, 5, 6)), {}, "3 query heads cannot share 2 key heads"),
    ("Attention", ((1, 3, 8), (1, 5, 8), (1, 5, 8)), {}, "needs its number of heads"),
    ("Attention", ((1, 3, 8),) * 3, {"q_num_heads": 0, "kv_num_heads": 2}, "needs its number of heads"),
    ("Attention", ((1, 3, 8),) * 3, {"q_num_heads": 3, "kv_num_heads": 1}, "size 8 cannot be divided into 3 heads"),
    ("Attention", ((1, 2, 3, 4), (1, 2, 5, 4), (1, 1, 5, 4)), {}, "the key has 2 heads, the value 1"),
    ("Attention", ((1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 6, 4)), {}, "the key has length 5, the value 6"),
    ("Attention", ((3, 4), (1, 2, 5, 4), (1, 2, 5, 4)), {}, "the query 3x4 needs rank 3 or 4"),
    ("Attention", ((1, 2, 3, 4), (2, 5), (1, 2, 5, 4)), {}, "the key 2x5 needs rank 3 or 4"),
    ("Attention", ((1, 2, 3, 4), (1, 2, 5, 4), (1, 1, 2, 5, 4)), {}, "the value 1x1x2x5x4 needs rank 3 or 4"),
    ("Attention", (*((1, 2, 3, 4),) * 3, None, (1, 2, 4), (1, 2, 4)), {}, "the past key 1x2x4 needs rank 4"),
    ("Attention", ((1, 2, 3, 4), (1, 0, 5, 4), (1, 0, 5, 4)), {}, "2 query heads cannot share 0 key heads"),
    ("FlexAttention", ((2, 3, 4), *((1, 2, 3, 4),) * 2), FLEX, "input 0 2x3x4 needs rank 4"),
    ("FlexAttention", ((1, 2, 3, 4), (2, 3, 4), (1, 2, 3, 4)), FLEX, "input 1 2x3x4 needs rank 4"),
    ("FlexAttention", (*((1, 2, 3, 4),) * 2, (2, 3, 4)), FLEX, "input 2 2x3x4 needs rank 4"),
    ("RotaryEmbedding", ((3, 8), (3, 2), (3, 2)), {"num_heads": 2}, "the input 3x8 needs rank 3 or 4"),
    ("RotaryEmbedding", ((1, 1, 2, 3, 8), (3, 2), (3, 2)), {}, "the input 1x1x2x3x8 needs rank 3 or 4"),
    ("RotaryEmbedding", ((1, 3, 8), (3, 2), (3, 2)), {}, "an input of rank 3 needs num_heads"),
    ("LinearAttention", ((1, 3, 8),) * 3, {**TWO_HEADS, "update_rule": "sum"}, "update_rule 'sum' is not one of"),
    ("LinearAttention", ((1, 3, 8), (1, 3, 6), (1, 3, 8)), TWO_HEADS, "heads of size 4, the key of size 3"),
    ("LinearAttention", ((1, 3, 8), (1, 3, 8), (3, 8)), TWO_HEADS, "the inputs need rank 3"),
    ("LinearAttention", ((1, 3, 8), (1, 3, 8), (1, 3, 7)), TWO_HEADS, "value of size 7 cannot be divided"),
    ("LinearAttention", ((1, 2, 3, 4),) * 3, {"q_num_heads": 2, "kv_num_heads": 2}, "the inputs need rank 3"),
    ("LinearAttention", ((1, 3, 8),) * 3, {"q_num_heads": 3, "kv_num_heads": 2}, "cannot share the key heads"),
    ("LinearAttention", ((1, 3, 8),) * 3, {"q_num_heads": 2, "kv_num_heads": 0}, "cannot share the key heads"),
    ("ReduceSum", (X, i64(4)), {}, "axis 4 is out of range"),
    ("ArgMax", (X,), {"axis": -5}, "axis -5 is out of range"),
    ("Resize", (X, None, np.ones(3, dtype=np.float32)), {}, "3 scales for 4 axes"),
    ("Resize", (X, None, None, i64(1, 6, -8, 8)), {}, "size -8 is negative"),
    ("Resize", (X,), {}, "neither scales nor sizes"),
    ("GridSample", (X, (1, 4, 4, 3)), {}, "does not hold 2 coordinates"),
    ("AffineGrid", ((2, 2, 3), i64(2, 3, 4)), {}, "3 values, not 4"),
    ("RoiAlign", (X, (3, 5), (3,)), {}, "4 numbers, not 5|5"),
    ("NonMaxSuppression", ((1, 9, 4), (1, 2, 8)), {}, "9 boxes, but scores for 8"),
    ("DFT", ((2, 8, 3),), {}, "not 1 .real. or 2 .complex."),
    ("STFT", ((2, 20, 1), np.array(0), (8,)), {}, "frame step 0 is less than 1"),
    ("Scan", ((3,), (7, 2)), {"num_scan_inputs": 2**63 - 1}, "num_scan_inputs 9223372036854775807 does not fit"),
]


@pytest.mark.parametrize(("name", "inputs", "attributes", "said"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_refused(name: str, inputs: Any, attributes: dict[str, Any], said: str, apply: Any) -> None:
    with pytest.raises(ShapeError, match=said):
        apply(name, *inputs, **attributes).cost()


N, H, C = symbol("N"), symbol("H"), symbol("C")
OPEN: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[Any, ...], Any]] = [
    ("Conv", ((N, 3, H, 8), (4, 3, 3, 3)), {"pads": (1, 1, 1, 1)}, (N, 4, H, 8), N * 4 * H * 8 * 27),
    ("Conv", ((N, 3, 2 * H, 8), (4, 3, 2, 2)), {"strides": (2, 2)}, (N, 4, H, 4), N * 4 * H * 4 * 12),
    ("ConvTranspose", ((N, 3, H, 8), (3, 4, 2, 2)), {"strides": (2, 2)}, (N, 4, 2 * H, 16), N * 3 * H * 8 * 16),
    ("Conv", ((2, C, 8, 8), (4, 3, 3, 3)), {}, (2, 4, 6, 6), 2 * 4 * 36 * 27),
    ("Conv", ((2, 6, 8, 8), (4, C, 3, 3)), {"group": 2}, (2, 4, 6, 6), C * 2 * 4 * 36 * 9),
    ("Conv", ((2, 6, 8, 8), (C, 6, 3, 3), (4,)), {}, (2, C, 6, 6), C * 2 * 36 * 54),
    ("Conv", ((2, 6, 8, 8), (4, 6, 3, 3), (C,)), {}, (2, 4, 6, 6), 2 * 4 * 36 * 54),
    ("Conv", ((2, 6, 8, 8), (4, 6, H, 3)), {"kernel_shape": (3, 3)}, (2, 4, 9 - H, 6), (9 - H) * H * 2 * 4 * 6 * 18),
    ("Conv", ((2, 6, 0, 8), (4, 6, 3, 3)), {}, (2, 4, 0, 6), 0),
    ("Conv", ((2, 6, 0, 8), (4, 6, 3, 3)), {"pads": (2, 0, 1, 0)}, (2, 4, 1, 6), 2 * 4 * 6 * 54),
    ("Conv", ((1, 6, *(1,) * 32), (4, 6, *(1,) * 32)), {}, (1, 4, *(1,) * 32), 24),
    ("ConvTranspose", ((2, C, 8, 8), (3, 4, 2, 2)), {}, (2, 4, 9, 9), C * 2 * 64 * 16),
    ("ConvTranspose", ((2, 3, 8, 8), (C, 4, 2, 2)), {}, (2, 4, 9, 9), 2 * 3 * 64 * 16),
    ("ConvTranspose", ((2, 3, 8, 8), (3, 4, 2, 2)), {"output_shape": (2, 4, 7, 8)}, (2, 4, 7, 8), 2 * 3 * 64 * 16),
    ("ConvTranspose", ((2, 3, 1, 1), (3, 4, 1, 1)), {}, (2, 4, 1, 1), 24),
    ("MaxUnpool", ((2, 3, 4, 6),) * 2, {"kernel_shape": (3, 2), "strides": (2, 3)}, (2, 3, 9, 17), 0),
    ("GlobalMaxPool", ((2, 3),), {}, (2, 3), 0),
    ("AveragePool", ((1, 6, *(1,) * 32),), {"kernel_shape": (1,) * 32}, (1, 6, *(1,) * 32), 0),
    ("MaxPool", ((N, 3, 2 * H, 8),), {"kernel_shape": (2, 2), "strides": (2, 2)}, (N, 3, H, 4), 0),
    ("MatMul", ((N, H, 3), (3, 5)), {}, (N, H, 5), N * H * 15),
    ("Gemm", ((N, 3), (5, 3)), {"transB": 1}, (N, 5), N * 15),
    ("Einsum", ((N, H, 3), (N, 5, 3)), {"equation": "bik,bjk->bij"}, (N, H, 5), N * H * 15),
    ("Einsum", ((2, 3), (1, 4)), {"equation": "ij,jk->ik"}, (2, 4), 2 * 3 * 4),
    ("Einsum", ((2, 1), (3, 4)), {"equation": "ij,jk->ik"}, (2, 4), 2 * 3 * 4),
    ("Einsum", ((2, 3), (3, 4), (4, 5)), {"equation": "ij,jk,kl->il"}, (2, 5), 2 * 3 * 4 + 2 * 4 * 5),
    ("Einsum", ((2, 3), (3, 4), (3, 5)), {"equation": "ij,jk,jl->il"}, (2, 5), 2 * 3 * 4 + 2 * 3 * 5),
    ("Einsum", ((2, 3), (2, 3), (3,)), {"equation": "ij,ij,j->i"}, (2,), 2 * 3),
    ("LSTM", ((H, N, 3), (1, 16, 3), (1, 16, 4)), {}, (H, 1, N, 4), H * N * 16 * 7),
    ("Attention", ((N, 2, H, 4), (N, 2, H, 4), (N, 2, H, 4)), {}, (N, 2, H, 4), N * 2 * H * H * 8),
    ("ReduceMean", ((N, H, 4), i64(-1)), {"keepdims": 0}, (N, H), 0),
    ("GlobalAveragePool", ((N, 3, H, 8),), {}, (N, 3, 1, 1), 0),
    ("BatchNormalization", (X, (C,), (6,), (6,), (6,)), {}, X, 0),
    ("BatchNormalization", ((7,), (1,), (1,), (1,), (1,)), {}, (7,), 0),
    ("BatchNormalization", ((7, 3, 4), *[(3, 4)] * 4), {"version": 7, "spatial": 0}, (7, 3, 4), 0),
    ("LayerNormalization", ((2, 6, 8), (1, 8)), {"axis": 1}, (2, 6, 8), 0),
    ("LayerNormalization", ((2, 6, 8), (C, 8)), {"axis": 1}, (2, 6, 8), 0),
    ("LayerNormalization", ((2, C, 8), (6, 8)), {"axis": 1}, (2, C, 8), 0),
    ("SoftmaxCrossEntropyLoss", ((3, 5), (N,)), {"reduction": "none"}, (3,), 0),
    ("SoftmaxCrossEntropyLoss", ((N, 5), (3,)), {"reduction": "none"}, (N,), 0),
    ("Softmax", ((2, 3),), {"axis": 2, "version": 12}, (2, 3), 0),
    ("Softmax", ((2, 3),), {"axis": -2, "version": 12}, (2, 3), 0),
]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "shape", "macs"), OPEN, ids=lambda v: v if isinstance(v, str) else ""
)
def test_open_dimensions_are_carried_into_shapes_and_counts(
    name: str, inputs: Any, attributes: dict[str, Any], shape: Any, macs: Any, apply: Any
) -> None:
    used = apply(name, *inputs, **attributes)
    assert used.y.shape == shape
    assert used.cost().macs == macs


@pytest.mark.parametrize(
    ("name", "x", "w"), [("Conv", (N, 3, H, 8), (4, 3, 3, 3)), ("ConvTranspose", (N, 3, H, 8), (3, 4, 3, 3))]
)
def test_padding_of_an_open_size_leaves_only_the_effective_products_unknown(
    name: str, x: Any, w: Any, apply: Any
) -> None:
    used = apply(name, x, w, (4,), pads=(1, 1, 1, 1))
    work = used.cost()
    assert work.effective_unknown
    assert work.macs == work.multiplications == N * H * 8 * 108
    assert work.additions == work.macs + N * H * 8 * 4
    exact = apply(name, x, w, (4,))
    assert not exact.cost().effective_unknown


UNKNOWN: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("MaxRoiPool", (X, (3, 5)), {"pooled_shape": (2, 2)}, "content of the regions"),
    ("RoiAlign", (X, (3, 4), (3,)), {}, "adaptive sampling"),
    ("NonMaxSuppression", ((1, 9, 4), (1, 2, 9), i64(5)), {}, "depends on the data"),
    ("ReduceSum", (X, (1,)), {}, "list of axes is computed from data"),
    ("FusedConv", (X, W), {**MS, "activation": "Magic"}, "'Magic' has no rule"),
]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "said"), UNKNOWN, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_data_decide_is_not_counted(
    name: str, inputs: Any, attributes: dict[str, Any], said: str, apply: Any
) -> None:
    with pytest.raises(Unknown, match=said):
        apply(name, *inputs, **attributes).cost()
