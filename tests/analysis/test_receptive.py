"""Receptive fields against positions that are really followed back, tap by tap."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
import onnx
import pytest

from convcost import analysis
from convcost.onnx_reader import from_bytes
from convcost.record import Layer, ReceptiveField

Reads = Callable[[int], set[int]]
"""Which positions of the input an output position reads; positions outside of the input are padding."""


def rows(body: str, x: str = "float[1, 4, 32, 40] x", more: str = "", *, functions: str = "") -> list[Layer]:
    """The rows of a model in ONNX's text form: `body` computes y from x; `more` declares weights, as inputs."""
    imports = '<ir_version: 10, opset_import: ["" : 19, "local" : 1]>'
    text = f"{imports} g ({x}{more}) => (float y) {{ {body} }} {functions}"
    model = onnx.parser.parse_model(text)
    return analysis.count(from_bytes(model.SerializeToString()).graph).layers


def field_of(layer: Layer) -> ReceptiveField:
    """The receptive field of a row with respect to x."""
    assert layer.receptive_field is not None
    return next(f for f in layer.receptive_field if f.input == "x")


def axes_of(layer: Layer) -> list[tuple[int, Fraction, Fraction]]:
    """(size, stride, padding) along each spatial axis."""
    return [(a.size, Fraction(a.stride), Fraction(a.padding)) for a in field_of(layer).axes]


class Axis(msgspec.Struct, frozen=True):
    """One axis of a window."""

    k: int
    s: int
    d: int
    before: int
    after: int


def window(a: Axis, inner: Reads) -> Reads:
    return lambda o: {p for j in range(a.k) for p in inner(o * a.s - a.before + j * a.d)}


