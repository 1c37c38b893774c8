"""What stride and padding yield a declared output, along one axis, in closed form.

Letters as in `convcost.window`: i input, k' effective kernel, s stride, p padding, o output, op output padding.
"""

from __future__ import annotations

from typing import Final

import msgspec

from convcost.ir.dim import ceildiv
from convcost.window import full_size, output_size, same_padding, same_size, transposed_size

VALID: Final = "valid"
SAME: Final = "same"
SAME_LOWER: Final = "same_lower"
FULL: Final = "full"
EXPLICIT: Final = "pad"


class Window(msgspec.Struct, frozen=True, gc=False):
    """One axis settled: stride, padding before and after, output padding, and the name of the mode."""

    stride: int
    before: int
    after: int
    mode: str
    output_padding: int = 0


Interval = tuple[int, int | None]
"""Strides from the first to the last; None for no last."""


def window(i: int, k: int, s: int, mode: str) -> Window:
    """The window of a mode at stride s; k is effective."""
    if mode == VALID:
        return Window(s, 0, 0, mode)
    if mode == FULL:
        return Window(s, k - 1, k - 1, mode)
    before, after = same_padding(i, k, s, lower=mode == SAME_LOWER)
    assert isinstance(before, int)
    assert isinstance(after, int)
    return Window(s, before, after, mode)


def size(i: int, k: int, s: int, mode: str) -> int:
    """The output of a mode; not positive where the kernel does not fit."""
    o = output_size(i, k, s) if mode == VALID else full_size(i, k, s) if mode == FULL else same_size(i, s)
    assert isinstance(o, int)
    return o


def strides(n: int, o: int) -> Interval | None:
    """All s >= 1 with floor(n / s) + 1 = o: they are an interval."""
    if n < 0:
        return None
    if o == 1:
        return n + 1, None
    first, last = n // o + 1, n // (o - 1)
    return (first, last) if first <= last else None


def smallest(n: int, o: int, least: int = 1) -> int | None:
    """The smallest s >= least with floor(n / s) + 1 = o."""
    found = strides(n, o)
    if found is None:
        return None
    first = max(found[0], least)
    return first if found[1] is None or first <= found[1] else None


def reach(i: int, k: int, mode: str) -> int:
    """The n for which the mode gives floor(n / s) + 1 outputs at stride s."""
    return i - k if mode == VALID else i + k - 2 if mode == FULL else i - 1


def symmetric(i: int, k: int, s: int, o: int, most: int) -> Window | None:
    """The smallest p from 1 to `most` that gives o at stride s."""
    p = max(ceildiv((o - 1) * s - i + k, 2), 1)
    assert isinstance(p, int)
    fits = p <= most and 0 <= i + 2 * p - k < o * s
    return Window(s, p, p, EXPLICIT) if fits else None


def free(i: int, k: int, o: int) -> Window | None:
    """Nothing given but the output: stride 1 valid, same, full, 1 <= p < k'-1; then strides 2, 3, … valid, same."""
    for mode in (VALID, SAME, FULL):
        if size(i, k, 1, mode) == o:
            return window(i, k, 1, mode)
    padded = symmetric(i, k, 1, o, k - 2)
    if padded is not None:
        return padded
    valid, same = smallest(i - k, o, 2), smallest(i - 1, o, 2)
    if valid is not None and (same is None or valid <= same):
        return window(i, k, valid, VALID)
    return None if same is None else window(i, k, same, SAME)


def with_stride(i: int, k: int, s: int, o: int) -> Window | None:
    """The stride is given: valid, same, full, then the smallest symmetric padding below k'."""
    for mode in (VALID, SAME, FULL):
        if size(i, k, s, mode) == o:
            return window(i, k, s, mode)
    return symmetric(i, k, s, o, k - 1)


