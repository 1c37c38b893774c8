"""Nodes, attributes, bodies and functions: what is read and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import onnx
import pytest
from onnx import AttributeProto, helper, numpy_helper

from convcost.errors import ModelError
from convcost.ir import Graph
from convcost.onnx_reader import ModelFile, from_bytes
from convcost.onnx_reader.wire import write_varint

Build = Callable[..., onnx.ModelProto]


def read(model: onnx.ModelProto) -> ModelFile:
    return from_bytes(model.SerializeToString())


def refused(model: onnx.ModelProto) -> ModelError:
    with pytest.raises(ModelError) as wrong:
        read(model)
    return wrong.value


def relu(x: str, y: str, **more: str) -> onnx.NodeProto:
    return helper.make_node("Relu", [x], [y], **more)


def notes(model: ModelFile) -> dict[str, str]:
    return {n.code: n.message for n in model.graph.notes}


def test_names_attributes_and_contents(conv: onnx.ModelProto) -> None:
    conv.graph.node[0].attribute.append(helper.make_attribute("strides", [2, 2]))
    conv.graph.node[0].name = ""
    graph = read(conv).graph
    (node,) = graph.nodes
    assert (node.name, node.op, node.inputs, node.outputs) == ("n0", "Conv", ("x", "W", "B"), ("y",))
    assert node.attrs.strides == (2, 2)
    assert node.since_version == 11
    assert graph.opset == {"": 17}
    assert graph.tensors["y"].shape == (1, 4, 3, 3)
    assert graph.tensors["B"].value == (0, 0, 0, 0)
    assert [t.name for t in graph.inputs] == ["x"]


def test_unsorted_nodes_are_put_in_order_and_keep_their_names(build: Build) -> None:
    chain = [relu(f"t{i}", f"t{i + 1}") for i in range(300)]
    model = build(reversed(chain), {"t0": [2, 3]}, ["t300"])
    graph = read(model).graph
    assert [n.outputs[0] for n in graph.nodes] == [f"t{i + 1}" for i in range(300)]
    assert [n.name for n in graph.nodes[:2]] == ["n299", "n298"]
    assert graph.tensors["t300"].shape == (2, 3)


def test_a_body_orders_its_node_after_what_it_takes(build: Build) -> None:
    branch = helper.make_graph([relu("late", "b")], "branch", [], [helper.make_empty_tensor_value_info("b")])
    choose = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    model = build(
        [choose, relu("x", "late")], {"x": [2, 3]}, weights=[numpy_helper.from_array(np.array([1], bool), "c")]
    )
    graph = read(model).graph
    assert [n.op for n in graph.nodes] == ["Relu", "If"]
    assert graph.tensors["y"].shape == (2, 3)


STRUCTURE: dict[str, tuple[list[onnx.NodeProto], str]] = {
    "a missing tensor": ([helper.make_node("Add", ["x", "nowhere"], ["y"])], "'nowhere' is missing"),
    "a missing output": ([relu("x", "z")], "output 'y' is missing"),
    "a cycle": ([helper.make_node("Add", ["x", "b"], ["a"]), relu("a", "b"), relu("b", "y")], "cycle"),
    "a node on itself": ([helper.make_node("Add", ["x", "y"], ["y"])], "cycle"),
    "a name defined twice": ([relu("x", "y"), relu("x", "y")], "'y' is a duplicate"),
    "an input defined again": ([relu("x", "x"), relu("x", "y")], "'x' is a duplicate"),
    "no operator": ([helper.make_node("", ["x"], ["y"])], "op_type"),
    "an attribute given twice": (
        [
            onnx.NodeProto(
                op_type="Flatten",
                input=["x"],
                output=["y"],
                attribute=[helper.make_attribute("axis", 1), helper.make_attribute("axis", 0)],
            )
        ],
        "'axis' is a duplicate",
    ),
    "a reference outside of a function": (
        [
            onnx.NodeProto(
                op_type="Flatten",
                input=["x"],
                output=["y"],
                attribute=[AttributeProto(name="axis", ref_attr_name="a", type=AttributeProto.INT)],
            )
        ],
        "reference outside of a function",
    ),
    "a removed attribute": ([helper.make_node("Squeeze", ["x"], ["y"], axes=[0])], "does not exist in opset 17"),
    "a graph for a list": (
        [helper.make_node("Flatten", ["x"], ["y"], axis=helper.make_graph([], "g", [], []))],
        "holds a graph",
    ),
}


@pytest.mark.parametrize(("nodes", "said"), STRUCTURE.values(), ids=STRUCTURE.keys())
def test_broken_structure_is_refused(build: Build, nodes: list[onnx.NodeProto], said: str) -> None:
    assert said in refused(build(nodes, {"x": [1, 3]})).message


def test_errors_name_the_node_and_shorten_and_escape_names(build: Build) -> None:
    name = "\x1b[31m" + "long" * 1000
    wrong = refused(build([helper.make_node("Add", ["x", name], ["y"], name="add1")], {"x": [1]}))
    assert wrong.node == "add1"
    assert "\x1b" not in wrong.message
    assert "\\x1b[31m" in wrong.message
    assert len(wrong.message) < 200


def test_inputs_and_initializers_have_one_name(build: Build) -> None:
    w = numpy_helper.from_array(np.zeros(3, np.float32), "w")
    assert "'w' is a duplicate" in refused(build([relu("w", "y")], {}, weights=[w, w])).message
    model = build([relu("x", "y")], {"x": [1]})
    model.graph.input.append(model.graph.input[0])
    assert "'x' is a duplicate" in refused(model).message
    w.name = ""
    assert "no name" in refused(build([relu("x", "y")], {"x": [1]}, weights=[w])).message


def test_an_initializer_that_is_also_an_input_is_a_constant(build: Build) -> None:
    w = numpy_helper.from_array(np.zeros(3, np.float32), "w")
    graph = read(build([helper.make_node("Add", ["x", "w"], ["y"])], {"x": [2, 3], "w": [3]}, weights=[w])).graph
    assert [t.name for t in graph.inputs] == ["x"]
    assert graph.tensors["w"].constant


def test_a_type_that_lies_is_refused(conv: onnx.ModelProto) -> None:
    a = conv.graph.node[0].attribute.add(name="strides", type=AttributeProto.INTS)
    assert read(conv).graph.nodes[0].attrs.strides == ()
    a.strings.append(b"2")
    assert "its type lies" in refused(conv).message
    a.ClearField("type")
    assert "no type" in refused(conv).message


def test_the_first_format_had_no_attribute_types(conv: onnx.ModelProto) -> None:
    conv.graph.node[0].attribute.add(name="strides").ints.extend([2, 2])
    conv.ir_version = 1
    assert read(conv).graph.tensors["y"].shape == (1, 4, 3, 3)


def test_names_that_are_not_utf8_stay_apart(conv: onnx.ModelProto) -> None:
    wire = conv.SerializeToString().replace(b"\x01W", b"\x01\xff").replace(b"\x01B", b"\x01\xfe")
    graph = from_bytes(wire).graph
    names = graph.nodes[0].inputs
    assert len(set(names)) == 3
    assert msgspec.json.decode(msgspec.json.encode(names)) == list(names)
    assert graph.tensors["y"].shape == (1, 4, 6, 6)


def test_unused_initializers_unknown_attributes_and_training_are_noted(conv: onnx.ModelProto) -> None:
    conv.graph.initializer.append(numpy_helper.from_array(np.zeros(2, np.float32), "spare"))
    conv.graph.node[0].attribute.append(helper.make_attribute("colour", 1))
    conv.training_info.add()
    found = notes(read(conv))
    assert "'spare'" in found["C232"]
    assert "'colour'" in found["C233"]
    assert "training" in found["C237"]


OPSETS: dict[str, tuple[list[tuple[str, int]], int, str | None]] = {
    "the other name of the ONNX domain": ([("ai.onnx", 17)], 8, None),
    "a newer opset": ([("", 999)], 8, None),
    "a version twice": ([("", 17), ("", 17)], 8, None),
    "none in an old file": ([], 2, None),
    "none": ([], 8, "imports no opset"),
    "zero": ([("", 0)], 8, "opset version 0"),
    "only another domain": ([("custom", 1)], 8, "no ONNX opset is imported"),
    "no format version": ([("", 17)], 0, "ir_version"),
}


@pytest.mark.parametrize(("imports", "ir", "said"), OPSETS.values(), ids=OPSETS.keys())
def test_opset_imports(conv: onnx.ModelProto, imports: list[tuple[str, int]], ir: int, said: str | None) -> None:
    del conv.opset_import[:]
    conv.opset_import.extend(helper.make_opsetid(d, v) for d, v in imports)
    conv.ir_version = ir
    if said is not None:
        assert said in refused(conv).message
        return
    model = read(conv)
    assert model.graph.tensors["y"].shape == (1, 4, 6, 6)
    assert ("C234" in notes(model)) == (imports == [("", 999)])


def test_a_newer_format_and_a_domain_without_import_are_read(conv: onnx.ModelProto) -> None:
    conv.ir_version = 999
    conv.graph.node.append(helper.make_node("Gelu", ["y"], ["z"], domain="com.microsoft"))
    conv.graph.output.append(helper.make_empty_tensor_value_info("z"))
    model = read(conv)
    assert "ir_version 999" in notes(model)["C234"]
    assert model.graph.tensors["z"].shape == (1, 4, 6, 6)


def test_the_number_of_nodes_and_of_list_elements_is_limited(
    build: Build, conv: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convcost.onnx_reader.graphs.MAX_NODES", 2)
    nodes = [relu("x", "t"), relu("t", "u"), relu("u", "y")]
    assert "more than 2 nodes" in refused(build(nodes, {"x": [1]})).message
    conv.graph.node[0].attribute.append(helper.make_attribute("strides", [1] * 1_000_001))
    assert "over the limit of 1,000,000" in refused(conv).message


def test_another_domain_is_another_operator(conv: onnx.ModelProto) -> None:
    conv.graph.node[0].domain = "evil"
    conv.opset_import.append(helper.make_opsetid("evil", 1))
    y = read(conv).graph.tensors["y"]
    assert y.shape is None
    assert "evil:Conv" in y.reason


def test_a_graph_needs_outputs_but_no_nodes(build: Build) -> None:
    assert "no outputs" in refused(build([relu("x", "y")], {"x": [1]}, [])).message
    assert read(build([], {"x": [1, 2]}, ["x"])).graph.outputs == ("x",)
    assert "no graph" in refused(onnx.ModelProto(ir_version=8)).message


def function(
    name: str,
    nodes: list[onnx.NodeProto],
    inputs: tuple[str, ...] = ("a",),
    *,
    attributes: tuple[str, ...] = (),
    defaults: tuple[AttributeProto, ...] = (),
) -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    return helper.make_function("local", name, list(inputs), ["b"], nodes, imports, list(attributes), list(defaults))


def call(name: str, x: str, y: str, **attributes: int) -> onnx.NodeProto:
    node = helper.make_node(name, [x], [y], domain="local")
    node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
    return node


@pytest.fixture
def calling(build: Build) -> Callable[..., onnx.ModelProto]:
    def make(nodes: list[onnx.NodeProto], functions: list[onnx.FunctionProto]) -> onnx.ModelProto:
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        return build(nodes, {"x": [2, 3, 4]}, ["y"], opset=imports, functions=functions)

    return make


def flatten_by(name: str) -> onnx.NodeProto:
    node = helper.make_node("Flatten", ["a"], ["b"])
    node.attribute.add(name="axis", ref_attr_name=name, type=AttributeProto.INT)
    return node


@pytest.mark.parametrize(("given", "shape"), [({"k": 2}, (6, 4)), ({"k": 0}, (1, 24)), ({}, (2, 12))])
@pytest.mark.parametrize("form", ["without a default", "with a default"])
def test_function_attributes(
    calling: Callable[..., onnx.ModelProto], given: dict[str, int], shape: tuple[int, ...], form: str
) -> None:
    default = (helper.make_attribute("k", 1),)
    f = (
        function("f", [flatten_by("k")], defaults=default)
        if form == "with a default"
        else function("f", [flatten_by("k")], attributes=("k",))
    )
    graph = read(calling([call("f", "x", "y", **given)], [f])).graph
    assert graph.tensors["y"].shape == shape


def test_an_input_left_out_of_a_call_is_absent_in_the_body(calling: Callable[..., onnx.ModelProto]) -> None:
    f = function("f", [helper.make_node("Clip", ["a", "low", "high"], ["b"])], ("a", "low", "high"))
    assert read(calling([call("f", "x", "y")], [f])).graph.tensors["y"].shape == (2, 3, 4)


def given_graph() -> onnx.AttributeProto:
    return helper.make_attribute("g", helper.make_graph([], "g", [], []))


def test_graphs_as_values_of_function_attributes_are_refused(calling: Callable[..., onnx.ModelProto]) -> None:
    start = call("f", "x", "y")
    with_graph = call("f", "x", "y")
    with_graph.attribute.append(given_graph())
    f = function("f", [relu("a", "b")])
    assert "given a graph" in refused(calling([with_graph], [f])).message
    f = function("f", [relu("a", "b")], defaults=(given_graph(),))
    assert "graph as a default" in refused(calling([start], [f])).message


def test_an_attribute_has_the_type_that_its_reference_says(calling: Callable[..., onnx.ModelProto]) -> None:
    start = call("f", "x", "y")
    start.attribute.append(helper.make_attribute("k", 1.5))
    f = function("f", [flatten_by("k")], attributes=("k",))
    assert "should be of type i, the function is given f" in refused(calling([start], [f])).message


def test_a_function_uses_the_models_opsets_where_it_has_none(calling: Callable[..., onnx.ModelProto]) -> None:
    f = function("f", [relu("a", "b")])
    del f.opset_import[:]
    assert read(calling([call("f", "x", "y")], [f])).graph.tensors["y"].shape == (2, 3, 4)
    f.opset_import.add(domain="", version=-(2**40))
    assert "does not exist" in refused(calling([call("f", "x", "y")], [f])).message


FUNCTIONS: dict[str, tuple[list[onnx.FunctionProto], str]] = {
    "calls itself": ([function("f", [call("f", "a", "b")])], "recursive"),
    "calls itself through another": (
        [function("f", [call("g", "a", "b")]), function("g", [call("f", "a", "b")])],
        "recursive",
    ),
    "is defined twice": ([function("f", [relu("a", "b")]), function("f", [relu("a", "b")])], "duplicate"),
    "lacks a tensor": ([function("f", [relu("x", "b")])], "'x' is not defined in function 'f'"),
    "lacks its output": ([function("f", [relu("a", "c")])], "'b' is not defined in function 'f'"),
    "takes fewer inputs": ([function("f", [helper.make_node("Range", [], ["b"])], ())], "takes 0 inputs"),
}


@pytest.mark.parametrize(("functions", "said"), FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_functions_that_are_refused(
    calling: Callable[..., onnx.ModelProto], functions: list[onnx.FunctionProto], said: str
) -> None:
    assert said in refused(calling([call("f", "x", "y")], functions)).message


def test_an_unused_recursive_function_does_no_harm(calling: Callable[..., onnx.ModelProto]) -> None:
    assert read(calling([relu("x", "y")], [function("f", [call("f", "a", "b")])])).graph.tensors["y"].shape == (2, 3, 4)


def test_a_function_may_not_redefine_a_standard_operator(calling: Callable[..., onnx.ModelProto]) -> None:
    f = function("Relu", [helper.make_node("Identity", ["a"], ["b"])])
    f.domain = ""
    assert "redefines" in refused(calling([relu("x", "y")], [f])).message


def instances(graph: Graph) -> set[int]:
    found = {id(graph)}
    for node in graph.nodes:
        for _, inner in node.bodies:
            if id(inner) not in found:
                found |= instances(inner)
    return found


def test_a_tree_of_calls_is_built_once_a_function(calling: Callable[..., onnx.ModelProto]) -> None:
    depth = 40
    functions = [function(f"f{i}", [call(f"f{i + 1}", "a", "t"), call(f"f{i + 1}", "t", "b")]) for i in range(depth)]
    functions.append(function(f"f{depth}", [relu("a", "b")]))
    model = read(calling([call("f0", "x", "y")], functions))
    assert len(instances(model.raw.graph)) == depth + 2
    assert len(instances(model.graph)) == depth + 2
    assert model.graph.tensors["y"].shape == (2, 3, 4)


def test_variants_of_functions_are_limited(calling: Callable[..., onnx.ModelProto]) -> None:
    """Each level passes on its attributes with one of them fixed at 0 or 1: 2^n variants."""
    names = [f"k{i}" for i in range(16)]

    def variant(level: int, value: int, x: str, y: str) -> onnx.NodeProto:
        node = call(f"f{level + 1}", x, y, **{names[level]: value})
        for other in names:
            if other != names[level]:
                node.attribute.add(name=other, ref_attr_name=other, type=AttributeProto.INT)
        return node

    functions = [
        function(f"f{i}", [variant(i, 0, "a", "t"), variant(i, 1, "t", "b")], attributes=tuple(names))
        for i in range(16)
    ]
    functions.append(function("f16", [relu("a", "b")], attributes=tuple(names)))
    start = call("f0", "x", "y", **dict.fromkeys(names, 0))
    assert "too many functions" in refused(calling([start], functions)).message


def test_deep_calls_are_refused(calling: Callable[..., onnx.ModelProto]) -> None:
    functions = [function(f"f{i}", [call(f"f{i + 1}", "a", "b")]) for i in range(3000)]
    model = calling([call("f0", "x", "y")], [*functions, function("f3000", [relu("a", "b")])])
    assert "nested too deep" in refused(model).message


def test_branches_in_branches(build: Build) -> None:
    out = [helper.make_empty_tensor_value_info("y")]
    plain = helper.make_graph([relu("x", "y")], "g", [], out)
    node = relu("x", "y")
    for _ in range(30):
        inner = helper.make_graph([node], "g", [], out)
        node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=plain)
    model = build([node], {"x": [2, 3]}, weights=[numpy_helper.from_array(np.array([1], bool), "c")])
    assert read(model).graph.tensors["y"].shape == (2, 3)


def test_branches_beyond_the_depth_of_protobuf() -> None:
    node = relu("x", "y").SerializeToString()
    for _ in range(60):
        graph = field(1, node)
        node = field(5, field(1, b"then_branch") + field(6, graph) + b"\xa0\x01\x05") + field(4, b"If")
    with pytest.raises(ModelError, match="100 messages deep"):
        from_bytes(b"\x08\x08" + field(7, field(1, node)))


def field(number: int, content: bytes) -> bytes:
    return write_varint(number << 3 | 2) + write_varint(len(content)) + content
