"""The predicted peak of memory against what a process takes: never less, and not absurdly more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from convcost import notation
from convcost.engine import Session
from convcost.engine.kernels.conv import ALGORITHMS, Geometry, geometry
from convcost.engine.static.team import forks
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs

MIB = 1 << 20
CODE = 8 * MIB
"""What is set aside for code that is loaded while running, whatever the model."""
LAYERS = (
    "56x56x64,k3,c128,same",
    "56x56x128,k3,c256,s2,same",
    "28x28x512,k3,c512,same",
    "112x112x32,k1,c256",
    "112x112x96,k3,c96,g96,same",
    "40x40x64,k5,c64,g4,same",
    "32x32x32,k15,c32,same",
    "28x28x256 -(3x3x256x128 T s2)->",
    "64x64x64 -(3x3x64x64 same bias)-> -(bn)-> -(relu)-> -(maxpool 2x2)-> -(3x3x64x128 same)-> -(gap)-> -(fc 1000)->",
)
linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux's /proc")


def peaks(*sources: str) -> list[tuple[int, int]]:
    """(predicted, measured) of each source, one process for all."""
    command = [sys.executable, str(Path(__file__).with_name("peak_child.py")), *sources]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=300)
    found: list[tuple[int, int]] = json.loads(answer.stdout)
    return found


@linux
@pytest.mark.parametrize("layer", LAYERS)
def test_the_peak_of_a_layer_is_predicted(layer: str) -> None:
    ((predicted, measured),) = peaks(layer)
    assert measured <= predicted


@linux
@pytest.mark.parametrize("name", ["squeezenet", "shufflenet", "resnet50"])
def test_the_peak_of_a_network_is_predicted(name: str, light_model: Callable[[str], Path]) -> None:
    ((predicted, measured),) = peaks(str(light_model(name)))
    assert measured <= predicted <= 1.5 * measured + CODE


@linux
@pytest.mark.skipif(not forks(), reason="shares run on threads here")
@pytest.mark.parametrize("threads", [2, 8, 16])
@pytest.mark.parametrize("name", ["", "squeezenet", "shufflenet"])
def test_the_memory_of_all_processes_is_predicted(name: str, threads: int, light_model: Callable[[str], Path]) -> None:
    source = str(light_model(name)) if name else "28x28x64 -(3x3x64x96 same)->"
    ((predicted, measured),) = peaks(str(threads), source)
    assert measured <= predicted


@linux
@pytest.mark.corpus
@pytest.mark.parametrize("name", ["bvlc_alexnet", "inception_v2"])
def test_the_peak_of_a_larger_network_is_predicted(name: str, corpus: Path, light_model: Callable[[str], Path]) -> None:
    assert corpus.is_dir()
    ((predicted, measured),) = peaks(str(light_model(name)))
    assert measured <= predicted <= 1.5 * measured + CODE


@linux
@pytest.mark.corpus
def test_the_peaks_of_public_models_are_predicted(corpus: Path) -> None:
    models = json.loads((corpus / "models" / "expected.json").read_text(encoding="utf-8"))["models"].values()
    sources = ["|".join([str(corpus / "models" / m["file"]), *m["input_args"]]) for m in models if "/" not in m["file"]]
    wrong = {}
    for source in [s for s in sources if "light_" not in s][::3]:  # a process each: all of them take a minute
        ((predicted, measured),) = peaks(source)
        if measured > predicted:
            wrong[source.rpartition("/")[2]] = (predicted, measured)
    assert not wrong
    assert len(sources) > 20


GEOMETRIES = (
    geometry((1, 12, 20, 20), (24, 12, 3, 3), ConvAttrs(pads=(1, 1, 1, 1))),
    geometry((1, 12, 20, 20), (24, 12, 3, 3), ConvAttrs(pads=(1, 1, 1, 1), strides=(2, 2))),
    geometry((2, 12, 9), (24, 6, 5), ConvAttrs(group=2)),
    geometry((1, 12, 20, 20), (24, 12, 1, 1), ConvAttrs()),
    geometry((1, 12, 20, 20), (12, 1, 5, 5), ConvAttrs(group=12, pads=(2, 2, 2, 2))),
    geometry((1, 12, 20, 20), (12, 24, 3, 3), ConvTransposeAttrs(strides=(2, 2))),
)


@pytest.mark.parametrize("g", GEOMETRIES)
def test_prepared_weights_take_what_their_rule_says(g: Geometry) -> None:
    shape = (g.c, g.mg, *g.kernel) if g.transposed else (g.m, g.cg, *g.kernel)
    for algorithm in ALGORITHMS:
        if algorithm.applies(g) is None:
            prepared = algorithm.prepare(np.zeros(shape, np.float32), g)
            assert held(prepared) <= algorithm.weight_bytes(g) + 4096 * len(shape), algorithm.name


def held(prepared: object) -> int:
    """Bytes of the arrays that prepared weights hold, gaps between their rows included."""
    if isinstance(prepared, np.ndarray):
        return prepared.strides[0] * prepared.shape[0] if prepared.ndim else prepared.nbytes
    if isinstance(prepared, list):
        return sum(held(p) for p in prepared if p is not None)
    return held(prepared.spectrum)  # type: ignore[attr-defined]


def test_large_forms_are_left_out_where_memory_is_short() -> None:
    graph = notation.parse("14x14x512,k3,c512,same")
    plenty = Session(graph)
    tight = Session(graph, max_memory=plenty.peak_bytes - 4 * MIB)
    x = np.random.default_rng(0).standard_normal((1, 512, 14, 14), np.float32)
    name = plenty.get_inputs()[0].name
    (a,), (b,) = plenty.run(None, {name: x}), tight.run(None, {name: x})
    algorithms = [n.algorithm for s in (plenty, tight) for n in s.profile({name: x}, runs=1).nodes if n.op == "Conv"]
    assert tight.peak_bytes < plenty.peak_bytes
    assert algorithms[0].startswith("winograd")
    assert not algorithms[1].startswith("winograd")
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def test_without_a_number_of_threads_all_of_the_matrix_library_count() -> None:
    graph = notation.parse("56x56x64 -(3x3x64x128 same)->")
    with threadpool_limits(3, "blas"):
        assert Session(graph).peak_bytes == Session(graph, threads=3).peak_bytes > Session(graph, threads=1).peak_bytes
