"""Scratch and prepared weights of single nodes, from their shapes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec
import numpy as np

from convcost.engine.kernels.conv import Algorithm, Geometry, candidates, geometry
from convcost.engine.kernels.convolution import parts
from convcost.engine.kernels.convolution.choose import likely
from convcost.errors import ShapeError
from convcost.ir import DType, Graph, Node, Tensor

CONVOLUTIONS = {"Conv": 1, "ConvTranspose": 1, "FusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}
"""Convolutions, and which of their inputs is the weight."""
RECURRENT = {"LSTM": 1, "GRU": 2, "DynamicQuantizeLSTM": 2}
"""Single precision copies of the weights of recurrent layers."""
VIEWS = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Shape", "Size", "Slice", "Split"}
"""Operators that copy nothing, or so little that it does not count."""
TIMES = {"QLinearMatMul": 6, "MatMulInteger": 6, "DynamicQuantizeLinear": 6, "QuantizeLinear": 3, "DequantizeLinear": 3}
"""Temporary arrays in parts of the largest input or output; others take twice that."""
SPARE = 1.4
SPARE_EACH = 1 << 13
"""Prepared weights may take so many times those of the algorithm with the least predicted work, and so many more."""
TRIALS = 1.3
"""What trials take in parts of their arrays: their programs are objects too."""
TILE = 8 << 20
"""Scratch of a convolution that is computed node by node: columns and products of a tile."""


class Needs(msgspec.Struct, frozen=True):
    """Bytes of a convolution.

    `forms` is set aside for prepared weights (a program as a whole keeps to it), `lean` where none may enlarge them,
    `scratch` of all threads, `trial` while its algorithms are tried.
    """

    forms: int
    lean: int
    scratch: int
    trial: int


def of_convolution(node: Node, graph: Graph, limit: int, threads: int) -> Needs | None:
    """What a convolution may take; None for another node, or where its shapes are not known."""
    at = CONVOLUTIONS.get(node.op, 0)
    if not at or node.attrs is None or len(node.inputs) <= at:
        return None
    first = graph.tensors.get(node.inputs[0])
    x, w = _sizes(first), _sizes(graph.tensors.get(node.inputs[at]))
    if x is None or w is None or 0 in x or 0 in w:
        return None
    try:
        g = geometry(x, w, node.attrs)
    except (ShapeError, ArithmeticError, ValueError):
        return None
    if 4 * max(g.batch * g.c * _product(g.spatial), g.positions * g.m) > limit:
        return None
    needs = _needs(g, threads)
    if first is not None and first.dtype is DType.FLOAT32:
        return needs
    wide = 8 * (g.batch * g.c * _product(g.spatial) + g.positions * g.m)  # computed in single precision
    copy = 4 * g.m * g.cg * g.taps
    more, least = needs.forms + copy, needs.lean + copy
    return msgspec.structs.replace(needs, forms=more, lean=least, scratch=needs.scratch + wide)


def of_recurrent(node: Node, graph: Graph) -> int:
    """Bytes of the weights of a recurrent layer in the form that its steps read."""
    times = RECURRENT.get(node.op, 0)
    if not times:
        return 0
    shapes = (_sizes(graph.tensors.get(name)) for name in node.inputs[1:3])
    return times * 4 * sum(_product(shape) for shape in shapes if shape is not None)


@lru_cache(maxsize=1024)
def _needs(g: Geometry, threads: int) -> Needs:
    found = likely(g, candidates(g))
    shared = [(a, n) for a in found for n in ((1, threads) if parts.divides(a, g, threads) else (1,))]
    forms: dict[tuple[object, ...], int] = {(a.form, n): parts.weight_bytes(a, g, n) for a, n in shared}
    lean = max((a.weight_bytes(g) for a in candidates(g, lean=True)), default=0)
    usual = min(found, key=lambda a: a.work(g)) if found else None
    held = max((forms[usual.form, n] for a, n in shared if a is usual), default=0) if usual else 0
    scratch = threads * max((_scratch(a, g, threads, n) for a, n in shared), default=0)
    arrays = 8 * (g.batch * g.c * _product(g.spatial) + g.positions * g.m)
    weights = 4 * g.m * g.cg * g.taps
    most = max(max(forms.values(), default=0), lean)
    trial = arrays + weights + sum(forms.values()) + scratch
    return Needs(min(most, int(held * SPARE) + SPARE_EACH), lean, scratch, int(trial * TRIALS))


def _scratch(a: Algorithm, g: Geometry, threads: int, shares: int) -> int:
    return max(parts.scratch(a, g, tile, np.float32, threads, shares) for tile in a.tiles)


def _product(sizes: tuple[int, ...]) -> int:
    total = 1
    for d in sizes:
        total *= d
    return total


def _sizes(t: Tensor | None) -> tuple[int, ...] | None:
    """The shape of a tensor, where all of it is known."""
    if t is None or t.shape is None:
        return None
    shape = tuple(d for d in t.shape if isinstance(d, int))
    return shape if len(shape) == len(t.shape) else None


def temporary(node: Node, given: int, made: Iterable[int]) -> int:
    """Bytes of temporary arrays of a usual kernel, of which the largest input and the outputs take so many."""
    if node.op in VIEWS:
        return 0
    if node.op in CONVOLUTIONS:
        return given + TILE
    return TIMES.get(node.op, 2) * max(given, max(made, default=0))
