"""Weights for the forms of a convolution, from the convolution's own: one idea family a file, all with NumPy.

Kernels are arrays with output channels first: `Dense` is M × C × K, also for a grouped convolution (zeros between its
groups), in double precision. A family's function takes the dense kernel and the convolutions of the form, in their
order, and returns one kernel for each, stored as ONNX stores them: M × C/g × K.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Fitted(msgspec.Struct, frozen=True):
    """Arrays by the names of a form's stored tensors, and where they come from.

    `error` is ‖form - layer‖ / ‖layer‖ of the kernels as they are stored, away from borders; None unless fitted.
    `borders_differ` says that at borders it is another one. `why` says why weights are generated, or what a fit proves.
    """

    arrays: dict[str, Any]
    method: Literal["fitted", "copied", "generated"]
    error: float | None = None
    why: str = ""
    borders_differ: bool = False
