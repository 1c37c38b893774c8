"""The weights that a layer has: stored, in a constant node, or made by one from a number."""

from __future__ import annotations

import numpy as np

from convcost.alternatives.fitting.dense import Array
from convcost.alternatives.sites import Site
from convcost.engine.values import numpy_dtype
from convcost.engine.weights import Weights
from convcost.ir import Tensor

COMPUTED = "its weights are computed when the model runs"


def own_weights(site: Site) -> tuple[Array | None, str]:
    """The kernel as it is stored, or None and the reason. Raises EngineError where its data cannot be read."""
    t, maker = site.weight, site.weight_maker
    if t is None or t.shape is None:
        return None, COMPUTED
    if t.dtype is None or not t.dtype.is_float:
        return None, "its weights are not floating-point numbers"
    if maker is None:
        if not t.stored:
            return None, "its weights are an input of the model"
        if t.nonzeros is not None:
            return None, "its weights are stored sparsely"
        return Weights().load(t, site.graph), ""
    if maker.op == "Constant" and not maker.domain:
        return Weights().constant(maker, site.graph), ""
    if maker.op == "ConstantOfShape" and not maker.domain:
        value = getattr(maker.attrs, "value", None)
        shape = tuple(d for d in t.shape if isinstance(d, int))
        number = Weights().load(value, site.graph).reshape(-1)[0] if isinstance(value, Tensor) else 0
        return np.full(shape, number, numpy_dtype(t.dtype)), ""
    return None, COMPUTED
