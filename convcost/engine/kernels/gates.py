"""The activation functions of recurrent layers, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convcost.engine.kernels.activation import sigmoid

Function = Callable[[Any], Any]
DEFAULTS = {1: ("Tanh",), 3: ("Sigmoid", "Tanh"), 4: ("Sigmoid", "Tanh", "Tanh")}


def function(name: str, alpha: float | None, beta: float | None) -> Function:
    """The activation function called `name`."""
    a = {"leakyrelu": 0.01, "thresholdedrelu": 1.0, "elu": 1.0, "hardsigmoid": 0.2}.get(name.lower(), 1.0)
    a = a if alpha is None else alpha
    b = (0.5 if name.lower() == "hardsigmoid" else 0.0) if beta is None else beta
    table: dict[str, Function] = {
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "relu": lambda v: np.maximum(v, 0),
        "affine": lambda v: a * v + b,
        "leakyrelu": lambda v: np.where(v >= 0, v, a * v),
        "thresholdedrelu": lambda v: np.where(v > a, v, 0),
        "scaledtanh": lambda v: a * np.tanh(b * v),
        "hardsigmoid": lambda v: np.clip(a * v + b, 0, 1),
        "elu": lambda v: np.where(v >= 0, v, a * np.expm1(np.minimum(v, 0))),
        "softsign": lambda v: v / (1 + np.abs(v)),
        "softplus": lambda v: np.logaddexp(v, 0),
    }
    if name.lower() not in table:
        raise ValueError(f"the activation function {name[:40]} is not known")
    return table[name.lower()]


def functions_of(attrs: Any, gates: int, direction: int) -> tuple[Function, ...]:
    """The activation functions of one direction; alphas and betas go to the functions that take them, in order."""
    names = attrs.activations or DEFAULTS[gates] * 2
    takes_alpha = {"affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"}
    takes_beta = {"affine", "scaledtanh", "hardsigmoid"}
    alphas, betas = list(attrs.activation_alpha), list(attrs.activation_beta)
    out = []
    for name in names:
        alpha = alphas.pop(0) if name.lower() in takes_alpha and alphas else None
        beta = betas.pop(0) if name.lower() in takes_beta and betas else None
        out.append(function(name, alpha, beta))
    n = len(DEFAULTS[gates])
    return tuple(out[direction * n : direction * n + n])
