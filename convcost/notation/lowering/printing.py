"""Canonical printing: every choice spelled out, so that reading it again infers the same."""

from __future__ import annotations

from convcost.ir.dim import Dim
from convcost.notation.lowering.fit import Window
from convcost.window import effective_kernel, same_padding


def dims_text(dims: tuple[int, ...]) -> str:
    """8x8x256."""
    return "x".join([str(d) for d in dims])


def values_text(values: tuple[int, ...]) -> str:
    """One number where all are equal, else one for each axis: 2, 2x1."""
    return str(values[0]) if len(set(values)) == 1 else dims_text(values)


def option_text(short: str, values: tuple[int, ...]) -> str:
    """s2, s=2x1."""
    text = values_text(values)
    return f"{short}{text}" if text.isdigit() else f"{short}={text}"


def padding_text(
    spatial: tuple[int, ...], kernel: tuple[int, ...], dilations: tuple[int, ...], windows: tuple[Window, ...]
) -> str:
    """`same`, `full`, numbers, or nothing where there is no padding: told from the numbers alone."""
    pads = [(w.before, w.after) for w in windows]
    if not any(before or after for before, after in pads):
        return ""
    axes = list(zip(spatial, kernel, [w.stride for w in windows], dilations, strict=True))
    if pads == [same_padding(i, k, s, d) for i, k, s, d in axes]:
        return "same"
    if pads == [same_padding(i, k, s, d, lower=True) for i, k, s, d in axes]:
        return "same_lower"
    if pads == [_both(effective_kernel(k, d) - 1) for _, k, _, d in axes]:
        return "full"
    return pads_text(windows)


def pads_text(windows: tuple[Window, ...]) -> str:
    """p1, p=1x0, or begins and then ends: p=0/1/2/1; nothing for no padding."""
    before = tuple([w.before for w in windows])
    after = tuple([w.after for w in windows])
    if not any(before + after):
        return ""
    return option_text("p", before) if before == after else "p=" + "/".join([str(p) for p in before + after])


def _both(p: Dim) -> tuple[Dim, Dim]:
    return p, p


def window_text(
    spatial: tuple[int, ...],
    kernel: tuple[int, ...],
    dilations: tuple[int, ...],
    windows: tuple[Window, ...],
    *,
    transposed: bool = False,
    default: tuple[int, ...] | None = None,
) -> list[str]:
    """Stride, dilation, padding and output padding as options; `default` is the stride that need not be said."""
    strides = tuple([w.stride for w in windows])
    extra = tuple([w.output_padding for w in windows])
    out = []
    if any(extra) or strides != (default or (1,) * len(strides)):
        out.append(option_text("s", strides))
    if any(d != 1 for d in dilations):
        out.append(option_text("d", dilations))
    padding = pads_text(windows) if transposed else padding_text(spatial, kernel, dilations, windows)
    if padding:
        out.append(padding)
    if any(extra):
        out.append(f"op={values_text(extra)}")
    return out
