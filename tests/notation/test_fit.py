"""The closed forms against a search that follows the rules' order literally and lays out every window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from convcost.notation.lowering import fit

Found = tuple[int, int, int] | None


def laid_out(i: int, k: int, s: int, before: int, after: int) -> int:
    """Number of windows, by placing them."""
    return len(range(0, before + i + after - k + 1, s))


def padded_same(i: int, k: int, s: int) -> tuple[int, int]:
    """The least padding with which there is a window for every s-th input, the odd zero after."""
    wanted = len(range(0, i, s))
    total = next(t for t in range(k * s + i) if laid_out(i, k, s, 0, t) >= wanted)
    return total // 2, total - total // 2


def modes(i: int, k: int, s: int) -> dict[str, tuple[int, int, int]]:
    """Output and padding of each mode."""
    same, full = padded_same(i, k, s), (k - 1, k - 1)
    return {
        "valid": (laid_out(i, k, s, 0, 0), 0, 0),
        "same": (len(range(0, i, s)), *same),
        "full": (laid_out(i, k, s, *full), *full),
    }


def search_free(i: int, k: int, o: int) -> Found:
    for out, before, after in modes(i, k, 1).values():
        if out == o:
            return 1, before, after
    for p in range(1, k - 1):
        if laid_out(i, k, 1, p, p) == o:
            return 1, p, p
    for s in range(2, i + k + 2):
        for name in ("valid", "same"):
            out, before, after = modes(i, k, s)[name]
            if out == o:
                return s, before, after
    return None


def search_with_stride(i: int, k: int, s: int, o: int) -> Found:
    for out, before, after in modes(i, k, s).values():
        if out == o:
            return s, before, after
    for p in range(1, k):
        if laid_out(i, k, s, p, p) == o:
            return s, p, p
    return None


def search_with_padding(i: int, k: int, before: int, after: int, o: int) -> Found:
    for s in range(1, i + before + after + 2):
        if laid_out(i, k, s, before, after) == o:
            return s, before, after
    return None


def flat(w: fit.Window | None) -> Found:
    return None if w is None else (w.stride, w.before, w.after)


sizes = st.integers(1, 24)
kernels = st.integers(1, 13)


@given(sizes, kernels, st.integers(1, 40))
def test_nothing_given(i: int, k: int, o: int) -> None:
    assert flat(fit.free(i, k, o)) == search_free(i, k, o)


@given(sizes, kernels, st.integers(1, 9), st.integers(1, 40))
def test_stride_given(i: int, k: int, s: int, o: int) -> None:
    assert flat(fit.with_stride(i, k, s, o)) == search_with_stride(i, k, s, o)


@given(sizes, kernels, st.integers(0, 6), st.integers(0, 6), st.integers(1, 40))
def test_padding_given(i: int, k: int, before: int, after: int, o: int) -> None:
    assert flat(fit.with_padding(i, k, before, after, o)) == search_with_padding(i, k, before, after, o)


@given(sizes, kernels, st.sampled_from(["valid", "same", "full"]), st.integers(1, 40))
def test_mode_given(i: int, k: int, mode: str, o: int) -> None:
    found = [
        (s, before, after) for s in range(1, i + k + 2) for out, before, after in [modes(i, k, s)[mode]] if out == o
    ]
    assert flat(fit.with_mode(i, k, mode, o)) == (found[0] if found else None)


@given(
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(1, 60),
    st.none() | st.integers(1, 6),
    st.none() | st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.none() | st.integers(0, 5),
)
def test_transposed(i: int, k: int, o: int, s: int | None, pads: tuple[int, int] | None, op: int | None) -> None:
    if s is not None and op is not None and op >= s:
        return

    def search() -> tuple[int, int, int, int] | None:
        for stride in (s,) if s else range(1, o + 12):
            for before, after in [pads] if pads else [(p, p) for p in range((k - 1) // 2 + 1)]:
                for extra in range(stride) if op is None else (op,):
                    reached = max(x * stride + tap for x in range(i) for tap in range(k)) + 1
                    if extra < stride and reached - before - after + extra == o:
                        return stride, before, after, extra
        return None

    w = fit.transposed(i, k, o, s=s, pads=pads, op=op)
    assert (w and (w.stride, w.before, w.after, w.output_padding)) == search()


@given(sizes, kernels, st.integers(1, 40))
def test_other_strides_are_all_named(i: int, k: int, o: int) -> None:
    chosen = fit.free(i, k, o)
    if chosen is None or chosen.stride == 1:
        return
    limit = i + k + 2
    named = {
        (s, mode)
        for mode, (first, last) in fit.others(i, k, chosen, o)
        for s in range(first, min(last or limit, limit) + 1)
    }
    expected = {
        (s, mode)
        for s in range(2, limit + 1)
        for mode in ("valid", "same")
        if modes(i, k, s)[mode][0] == o and s != chosen.stride
    }
    assert named == expected


@given(sizes, kernels, st.integers(1, 40))
def test_a_suggested_padding_fits(i: int, k: int, o: int) -> None:
    found = [s for s in range(2, i + k + 40) for p in range(1, k) if laid_out(i, k, s, p, p) == o]
    w = fit.strided_padding(i, k, o)
    assert (w and w.stride) == (found[0] if found else None)
    assert w is None or laid_out(i, k, w.stride, w.before, w.after) == o


def test_huge_numbers_cost_nothing() -> None:
    n = 2**63 - 1
    assert fit.free(n, 3, n // 2 + 1) == fit.window(n, 3, 2, "same")
    assert fit.free(n, 3, n - 1) is None
    assert fit.transposed(n // 4, 3, n - 3, s=None, pads=None, op=None) is not None
