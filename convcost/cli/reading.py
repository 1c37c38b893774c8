"""Options that say how sources are read, as the functions of `convcost.api` take them."""

from __future__ import annotations

from typing import TypedDict

from convcost.cli.options import Arguments
from convcost.cli.values import number, pairs, sizes


class Reading(TypedDict):
    """Keyword arguments of the API."""

    dims: dict[str, int]
    inputs: dict[str, str]
    trip_counts: dict[str, int]
    batch: int
    dtype: str
    strict: bool
    hash: bool
    convention: str | None
    explain_difference: int | None
    algorithms: bool


def reading(arguments: Arguments) -> Reading:
    """What the command line says about reading."""
    return Reading(
        dims=sizes(arguments.dim, "--dim", "NAME=SIZE, as in --dim N=8"),
        inputs=pairs(arguments.input, "--input", "NAME=SHAPE, as in --input x=1x3x224x224"),
        trip_counts=sizes(arguments.trip_count, "--trip-count", "NAME=N"),
        batch=arguments.batch,
        dtype=arguments.dtype,
        strict=arguments.strict,
        hash=arguments.hash,
        convention=arguments.convention,
        explain_difference=number(arguments.explain_difference, "--explain-difference"),
        algorithms=arguments.algorithms,
    )
