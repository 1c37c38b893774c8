"""Measuring a model, with the real clock and with a fake one."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from convcost import notation
from convcost.ir import Graph
from convcost.ops.resolve import resolve
from convcost.timing import LayerWork, Options, measure_roof, time_model


def graph_of(text: str) -> Graph:
    graph = notation.parse(text)
    return graph if graph.resolved else resolve(graph)


@pytest.fixture
def two_layers() -> Graph:
    return graph_of("16x16x8 -(3x3x8x8)-> -(1x1x8x4)->")


def test_times_of_a_shape_string(two_layers: Graph) -> None:
    options = Options(runs=3, min_seconds=0, warmup=1, threads=1, verify=True)
    names = [n.name for n in two_layers.nodes]
    found = time_model(two_layers, options=options, work={names[0]: LayerWork(flops=225_792, nbytes=16_000)})
    assert found.model.backend == "numpy"
    assert found.model.weights == "random"
    assert found.model.runs == 3
    assert found.model.verification is not None
    assert found.model.verification.passed
    assert set(names) <= set(found.layers)
    assert found.layers[names[0]].gflops
    assert found.layers[names[-1]].gflops is None
    assert found.environment.gemm_gflops
    assert found.environment.threads == 1


def test_fake_clock_makes_the_numbers_known(two_layers: Graph) -> None:
    now = [0]

    def clock() -> int:
        now[0] += 1000
        return now[0]

    options = Options(runs=4, min_seconds=0, warmup=2, threads=1, roof=False)
    found = time_model(two_layers, options=options, clock=clock)
    nodes = len(found.profile.nodes)
    assert found.model.median_ns == 1000, "one interval a plain run"
    assert all(t == 1000 for n in found.profile.nodes for t in n.times_ns)
    assert found.profile.totals_ns == ((2 * nodes + 1) * 1000,) * 4
    assert all(layer.median_ns == 0 for layer in found.layers.values()), "the clock's own interval is taken off"
    assert found.environment.gemm_gflops is None


def test_measures_for_the_seconds_asked(two_layers: Graph) -> None:
    now = [0]

    def clock() -> int:
        now[0] += 1_000_000
        return now[0]

    options = Options(runs=2, min_seconds=0.1, warmup=0, threads=1, roof=False)
    found = time_model(two_layers, options=options, clock=clock)
    assert found.model.runs > 2
    assert now[0] >= 100_000_000


@pytest.mark.parametrize("backend", ["numpy", "onnxruntime"])
def test_both_backends_fill_the_same_columns(two_layers: Graph, backend: Literal["numpy", "onnxruntime"]) -> None:
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    found = time_model(
        two_layers, options=Options(runs=3, min_seconds=0, warmup=1, threads=1, roof=False), backend=backend
    )
    assert found.model.backend == backend
    convolutions = [n.name for n in two_layers.nodes if n.op == "Conv"]
    assert convolutions
    for name in convolutions:
        assert found.layers[name].min_ns > 0
        assert len(found.profile.nodes[0].times_ns) == 3


def test_roof_is_the_best_of_a_few_tries() -> None:
    ticks: Any = iter(range(0, 10**9, 1000))
    roof = measure_roof(threads=1, clock=lambda: next(ticks))
    assert roof.gemm_gflops == pytest.approx(2 * 1024**3 / 1000)
    assert roof.copy_gbytes_per_s == pytest.approx(2 * (64 << 20) / 1000)
