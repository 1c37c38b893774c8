"""Times of a model: whole runs and every layer, with statistics and the share of the machine's roof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from convcost.engine import NodeTimes, Profile, Session
from convcost.engine.feeds import random_feeds
from convcost.engine.kernels.convolution.choose import forced
from convcost.engine.profile import Recorder, profile, record_in_turn
from convcost.engine.threads import blas_threads
from convcost.errors import EngineError
from convcost.ir import Graph
from convcost.record import Environment, LayerTiming, ModelTiming, Verification
from convcost.timing.advice import Advice, advise, machine_load
from convcost.timing.clock import Clock, monotonic, overhead_ns
from convcost.timing.environment import environment
from convcost.timing.roof import Roof, measure_roof
from convcost.timing.stats import summarize


class LayerWork(msgspec.Struct, frozen=True):
    """What a layer computes and moves, from the counts: the caller gives it, so that rates can be told."""

    flops: int
    nbytes: int


class Options(msgspec.Struct, frozen=True):
    """How to measure. `time_limit` is that of one run, in seconds.

    `fuse` runs nodes together as `Session.run` does; `tune` tries every convolution's algorithms.
    """

    runs: int = 10
    min_seconds: float = 3.0
    warmup: int = 3
    threads: int | None = None
    max_memory: int | None = None
    time_limit: float | None = 10.0
    exact: bool = False
    fuse: bool = False
    tune: bool = True
    verify: bool = False
    roof: bool = True
    seed: int = 0


class Measured(msgspec.Struct, frozen=True):
    """The times of one model. `layers` by node name; inner nodes by path, as `If_0/then_branch/conv1`."""

    model: ModelTiming
    layers: dict[str, LayerTiming]
    environment: Environment
    advice: list[Advice]
    roof: Roof | None
    profile: Profile


def time_model(
    graph: Graph,
    *,
    options: Options | None = None,
    backend: Literal["numpy", "onnxruntime"] = "numpy",
    work: Mapping[str, LayerWork] | None = None,
    feeds: Mapping[str, Any] | None = None,
    source: str | None = None,
    clock: Clock = monotonic,
) -> Measured:
    """Run `graph` and measure it.

    work    flops and bytes by node name: layers in it get GFLOP/s, share of the roof and what bounds them
    feeds   inputs by name; random ones of the declared shapes where they are not given
    source  the model's file, which the onnxruntime backend runs; without it the graph is written out first

    Raises EngineError where the model cannot or may not be run.
    """
    chosen = options or Options()
    load = machine_load()
    given = feeds if feeds is not None else random_feeds(graph, chosen.seed, chosen.max_memory)
    if backend == "onnxruntime":
        from convcost.timing.guest import profile_guest  # noqa: PLC0415 - an extra

        found, weights, threads = profile_guest(graph, given, chosen, source)
        roof = measure_roof(chosen.threads, clock) if chosen.roof else None
        return measured(found, chosen, Run(backend, threads, weights), roof=roof, work=work, load=load, overhead=0)
    session = session_of(graph, chosen)
    verification = verified(session, given, source) if chosen.verify else None
    found = profile(
        session,
        given,
        runs=chosen.runs,
        warmup=chosen.warmup,
        min_seconds=chosen.min_seconds,
        fuse=chosen.fuse,
        clock=clock,
    )
    how = Run(backend, chosen.threads or blas_threads(), session.weights, verification)
    roof = measure_roof(chosen.threads, clock) if chosen.roof else None
    return measured(found, chosen, how, roof=roof, work=work, load=load, overhead=overhead_ns(clock))


class Job(msgspec.Struct, frozen=True):
    """A graph to be measured among others, and the work of its layers.

    `algorithm` is the only one that its convolutions may take, by the engine's name for it, as in `winograd-f4`.
    """

    graph: Graph
    work: dict[str, LayerWork]
    algorithm: str | None = None


def time_together(
    jobs: Sequence[Job], *, options: Options | None = None, clock: Clock = monotonic
) -> list[Measured | EngineError]:
    """Measure several graphs in turn (A B C A B C …), so that their ratios hold on a busy machine.

    In place of one that may not or cannot run stands the error that says why.
    """
    chosen = options or Options()
    load = machine_load()
    recorders: dict[int, Recorder] = {}
    out: list[Measured | EngineError] = []
    for i, job in enumerate(jobs):
        try:
            with forced(job.algorithm):  # the first run makes the program
                session = session_of(job.graph, chosen)
                recorder = Recorder(
                    session, random_feeds(job.graph, chosen.seed, chosen.max_memory), fuse=chosen.fuse, clock=clock
                )
                recorder.warm_up()
        except EngineError as why:
            out.append(why)
        else:
            recorders[i] = recorder
            out.append(EngineError("not measured"))
    turns = list(recorders.values())
    interrupted = record_in_turn(
        turns, runs=chosen.runs, warmup=max(chosen.warmup - 1, 0), min_seconds=chosen.min_seconds, clock=clock
    )
    roof = measure_roof(chosen.threads, clock) if chosen.roof else None
    overhead = overhead_ns(clock)
    for i, recorder in recorders.items():
        how = Run("numpy", chosen.threads or blas_threads(), recorder.session.weights)
        found = recorder.profile(interrupted=interrupted)
        done = measured(found, chosen, how, roof=roof, work=jobs[i].work, load=load, overhead=overhead)
        out[i] = checked(done, jobs[i].algorithm)
    return out


def checked(done: Measured, algorithm: str | None) -> Measured | EngineError:
    """What was measured, if the algorithm that was asked for is what ran."""
    if algorithm is None or any(t.algorithm.startswith(algorithm) for t in done.layers.values()):
        return done
    return EngineError("the engine cannot compute this layer so")


class Run(msgspec.Struct, frozen=True):
    """What ran a model: the backend, its threads, whose weights, and how its outputs compare."""

    backend: str
    threads: int
    weights: Literal["model", "random", "mixed"]
    verification: Verification | None = None


def session_of(graph: Graph, chosen: Options) -> Session:
    """A session with these options."""
    return Session(
        graph,
        threads=chosen.threads,
        max_memory=chosen.max_memory,
        exact=chosen.exact,
        seed=chosen.seed,
        time_limit=chosen.time_limit,
        tune=chosen.tune,
    )


def measured(
    found: Profile,
    chosen: Options,
    how: Run,
    *,
    roof: Roof | None,
    work: Mapping[str, LayerWork] | None,
    load: float | None,
    overhead: int,
) -> Measured:
    """The statistics of a profile."""
    layers = {n.name: layer_timing(n, roof, (work or {}).get(n.name), overhead) for n in found.nodes}
    whole = summarize(found.plain_ns)
    return Measured(
        model=ModelTiming(
            backend=how.backend,
            threads=how.threads,
            runs=whole.runs,
            warmup=chosen.warmup,
            median_ns=whole.median_ns,
            mad_ns=whole.mad_ns,
            min_ns=whole.min_ns,
            layers_sum_ns=sum(t.median_ns for t in layers.values()),
            weights=how.weights,
            verification=how.verification,
        ),
        layers=layers,
        environment=environment(how.threads, roof),
        advice=advise(found.plain_ns, found.warmup_ns, load=load, interrupted=found.interrupted),
        roof=roof,
        profile=found,
    )


def verified(session: Session, feeds: Mapping[str, Any], source: str | None) -> Verification:
    """Our outputs against onnxruntime's."""
    from convcost.engine.verify import verify  # noqa: PLC0415 - an extra

    return verify(session, feeds, source)


def layer_timing(node: NodeTimes, roof: Roof | None, work: LayerWork | None, overhead: int = 0) -> LayerTiming:
    """One layer's statistics, the clock's own time taken off, and its rate where its work is known."""
    times = [max(t - overhead, 0) for t in node.times_ns]
    seen = summarize(times)
    rate = None
    share = None
    bound = None
    if work is not None and work.flops and seen.median_ns:
        rate = work.flops / seen.median_ns
        if roof is not None:
            share = rate / roof.gemm_gflops
    if work is not None and roof is not None and (work.flops or work.nbytes) and node.algorithm != "folded":
        bound = roof.bound(work.flops, work.nbytes)
    return LayerTiming(
        algorithm=node.algorithm,
        runs=seen.runs,
        median_ns=seen.median_ns,
        mad_ns=seen.mad_ns,
        min_ns=seen.min_ns,
        gflops=None if rate is None else round(rate, 3),
        roof_share=None if share is None else round(share, 4),
        bound=bound,
    )


__all__ = ["Advice", "LayerWork", "Measured", "Options", "layer_timing", "time_model"]
