"""Differences of model files: renamed, edited, counted before; against what was done to the file."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import onnx
import pytest
from onnx import helper

from convcost import api, record
from convcost.errors import ModelError, UsageError

ROOT = Path(__file__).resolve().parent.parent.parent
MOBILENET = str(ROOT / "sample_models" / "mobilenet_v1.onnx")


def renamed(model: onnx.ModelProto, rng: random.Random) -> onnx.ModelProto:
    """The model as another exporter might name it: numbers for nodes, other words for tensors."""
    tensors: dict[str, str] = {"": ""}
    for i, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{i + rng.randrange(3)}"
    graph = model.graph
    names = [t.name for t in graph.initializer] + [v.name for v in (*graph.input, *graph.output)]
    names += [name for node in graph.node for name in (*node.input, *node.output)]
    for name in names:
        tensors.setdefault(name, f"t{rng.randrange(10**9)}")
    for node in graph.node:
        node.input[:] = [tensors[name] for name in node.input]
        node.output[:] = [tensors[name] for name in node.output]
    for named in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        named.name = tensors.get(named.name, named.name)
    return model


def without(model: onnx.ModelProto, places: list[int]) -> onnx.ModelProto:
    """The model without these nodes of one input, whose readers read what they read."""
    nodes = list(model.graph.node)
    for place in places:
        for node in nodes:
            node.input[:] = [nodes[place].input[0] if name == nodes[place].output[0] else name for name in node.input]
    del model.graph.node[:]
    model.graph.node.extend(node for i, node in enumerate(nodes) if i not in places)
    return model


def with_tanh(model: onnx.ModelProto, places: list[int]) -> onnx.ModelProto:
    """The model with a Tanh behind each of these nodes."""
    nodes = []
    for i, node in enumerate(model.graph.node):
        nodes.append(node)
        if i in places:
            inner = f"{node.output[0]}_inner"
            nodes.append(helper.make_node("Tanh", [inner], [node.output[0]], name=f"tanh{i}"))
            node.output[0] = inner
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def compared(tmp_path: Path, new: onnx.ModelProto) -> record.Diff:
    onnx.save(new, tmp_path / "new.onnx")
    diff = api.diff(MOBILENET, str(tmp_path / "new.onnx")).diff
    assert diff is not None
    return diff


def what(diff: record.Diff) -> Counter[tuple[str, str]]:
    places = [(one.status, one.new or one.old) for one in diff.layers]
    return Counter((status, place.op) for status, place in places if place is not None)


@pytest.mark.parametrize("seed", range(3))
def test_a_renamed_model_has_not_changed(tmp_path: Path, seed: int) -> None:
    diff = compared(tmp_path, renamed(onnx.load(MOBILENET), random.Random(seed)))
    assert diff.layers == []
    assert len(diff.renamed) + diff.unchanged == 221
    assert diff.by_structure == len(diff.renamed)


@pytest.mark.parametrize("names", ["same", "other"])
@pytest.mark.parametrize("seed", range(4))
def test_edits_are_found_whatever_the_names(tmp_path: Path, seed: int, names: str) -> None:
    """k activations deleted and l new ones put in; nothing else differs, as neither changes a shape."""
    rng = random.Random(seed)
    model = onnx.load(MOBILENET)
    clips = [i for i, node in enumerate(model.graph.node) if node.op_type in ("Relu", "Clip")]
    convolutions = [i for i, node in enumerate(model.graph.node) if node.op_type == "Conv"]
    gone, put = rng.sample(clips, 3), rng.sample(convolutions, 2)
    ops = Counter(("removed", model.graph.node[i].op_type) for i in gone)
    new = without(with_tanh(model, put), [i + sum(j < i for j in put) for i in gone])
    diff = compared(tmp_path, renamed(new, rng) if names == "other" else new)
    assert what(diff) == ops + Counter({("added", "Tanh"): 2})


def test_another_batch_changes_every_layer_and_no_parameter(tmp_path: Path) -> None:
    report = api.diff("32x32x3 -(3x3x3x16 same)-> -(relu)->", "32x32x3 -(3x3x3x16 same)-> -(relu)->", batch=1)
    assert report.diff is not None
    assert report.diff.layers == []
    model = onnx.load(MOBILENET)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    diff = compared(tmp_path, model)
    changes = {d.metric: (d.old, d.new) for d in diff.totals}
    assert changes["macs"][1] == 2 * (changes["macs"][0] or 0)
    assert changes["params"][0] == changes["params"][1]
    assert {one.status for one in diff.layers} == {"changed"}


def test_a_report_takes_the_place_of_a_model(tmp_path: Path) -> None:
    lenet = str(ROOT / "sample_models" / "lenet5.onnx")
    (tmp_path / "old.json").write_bytes(record.encode(api.count(lenet)))
    assert api.diff(str(tmp_path / "old.json"), MOBILENET).diff == api.diff(lenet, MOBILENET).diff


def test_reports_that_are_not_one_model_of_our_schema(tmp_path: Path) -> None:
    two = tmp_path / "two.json"
    two.write_bytes(record.encode(api.count("12x12x3 -(3x3x3x8)->", "12x12x3 -(3x3x3x9)->")))
    with pytest.raises(UsageError, match="holds 2 models"):
        api.diff(str(two), MOBILENET)
    newer = tmp_path / "newer.json"
    newer.write_bytes(two.read_bytes().replace(b'"schema_version": "1.0"', b'"schema_version": "7.0"'))
    with pytest.raises(ModelError, match=r"7\.0"):
        api.diff(MOBILENET, str(newer))


def test_limits_are_verdicts_in_the_report() -> None:
    report = api.diff(
        "12x12x3 -(5x5x3x256)->", "12x12x3 -(5x5x3x257)->", fail_on=["macs:0.4%", "macs:4800", "macs:4799"]
    )
    assert [(check.status, check.limit, check.old, check.value) for check in report.checks] == [
        ("pass", 1_228_800 + 4915, 1_228_800, 1_233_600),
        ("pass", 1_233_600, 1_228_800, 1_233_600),
        ("fail", 1_233_599, 1_228_800, 1_233_600),
    ]


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("blazeface_front128", "d_blazeface_ortfused"),
        ("mtcnn_onet", "d_onet_fp16"),
        ("espcn_subpixel_f32", "espcn_subpixel_brevitas"),
        ("resblock_toy", "d_resblock_qdq_int8"),
        ("light_resnet50", "light_densenet121"),
        ("silero_16k_seq", "d_silero_seq_fp16"),
    ],
)
def test_layers_of_real_models_make_up_the_difference(corpus: Path, old: str, new: str) -> None:
    """Σ of the layers' changes is the change of the total, computed from the two counts alone."""
    paths = [str(corpus / "models" / f"{name}.onnx") for name in (old, new)]
    before, after = (api.count(path).models[0].totals for path in paths)
    diff = api.diff(*paths).diff
    assert diff is not None
    for metric in ("macs", "params", "flops", "read_bytes"):
        parts = [d.change for one in diff.layers for d in one.deltas if d.metric == metric]
        if None not in parts:
            assert sum(n or 0 for n in parts) == getattr(after, metric) - getattr(before, metric)
    back = api.diff(*reversed(paths)).diff
    assert back is not None
    assert Counter(one.status for one in back.layers)["added"] == Counter(one.status for one in diff.layers)["removed"]


@pytest.mark.corpus
def test_no_real_model_differs_from_itself(corpus: Path) -> None:
    for path in sorted((corpus / "models").glob("light_*.onnx")):
        diff = api.diff(str(path), str(path)).diff
        assert diff is not None
        assert (diff.layers, diff.renamed) == ([], [])