def with_mode(i: int, k: int, mode: str, o: int) -> Window | None:
    """The padding is given by name: the smallest stride that yields o."""
    s = smallest(reach(i, k, mode), o)
    return None if s is None else window(i, k, s, mode)


def with_padding(i: int, k: int, before: int, after: int, o: int) -> Window | None:
    """The padding is given in numbers: the smallest stride that yields o."""
    s = smallest(i + before + after - k, o)
    return None if s is None else Window(s, before, after, EXPLICIT)


def strided_padding(i: int, k: int, o: int) -> Window | None:
    """The smallest stride >= 2 at which a symmetric padding below k' yields o: a suggestion, never inferred."""
    s = max((i - k + 2) // o + 1, 2)
    return symmetric(i, k, s, o, k - 1)


def others(i: int, k: int, chosen: Window, o: int) -> tuple[tuple[str, Interval], ...]:
    """Strides from 2, valid or same, that yield o too where a stride of at least 2 was chosen freely."""
    out = []
    for mode in (VALID, SAME):
        found = strides(reach(i, k, mode), o)
        if found is None:
            continue
        first, last = max(found[0], 2), found[1]
        if first == chosen.stride:
            first += 1
        if last is None or first <= last:
            out.append((mode, (first, last)))
    return tuple(out)


def transposed(i: int, k: int, o: int, *, s: int | None, pads: tuple[int, int] | None, op: int | None) -> Window | None:
    """A transposed window that yields o: the smallest stride, then the smallest p, that agrees with what is given."""
    if pads is not None:
        return _transposed_padded(i, k, o, s, pads, op)
    most = (k - 1) // 2
    rest = o - k - (op or 0)
    if op is not None:
        candidates = (s,) if s is not None else _candidates(i, rest, op + 1)
    else:
        candidates = (s,) if s is not None else (max(rest // i + 1, 1), max(rest // i + 1, 1) + 1)
    for stride in candidates:
        over = stride * (i - 1) - rest
        if op is not None:
            if over >= 0 and over % 2 == 0 and over // 2 <= most:
                return Window(stride, over // 2, over // 2, EXPLICIT if over else VALID, op)
            continue
        p = max((over + 1) // 2, 0)
        extra = 2 * p - over
        if p <= most and extra < stride:
            return Window(stride, p, p, EXPLICIT if p else VALID, extra)
    return None


def _candidates(i: int, rest: int, least: int) -> tuple[int, ...]:
    """The smallest strides with s(i-1) >= rest; two, as the parity may need the second."""
    first = max(least, -(-rest // (i - 1))) if i > 1 else least
    return first, first + 1


def _transposed_padded(i: int, k: int, o: int, s: int | None, pads: tuple[int, int], op: int | None) -> Window | None:
    """Padding given: o - k' + pb + pe = s(i-1) + op with op < s, or the given op."""
    rest = o - k + pads[0] + pads[1]
    mode = EXPLICIT if any(pads) else VALID
    if op is not None:
        if s is None:
            s = max(-(-(rest - op) // (i - 1)), op + 1) if i > 1 else op + 1
        fits = s * (i - 1) + op == rest
        return Window(s, *pads, mode, op) if fits else None
    if s is None:
        s = max(rest // i + 1, 1)
    extra = rest - s * (i - 1)
    return Window(s, *pads, mode, extra) if 0 <= extra < s else None


def transposed_same(k: int, s: int, *, lower: bool) -> Window:
    """The transposed window with exactly s·i outputs; a kernel smaller than the stride needs output padding."""
    excess = max(k - s, 0)
    half = excess // 2
    before, after = (excess - half, half) if lower else (half, excess - half)
    return Window(s, before, after, SAME_LOWER if lower else SAME, max(s - k, 0))


def transposed_output(i: int, k: int, w: Window) -> int:
    """s(i-1) + op + k' - pb - pe."""
    o = transposed_size(i, k, w.stride, 1, w.before, w.after, w.output_padding)
    assert isinstance(o, int)
    return o
