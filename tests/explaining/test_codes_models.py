"""Codes of models: each example in words raises its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import api
from convcost.api.gains import disappointing
from convcost.api.models import model_of
from convcost.api.reports import machine
from convcost.api.sources import Options, load
from convcost.api.whatifs import check
from convcost.explaining import codes
from convcost.ir.splice import absent
from convcost.record import Environment, ModelTiming


def c202_web_page(w: Any) -> Any:
    return w.count(b"<!DOCTYPE html><html></html>" * 40)


def c203_half_a_model(w: Any) -> Any:
    data = (w.place / "model.onnx").read_bytes()
    return w.count(data[: len(data) // 2])


def c204_many_dimensions(w: Any) -> Any:
    return w.count(w.model([w.relu()], (1,) * 300))


def c205_later_report(w: Any) -> Any:
    text = msgspec.json.encode(msgspec.structs.replace(api.count("12x12x3,k5,c256"), schema_version="9.0"))
    (w.place / "report.json").write_bytes(text)
    return api.count("report.json")


def c206_no_report(w: Any) -> Any:
    (w.place / "odd.json").write_text("{}")
    return api.read(str(w.place / "odd.json"))


def c207_nameless(w: Any) -> Any:
    weight = numpy_helper.from_array(np.ones((64, 64, 3, 3), np.float32), "w")
    made = w.model([helper.make_node("Conv", ["x", "w"], ["y"], name="conv")], (1, 64, 9, 9), [weight])
    made.graph.node[0].output[0] = made.graph.output[0].name = "~~~~"
    (w.place / "odd.onnx").write_bytes(made.SerializeToString().replace(b"~~~~", b"~\xff~~"))
    return api.whatif(str(w.place / "odd.onnx"), to="depthwise-separable", output=str(w.place / "new.onnx"))


def c210_missing_tensor(w: Any) -> Any:
    return w.count(w.model([w.relu("nowhere")]))


def c211_strides_as_text(w: Any) -> Any:
    weight = numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides="two")
    return w.count(w.model([node], (1, 3, 8, 8), [weight]))


def c212_half_a_tensor(w: Any) -> Any:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    weight.dims[0] = 3
    return w.count(w.model([helper.make_node("Add", ["x", "w"], ["y"])], (1, 3), [weight]))


def c213_outside(w: Any) -> Any:
    return w.count(w.external("../../etc/passwd"))


def c214_no_operator_set(w: Any) -> Any:
    made = w.model([w.relu()])
    del made.opset_import[:]
    return w.count(made)


def c215_calls_itself(w: Any) -> Any:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    body = [helper.make_node("f", ["a"], ["b"], domain="own")]
    function = helper.make_function("own", "f", ["a"], ["b"], body, imports)
    made = w.model([helper.make_node("f", ["x"], ["y"], domain="own")], functions=[function])
    made.opset_import.append(helper.make_opsetid("own", 1))
    return w.count(made)


def c216_negative(w: Any) -> Any:
    return w.count(w.model([w.relu()], (1, -3)))


def c220_other_channels(w: Any) -> Any:
    weight = numpy_helper.from_array(np.zeros((8, 4, 3, 3), np.float32), "w")
    return w.count(w.model([helper.make_node("Conv", ["x", "w"], ["y"])], (1, 3, 8, 8), [weight]))


def c230_open_batch(w: Any) -> Any:
    return w.count(w.model([w.relu()], ("N", 3)))


def c231_wrong_declaration(w: Any) -> Any:
    made = w.model([w.relu("x", "a"), helper.make_node("Relu", ["a"], ["y"], name="two")], (1, 7))
    made.graph.value_info.append(helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 5]))
    return w.count(made)


def c232_unused(w: Any) -> Any:
    return w.count(w.model([w.relu()], weights=[helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])]))


def c233_colour(w: Any) -> Any:
    return w.count(w.model([helper.make_node("Relu", ["x"], ["y"], colour="red")]))


def c234_new_operator_set(w: Any) -> Any:
    return w.count(w.model([w.relu()], opset=999))


def c235_other_input(w: Any) -> Any:
    return w.count(w.model([w.relu()], (1, 4)), inputs={"x": "1x5"})


def c236_empty_input(w: Any) -> Any:
    return w.count(w.model([w.relu()], (0, 3)))


def c237_training(w: Any) -> Any:
    made = w.model([w.relu()])
    made.training_info.add()
    return w.count(made)


def c238_without_data(w: Any) -> Any:
    return w.count(w.external("weights.data"))


def c240_unknown_iterations(w: Any) -> Any:
    return w.count(w.loop())


def c241_own_operator(w: Any) -> Any:
    return w.count(w.foreign(), strict=True)


def c242_open_strictly(w: Any) -> Any:
    return w.count(w.model([w.relu()], (1, 3, "height", "width")), strict=True)


def c243_bound_strictly(w: Any) -> Any:
    return w.count(w.loop(), strict=True)


def c244_open_sizes(w: Any) -> Any:
    return w.count(w.model([w.relu()], (1, 3, "height", "width")))


def c245_no_such_node(_: Any) -> Any:
    return absent(["conv9"], ["conv1"])


def c246_small_gain(_: Any) -> Any:
    ways = api.compare("12x12x3,k5,c256").comparisons[0].alternatives[:2]
    fields = {"backend": "numpy", "threads": 1, "runs": 9, "warmup": 1, "mad_ns": 1, "layers_sum_ns": 1}
    times = [ModelTiming(median_ns=ns, min_ns=ns, weights="random", **fields) for ns in (3000, 1000)]  # type: ignore[arg-type]
    timed = [msgspec.structs.replace(way, timing=time) for way, time in zip(ways, times, strict=True)]
    return disappointing(timed, [None, None])


def c247_strided_same(w: Any) -> Any:
    weight = numpy_helper.from_array(np.ones((64, 64, 3, 3), np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", strides=[2, 2], auto_pad="SAME_UPPER")
    path = w.stored(w.model([node], (1, 64, 9, 9), [weight]))
    return api.whatif(path, to="depthwise-separable")


def c248_algorithm_without_a_kernel(_: Any) -> Any:
    return api.compare("8x8x4,k3,c4", time=True, runs=1, warmup=0, min_seconds=0.0)


def c249_other_totals(w: Any) -> Any:
    path = w.stored(w.model([w.relu()]))
    opts = Options()
    item = load(path, opts)
    model, _ = model_of(item, opts)
    wrong = msgspec.structs.replace(model, totals=msgspec.structs.replace(model.totals, macs=7))
    return check((w.place / "made.onnx").read_bytes(), wrong, item, opts)


def c250_nested(w: Any) -> Any:
    """Bodies inside each other, written by hand: the library itself gives up."""

    def field(number: int, content: bytes) -> bytes:
        size, length = len(content), b""
        while size >= 128:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + content

    graph = field(10, b"large" * 20_000)
    for _ in range(200):
        attribute = field(1, b"then_branch") + field(6, graph)
        graph = field(1, field(4, b"If") + field(5, attribute))
    return w.count(b"\x08\x08" + field(7, graph))


def c260_two_machines(_: Any) -> Any:
    fields: dict[str, Any] = {"python": "3", "numpy": "2", "blas": "b", "machine": "m", "cores": 1, "threads": 1}
    counted = api.count("12x12x3,k5,c256")
    both = [Environment(processor=name, **fields) for name in ("one", "two")]
    return machine([msgspec.structs.replace(counted, environment=one) for one in both])[1]


@pytest.mark.parametrize("entry", codes.of("Model"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Callable[[codes.Code], None]) -> None:
    raises(entry)
