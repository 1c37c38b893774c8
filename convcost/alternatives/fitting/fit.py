"""The weights of one form: fitted to those of the layer where there is a fit, else generated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convcost.alternatives.fitting import (
    Fitted,
    channels,
    composite,
    depthwise,
    flattened,
    inverted,
    resized,
    spatial,
    stacked,
    taps,
)
from convcost.alternatives.fitting.dense import Array, dense
from convcost.alternatives.layer import ConvLayer, single
from convcost.engine.threads import limited
from convcost.engine.values import numpy_dtype
from convcost.engine.weights import drawn
from convcost.ir import Graph, Node

MOST = 1 << 24
"""Elements of a dense kernel that is fitted: in double precision 128 MiB, a few copies of which are held."""

WIDEST = 4096
"""Rows of the largest matrix whose eigenvectors are asked for: some ten seconds."""

ALIKE = "the layer's own are all one number; the fit says nothing about trained ones"

Function = Callable[[Array, Sequence[ConvLayer]], list[Array]]

FITS: dict[str, Function] = {
    "standard": taps.regrouped,
    "grouped": taps.regrouped,
    "dilated": taps.thinned,
    "depthwise separable": depthwise.separated,
    "grouped pointwise": depthwise.separated,
    "inverted bottleneck": inverted.inverted,
    "spatially separable": spatial.split,
    "low rank": channels.low_rank,
    "bottleneck": channels.bottleneck,
    "flattened": flattened.flattened,
}
"""Idea → its fit. `stack of small kernels`, `wider field` and `resize, then convolve` take more than that."""


def fit(idea: str, layer: ConvLayer, graph: Graph, kernel: Array | None, seed: int, why: str = "") -> Fitted:
    """Weights for `graph`, a form of `layer` by `idea`. `kernel` is the layer's own, None where it is not known: `why`.

    Biases are zeros; the caller knows better where there is one.
    """
    arrays = generated(graph, seed)
    why = why or refused(idea, layer, kernel)
    if kernel is None or why:
        return Fitted(arrays, "generated", None, why)
    steps = [node for node in graph.nodes if node.op == "Conv"]
    parts = [single(graph, node) for node in steps]
    try:
        with limited(1):  # sums in the same order, and the same bytes, on any machine
            kernels, error = fitted(idea, layer, kernel.astype(np.float64), parts, seed)
    except np.linalg.LinAlgError:
        return Fitted(arrays, "generated", None, "no fit: the weights are too far apart in size")
    stored = [one.astype(numpy_dtype(layer.dtype)) for one in kernels]
    arrays.update(zip((node.inputs[1] for node in steps), stored, strict=True))
    if idea == "wider field":
        return Fitted(arrays, "copied")
    if error is None:
        own = dense(kernel.astype(np.float64), layer.group)
        error = composite.error(layer, own, parts, [one.astype(np.float64) for one in stored])
    why = ALIKE if kernel.size > 1 and bool((kernel == kernel.flat[0]).all()) else ""
    return Fitted(arrays, "fitted", error, why, composite.borders_differ(parts))


def fitted(
    idea: str, layer: ConvLayer, kernel: Array, parts: Sequence[ConvLayer], seed: int
) -> tuple[list[Array], float | None]:
    """The kernels of the parts, and their error where the composition of the parts does not tell it."""
    if idea == "resize, then convolve":
        return resized.resized(kernel, layer, parts)
    if idea == "wider field":
        return [kernel], None
    own = dense(kernel, layer.group)
    if idea == "stack of small kernels":
        return stacked.stacked(own, parts, seed), None
    return FITS[idea](own, parts), None


def refused(idea: str, layer: ConvLayer, kernel: Array | None) -> str:
    """Why nothing is fitted; empty where something is."""
    others = ("stack of small kernels", "wider field", "resize, then convolve")
    if idea not in FITS and idea not in others:
        return "this form has no least-squares fit"
    if layer.m * layer.c * math.prod(layer.kernel) > MOST:
        return f"no fit: more than {MOST:,} weights"
    few, many = sorted((layer.m, layer.c))
    rows = {"spatially separable": few * max(layer.kernel), "bottleneck": many, "flattened": many}
    if rows.get(idea, 0) > WIDEST:
        return f"no fit: a matrix of more than {WIDEST:,} rows"
    if kernel is not None and not np.isfinite(kernel.astype(np.float64)).all():
        return "no fit: a weight is not finite"
    return ""


def generated(graph: Graph, seed: int) -> dict[str, Any]:
    """Normal numbers of variance 2 / fan-in (He et al., arXiv:1502.01852), biases 0."""
    arrays = {name: a for name, a in drawn(graph, seed).items() if graph.tensors[name].value is None}
    for node in graph.nodes:
        if biased(node):
            arrays[node.inputs[2]] = np.zeros_like(arrays[node.inputs[2]])
    return arrays


def biased(node: Node) -> bool:
    """Whether a convolution has a bias."""
    return node.op == "Conv" and len(node.inputs) > 2 and bool(node.inputs[2])
