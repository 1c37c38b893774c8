"""Layers of a report and the nodes that they are, also where many have one name."""

from __future__ import annotations

import time

from onnx import TensorProto, helper

from convcost.alternatives.sites import matched, sites
from convcost.analysis import count
from convcost.ir import Graph
from convcost.onnx_reader import from_bytes


def same_names(n: int) -> Graph:
    """A chain of n convolutions, all called c; the k-th has k + 1 output channels, up to 7."""
    channels = [2, *(k % 7 + 1 for k in range(n))]
    nodes = [helper.make_node("Conv", [f"t{k}", f"w{k}"], [f"t{k + 1}"], name="c") for k in range(n)]
    inputs = [helper.make_tensor_value_info("t0", TensorProto.FLOAT, [1, 2, 1, 1])]
    inputs += [
        helper.make_tensor_value_info(f"w{k}", TensorProto.FLOAT, [channels[k + 1], channels[k], 1, 1])
        for k in range(n)
    ]
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info(f"t{n}", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return from_bytes(model.SerializeToString()).graph


def test_the_kth_of_a_name_is_the_kth() -> None:
    graph = same_names(5)
    pairs = matched(sites(graph), count(graph).layers)
    assert [site.layer().m for _, site in pairs if site is not None] == [1, 2, 3, 4, 5]


def test_names_that_do_not_tell_are_left_alone() -> None:
    graph = same_names(3)
    assert [site for _, site in matched(sites(graph)[1:], count(graph).layers)] == [None] * 3


def test_many_of_one_name_take_no_time() -> None:
    graph = same_names(4)
    found, layers = sites(graph), count(graph).layers
    start = time.perf_counter()
    assert len(matched(found * 10_000, layers * 10_000)) == 40_000
    assert time.perf_counter() - start < 5
