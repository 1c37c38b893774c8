"""Drawings of windows: kernel, stride, padding, dilation and taps as cells of a grid, cropped to a page."""

from __future__ import annotations

from convcost.alternatives import ConvLayer
from convcost.explaining.convolution import extent
from convcost.explaining.facts import groups_of_axes
from convcost.explaining.saying import axis_names
from convcost.explaining.transposed import overlaps
from convcost.record import Drawing, DrawnRow

WIDE, HIGH = 18, 12
"""Cells of the picture of an image."""
SPARE = 4
"""Rows over HIGH for which cropping is not worth it."""
LONG, STEPS = 30, 5
"""Cells and windows of a ladder."""


class Axis:
    """One axis in numbers, with what lies at each of its positions."""

    def __init__(self, conv: ConvLayer, a: int) -> None:
        self.i, self.o = conv.spatial[a], conv.out[a]
        self.k, self.s, self.d = conv.kernel[a], conv.strides[a], conv.dilations[a]
        self.before, self.after = conv.before[a], conv.after[a]
        self.reach = extent(conv, a)
        self.length = self.i + self.before + self.after

    def real(self, at: int) -> bool:
        """Whether a position of the padded axis is input."""
        return self.before <= at < self.before + self.i

    def tap(self, at: int, window: int = 0) -> str:
        """`tap`, `hole` or nothing, for a window."""
        where = at - window * self.s
        if not 0 <= where < self.reach:
            return ""
        return "tap" if where % self.d == 0 else "hole"


def drawings(conv: ConvLayer) -> list[Drawing]:
    """The first window over the image, then how windows move along each axis that differs."""
    if conv.transposed:
        return transposed(conv)
    out = [plane(conv)] if len(conv.kernel) == 2 else []
    rank = len(conv.kernel)
    for axes in groups_of_axes(conv):
        a = axes[0]
        if conv.kernel[a] > 1 or conv.strides[a] > 1 or conv.before[a] or conv.after[a]:
            out.append(ladder(Axis(conv, a), axis_names(rank)[axes[-1]] if len(axes) < rank else ""))
    return out


def rows_of(length: int) -> int:
    """How many rows are drawn: all, where leaving some out would save next to nothing."""
    return length if length <= HIGH + SPARE else HIGH


def plane(conv: ConvLayer) -> Drawing:
    """The first window over the padded image, and beside it the output."""
    down, right = Axis(conv, 0), Axis(conv, 1)
    high, wide = rows_of(down.length), min(right.length, WIDE)
    o_high, o_wide = rows_of(down.o), min(right.o, WIDE - 1)
    rows = []
    for y in range(max(high, o_high)):
        cells = [cell(down, right, y, x) for x in range(wide)] if y < high else ["blank"] * wide
        cells.append("more" if y < high and right.length > wide else "blank")
        if y < o_high:
            cells += ["blank", *("now" if (y, x) == (0, 0) else "output" for x in range(o_wide))]
            cells += ["more"] if right.o > o_wide else []
        rows.append(DrawnRow(label="", cells=cells))
    rows += dots(down.length > high, wide, down.o > o_high, o_wide)
    around = "padded input" if any((*conv.before, *conv.after)) else "input"
    return Drawing(caption=f"The first window over the {around}, and the output beside it", rows=rows)


def dots(left: bool, wide: int, right: bool, o_wide: int) -> list[DrawnRow]:  # noqa: FBT001 - two sides
    """A row that says that there is more below."""
    if not left and not right:
        return []
    cells = ["more" if left else "blank"] * wide + ["blank", "blank"] + ["more" if right else "blank"] * o_wide
    return [DrawnRow(label="", cells=cells)]


def cell(down: Axis, right: Axis, y: int, x: int) -> str:
    """What lies at one place of the padded image under the first window."""
    real = down.real(y) and right.real(x)
    taps = (down.tap(y), right.tap(x))
    if taps == ("tap", "tap"):
        return "tap" if real else "tap_padding"
    if all(taps) and real:
        return "hole"
    return "input" if real else "padding"


def ladder(axis: Axis, name: str) -> Drawing:
    """The padded input along one axis, and below it where each window lies."""
    length = min(axis.length, LONG)
    tail = ["more"] if axis.length > length else []
    rows = [DrawnRow(label="input", cells=["input" if axis.real(x) else "padding" for x in range(length)] + tail)]
    for n in range(min(axis.o, STEPS)):
        if n * axis.s >= length:
            break
        cells = [window_cell(axis, x, n) for x in range(length)]
        while cells and cells[-1] == "blank":
            cells.pop()
        beyond = n * axis.s + axis.reach > length
        rows.append(DrawnRow(label=f"output {n}", cells=cells + (["more"] if beyond and tail else [])))
    if axis.o > len(rows) - 1:
        rows.append(DrawnRow(label=f"to output {axis.o - 1}", cells=["more"]))
    moves = f"{axis.s} {'element' if axis.s == 1 else 'elements'} after the one before"
    return Drawing(caption=f"Where the windows lie{' along the ' + name if name else ''}, each {moves}", rows=rows)


