"""Programs made at random: their canonical printing reads back equal, and the onnx library infers the same shapes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from convcost.errors import NotationError
from convcost.ir import Graph
from convcost.notation import canonical, parse

Shapes = Callable[[Graph], dict[str, tuple[int, ...]]]


@st.composite
def convolutions(draw: st.DrawFn, rank: int, channels: int) -> tuple[str, int]:
    """A convolution on `channels`, often at sizes that fit, and its output channels."""
    sizes = [draw(st.integers(1, 4)) for _ in range(rank)]
    spatial = "x".join(map(str, sizes))
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    m = groups * draw(st.integers(1, 3))
    kernel, options = f"{spatial}x{channels // groups}x{m}", []
    forms = ["", "T"]
    if groups == 1:
        forms += ["sep", *(["spatial"] if rank == 2 else [])]
    form = draw(st.sampled_from(forms))
    if groups not in (1, channels) or draw(st.booleans()):
        options += [f"g{groups}"] if form not in ("sep", "spatial") else []
    options += [form] if form else []
    options += [f"s{draw(st.integers(1, 3))}"] if draw(st.booleans()) else []
    options += [f"d{draw(st.integers(1, 2))}"] if draw(st.booleans()) else []
    pads = "/".join(str(draw(st.integers(0, 2))) for _ in range(2 * rank))
    modes = ["", "same", "same_lower", f"p={pads}", f"p{draw(st.integers(0, 2))}", *([] if form == "T" else ["full"])]
    options.append(draw(st.sampled_from(modes)))
    options += ["bias"] if draw(st.booleans()) else []
    return f"({kernel} {' '.join(o for o in options if o)})", m


@st.composite
def steps(draw: st.DrawFn, rank: int, channels: int, depth: int) -> tuple[str, int]:
    """A step that leaves spatial dimensions, and its output channels."""
    kind = draw(st.integers(0, 9 if depth else 8))
    if kind <= 4:
        return draw(convolutions(rank, channels))
    if kind == 5:
        word = draw(st.sampled_from(["maxpool", "avgpool"]))
        options = draw(st.sampled_from(["", "s1", "s2", "same", "s1 same", "p1 s2", "d2"]))
        return f"({word} {draw(st.integers(2, 3))} {options})", channels
    if kind == 6:
        return f"({draw(st.sampled_from(['relu', 'bn', 'id']))})", channels
    if kind == 7:
        divisors = [g for g in range(1, channels + 1) if channels % g == 0]
        return f"(shuffle g{draw(st.sampled_from(divisors))})", channels
    if kind == 8:
        return "(gap)", channels
    joiner = draw(st.sampled_from("|+"))
    branches = [draw(steps(rank, channels, depth - 1)) for _ in range(draw(st.integers(2, 3)))]
    total = sum(c for _, c in branches) if joiner == "|" else channels
    return "{" + joiner.join(text for text, _ in branches) + "}", total


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A chain of one to four steps."""
    rank = draw(st.integers(1, 3))
    channels = draw(st.integers(1, 6))
    text = "x".join(str(draw(st.integers(4, 9))) for _ in range(rank)) + f"x{channels}"
    for _ in range(draw(st.integers(1, 4))):
        step, channels = draw(steps(rank, channels, 2))
        text += f" -{step}->"
    if draw(st.integers(0, 3)) == 0:
        text += draw(st.sampled_from([" -(fc 5)->", " -(flatten)->", " -(flatten)-> -(relu)-> -(fc 3)->"]))
    return text


def valid(text: str) -> Graph:
    try:
        return parse(text)
    except NotationError:
        assume(condition=False)
        raise


def unread(graph: Graph) -> Graph:
    """The graph without the words about what was inferred: the canonical printing leaves nothing to infer."""
    nodes = tuple(msgspec.structs.replace(n, reading=()) for n in graph.nodes)
    return msgspec.structs.replace(graph, nodes=nodes, notes=())


relaxed = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)


@relaxed
@given(programs())
def test_the_canonical_printing_reads_back_equal(text: str) -> None:
    graph = valid(text)
    printed = canonical(text)
    assert unread(parse(printed)) == unread(graph)
    assert canonical(printed) == printed


@relaxed
@given(programs())
def test_every_layer_stands_for_itself(text: str) -> None:
    graph = valid(text)
    for node in graph.nodes:
        if node.notation and "shuffle" not in node.notation:
            (alone,) = parse(node.notation).nodes
            assert (alone.op, alone.attrs, alone.notation) == (node.op, node.attrs, node.notation)


@relaxed
@given(text=programs())
def test_onnx_infers_the_same_shapes(text: str, onnx_shapes: Shapes) -> None:
    graph = valid(text)
    names = [name for node in graph.nodes for name in node.outputs]
    assume(names)
    assert {name: graph.tensors[name].shape for name in names} == onnx_shapes(graph)


@relaxed
@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 14), st.integers(1, 6), st.integers(1, 14)), min_size=1, max_size=3),
    st.booleans(),
)
def test_a_declared_output_is_what_comes_out(channels: int, axes: list[tuple[int, int, int]], transposed: bool) -> None:
    sizes, kernel, out = ("x".join(str(a[n]) for a in axes) for n in range(3))
    graph = valid(f"{sizes}x{channels} -({kernel}x{channels}x2 {'T' if transposed else ''})-> {out}x2")
    assert graph.tensors["conv1.out"].shape == (1, 2, *(a[2] for a in axes))
