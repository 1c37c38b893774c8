"""The transforms of Winograd's minimal filtering: points, filters, Bᵀd and Aᵀp, as steps on whole arrays.

Source: A. L. Toom, S. A. Cook; in this form S. Winograd, "Arithmetic complexity of computations", 1980.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution.workspace import Array, Program

POINTS = {4: (0.0, 1.0, -1.0), 6: (0.0, 1.0, -1.0, sqrt(2), -sqrt(2))}
"""The finite interpolation points of each α; one more lies at infinity."""
ROOT = sqrt(2)


def filter_matrix(alpha: int, r: int) -> npt.NDArray[np.float64]:
    """G: (α, r), the values of a filter of r taps at the points, divided by the Lagrange factors."""
    if alpha == 1:
        return np.ones((1, 1))
    points = POINTS[alpha]
    rows = [[p**t / prod(p - q for q in points if q != p) for t in range(r)] for p in points]
    return np.array([*rows, [0.0] * (r - 1) + [1.0]])


def interpolate(d: Sequence[Array], out: Sequence[Array], t: Array) -> Program:
    """out[i] = the value of the polynomial of coefficients d at point i (Bᵀd); t is scratch of the shape of out[0]."""
    add, sub, mul = np.add, np.subtract, np.multiply
    if len(d) == 1:
        return [(np.copyto, (out[0], d[0]))]
    if len(d) == 4:
        return [
            (sub, (d[2], d[0], out[0])),
            (add, (d[2], d[1], out[1])),
            (sub, (d[2], d[1], out[2])),
            (sub, (d[3], d[1], out[3])),
        ]
    even, odd = out[3], out[4]
    return [
        (sub, (d[4], d[2], even)),
        (sub, (d[3], d[1], odd)),
        (sub, (d[0], d[2], out[0])),
        (add, (out[0], out[0], out[0])),
        (add, (out[0], even, out[0])),
        (sub, (d[5], d[3], out[5])),
        (sub, (out[5], odd, out[5])),
        (sub, (out[5], odd, out[5])),
        (sub, (even, d[2], out[1])),
        (sub, (odd, d[1], t)),
        (sub, (out[1], t, out[2])),
        (add, (out[1], t, out[1])),
        (mul, (odd, ROOT, t)),
        (sub, (even, t, out[4])),
        (add, (even, t, out[3])),
    ]


def evaluate(p: Sequence[Array], out: Sequence[Array], t: Array) -> Program:
    """Out = Aᵀp: the len(out) outputs of a tile from its α products; t is scratch of the shape of out[0]."""
    add, sub, mul = np.add, np.subtract, np.multiply
    m, last = len(out), out[-1]
    if len(p) == 1:
        return [(np.copyto, (out[0], p[0]))]
    if len(p) == 4:
        return [
            (add, (p[0], p[1], out[0])),
            (add, (out[0], p[2], out[0])),
            (sub, (p[1], p[2], out[1])),
            *([(add, (p[1], p[2], out[2]))] if m == 3 else []),
            (add, (last, p[3], last)),
        ]
    program: Program = [(add, (p[1], p[2], out[0])), (add, (p[3], p[4], t))]
    if m >= 3:
        program += [(add, (out[0], t, out[0])), (add, (out[0], t, out[2])), (add, (out[0], p[0], out[0]))]
        program += [(add, (t, t, t)), (add, (out[2], t, out[4]))] if m == 5 else []
    else:
        program += [(add, (out[0], t, out[0])), (add, (out[0], p[0], out[0]))]
    program += [
        (sub, (p[3], p[4], t)),
        (mul, (t, ROOT, t)),
        (sub, (p[1], p[2], out[1])),
        (add, (out[1], t, out[1])),
        *([(add, (out[1], t, out[3]))] if m >= 4 else []),
        (add, (last, p[5], last)),
    ]
    return program