def window_cell(axis: Axis, x: int, window: int) -> str:
    """One place of a ladder."""
    tap = axis.tap(x, window)
    if not tap:
        return "blank"
    if tap == "hole":
        return "hole"
    return "tap" if axis.real(x) else "tap_padding"


def transposed(conv: ConvLayer) -> list[Drawing]:
    """The input with zeros between, what each input writes, and how often each output is written."""
    out = [spread(conv)] if len(conv.kernel) == 2 else []
    rank = len(conv.kernel)
    out += [
        writes(conv, axes[0], axis_names(rank)[axes[-1]] if len(axes) < rank else "") for axes in groups_of_axes(conv)
    ]
    if len(conv.kernel) == 2 and any(s > 1 for s in conv.strides):
        out.append(counts(conv))
    return out


def spread(conv: ConvLayer) -> Drawing:
    """The same result as a convolution over the input with zeros between and around its elements."""
    sides = [extent(conv, a) - 1 - conv.before[a] for a in (0, 1)]
    rows = []
    total = [conv.out[a] + extent(conv, a) - 1 for a in (0, 1)]
    high, wide = rows_of(total[0]), min(total[1], WIDE)
    for y in range(high):
        cells = [spread_cell(conv, sides, y, x) for x in range(wide)]
        rows.append(DrawnRow(label="", cells=cells + (["more"] if total[1] > wide else [])))
    if total[0] > high:
        rows.append(DrawnRow(label="", cells=["more"] * wide))
    return Drawing(
        caption="The same as a convolution at stride 1 over the input with zeros put in; its first window", rows=rows
    )


def spread_cell(conv: ConvLayer, sides: list[int], y: int, x: int) -> str:
    """One place of the input with zeros in it."""
    at = (y - sides[0], x - sides[1])
    whole = all(0 <= p <= (i - 1) * s for p, i, s in zip(at, conv.spatial, conv.strides, strict=True))
    real = whole and all(p % s == 0 for p, s in zip(at, conv.strides, strict=True))
    inside = all(p < extent(conv, a) for a, p in enumerate((y, x)))
    if inside and all(p % d == 0 for p, d in zip((y, x), conv.dilations, strict=True)):
        return "tap" if real else "tap_zero" if whole else "tap_padding"
    return "input" if real else "zero" if whole else "padding"


def writes(conv: ConvLayer, a: int, name: str) -> Drawing:
    """What each of the first inputs writes along an axis, and how many write to each output."""
    s, d, k, before, o = conv.strides[a], conv.dilations[a], conv.kernel[a], conv.before[a], conv.out[a]
    length = min(before + o + conv.after[a], LONG)
    rows = []
    for n in range(min(conv.spatial[a], STEPS)):
        if n * s >= length:
            break
        taps = {n * s + j * d for j in range(min(k, LONG))}
        cells = []
        for x in range(min(max(taps) + 1, length)):
            kept = before <= x < before + o
            cells.append(("write" if kept else "cut") if x in taps else "blank")
        rows.append(DrawnRow(label=f"input {n}", cells=cells))
    if conv.spatial[a] > len(rows):
        rows.append(DrawnRow(label=f"to input {conv.spatial[a] - 1}", cells=["more"]))
    seen = [str(n) for n in overlaps(conv, a, length - before)] if length > before else []
    tail = ["more"] if o > len(seen) else []
    rows.append(DrawnRow(label="overlap", cells=["blank"] * before + seen + tail))
    where = f" along the {name}" if name else ""
    return Drawing(caption=f"What each input writes to the output{where}, and how many overlap", rows=rows)


def counts(conv: ConvLayer) -> Drawing:
    """How many inputs write to each output: the product of the overlaps along both axes."""
    down, right = overlaps(conv, 0, rows_of(conv.out[0])), overlaps(conv, 1, WIDE)
    rows = [
        DrawnRow(label="", cells=[*(str(y * x) for x in right), *(["more"] if conv.out[1] > WIDE else [])])
        for y in down
    ]
    if conv.out[0] > len(down):
        rows.append(DrawnRow(label="", cells=["more"] * len(right)))
    return Drawing(caption="How many inputs write to each output", rows=rows)
