"""Statistics and advice on made-up times, where the right answer is known."""

from __future__ import annotations

import pytest

from convcost.engine import NodeTimes
from convcost.timing import Roof, Warning, advise, ratio, summarize  # noqa: A004 - the field's word
from convcost.timing.clock import overhead_ns
from convcost.timing.measure import LayerWork, layer_timing
from convcost.timing.stats import drift, outliers


def test_summary_of_known_times() -> None:
    seen = summarize([10, 12, 11, 13, 100])
    assert (seen.runs, seen.median_ns, seen.mad_ns, seen.min_ns, seen.max_ns) == (5, 12, 1, 10, 100)
    assert seen.outliers == 1


def test_a_single_time_is_its_own_summary() -> None:
    seen = summarize([7])
    assert (seen.median_ns, seen.mad_ns, seen.min_ns, seen.outliers) == (7, 0, 7, 0)


def test_outliers_are_told_by_the_modified_z_score() -> None:
    # median 100, MAD 2: the bound is 3.5 · 2 / 0.6745 = 10.4 from the median
    times = [96, 98, 98, 100, 100, 102, 102, 110, 111]
    assert [times[i] for i in outliers(times)] == [111]


def test_ratio_of_constant_times_is_certain() -> None:
    found = ratio([200] * 10, [100] * 10)
    assert (found.low, found.value, found.high) == (2.0, 2.0, 2.0)


def test_ratio_interval_holds_the_truth_and_is_reproducible() -> None:
    slow, fast = [190, 195, 200, 205, 210] * 4, [95, 98, 100, 102, 105] * 4
    found = ratio(slow, fast)
    assert found == ratio(slow, fast)
    assert found.low <= 2.0 <= found.high
    assert found.low < found.high


@pytest.mark.parametrize(
    ("times", "grows"), [([100] * 9, 0.0), ([100] * 3 + [150] * 3 + [200] * 3, 1.0), ([1, 2], 0.0)]
)
def test_drift_compares_the_last_third_with_the_first(times: list[int], grows: float) -> None:
    assert drift(times) == pytest.approx(grows)


QUIET = [1_000_000 + d for d in (0, 500, -500, 200, -200, 100, -100, 300, -300, 50)]


@pytest.mark.parametrize(
    ("times", "warmup", "more", "expected"),
    [
        (QUIET, [2_000_000], {}, set()),
        ([*QUIET[:6], 3_000_000, 4_000_000, 5_000_000, 1_000_000], [1], {}, {Warning.OUTLIERS, Warning.DRIFT}),
        ([9_000_000, *QUIET], [], {}, {Warning.SLOW_FIRST}),
        ([1_000_000 + 100_000 * i for i in range(12)], [1], {}, {Warning.DRIFT, Warning.SPREAD}),
        (QUIET, [1], {"load": 0.9}, {Warning.BUSY}),
        (QUIET, [1], {"interrupted": True}, {Warning.INTERRUPTED}),
        ([900] * 10, [1], {}, {Warning.SHORT}),
    ],
)
def test_advice(times: list[int], warmup: list[int], more: dict[str, float], expected: set[Warning]) -> None:
    assert {a.warning for a in advise(times, warmup, **more)} == expected  # type: ignore[arg-type]


def test_every_warning_says_what_to_try() -> None:
    codes = [w.code for w in Warning]
    assert len(set(codes)) == len(codes)
    assert all(w.what and w.advice for w in Warning)


def test_clock_overhead_is_the_smallest_interval() -> None:
    ticks = iter([0, 50, 100, 130, 200, 280])
    assert overhead_ns(lambda: next(ticks), reads=3) == 30


ROOF = Roof(gemm_gflops=100.0, copy_gbytes_per_s=10.0)


@pytest.mark.parametrize(
    ("flops", "nbytes", "bound"), [(1000, 100, "compute"), (999, 100, "memory"), (0, 10, "memory")]
)
def test_the_ridge_parts_compute_from_memory(flops: int, nbytes: int, bound: str) -> None:
    assert ROOF.ridge == 10
    assert ROOF.bound(flops, nbytes) == bound


def test_attainable_rate_follows_the_roofline() -> None:
    assert ROOF.attainable(1) == 10
    assert ROOF.attainable(1000) == 100


def test_layer_rate_is_flops_by_median() -> None:
    node = NodeTimes("c", "Conv", "", "im2col", (1100, 1050, 1000))
    found = layer_timing(node, ROOF, LayerWork(flops=50_000, nbytes=1000), overhead=50)
    assert (found.median_ns, found.min_ns, found.runs) == (1000, 950, 3)
    assert found.gflops == 50
    assert found.roof_share == 0.5
    assert found.bound == "compute"


def test_layer_without_counts_has_no_rate() -> None:
    found = layer_timing(NodeTimes("r", "Reshape", "", "view", (10, 12)), ROOF, None)
    assert (found.gflops, found.roof_share, found.bound) == (None, None, None)
