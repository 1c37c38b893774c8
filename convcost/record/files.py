"""Model files that a command wrote."""

from __future__ import annotations

from typing import Literal

from convcost.record.cost import Record


class Written(Record, frozen=True):
    """One ONNX file: its name without folders, its size, and where its weights come from.

    `weights`: `random`, drawn from a normal distribution with `seed` and stored; `constant`, made by nodes of the file;
    `replaced`, those of the source but for replaced layers, of which those without a fit are drawn with `seed`.
    """

    file: str
    source: str
    bytes: int
    opset: dict[str, int]
    weights: Literal["random", "constant", "replaced"]
    seed: int | None = None
