"""The `--dim` and `--input` options: text → values, and their binding to a model's inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from convcost.errors import UsageError
from convcost.ir import Dim, Expr, Graph, Tensor, product
from convcost.onnx_reader.names import listed, quoted

MAX_DIM = 2**63 - 1
"""ONNX stores dimensions as signed 64-bit integers."""


class InputSpec(msgspec.Struct, frozen=True):
    """What the user says about an input: its shape, and its content where that is given."""

    shape: tuple[int, ...]
    value: tuple[int, ...] | None = None


def parse_dim_option(given: str) -> tuple[str, int]:
    """`batch=1` → ("batch", 1). Raises `UsageError`."""
    name, equals, number = given.rpartition("=")
    if not equals or not name or not _is_number(number):
        raise UsageError(f"--dim takes NAME=NUMBER, not {quoted(given)}", code="C010", help="for example --dim batch=1")
    return name, _number(number, given)


def parse_input_option(given: str) -> tuple[str, InputSpec]:
    """`x=1x3x224x224`, `sr=scalar:16000`, `sizes=list:1,3,4` or `t=scalar` → (name, spec). Raises `UsageError`."""
    name, equals, what = given.rpartition("=")
    kind, colon, numbers = what.partition(":")
    if equals and name:
        if kind == "scalar" and not colon:
            return name, InputSpec(())
        if kind == "scalar" and re.fullmatch(r"-?[0-9]+", numbers):
            return name, InputSpec((), (_number(numbers, given),))
        if kind == "list" and re.fullmatch(r"-?[0-9]+(,-?[0-9]+)*", numbers):
            values = tuple(_number(n, given) for n in numbers.split(","))
            return name, InputSpec((len(values),), values)
        if not colon and all(_is_number(part) for part in what.split("x")):
            return name, InputSpec(tuple(_number(part, given) for part in what.split("x")))
    raise UsageError(
        f"--input takes NAME=SHAPE, not {quoted(given)}",
        code="C010",
        help="for example --input x=1x3x224x224, or --input sr=scalar:16000 for a value",
    )


def _is_number(digits: str) -> bool:
    return re.fullmatch(r"[0-9]+", digits) is not None


def _number(digits: str, given: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MAX_DIM:
        raise UsageError(f"{quoted(digits)} in {quoted(given)} is larger than 2^63-1", code="C010")
    return int(digits)


class Binding(msgspec.Struct, frozen=True):
    """Inputs with their dimensions bound: the tensors, the value of each symbol, and which were assumed."""

    inputs: tuple[Tensor, ...]
    dims: dict[str, int]
    assumed: tuple[str, ...]
    overruled: tuple[str, ...]


def symbols_of_inputs(inputs: Iterable[Tensor]) -> tuple[str, ...]:
    """The dimension symbols of a model's inputs, in order of appearance."""
    return tuple(dict.fromkeys(s for t in inputs for d in t.shape or () for s in _symbols(d)))


def batch_symbols(inputs: Iterable[Tensor]) -> tuple[str, ...]:
    """The symbols that are only ever the first dimension of inputs."""
    first: dict[str, None] = {}
    later: set[str] = set()
    for t in inputs:
        for axis, d in enumerate(t.shape or ()):
            for s in _symbols(d):
                if axis:
                    later.add(s)
                else:
                    first[s] = None
    return tuple(s for s in first if s not in later)


def bind(
    graph: Graph, dims: Mapping[str, int], inputs: Mapping[str, InputSpec], batch: int | None, *, assume: bool
) -> Binding:
    """The inputs of `graph` with `dims` and `inputs` put in; open batch dimensions are 1 (or `batch`) if `assume`.

    A shape given for an input also binds the symbols that its declared shape has at those places. Raises
    `UsageError` for names that the model does not have.
    """
    _check_names(graph, dims, inputs)
    bound = dict(dims)
    for t in graph.inputs:
        spec = inputs.get(t.name)
        if spec is None or t.shape is None or len(spec.shape) != len(t.shape):
            continue
        for d, n in zip(t.shape, spec.shape, strict=True):
            for s in _symbols(d):
                if s in dims and dims[s] != n:
                    raise UsageError(
                        f"--dim {s}={dims[s]} contradicts --input {t.name}: {n} at that place", code="C012"
                    )
                bound.setdefault(s, n)
    assumed: tuple[str, ...] = ()
    if assume or batch is not None:
        assumed = tuple(s for s in batch_symbols(graph.inputs) if s not in bound)
        bound.update((s, 1 if batch is None else batch) for s in assumed)
    tensors = tuple([_bound(t, inputs.get(t.name), bound) for t in graph.inputs])
    overruled = tuple(t.name for t in graph.inputs if _contradicts(t, inputs.get(t.name)))
    return Binding(tensors, bound, assumed if batch is None else (), overruled)


def _check_names(graph: Graph, dims: Mapping[str, int], inputs: Mapping[str, InputSpec]) -> None:
    known = symbols_of_inputs(graph.inputs)
    for name in dims:
        if name not in known:
            has = f"its open dimensions are {listed(known)}" if known else "all its dimensions are fixed"
            raise UsageError(f"the model has no open dimension {quoted(name)}: {has}", code="C011")
    names = tuple(t.name for t in graph.inputs)
    for name, spec in inputs.items():
        if name not in names:
            has = f"its inputs are {listed(names)}" if names else "it has no inputs"
            raise UsageError(f"the model has no input {quoted(name)}: {has}", code="C011")
        if spec.value is not None and len(spec.value) != product(spec.shape):
            raise UsageError(f"input {quoted(name)}: {len(spec.value)} values do not fill its shape", code="C010")


def _bound(t: Tensor, spec: InputSpec | None, bound: Mapping[str, int]) -> Tensor:
    if spec is not None:
        return msgspec.structs.replace(t, shape=spec.shape, value=spec.value, reason="")
    if t.shape is None or not any(isinstance(d, Expr) for d in t.shape):
        return t
    return msgspec.structs.replace(t, shape=tuple([_value(d, bound) for d in t.shape]))


def _value(d: Dim, bound: Mapping[str, int]) -> Dim:
    for s in _symbols(d):
        return bound.get(s, d)
    return d


def _symbols(d: Dim) -> Iterable[str]:
    return d.symbols if isinstance(d, Expr) else ()


def _contradicts(t: Tensor, spec: InputSpec | None) -> bool:
    """Whether a given shape differs from a declared one in a fixed dimension."""
    if spec is None or t.shape is None:
        return False
    if len(spec.shape) != len(t.shape):
        return True
    return any(isinstance(d, int) and d != n for d, n in zip(t.shape, spec.shape, strict=True))
