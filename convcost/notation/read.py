"""The doors of the notation: text to a resolved graph, text to its canonical printing."""

from __future__ import annotations

import os

from convcost.errors import ModelError, NotationError, UsageError
from convcost.ir import DType, Graph
from convcost.notation.faults import Fault, edited
from convcost.notation.grammar.parse import syntax
from convcost.notation.lowering.chains import Lowered, lower
from convcost.ops.resolve import resolve

MAX_HELP = 400
"""A corrected string longer than this is not printed."""


def parse(text: str, *, batch: int = 1, dtype: DType = DType.FLOAT32) -> Graph:
    """The resolved graph of a shape string, with `batch` items of type `dtype`, in ONNX's order and operators.

    Every node carries its own canonical shape string (`notation`) and what was inferred (`reading`).
    Raises NotationError, whose span is a half-open range of code points of `text`.
    """
    if batch < 1:
        raise UsageError(f"the batch must be at least 1, not {batch}")
    graph = _lowered(text, batch, dtype).graph
    try:
        return resolve(graph)
    except ModelError as wrong:
        raise NotationError(wrong.message, text=text, span=(0, len(text)), code="C143") from None


def canonical(text: str) -> str:
    """The shape string with every choice spelled out: reading it gives the same layers. Raises NotationError."""
    return _lowered(text, 1, DType.FLOAT32).canonical


def is_notation(source: str) -> bool:
    """Whether a command-line source is a shape string: not a file's name by its ending, and no file of that name."""
    if source.lower().endswith((".onnx", ".json")):
        return False
    return not os.path.lexists(source)


def _lowered(text: str, batch: int, dtype: DType) -> Lowered:
    try:
        return lower(syntax(text), batch, dtype)
    except Fault as fault:
        raise _error(text, fault) from None


def _error(text: str, fault: Fault) -> NotationError:
    """The public error, with the first correction that parses."""
    help_ = fault.advice
    for fix in fault.fixes:
        if len(text) > MAX_HELP:
            break
        corrected = edited(text, fix)
        if len(corrected) <= MAX_HELP and _parses(corrected):
            help_ = f"{fault.hint} write  {corrected}" if fault.hint else f"write  {corrected}"
            break
    return NotationError(fault.message, text=text, span=fault.span, code=fault.code, help=help_, others=fault.others)


def _parses(text: str) -> bool:
    try:
        lower(syntax(text), 1, DType.FLOAT32)
    except Fault:
        return False
    return True
