"""A session: one model, planned once, run many times. The shape of its interface is onnxruntime's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from convcost.engine import plan as planning
from convcost.engine.footprint import predict
from convcost.engine.guard import MAX_ITERATIONS, Limits, Watch
from convcost.engine.kernels import Options
from convcost.engine.kernels.prepared import Pool
from convcost.engine.memory import default_limit
from convcost.engine.narrow import Narrowed
from convcost.engine.profile import Profile, profile
from convcost.engine.programs import Programs
from convcost.engine.threads import blas_threads, limited
from convcost.engine.values import Array, Value, numpy_dtype
from convcost.engine.weights import Weights
from convcost.errors import EngineError
from convcost.ir import DType, Graph, Tensor


class NodeArg(msgspec.Struct, frozen=True):
    """An input or output of a model: its name, its shape (symbols as text) and its type as onnxruntime spells it."""

    name: str
    shape: list[int | str] | None
    type: str


_SPELLED = {DType.FLOAT32: "float", DType.FLOAT64: "double", DType.BOOL: "bool", DType.STRING: "string"}


def _node_arg(t: Tensor) -> NodeArg:
    element = "undefined" if t.dtype is None else _SPELLED.get(t.dtype, t.dtype.label)
    shape = None if t.shape is None else [d if isinstance(d, int) else str(d) for d in t.shape]
    kind = f"tensor({element})" if t.container == "tensor" else t.container
    return NodeArg(t.name, shape, kind)


class Session:
    """A model ready to run with NumPy.

    path_or_graph  an .onnx file, or a resolved `ir.Graph`
    threads        shares of a layer that run side by side; None for as many as the matrix library has threads
    max_memory     bytes that a run may take; None for 80 % of what is available
    exact          forbid algorithms that trade accuracy for speed (Winograd)
    seed           of the random weights that a shape string gets
    time_limit     seconds after which a run ends with an error
    max_iterations iterations of one Loop or Scan
    tune           try the algorithms of every convolution at the first run and keep the fastest; else go by rule

    Raises ModelError for a file that cannot be read, EngineError for a model that cannot or may not be run.
    """

    def __init__(
        self,
        path_or_graph: str | os.PathLike[str] | Graph,
        *,
        threads: int | None = None,
        max_memory: int | None = None,
        exact: bool = False,
        seed: int = 0,
        time_limit: float | None = None,
        max_iterations: int = MAX_ITERATIONS,
        tune: bool = False,
    ) -> None:
        if threads is not None and threads < 1:
            raise EngineError(f"threads must be at least 1, not {threads}", code="C402")
        self.graph = path_or_graph if isinstance(path_or_graph, Graph) else _read(Path(path_or_graph))
        self.limits = Limits(default_limit() if max_memory is None else max_memory, time_limit, max_iterations)
        self.threads = threads
        self.peak_bytes = predict(self.graph, self.limits.max_memory, threads=threads or blas_threads())
        weights = Weights(seed)
        with limited(threads):
            options = Options(exact=exact, threads=threads or 1, tune=tune, pool=Pool())
            builder = planning.Builder(weights, self.limits, options)
            self.plan = builder.plan(self.graph)
        planning.missing(self.plan)
        self.weights = weights.source
        self._kept = weights.kept
        self._made = (exact, seed, tune)
        self._narrowed = Narrowed(self.graph, self.plan, self.limits, options)
        self._programs = Programs(self.graph, self.plan, self.limits, options, threads=threads)

    def get_inputs(self) -> list[NodeArg]:
        """What `run` must be fed."""
        return [_node_arg(t) for t in self.graph.inputs]

    def get_outputs(self) -> list[NodeArg]:
        """What `run` returns."""
        return [_node_arg(self.graph.tensors.get(name, Tensor(name))) for name in self.graph.outputs]

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Value]:
        """The outputs called `output_names` (all for None), in order, for inputs given by name."""
        return self.watched(output_names, feeds, Watch(self.limits))

    def watched(
        self, output_names: Sequence[str] | None, feeds: Mapping[str, Any], watch: Watch, *, fuse: bool = True
    ) -> list[Value]:
        """`run` under a given watch, which may keep the time of every node; without `fuse`, node by node."""
        wanted = list(range(len(self.graph.outputs)))
        if output_names is not None:
            wanted = [self._output(name) for name in output_names]
        inputs = self.inputs(feeds)
        with np.errstate(all="ignore"):
            program = self._programs.find(inputs, fuse=fuse)
            watch.begin()
            if program is not None:
                if watch.clock is not None:
                    watch.note(program.plan.folded)
                with self._programs.lock, limited(1):
                    values = program.execute(inputs, watch)
            else:
                plan = self._narrowed.find(inputs) if fuse else self.plan
                with limited(self.threads):
                    values = plan.execute(inputs, [], watch)
        return [values[i] for i in wanted]

    def profile(
        self,
        feeds: Mapping[str, Any],
        *,
        runs: int = 10,
        warmup: int = 2,
        min_seconds: float = 0.0,
        fuse: bool = False,
    ) -> Profile:
        """Times of every node over at least `runs` runs and `min_seconds` seconds, after `warmup` runs.

        The user's nodes run apart, each with its own time; with `fuse`, as in `run`: the first of some nodes that run
        as one has the time of all, and its algorithm names the others.
        """
        return profile(self, feeds, runs=runs, warmup=warmup, min_seconds=min_seconds, fuse=fuse)

    def probing(self, names: Sequence[str]) -> Session:
        """A session like this one that gives these tensors too, behind the outputs of the model."""
        exact, seed, tune = self._made
        return Session(
            msgspec.structs.replace(self.graph, outputs=(*self.graph.outputs, *names)),
            threads=self.threads,
            max_memory=self.limits.max_memory,
            exact=exact,
            seed=seed,
            time_limit=self.limits.time_limit,
            max_iterations=self.limits.max_iterations,
            tune=tune,
        )

    def stored(self) -> dict[str, Array]:
        """The weights that were drawn at random, by name: what a shape string needs to be written as a model."""
        return dict(self._kept)

    def inputs(self, feeds: Mapping[str, Any]) -> list[Value]:
        """The fed values in the graph's order, checked against the declared types."""
        names = {t.name for t in self.graph.inputs}
        extra = [name for name in feeds if name not in names]
        if extra:
            raise EngineError(f"the model has no input '{extra[0][:80]}'; it has {_listed(names)}", code="C403")
        return [_checked(t, feeds) for t in self.graph.inputs]

    def _output(self, name: str) -> int:
        if name not in self.graph.outputs:
            raise EngineError(
                f"the model has no output '{name[:80]}'; it has {_listed(self.graph.outputs)}", code="C403"
            )
        return self.graph.outputs.index(name)


