"""Bytes, FLOP per byte, receptive field: what every layer has beside its products."""

from __future__ import annotations

from convcost import units
from convcost.explaining.facts import whole
from convcost.explaining.saying import plural, repeated, say, shown, sizes
from convcost.explaining.terms import number, over, plus, times, value_of
from convcost.ir import DType
from convcost.record import Layer, Sentence, Term


def moved(layer: Layer) -> list[Sentence]:
    """Bytes read and written, and the FLOPs for each."""
    cost = layer.cost
    read, write, flops = cost.read_bytes, cost.write_bytes, cost.flops
    if read is None or write is None:
        return []
    out = [stored("It reads", layer, layer.inputs, read), stored("It writes", layer, layer.outputs, write)]
    if flops and read + write:
        text = "One MAC is 2 FLOPs; for each byte it moves" if cost.macs and flops == 2 * cost.macs else (
            "For each byte it moves")  # fmt: skip
        out.append(shown(text, over(number(flops, "FLOPs"), plus(number(read, "read"), number(write, "written"))),
                         unit="FLOP/B"))  # fmt: skip
    return out


def stored(what: str, layer: Layer, shapes: list[list[int | str] | None], figure: int) -> Sentence:
    """The tensors in bytes where they are all of the layer's type, else the figure alone."""
    dtype = DType.from_label(layer.dtype) if layer.dtype else None
    known = [whole(s) for s in shapes if s is not None]
    if dtype is not None and dtype.bits and dtype.bits % 8 == 0 and all(known):
        size = dtype.bits // 8
        term: Term = repeated(layer, number(size, "bytes"), plus(*(times(*shape) for shape in known)))
        if known and value_of(term) == figure:
            tensors = " and ".join(sizes(shape) for shape in known)
            word = "a tensor" if len(known) == 1 else "tensors"
            return shown(f"{what} {word} of {tensors}, {plural(size, 'bytes')} an element", term, unit="bytes")
    return say(f"{what} {plural(figure, 'bytes')} ({units.size(figure)}).")


def field(layer: Layer) -> list[Sentence]:
    """How much of each input one output sees."""
    out = []
    for seen in layer.receptive_field or []:
        size = sizes([axis.size for axis in seen.axes])
        if all(axis.size == 1 for axis in seen.axes):
            continue
        steps = sizes([axis.stride for axis in seen.axes])
        out.append(say(f"One output sees {size} elements of the input; the next one {steps} further on."))
    return out[:1]