def scatter(a: Axis, inner: Reads) -> Reads:
    def reads(o: int) -> set[int]:
        taps = [o + a.before - j * a.d for j in range(a.k)]
        return {p for t in taps if t % a.s == 0 for p in inner(t // a.s)}

    return reads


def attributes(axes: list[Axis]) -> str:
    pads = [a.before for a in axes] + [a.after for a in axes]
    strides, dilations = [a.s for a in axes], [a.d for a in axes]
    return f"strides = {strides}, dilations = {dilations}, pads = {pads}"


def drawn(rng: random.Random, *, dilated: bool = True) -> list[Axis]:
    return [
        Axis(
            rng.randint(1, 4),
            rng.randint(1, 3),
            rng.randint(1, 2) if dilated else 1,
            rng.randint(0, 1),
            rng.randint(0, 1),
        )
        for _ in range(2)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_chains_of_windows(seed: int) -> None:
    """Convolutions and pools, then for half of them a transposed convolution, whose outputs differ by their phase."""
    rng = random.Random(seed)
    body, more = "", ""
    reads: list[Reads] = [lambda o: {o}, lambda o: {o}]
    last = "x"
    for n in range(rng.randint(1, 3)):
        axes = drawn(rng)
        if rng.random() < 0.6:
            more += f", float[4, 4, {axes[0].k}, {axes[1].k}] w{n}"
            body += f"t{n} = Conv <{attributes(axes)}> ({last}, w{n})\n"
        else:
            axes = [msgspec.structs.replace(a, before=0, after=0) for a in axes]
            body += f"t{n} = MaxPool <kernel_shape = {[a.k for a in axes]}, {attributes(axes)}> ({last})\n"
        reads = [window(a, r) for a, r in zip(axes, reads, strict=True)]
        last = f"t{n}"
    phases = [1, 1]
    if seed % 2:
        axes = drawn(rng, dilated=False)
        more += f", float[4, 4, {axes[0].k}, {axes[1].k}] up"
        body += f"t = ConvTranspose <{attributes(axes)}> ({last}, up)\n"
        reads = [scatter(a, r) for a, r in zip(axes, reads, strict=True)]
        last, phases = "t", [a.s for a in axes]
    body += f"y = Relu({last})"
    found = axes_of(rows(body, "float[1, 4, 90, 100] x", more)[-1])
    for (size, stride, padding), read, phase in zip(found, reads, phases, strict=True):
        seen = [read(o) for o in range(2 * phase)]
        assert size == max(max(s) - min(s) + 1 for s in seen if s)
        if read(9 * phase):
            assert stride * phase == min(read(10 * phase)) - min(read(9 * phase))
        if seen[0]:
            assert -padding == min(seen[0])


CONV = "t = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w)"
"""Over 32 × 40: 16 × 20 outputs, each looks at 3, 2 further on, from -1."""

W = ", float[4, 4, 3, 3] w"
AFTER_CONV: list[tuple[str, list[Any] | None]] = [
    ("y = GlobalAveragePool(t)", [(2 * 15 + 3, 32, 1), (2 * 19 + 3, 40, 1)]),
    ("y = GlobalMaxPool(t)", [(33, 32, 1), (41, 40, 1)]),
    ("y = Transpose <perm = [0, 1, 3, 2]> (t)", [(3, 2, 1)] * 2),
    ("y = Transpose <perm = [0, 2, 3, 1]> (t)", None),
    ("y = Transpose (t)", None),
    ("s = Constant <value_ints = [1, 2, 2, 16, 20]> () y = Reshape(t, s)", None),
    ("s = Constant <value_ints = [1, 2, 32, 20]> () y = Reshape(t, s)", None),
    ("s = Constant <value_ints = [2, 2, 16, 20]> () y = Reshape(t, s)", [(3, 2, 1)] * 2),
    ("s = Constant <value_ints = [2, 1]> () a = Constant <value_ints = [2]> () y = Pad(t, s, , a)", None),
    ("s = Constant <value_ints = [2, 1]> () a = Constant <value_ints = [1]> () y = Pad(t, s, , a)", [(3, 2, 1)] * 2),
    ("s = Constant <value_ints = [0, 0, 2, 0, 0, 0, 1, 3]> () y = Pad(t, s)", [(3, 2, 1 + 4), (3, 2, 1)]),
    ("y = DepthToSpace <blocksize = 2> (t)", [(3, 1, 1)] * 2),
    ("y = SpaceToDepth <blocksize = 4> (t)", [(3 + 3 * 2, 8, 1)] * 2),
    ('SCALES y = Resize <mode = "nearest"> (t, , s)', [(3, 1, 1), (3, Fraction(2, 3), 1)]),
    ('SCALES y = Resize <mode = "linear"> (t, , s)', [(5, 1, 1), (5, Fraction(2, 3), 1)]),
    ('SCALES y = Resize <mode = "cubic"> (t, , s)', [(9, 1, 1), (9, Fraction(2, 3), 1)]),
    ("y = Softmax(t)", [(3, 2, 1)] * 2),
    ("y = Identity(t)", [(3, 2, 1)] * 2),
    ("y = Dropout(t)", [(3, 2, 1)] * 2),
    ("y = Cast <to = 10> (t)", [(3, 2, 1)] * 2),
    ("y = CastLike(t, w)", [(3, 2, 1)] * 2),
    ("y = LogSoftmax(t)", [(3, 2, 1)] * 2),
    ("z = Constant <value_float = 2.0> () y = Mul(z, t)", [(3, 2, 1)] * 2),
    ("y = LRN <size = 3> (t)", [(3, 2, 1)] * 2),
    ("z = Constant <value_float = 0.1> () y = QuantizeLinear(t, z)", [(3, 2, 1)] * 2),
    ("y = Shape(t)", None),
    ("y = local.twice(t)", [(3, 2, 1)] * 2),
    ("y = local.last(w, t)", [(3, 2, 1)] * 2),
    (
        'SCALES r = Resize <mode = "nearest"> (t, , s) y = MaxPool <kernel_shape = [3, 3]> (r)',
        [(3 + 2, 1, 1), (5, Fraction(2, 3), 1)],
    ),
    ("y = Flatten(t)", None),
    ("y = Transpose <perm = [1, 2, 0, 3]> (t)", [(1, 1, 0), (3, 2, 1)]),
    ("d = DepthToSpace <blocksize = 2> (t) y = Transpose <perm = [1, 2, 0, 3]> (d)", [(1, 1, 0), (3, 1, 1)]),
    ("d = SpaceToDepth <blocksize = 2> (t) y = Transpose <perm = [1, 2, 0, 3]> (d)", [(1, 1, 0), (5, 4, 1)]),
    ("d = ConvTranspose <pads = [1, 1, 1, 1]> (t, w) y = Transpose <perm = [1, 2, 0, 3]> (d)", [(1, 1, 0), (7, 2, 3)]),
    ("d = GlobalMaxPool(t) y = Transpose <perm = [1, 2, 0, 3]> (d)", [(1, 1, 0), (41, 40, 1)]),
    ('y = ConvTranspose <auto_pad = "SAME_UPPER", strides = [2, 2]> (t, w)', [(5, 1, 3)] * 2),
    ('y = ConvTranspose <auto_pad = "SAME_LOWER", strides = [2, 2]> (t, w)', [(5, 1, 1)] * 2),
    ("y = AveragePool <kernel_shape = [2, 2]> (t)", [(5, 2, 1)] * 2),
    ("y = LpPool <kernel_shape = [2, 2]> (t)", [(5, 2, 1)] * 2),
    ('y = MaxPool <kernel_shape = [2, 2], auto_pad = "SAME_UPPER"> (t)', [(5, 2, 1)] * 2),
    ('y = MaxPool <kernel_shape = [2, 2], auto_pad = "SAME_LOWER"> (t)', [(5, 2, 3)] * 2),
    ("y = GlobalLpPool(t)", [(33, 32, 1), (41, 40, 1)]),
    ("s = Constant <value_ints = [4, 16, 20]> () y = Reshape(t, s)", [(3, 2, 1)]),
    ("s = Constant <value_ints = [1, 4, 320]> () y = Reshape(t, s)", None),
    ("s = Constant <value_ints = [1, 4, 16, 4, 5]> () y = Reshape(t, s)", None),
    ("s = Constant <value_ints = [1, 4, 16, 20, 1]> () u = Reshape(t, s) y = Squeeze(u)", [(3, 2, 1)]),
    ("s = Constant <value_ints = [0]> () y = Squeeze(t, s)", [(3, 2, 1)]),
    ("s = Constant <value_ints = [0]> () u = Squeeze(t, s) y = Unsqueeze(u, s)", [(3, 2, 1)] * 2),
    ("s, e, a = AXIS1() y = Slice(t, s, e, a)", [(3, 2, 1)] * 2),
    ("s, e, a = AXIS3() y = Slice(t, s, e, a)", None),
    *(
        (f"c = Concat <axis = 2> (t, t) y = {after}", None)
        for after in (
            "Conv(c, w)",
            "ConvTranspose(c, w)",
            "GlobalMaxPool(c)",
            "DepthToSpace <blocksize = 2> (c)",
            "SpaceToDepth <blocksize = 2> (c)",
            "Relu(c)",
        )
    ),
    ("c = Concat <axis = 2> (t, t) SCALES y = Resize(c, , s)", None),
    ("c = Concat <axis = 2> (t, t) s = Constant <value_ints = [0, 0, 2, 0, 0, 0, 1, 3]> () y = Pad(c, s)", None),
    ("s = Constant <value_ints = [1, 4, 8, 8]> () k = ConstantOfShape(s) y = Conv(k, w)", None),
]
SCALES = "s = Constant <value_floats = [1.0, 1.0, 2.0, 3.0]> ()"
TWICE = """<domain: "local", opset_import: ["" : 19]> twice (a) => (b) { c = Identity(a) b = Add(c, c) }
<domain: "local", opset_import: ["" : 19]> last (a, b) => (d) { c = Relu(b) d = local.id(c) }
<domain: "local", opset_import: ["" : 19]> id (a) => (b) { b = Identity(a) }"""


def cut(axis: int) -> str:
    """Elements 1 and 2 of an axis, for Slice."""
    return " ".join(f"{name} = Constant <value_ints = [{v}]> ()" for name, v in (("s", 1), ("e", 3), ("a", axis)))


@pytest.mark.parametrize(("body", "axes"), AFTER_CONV)
def test_what_follows_a_convolution(body: str, axes: list[Any] | None) -> None:
    for axis in (1, 3):
        body = body.replace(f"s, e, a = AXIS{axis}()", cut(axis))
    body = body.replace("SCALES", SCALES)
    body = body.replace("y =", "v =") + " y = Identity(v)"
    found = rows(f"{CONV} {body}", more=W, functions=TWICE)[-1]
    if axes is None:
        assert found.receptive_field is None
    else:
        assert axes_of(found) == axes
        assert field_of(found).aligned


@pytest.mark.parametrize(
    ("left", "right", "size", "aligned"),
    [
        ([1, 1], [3, 3], (3, 3), True),
        ([3, 1], [1, 5], (3, 5), True),
        ([5, 5], [3, 3], (5, 5), True),
        ([2, 3], [3, 3], (3, 3), False),
        ([3, 4], [3, 3], (3, 4), False),
    ],
)
@pytest.mark.parametrize("meet", ["Add(a, b)", "Add(b, a)", "Concat <axis = 1> (a, b)", "Concat <axis = -3> (b, a)"])
def test_branches_that_meet(left: list[int], right: list[int], size: tuple[int, int], aligned: bool, meet: str) -> None:
    """Aligned: windows around one centre, as odd kernels have it with as much padding before as after."""
    more, body = "", ""
    for name, k in (("a", left), ("b", right)):
        more += f", float[4, 4, {k[0]}, {k[1]}] w{name}"
        body += f'{name} = Conv <auto_pad = "SAME_UPPER"> (x, w{name}) '
    layers = rows(f"{body} y = {meet}", more=more)
    found = field_of(layers[-1])
    assert tuple(a.size for a in found.axes) == size
    assert found.aligned is aligned
    if aligned:
        assert [Fraction(axis.padding) for axis in found.axes] == [Fraction(k - 1, 2) for k in size]
    after = field_of(rows(f"{body} m = {meet} y = MaxPool <kernel_shape = [1, 1]> (m)", more=more)[-1])
    assert after.aligned is aligned
    channels = "d = DepthToSpace <blocksize = 2>(m)" if "Add" in meet else "d = SpaceToDepth <blocksize = 2>(m)"
    assert field_of(rows(f"{body} m = {meet} {channels} y = Relu(d)", more=more)[-1]).aligned is aligned


def test_a_gate_from_all_elements_widens_the_field_to_all() -> None:
    """Squeeze and excitation: the mean of each channel scales it."""
    found = field_of(rows("g = GlobalAveragePool(x) y = Mul(x, g)")[-1])
    assert [a.size for a in found.axes] == [32, 40]
    assert not found.aligned


def test_an_axis_that_is_joined_is_not_followed() -> None:
    assert rows("y = Concat <axis = 2> (x, x)")[-1].receptive_field is None
    assert rows("y = Concat <axis = -1> (x, x)")[-1].receptive_field is None


def test_every_input_has_its_own_field() -> None:
    layers = rows(f"{CONV} y = Concat <axis = 1> (t, z)", more=f"{W}, float[1, 1, 16, 20] z")
    assert layers[-1].receptive_field is not None
    fields = {f.input: [(a.size, a.stride, a.padding) for a in f.axes] for f in layers[-1].receptive_field}
    assert fields == {"x": [(3, "2", "1")] * 2, "z": [(1, "1", "0")] * 2}


def test_branches_around_one_centre_that_move_at_different_speed_are_not_aligned() -> None:
    """Both first windows cover 17 × 21 elements from the first; the next ones begin 2, or 1, further on."""
    body = """a = MaxPool <kernel_shape = [17, 21], strides = [2, 2], pads = [0, 0, 15, 19]> (x)
              b = MaxPool <kernel_shape = [17, 21]> (x) y = Add(a, b)"""
    found = field_of(rows(body)[-1])
    assert [(a.size, a.padding) for a in found.axes] == [(17, "0"), (21, "0")]
    assert not found.aligned


@pytest.mark.parametrize("last", ["Add(m, a)", "Add(a, m)"])
def test_what_is_misaligned_once_stays_so(last: str) -> None:
    body = f"""a = MaxPool <kernel_shape = [4, 4], auto_pad = "SAME_UPPER"> (x)
               b = MaxPool <kernel_shape = [3, 3], auto_pad = "SAME_UPPER"> (x) m = Add(a, b) y = {last}"""
    assert not field_of(rows(body)[-1]).aligned


def test_constants_are_no_inputs() -> None:
    """Also those that a file lists among its inputs."""
    text = """<ir_version: 10, opset_import: ["" : 19]> g (float[1, 1, 2, 2] x, float[1, 1, 2, 2] k) => (float y)
              <float[1, 1, 2, 2] k = {1, 2, 3, 4}> { y = Add(x, k) }"""
    layers = analysis.count(from_bytes(onnx.parser.parse_model(text).SerializeToString()).graph).layers
    assert layers[-1].receptive_field is not None
    assert [f.input for f in layers[-1].receptive_field] == ["x"]


def test_an_input_of_unknown_rank_is_not_followed() -> None:
    layers = rows("t = Relu(z) y = Relu(x)", more=", float z")
    assert layers[0].receptive_field is None
    assert axes_of(layers[1]) == [(1, Fraction(1), Fraction(0))] * 2


def test_without_spatial_axes_there_is_no_field() -> None:
    assert rows("y = Relu(x)", "float[2, 3] x")[-1].receptive_field is None


GATES: list[tuple[str, list[Any] | None]] = [
    ("g = GlobalAveragePool(t) a = Sigmoid(g) y = Mul(t, a)", [(33, 2, 1), (41, 2, 1)]),
    ("i = Constant <value_ints = [2, 3]> () g = ReduceMean (t, i) a = Sigmoid(g) y = Mul(t, a)", [(33, 2, 1), (41, 2, 1)]),
    ("i = Constant <value_ints = [-1]> () g = ReduceMax <keepdims = 1> (t, i) y = Add(t, g)", [(3, 2, 1), (41, 2, 1)]),
    ("g = GlobalAveragePool(t) f = Flatten(g) m = MatMul(f, q) s = Constant <value_ints = [1, 4, 1, 1]> () a = Reshape(m, s) y = Mul(t, a)", None),
    ("f = Flatten(t) r = ReduceSum <keepdims = 0> (f) y = Mul(t, r)", None),
    ("a = Shape(t) f = Cast <to = 1> (a) r = ReduceMean <keepdims = 0> (f) y = Mul(t, r)", [(3, 2, 1)] * 2),
    ("v = Conv <pads = [1, 1, 1, 1]> (t, t) y = Relu(v)", None),
    ("d = Constant <value = bool {1}> () y = If (d) <then_branch = one () => (float o) { o = Relu(t) }, else_branch = two () => (float p) { p = Neg(t) }>", [(3, 2, 1)] * 2),
    ("y = If (c) <then_branch = one () => (float o) { o = Relu(t) }, else_branch = two () => (float p) { p = Flatten(t) }> z = Mul(y, t)", None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), GATES)
def test_branches_that_are_not_followed_leave_nothing_to_say(body: str, expected: list[Any] | None) -> None:
    """Every element of such a branch may look at the whole input: a field without it would be too small."""
    layers = rows(f"{CONV} {body}", more=f"{W}, float[4, 4] q, bool c")
    if expected is None:
        assert not any(f.input == "x" for f in layers[-1].receptive_field or ())
    else:
        assert axes_of(layers[-1]) == expected
