"""The kernel table: (operator, algorithm) -> function, in files of the same family names as `ops/`.

A kernel is `fn(attrs, inputs, n_outputs) -> outputs`: typed attributes as in `ops/`, arrays in, arrays out. Shapes are
read from the arrays. An operator that prepares something once (weights, the choice of an algorithm) has a binder
instead: `bind(node, constants, options) -> Bound`. Families load on first use.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from convcost.engine.kernels.index import FAMILIES
from convcost.engine.values import Value
from convcost.ir import Node

Kernel = Callable[[Any, list[Value], int], list[Value]]


class Options(msgspec.Struct, frozen=True):
    """What a kernel may choose.

    `exact` forbids algorithms that reorder the arithmetic much (Winograd, FFT); `tune` tries algorithms. `pool` is
    the memory that the convolutions of a session share, see `prepared.py`.
    """

    exact: bool = False
    threads: int = 1
    tune: bool = False
    pool: Any = None


class Bound:
    """A kernel ready to be called with the arrays of one node. `algorithm` names how it works."""

    __slots__ = ("algorithm",)

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm

    def __call__(self, inputs: list[Value]) -> list[Value]:
        raise NotImplementedError


class Simple(Bound):
    """A kernel with its attributes."""

    __slots__ = ("attrs", "fn", "n_outputs")

    def __init__(self, algorithm: str, fn: Kernel, attrs: Any, n_outputs: int) -> None:
        super().__init__(algorithm)
        self.fn = fn
        self.attrs = attrs
        self.n_outputs = n_outputs

    def __call__(self, inputs: list[Value]) -> list[Value]:
        return self.fn(self.attrs, inputs, self.n_outputs)


_local = threading.local()


def checkpoint() -> None:
    """Called by kernels between pieces of long work: ends a run whose time is over."""
    check: Callable[[], None] | None = getattr(_local, "check", None)
    if check is not None:
        check()


def set_checkpoint(check: Callable[[], None] | None) -> None:
    """What `checkpoint` does in this thread until it is set again."""
    _local.check = check


Binder = Callable[[Node, list[Value], Options], Bound | None]

_FAMILY = {
    (entry.rpartition(":")[0], entry.rpartition(":")[2]): family
    for family, names in FAMILIES.items()
    for entry in names
}


def all_keys() -> tuple[tuple[str, str], ...]:
    """(domain, operator) of everything with a kernel of ours."""
    return tuple(_FAMILY)


def algorithms(domain: str, op: str) -> dict[str, Kernel]:
    """The kernels of an operator by algorithm; the first is the usual one."""
    family = _FAMILY.get((domain, op))
    if family is None:
        return {}
    table: dict[tuple[str, str, str], Kernel] = importlib.import_module(f"convcost.engine.kernels.{family}").KERNELS
    return {algorithm: fn for (d, o, algorithm), fn in table.items() if (d, o) == (domain, op)}


def bind(node: Node, constants: list[Value], options: Options) -> Bound | None:
    """The kernel of ours for `node`, whose constant inputs are given; None where there is none."""
    family = _FAMILY.get((node.domain, node.op))
    if family is None or node.attrs is None:
        return None
    module = importlib.import_module(f"convcost.engine.kernels.{family}")
    binders: dict[tuple[str, str], Binder] = getattr(module, "BINDERS", {})
    binder = binders.get((node.domain, node.op))
    if binder is not None:
        return binder(node, constants, options)
    for algorithm, fn in algorithms(node.domain, node.op).items():
        return Simple(algorithm, fn, node.attrs, len(node.outputs))
    return None
