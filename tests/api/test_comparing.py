"""Comparisons as reports: rows, order, what is left out, the Pareto front, one layer of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from convcost import api, record
from convcost.api.forms import with_front
from convcost.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]

LAYER = "56x56x64 -(3x3x64x128 same)->"


def comparison(*sources: str, everything: bool = False, **options: Any) -> record.Comparison:
    return api.compare(*sources, everything=everything, **options).comparisons[0]


def test_the_layer_stands_first_and_the_others_by_macs() -> None:
    ways = comparison(LAYER).alternatives
    macs = [way.cost.macs or 0 for way in ways]
    assert ways[0].name == LAYER
    assert len(ways) > 10
    assert macs[1:] == sorted(macs[1:])
    assert max(macs) == macs[0]


def test_the_article_is_the_first_alternative() -> None:
    """C.-F. Wang: 53,952 of 1,228,800, 22.8 times less, 4.39 %."""
    standard, separable = comparison("12x12x3 -(5x5x3x256)->").alternatives[:2]
    assert (standard.cost.macs, separable.cost.macs) == (1_228_800, 53_952)
    assert separable.ratio.macs == pytest.approx(0.0439, abs=5e-5)
    assert separable.name == "depthwise separable"


def test_a_short_list_has_four_numbers_of_groups_and_a_full_one_all() -> None:
    short, full = comparison(LAYER), comparison(LAYER, everything=True)
    assert len([way for way in short.alternatives if way.name.startswith("grouped, ")]) == 4
    groups = [way.name for way in full.alternatives if way.name.startswith(("grouped, ", "depthwise, "))]
    assert sorted(groups) == sorted(["depthwise, g=64", *(f"grouped, g={g}" for g in (2, 4, 8, 16, 32))])
    assert short.more > 0
    assert full.more == 0


def test_every_idea_has_a_row_or_a_reason() -> None:
    from convcost.alternatives import IDEAS  # noqa: PLC0415 - beside its use

    for text in (LAYER, "16x4 -(3x4x4)->", "8x8x8 -(4x4x8x8 T s2)->", "8x8x8 -(3x3x1x8)->", "9x9x9x2 -(3x3x3x2x8)->"):
        found = comparison(text, everything=True)
        seen = {way.summary for way in found.alternatives} | {one.name for one in found.skipped}
        assert all(one.reason for one in found.skipped)
        for idea in IDEAS:
            assert idea.summary in seen or any(name.startswith(idea.name) for name in seen), (text, idea.name)


def test_what_would_cost_more_is_only_in_a_full_list() -> None:
    name = "inverted bottleneck ×6"
    short, full = comparison(LAYER), comparison(LAYER, everything=True)
    (why,) = [one.reason for one in short.skipped if one.name == name]
    assert "would not save" in why
    assert name in [way.name for way in full.alternatives]


def test_several_sources_have_no_alternatives() -> None:
    found = comparison(LAYER, "56x56x64 -(1x1x64x128)->")
    assert len(found.alternatives) == 2
    assert not found.skipped


def test_an_algorithm_has_products_but_no_string() -> None:
    rows = [way for way in comparison(LAYER).alternatives if way.notation is None]
    assert {way.name.split()[0] for way in rows} == {"winograd", "fft"}
    for way in rows:
        assert way.algorithm is not None
        assert way.cost.multiplications == way.algorithm.multiplications
        assert way.cost.flops is None
        assert way.pareto is None


def test_algorithms_of_the_engine_are_timed() -> None:
    """Winograd F(6) and tiled transforms are not in the engine: their rows have no time, and a note says so."""
    report = api.compare("12x12x8 -(3x3x8x8 same)->", time=True, runs=2, warmup=0, min_seconds=0.0)
    times = {way.name: way.timing for way in report.comparisons[0].alternatives if way.algorithm is not None}
    assert {name for name, timing in times.items() if timing is not None} == {
        "winograd F(2)",
        "winograd F(4)",
        "fft whole n=16",
    }
    (note,) = [d for d in report.diagnostics if d.code == "C248"]
    assert all(name in note.message for name, timing in times.items() if timing is None)


def test_an_algorithm_that_the_layer_cannot_have_is_a_note() -> None:
    report = api.compare("16x16x4 -(7x7x4x4 same)->", time=True, runs=1, warmup=0, min_seconds=0.0)
    times = {way.name: way.timing for way in report.comparisons[0].alternatives if way.algorithm is not None}
    assert times["winograd F(4)"] is None
    assert times["fft whole n=32"] is not None
    assert any(d.severity == "note" and d.message.startswith("winograd F(4): not run") for d in report.diagnostics)


def test_batch_and_type_hold_for_all_rows() -> None:
    one, two = comparison(LAYER), comparison(LAYER, batch=2, dtype="float16")
    for a, b in zip(one.alternatives, two.alternatives, strict=True):
        assert (b.cost.macs, b.cost.params) == (2 * (a.cost.macs or 0), a.cost.params)
        assert b.cost.weight_bytes is not None
        assert a.notation is None or 2 * b.cost.weight_bytes == a.cost.weight_bytes


def test_strict_holds_for_the_source_only() -> None:
    assert len(comparison(LAYER, strict=True).alternatives) == len(comparison(LAYER).alternatives)


def test_the_report_reads_back() -> None:
    report = api.compare(LAYER)
    assert record.decode(record.encode(report)) == report


POINT = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 4))


@settings(deadline=None)
@given(st.lists(POINT, min_size=1, max_size=8), st.booleans())
def test_the_front_against_brute_force(points: list[tuple[int, int, int]], timed: bool) -> None:
    base = comparison(LAYER).alternatives[0]
    used = [p if timed else (*p[:2], 0) for p in points]
    rows = [
        msgspec.structs.replace(
            base,
            cost=msgspec.structs.replace(base.cost, macs=macs, params=params),
            timing=timing(ns) if timed else None,
        )
        for macs, params, ns in points
    ]
    for row, mine in zip(with_front(rows), used, strict=True):
        beaten = any(
            a <= mine[0] and b <= mine[1] and c <= mine[2] and (a < mine[0] or b < mine[1] or c < mine[2])
            for a, b, c in used
        )
        assert row.pareto is not beaten


def timing(ns: int, mad: int = 0) -> record.ModelTiming:
    return record.ModelTiming(
        backend="numpy", threads=1, runs=3, warmup=1, median_ns=ns, mad_ns=mad, min_ns=ns, layers_sum_ns=ns,
        weights="random",
    )  # fmt: skip


def test_other_shapes_are_not_in_the_front() -> None:
    full = comparison("9x9x4 -(3x3x4x4)->", everything=True).alternatives
    assert {way.name: way.pareto for way in full if way.name.startswith("padding")} == {
        "padding: same": None,
        "padding: full": None,
    }


def model(path: Path) -> str:
    """Two convolutions, the second grouped, half precision, automatic padding and a bias, and a ReLU between."""
    half = TensorProto.FLOAT16
    weights = [
        helper.make_tensor("w1", half, [8, 4, 3, 3], bytes(8 * 4 * 9 * 2), raw=True),
        helper.make_tensor("w2", half, [12, 4, 5, 5], bytes(12 * 4 * 25 * 2), raw=True),
        helper.make_tensor("b2", half, [12], bytes(24), raw=True),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="first", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"], name="relu"),
        helper.make_node("Conv", ["b", "w2", "b2"], ["y"], name="second", group=2, auto_pad="SAME_UPPER"),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", half, [3, 4, 16, 16])], [onnx.ValueInfoProto(name="y")], weights
    )
    target = path / "two.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), target)
    return str(target)


def test_one_layer_of_a_model(tmp_path: Path) -> None:
    path = model(tmp_path)
    found = comparison(path, layer="second")
    first = found.alternatives[0]
    (row,) = [row for row in api.count(path).models[0].layers if row.name == "second"]
    assert found.of == "two.onnx: second"
    assert first.notation == "8x8x8 -(5x5x4x12 g2 same bias)-> 8x8x12"
    assert (first.cost.macs, first.cost.params) == (row.cost.macs, row.cost.params)
    assert (first.cost.weight_bytes, first.outputs[0].shape) == (row.cost.weight_bytes, [3, 12, 8, 8])
    assert len(found.alternatives) > 3


@pytest.mark.parametrize(
    ("layer", "message"),
    [("secnd", "did you mean second"), ("relu", "Relu is not a convolution"), ("", "has no layer")],
)
def test_a_layer_that_is_none(tmp_path: Path, layer: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        api.compare(model(tmp_path), layer=layer)


def test_a_layer_is_taken_from_one_model(tmp_path: Path) -> None:
    path = model(tmp_path)
    with pytest.raises(UsageError, match="one model, 2"):
        api.compare(path, path, layer="first")


def test_nothing_to_compare() -> None:
    with pytest.raises(UsageError, match="needs a source"):
        api.compare()


def test_reports_stand_for_the_models_that_they_hold(tmp_path: Path) -> None:
    """LeNet-5's 416,520 MACs beside one layer's 1,228,800, each from a report of an earlier day."""
    layer, net = tmp_path / "layer.json", tmp_path / "net.json"
    api.count("12x12x3 -(5x5x3x256)->").save(layer)
    api.count(str(ROOT / "sample_models" / "lenet5.onnx")).save(net)
    report = api.compare(str(layer), str(net))
    assert [way.cost.macs for way in report.comparisons[0].alternatives] == [1_228_800, 416_520]
    with pytest.raises(UsageError, match=r"a report cannot be run"):
        api.compare(str(layer), str(net), time=True)
