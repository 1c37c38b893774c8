"""Models with nodes replaced: what changes does what it should in onnxruntime, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import notation
from convcost.api.rewriting import rewritten_file
from convcost.errors import EngineError, ModelError
from convcost.ir import Graph
from convcost.ir.splice import Replacement
from convcost.onnx_writer.rewrite import rewritten

RANDOM = np.random.default_rng(3)
KERNEL = RANDOM.standard_normal((4, 2, 3, 3)).astype(np.float32)
IMAGE = RANDOM.standard_normal((1, 2, 6, 6)).astype(np.float32)


def twice(weights: np.ndarray = KERNEL) -> tuple[Graph, dict[str, Any]]:
    """A graph that does the same as a 3 x 3 convolution with `weights`, then a pointwise one that doubles it."""
    graph = notation.parse("6x6x2 -(3x3x2x4 same)-> -(1x1x4x4)->")
    return graph, {"conv1.weight": weights, "conv2.weight": 2 * np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1)}


def conv(name: str, source: str, weight: str, target: str) -> onnx.NodeProto:
    return helper.make_node("Conv", [source, weight], [target], name=name, pads=[1, 1, 1, 1])


def model(
    nodes: list[onnx.NodeProto], weights: list[TensorProto], output: str = "y", ir_version: int = 8, **more: Any
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 6])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, 4, 6, 6])],
        weights,
    )
    out = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=ir_version, **more)
    if ir_version < 4:
        for w in weights:
            graph_input = helper.make_tensor_value_info(w.name, w.data_type, list(w.dims))
            out.graph.input.append(graph_input)
    return out


def run(data: bytes) -> np.ndarray:
    onnx.checker.check_model(data)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {"x": IMAGE})[0]
    return result


def replaced(proto: onnx.ModelProto, *places: str) -> onnx.ModelProto:
    graph, weights = twice()
    data = rewritten(proto.SerializeToString(), [Replacement(place, graph, weights) for place in places])
    return onnx.load_from_string(data)


def weight(name: str = "w") -> TensorProto:
    return numpy_helper.from_array(KERNEL, name)


def doubled(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    np.testing.assert_allclose(
        run(after.SerializeToString()), 2 * run(before.SerializeToString()), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("ir_version", [3, 8])
def test_a_node_is_replaced_and_its_weight_goes(ir_version: int) -> None:
    """In old files initializers are inputs too."""
    before = model([conv("c", "x", "w", "y")], [weight()], ir_version=ir_version)
    after = replaced(before, "0")
    doubled(before, after)
    assert {t.name for t in after.graph.initializer} == {"c/conv1.weight", "c/conv2.weight"}
    inputs = {"x"} if ir_version > 3 else {"x", "c/conv1.weight", "c/conv2.weight"}
    assert {i.name for i in after.graph.input} == inputs


def test_what_is_not_replaced_stays_byte_for_byte() -> None:
    relu = helper.make_node("Relu", ["h"], ["y"], name="act", doc_string="stays")
    before = model(
        [conv("c", "x", "w", "h"), relu], [weight(), weight("unused")], doc_string="whole", producer_name="p"
    )
    before.metadata_props.add(key="k", value="v")
    before.graph.value_info.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, [1, 4, 6, 6]))
    before.opset_import.append(helper.make_opsetid("custom", 1))
    before.functions.append(
        helper.make_function("custom", "f", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], before.opset_import)
    )
    after = replaced(before, "0")
    for part in (before, after):
        for i in range(len(part.graph.initializer) - 1, -1, -1):
            if part.graph.initializer[i].name != "unused":
                del part.graph.initializer[i]
    assert [n.SerializeToString() for n in after.graph.node[2:]] == [relu.SerializeToString()]
    del after.graph.node[:], before.graph.node[:]
    assert after.SerializeToString(deterministic=True) == before.SerializeToString(deterministic=True)


def test_a_shared_weight_stays_until_its_last_reader_goes() -> None:
    before = model(
        [conv("a", "x", "w", "p"), conv("b", "x", "w", "q"), helper.make_node("Add", ["p", "q"], ["y"])], [weight()]
    )
    one = replaced(before, "0")
    assert "w" in {t.name for t in one.graph.initializer}
    np.testing.assert_allclose(
        run(one.SerializeToString()), 1.5 * run(before.SerializeToString()), rtol=1e-5, atol=1e-5
    )
    both = replaced(before, "0", "1")
    assert "w" not in {t.name for t in both.graph.initializer}
    doubled(before, both)


def test_nodes_that_only_made_the_weight_go() -> None:
    before = model(
        [
            helper.make_node("Constant", [], ["k"], value=weight("")),
            helper.make_node("Identity", ["k"], ["w"]),
            conv("c", "x", "w", "y"),
        ],
        [],
    )
    after = replaced(before, "2")
    doubled(before, after)
    assert [n.op_type for n in after.graph.node] == ["Conv", "Conv"]


def test_a_weight_that_is_an_output_stays() -> None:
    before = model([conv("c", "x", "w", "y")], [weight()])
    before.graph.output.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 2, 3, 3]))
    after = replaced(before, "0")
    doubled(before, after)
    assert "w" in {t.name for t in after.graph.initializer}


def test_names_never_collide() -> None:
    """Nodes without names, and names that the new ones would have."""
    taken = numpy_helper.from_array(np.array(1, np.float32), "n0/conv1.weight")
    nodes = [conv("", "x", "w", "n0/conv1.out"), helper.make_node("Mul", ["n0/conv1.out", "n0/conv1.weight"], ["y"])]
    before = model(nodes, [weight(), taken])
    doubled(before, replaced(before, "0"))


def test_a_node_in_both_branches_of_an_if() -> None:
    """Bodies may use the same names; new weights lie in the main graph, which both see."""
    inner = [helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 4, 6, 6])]
    branches = [helper.make_graph([conv("c", "x", "w", "r")], name, [], inner, [weight()]) for name in ("t", "e")]
    yes = numpy_helper.from_array(np.array(True), "yes")
    node = helper.make_node("If", ["yes"], ["y"], name="if", then_branch=branches[0], else_branch=branches[1])
    before = model([node], [yes])
    after = replaced(before, "0/then_branch/0", "0/else_branch/0")
    doubled(before, after)
    assert len(after.graph.initializer) == 5


@pytest.mark.parametrize("yes", [True, False])
def test_a_name_that_the_other_branch_makes_too_stays(yes: bool) -> None:
    """Both branches make a weight of the same name; only one of its readers goes."""
    inner = [helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 4, 6, 6])]
    branches = [
        helper.make_graph(
            [helper.make_node("Constant", [], ["k"], value=weight("")), conv(f"{name}c", "x", "k", "r")],
            name, [], inner,
        )
        for name in ("t", "e")
    ]  # fmt: skip
    node = helper.make_node("If", ["yes"], ["y"], name="if", then_branch=branches[0], else_branch=branches[1])
    before = model([node], [numpy_helper.from_array(np.array(yes), "yes")])
    after = replaced(before, "0/then_branch/1")
    times = 2 if yes else 1
    np.testing.assert_allclose(
        run(after.SerializeToString()), times * run(before.SerializeToString()), rtol=1e-5, atol=1e-5
    )


def test_a_kernel_that_is_an_input_stays_one() -> None:
    """Whoever calls the model gives it still."""
    before = model([conv("c", "x", "w", "y")], [])
    before.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 2, 3, 3]))
    after = replaced(before, "0")
    assert [i.name for i in after.graph.input] == ["x", "w"]


def test_names_of_nodes_and_of_declared_values_are_taken_too() -> None:
    relu = helper.make_node("Relu", ["h"], ["y"], name="c/conv1")
    before = model([conv("c", "x", "w", "h"), relu], [weight()])
    declared = helper.make_tensor_value_info("c/conv2.weight", TensorProto.FLOAT, [9])
    before.graph.value_info.append(declared)
    after = replaced(before, "0")
    assert len({n.name for n in after.graph.node}) == 3
    assert "c/conv2.weight" not in {t.name for t in after.graph.initializer}
    doubled(before, after)


def test_a_maker_of_the_weight_with_outputs_without_names_goes() -> None:
    before = model([helper.make_node("Dropout", ["k"], ["w", ""]), conv("c", "x", "w", "y")], [weight("k")])
    after = replaced(before, "1")
    assert [n.op_type for n in after.graph.node] == ["Conv", "Conv"]
    assert "k" not in {t.name for t in after.graph.initializer}


def test_a_maker_of_something_else_too_stays() -> None:
    """Half of what the node makes was the kernel, the other half is still read."""
    both = numpy_helper.from_array(np.concatenate([KERNEL, KERNEL]), "both")
    before = model(
        [
            helper.make_node("Split", ["both"], ["w", "v"], axis=0),
            conv("c", "x", "w", "p"),
            conv("d", "x", "v", "q"),
            helper.make_node("Add", ["p", "q"], ["y"]),
        ],
        [both],
    )
    before.opset_import[0].version = 11
    after = replaced(before, "1")
    np.testing.assert_allclose(
        run(after.SerializeToString()), 1.5 * run(before.SerializeToString()), rtol=1e-5, atol=1e-5
    )


def test_a_missing_place_is_an_error() -> None:
    before = model([conv("c", "x", "w", "y")], [weight()])
    with pytest.raises(ModelError, match="no node at 7"):
        replaced(before, "9", "7", "0")


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_arrays_keep_their_type(kind: type) -> None:
    graph, weights = twice()
    before = model([conv("c", "x", "w", "y")], [weight()])
    new = Replacement("0", graph, {name: w.astype(kind) for name, w in weights.items()})
    after = onnx.load_from_string(rewritten(before.SerializeToString(), [new]))
    assert {numpy_helper.to_array(t).dtype for t in after.graph.initializer} == {np.dtype(kind)}


def external(tmp_path: Path) -> tuple[Path, onnx.ModelProto]:
    before = model(
        [conv("c", "x", "w", "h"), helper.make_node("Mul", ["h", "s"], ["y"])],
        [weight(), numpy_helper.from_array(np.full((4, 1, 1), 3, np.float32), "s")],
    )
    path = tmp_path / "m.onnx"
    onnx.save_model(before, path, save_as_external_data=True, location="m.bin", size_threshold=0)
    return path, onnx.load(path)


def test_external_data_come_into_the_file(tmp_path: Path) -> None:
    path, before = external(tmp_path)
    graph, weights = twice()
    data = rewritten_file(str(path), [Replacement("0", graph, weights)])
    after = onnx.load_from_string(data)
    doubled(before, after)
    assert not any(t.external_data for t in after.graph.initializer)


def test_external_data_that_lead_outside_are_refused(tmp_path: Path) -> None:
    path, _ = external(tmp_path)
    (tmp_path / "m.bin").rename(tmp_path / "other.bin")
    (tmp_path / "m.bin").symlink_to(tmp_path / "other.bin")
    graph, weights = twice()
    with pytest.raises(EngineError, match=r"m\.bin"):
        rewritten_file(str(path), [Replacement("0", graph, weights)])


def test_equal_arguments_give_equal_bytes() -> None:
    before = model([conv("c", "x", "w", "y")], [weight()])
    assert replaced(before, "0").SerializeToString() == replaced(before, "0").SerializeToString()
