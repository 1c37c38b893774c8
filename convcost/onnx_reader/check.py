"""What the file says beside the graph: declared shapes against the resolved ones, and a hint about the layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcost.errors import ModelError
from convcost.ir import Graph, Shape, Tensor
from convcost.onnx_reader.names import listed, quoted
from convcost.onnx_reader.notes import Notes
from convcost.ops.base import show

CHANNELS = (1, 3, 4)
"""Channels of images: a last dimension of this size on an input of rank 4 suggests NHWC."""


def compare_declared(declared: Mapping[str, Tensor], graph: Graph, notes: Notes) -> None:
    """Note where a declared type differs from the resolved one. The resolved one holds."""
    for name, said in declared.items():
        found = graph.tensors.get(name)
        if found is None:
            continue
        if said.shape is not None and found.shape is not None and _differ(said.shape, found.shape):
            notes.add(
                "C231",
                f"declared as {show(said.shape)}, but worked out as {show(found.shape)}: the declaration is overruled",
                location=name,
            )
        elif said.dtype is not None and found.dtype is not None and said.dtype is not found.dtype:
            notes.add(
                "C231",
                f"declared as {said.dtype.label}, but worked out as {found.dtype.label}: the declaration is overruled",
                location=name,
            )


def _differ(said: Shape, found: Shape) -> bool:
    if said == found:
        return False
    if len(said) != len(found):
        return True
    return any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(said, found, strict=True))


def note_unused(stored: Iterable[str], used: set[str], notes: Notes) -> None:
    """Note the initializers that nothing reads."""
    unused = [name for name in stored if name not in used]
    if unused:
        many = f"{len(unused)} initializers are" if len(unused) > 1 else "an initializer is"
        notes.add("C232", f"{many} not used: {listed(unused, 3)}")


def layout_hint(wrong: ModelError, inputs: Iterable[Tensor]) -> None:
    """Add to a shape error that an input seems to be given as NHWC, where one looks like that."""
    if wrong.code != "C220" or wrong.help is not None:
        return
    for t in inputs:
        s = t.shape
        if s is not None and len(s) == 4 and s[3] in CHANNELS and s[1] not in CHANNELS:
            nchw = "x".join(str(d) for d in (s[0], s[3], s[1], s[2]))
            wrong.help = (
                f"input {quoted(t.name)} is {show(s)}, which looks like NHWC; a model that wants NCHW takes "
                f"--input {t.name}={nchw}"
            )
            return
