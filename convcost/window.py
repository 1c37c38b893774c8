"""Sliding-window arithmetic along one axis: the only copy.

Letters: i input size, k kernel size, d dilation, s stride, p padding (pb before, pe after), o output size,
k' = d(k-1)+1 the effective kernel, op output padding of a transposed window.
Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285; for `ceil_mode`
the ONNX operators' specification.
"""

from __future__ import annotations

from convcost.ir.dim import Dim, ceildiv, floordiv, known, maximum


def effective_kernel(k: Dim, d: Dim) -> Dim:
    """K' = d(k-1)+1: the extent that k taps cover at dilation d."""
    return d * (k - 1) + 1


def output_size(i: Dim, k: Dim, s: Dim = 1, d: Dim = 1, pb: Dim = 0, pe: Dim = 0) -> Dim:
    """floor((i + pb + pe - k') / s) + 1; not positive where the window does not fit."""
    return floordiv(i + pb + pe - effective_kernel(k, d), s) + 1


def output_size_ceil(i: Dim, k: Dim, s: Dim = 1, d: Dim = 1, pb: Dim = 0, pe: Dim = 0) -> Dim:
    """Like `output_size` rounded up, but without a last window that would start beyond the input."""
    o = ceildiv(i + pb + pe - effective_kernel(k, d), s) + 1
    return o - 1 if (o - 1) * s >= i + pb else o


def same_size(i: Dim, s: Dim = 1) -> Dim:
    """ceil(i / s)."""
    return ceildiv(i, s)


def full_size(i: Dim, k: Dim, s: Dim = 1, d: Dim = 1) -> Dim:
    """floor((i + k' - 2) / s) + 1: every window that touches the input."""
    return floordiv(i + effective_kernel(k, d) - 2, s) + 1


def same_padding(i: Dim, k: Dim, s: Dim = 1, d: Dim = 1, *, lower: bool = False) -> tuple[Dim, Dim]:
    """(pb, pe) that give ceil(i / s) outputs; an odd total puts the extra zero after, or before for `lower`."""
    needed = maximum((same_size(i, s) - 1) * s + effective_kernel(k, d) - i, 0)
    small = floordiv(needed, 2)
    return (needed - small, small) if lower else (small, needed - small)


def transposed_size(i: Dim, k: Dim, s: Dim = 1, d: Dim = 1, pb: Dim = 0, pe: Dim = 0, op: Dim = 0) -> Dim:
    """s(i-1) + op + k' - pb - pe."""
    return s * (i - 1) + op + effective_kernel(k, d) - pb - pe


def taps_inside(i: Dim, k: Dim, s: int, d: int, pb: Dim, pe: Dim, o: Dim) -> Dim:
    """How many of the o·k (window, tap) pairs read a real input element, not padding.

    Pair (x, j) reads position x·s - pb + j·d; it counts when that lies in [0, i). In closed form, so that sizes of
    10^18 cost nothing. For a transposed window the same count with the roles of i and o exchanged gives the products
    that land inside the output.
    """
    if pb == 0 and pe == 0:
        return o * k
    i, k, pb, o = (known(size, "a size that padding touches") for size in (i, k, pb, o))
    return _below(i - 1 + pb, k, s, d, o) - _below(pb - 1, k, s, d, o)


def _below(c: int, k: int, s: int, d: int, o: int) -> int:
    """Σ_{j<k} clamp(floor((c - j·d) / s) + 1, 0, o): pairs (x, j) with x in [0, o) and x·s + j·d <= c."""
    full = min(max((c - o * s) // d + 1, 0), k)
    some = max(min(c // d + 1, k) - full, 0)
    return full * o + some + floor_sum(some, s, d, c - (full + some - 1) * d)


def floor_sum(n: int, m: int, a: int, b: int) -> int:
    """Σ_{x<n} floor((a·x + b) / m) for a, b >= 0, by the Euclidean algorithm."""
    out = 0
    while True:
        if a >= m:
            out += n * (n - 1) // 2 * (a // m)
            a %= m
        if b >= m:
            out += n * (b // m)
            b %= m
        top = a * n + b
        if top < m:
            return out
        n, b, m, a = top // m, top % m, a, m
