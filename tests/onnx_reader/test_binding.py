"""Open dimensions, given shapes and values, declared shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost.errors import ModelError, UsageError
from convcost.ir import DType
from convcost.onnx_reader import InputSpec, ModelFile, from_bytes, parse_dim_option, parse_input_option, resolve_model

Build = Callable[..., onnx.ModelProto]


def read(
    model: onnx.ModelProto, dims: Mapping[str, int] | None = None, inputs: Mapping[str, str] | None = None
) -> ModelFile:
    specs = dict(parse_input_option(f"{k}={v}") for k, v in (inputs or {}).items())
    return from_bytes(model.SerializeToString(), dims=dims or {}, inputs=specs)


@pytest.fixture
def open_conv(build: Build) -> onnx.ModelProto:
    """x: (N, 3, H, W), z: (N, T)."""
    w = numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.float32), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"]), helper.make_node("Relu", ["z"], ["u"])]
    return build(nodes, {"x": ["N", 3, "H", "W"], "z": ["N", "T"]}, ["y", "u"], [w])


def shape(model: ModelFile, name: str) -> str:
    return str(model.graph.tensors[name].shape)


def test_the_batch_is_taken_as_one_and_said(open_conv: onnx.ModelProto) -> None:
    model = read(open_conv)
    assert (model.dims, model.assumed) == ({"N": 1}, ("N",))
    assert (shape(model, "y"), shape(model, "u")) == ("(1, 4, H - 2, W - 2)", "(1, T)")
    (note,) = model.graph.notes
    assert (note.code, note.message) == ("C230", "dims: N=1 assumed")
    assert note.help == "--dim N=8 sets it"


def test_the_batch_can_stay_open_or_be_given(open_conv: onnx.ModelProto) -> None:
    raw = read(open_conv).raw
    assert shape(resolve_model(raw, assume=False), "y") == "(N, 4, H - 2, W - 2)"
    model = resolve_model(raw, batch=8)
    assert (model.dims, model.assumed, model.graph.notes) == ({"N": 8}, (), ())
    assert shape(model, "u") == "(8, T)"


def test_dimensions_by_name(open_conv: onnx.ModelProto) -> None:
    model = read(open_conv, {"N": 2, "H": 10, "W": 12, "T": 0})
    assert (shape(model, "y"), shape(model, "u")) == ("(2, 4, 8, 10)", "(2, 0)")


def test_a_given_shape_binds_its_symbols_everywhere(open_conv: onnx.ModelProto) -> None:
    model = read(open_conv, inputs={"x": "2x3x10x12"})
    assert model.dims == {"N": 2, "H": 10, "W": 12}
    assert (shape(model, "y"), shape(model, "u")) == ("(2, 4, 8, 10)", "(2, T)")


@pytest.mark.parametrize(
    ("dims", "inputs", "said"),
    [
        ({"Q": 1}, {}, "no open dimension 'Q': its open dimensions are 'N', 'H', 'W', 'T'"),
        ({}, {"q": "1"}, "no input 'q': its inputs are 'x', 'z'"),
        ({"N": 3}, {"x": "2x3x8x8"}, "contradicts"),
    ],
)
def test_names_that_do_not_fit(
    open_conv: onnx.ModelProto, dims: dict[str, int], inputs: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read(open_conv, dims, inputs)


def test_a_fixed_shape_can_be_overruled_and_that_is_said(conv: onnx.ModelProto) -> None:
    model = read(conv, inputs={"x": "5x3x20x20"})
    assert shape(model, "y") == "(5, 4, 18, 18)"
    assert [n.code for n in model.graph.notes] == ["C235"]
    with pytest.raises(UsageError, match="all its dimensions are fixed"):
        read(conv, {"N": 1})


def test_a_value_folds(build: Build) -> None:
    nodes = [helper.make_node("Reshape", ["x", "sizes"], ["y"])]
    model = build(nodes, {"x": [4, 6], "sizes": [3]})
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.INT64
    assert read(model).graph.tensors["y"].shape is None
    found = read(model, inputs={"sizes": "list:2,-1,3"}).graph
    assert found.tensors["y"].shape == (2, 4, 3)
    assert not found.tensors["sizes"].constant


def test_dimensions_without_a_name(build: Build) -> None:
    model = build([helper.make_node("Relu", ["x"], ["y"])], {"x": [None, None, 5]})
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = -1
    assert read(model).dims == {"x_dim0": 1}
    assert read(model, {"x_dim1": 7}).graph.tensors["y"].shape == (1, 7, 5)


@pytest.mark.parametrize(
    "name", ["9**9**9", "__import__('os').system('false')", "N/2", "H W", "`", "{0}", "\u202e", ""]
)
def test_the_text_of_a_symbol_is_only_text(build: Build, name: str) -> None:
    model = build([helper.make_node("Relu", ["x"], ["y"])], {"x": [1, "?"]})
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = name
    y = read(model).graph.tensors["y"].dims[1]
    assert not isinstance(y, int)
    assert y.symbols == {name or "x_dim1"}
    assert read(model, {name or "x_dim1": 3}).graph.tensors["y"].shape == (1, 3)


def test_inputs_without_shape_or_type(build: Build) -> None:
    model = build([helper.make_node("Relu", ["x"], ["y"])], {"x": None})
    assert "'x' has no declared shape" in read(model).graph.tensors["y"].reason
    assert read(model, inputs={"x": "2x3"}).graph.tensors["y"].shape == (2, 3)
    model.graph.input[0].ClearField("type")
    assert "'x' has no declared type" in read(model).graph.tensors["y"].reason


@pytest.mark.parametrize(("change", "said"), [("elem_type", "type 4711"), ("dim", "negative"), ("rank", "rank of 65")])
def test_inputs_that_cannot_be(conv: onnx.ModelProto, change: str, said: str) -> None:
    t = conv.graph.input[0].type.tensor_type
    if change == "elem_type":
        t.elem_type = 4711
    elif change == "dim":
        t.shape.dim[0].dim_value = -(2**63)
    else:
        for _ in range(61):
            t.shape.dim.add(dim_value=1)
    with pytest.raises(ModelError, match=said):
        read(conv)


def test_containers(build: Build) -> None:
    model = build([], {"x": [1]}, ["x"])
    inner = helper.make_tensor_type_proto(TensorProto.INT64, [2, "n"])
    types = {
        "sequence": helper.make_sequence_type_proto(inner),
        "optional": helper.make_optional_type_proto(helper.make_sequence_type_proto(inner)),
        "map": helper.make_map_type_proto(TensorProto.STRING, inner),
    }
    for container, proto in types.items():
        model.graph.input.append(helper.make_value_info(container, proto))
    tensors = read(model).graph.tensors
    assert [tensors[c].container for c in types] == list(types)
    assert tensors["sequence"].dtype is DType.INT64
    model.graph.input.append(helper.make_value_info("s", helper.make_sparse_tensor_type_proto(1, [2])))
    with pytest.raises(ModelError, match="sparse"):
        read(model)


def test_declared_shapes_are_overruled_and_named(conv: onnx.ModelProto) -> None:
    conv.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1]))
    model = read(conv)
    assert shape(model, "y") == "(1, 4, 6, 6)"
    (note,) = model.graph.notes
    assert (note.code, note.location) == ("C231", "y")
    assert "1x1" in note.message
    assert "1x4x6x6" in note.message
    conv.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, "h", 6]))
    assert read(conv).graph.notes == ()
    conv.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.INT8, None))
    assert "int8" in read(conv).graph.notes[0].message


def test_a_declaration_that_cannot_be_changes_nothing(conv: onnx.ModelProto) -> None:
    conv.graph.value_info.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, [-7]))
    conv.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 4711, [1]))
    model = read(conv)
    assert shape(model, "y") == "(1, 4, 6, 6)"
    assert [(n.code, n.location) for n in model.graph.notes] == [("C231", "t"), ("C231", "y")]


def test_channels_last_is_suspected(conv: onnx.ModelProto) -> None:
    with pytest.raises(ModelError) as wrong:
        read(conv, inputs={"x": "1x8x8x3"})
    assert wrong.value.help is not None
    assert "--input x=1x3x8x8" in wrong.value.help


@pytest.mark.parametrize(
    ("given", "name", "spec"),
    [
        ("x=1x3x224x224", "x", InputSpec((1, 3, 224, 224))),
        ("gpu_0/data=7", "gpu_0/data", InputSpec((7,))),
        ("a=b:0=2x0", "a=b:0", InputSpec((2, 0))),
        ("sr=scalar:16000", "sr", InputSpec((), (16000,))),
        ("t=scalar", "t", InputSpec(())),
        ("s=list:1,-1", "s", InputSpec((2,), (1, -1))),
    ],
)
def test_input_options(given: str, name: str, spec: InputSpec) -> None:
    assert parse_input_option(given) == (name, spec)


BAD = [
    "",
    "x",
    "=1",
    "x=",
    "x=1x",
    "x=-1x3",
    "x=1×3",
    "x=scalar:",
    "x=scalar:1.5",
    "x=list:",
    "x=list:1,",
    "x=١",
    "x=" + "9" * 40,
]


@pytest.mark.parametrize("given", BAD)
def test_bad_input_options(given: str) -> None:
    with pytest.raises(UsageError) as wrong:
        parse_input_option(given)
    assert len(wrong.value.message) < 200


def test_dim_options() -> None:
    assert parse_dim_option("batch=8") == ("batch", 8)
    assert parse_dim_option("a=b=0") == ("a=b", 0)
    for given in ("batch", "batch=", "=1", "batch=-1", "batch=x", "batch=1_0", "batch=" + "9" * 5000):
        with pytest.raises(UsageError):
            parse_dim_option(given)
