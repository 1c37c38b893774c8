"""What an alternative is: an idea, and the forms that it gives a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from convcost.alternatives.layer import ConvLayer
from convcost.record import AlgorithmCost

Kept = Literal["output shape", "receptive field", "parameters", "function"]
"""What an idea may promise to keep; `function` means that the result is the same but for rounding."""


class Form(msgspec.Struct, frozen=True):
    """A layer in another form: a shape string, or the same layer under another algorithm.

    An `extra` form is one that only a full list shows.
    """

    name: str
    notation: str | None
    extra: bool = False
    algorithm: AlgorithmCost | None = None


class Idea(msgspec.Struct, frozen=True, kw_only=True):
    """One way to do a layer otherwise. `propose` gives its forms, or raises `Skip` with the reason.

    `becomes` draws the form with letters: I input sizes, O output sizes, k kernel, C and M channels; `cost` is its
    multiplications beside the standard layer's, O²·k²·C·M at stride 1 in two dimensions.
    """

    name: str
    summary: str
    when: str
    becomes: str
    cost: str
    keeps: tuple[Kept, ...] = ("output shape", "receptive field")
    loses: str
    source: str
    example: str
    propose: Callable[[ConvLayer], tuple[Form, ...]]
    transposed: bool = False