def _listed(names: Any) -> str:
    return ", ".join(f"'{n[:40]}'" for n in list(names)[:5]) or "none"


def _checked(t: Tensor, feeds: Mapping[str, Any]) -> Value:
    if t.name not in feeds:
        if t.container == "optional":
            return None
        raise EngineError(f"input '{t.name[:80]}' is not given", code="C403")
    value = feeds[t.name]
    if t.container != "tensor" or value is None or (isinstance(value, list | dict) and t.shape is None):
        return value
    array: Array = np.asarray(value)
    if t.dtype is DType.STRING:
        return array.astype(object)
    if t.dtype is not None and array.dtype != numpy_dtype(t.dtype):
        raise EngineError(f"input '{t.name[:80]}' is {array.dtype}, the model takes {t.dtype.label}", code="C404")
    if t.shape is not None:
        fits = len(t.shape) == array.ndim and all(
            not isinstance(d, int) or d == n for d, n in zip(t.shape, array.shape, strict=True)
        )
        if not fits:
            given, wanted = "x".join(map(str, array.shape)), "x".join(map(str, t.shape))
            raise EngineError(
                f"input '{t.name[:80]}' has shape {given or 'scalar'}, the model takes {wanted}", code="C404"
            )
    return array


def _read(path: Path) -> Graph:
    from convcost import onnx_reader  # noqa: PLC0415 - shape strings need no ONNX

    return onnx_reader.resolve_model(onnx_reader.read_raw(path), assume=False).graph
