"""Products of matrices, tensors, gates and heads against loops that count every multiply-accumulate they do."""

from __future__ import annotations

import os
import random
from collections import Counter
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

SEEDS = range(60)
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def sizes(rng: random.Random, n: int) -> list[int]:
    """N small sizes."""
    return [rng.randint(1, 4) for _ in range(n)]


def broken(shape: list[int], rng: random.Random) -> tuple[int, ...]:
    """`shape` with some leading dimensions gone and some made 1, to be broadcast again."""
    return tuple(d if rng.random() < 0.6 else 1 for d in shape[rng.randint(0, len(shape)) :])


@pytest.mark.parametrize("seed", SEEDS)
def test_matmul(seed: int, apply: Any) -> None:
    rng = random.Random(seed)
    batch, (m, k, n) = sizes(rng, rng.randint(0, 2)), sizes(rng, 3)
    a, b = (*broken(batch, rng), m, k), (*broken(batch, rng), k, n)
    x, y = np.ones(a, dtype=np.int64), np.ones(b, dtype=np.int64)
    products = (x @ y).sum()  # every element is the number of products in it
    used = apply("MatMul", a, b)
    assert used.y.shape == (x @ y).shape
    assert used.cost().macs == products


@pytest.mark.parametrize(
    ("a", "b"), [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2))]
)
def test_matmul_with_vectors(a: Any, b: Any, apply: Any) -> None:
    real = np.ones(a, dtype=np.int64) @ np.ones(b, dtype=np.int64)
    used = apply("MatMul", a, b)
    assert used.y.shape == np.shape(real)
    assert used.cost().macs == np.sum(real)


@pytest.mark.parametrize("seed", SEEDS)
def test_gemm(seed: int, apply: Any) -> None:
    rng = random.Random(seed)
    m, n, k = sizes(rng, 3)
    flip_a, flip_b = rng.randint(0, 1), rng.randint(0, 1)
    c = rng.choice([None, (), (n,), (1, n), (m, 1), (m, n)])
    alpha, beta = rng.choice((1.0, 0.5)), rng.choice((1.0, 2.0))
    did: Counter[str] = Counter()
    for _ in product(range(m), range(n)):
        did["macs"] += k
        did["multiplications"] += k + (alpha != 1)
        did["additions"] += k + (c is not None)
    did["multiplications"] += prod(c) if c is not None and beta != 1 else 0
    used = apply(
        "Gemm",
        (k, m) if flip_a else (m, k),
        (n, k) if flip_b else (k, n),
        c,
        transA=flip_a,
        transB=flip_b,
        alpha=alpha,
        beta=beta,
    )
    work = used.cost()
    assert used.y.shape == (m, n)
    assert (work.macs, work.multiplications, work.additions) == tuple(
        did[what] for what in ("macs", "multiplications", "additions")
    )


def contracted(terms: list[str], out: str, of: dict[str, int]) -> tuple[int, int]:
    """(MACs, other multiplications) of contracting from left to right, one multiplication at a time."""
    macs = plain = 0
    held = terms[0]
    for n, term in enumerate(terms[1:], 1):
        both = sorted(set(held + term))
        kept = [i for i in both if i in out or any(i in later for later in terms[n + 1 :])]
        done = sum(1 for _ in product(*(range(of[i]) for i in both)))
        if len(kept) < len(both):
            macs += done
        else:
            plain += done
        held = "".join(kept)
    return macs, plain


EQUATIONS = [
    "ij,jk->ik", "ij,kj->ik", "bij,bjk->bik", "i,i->", "i,j->ij", "ij,ij->ij", "ij,j->i", "ij,jk,kl->il", "i,ij,j->",
    "bhid,bhjd->bhij", "a,b,c->abc", "ij,k->k", "iij,j->i", "ij, jk", "ba,ca", "abc,cd,de->abe",
]  # fmt: skip


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation: str, apply: Any) -> None:
    rng = random.Random(equation)
    left, _, right = equation.replace(" ", "").partition("->")
    terms, of = left.split(","), {c: rng.randint(1, 4) for c in sorted(left)}
    shapes = [tuple(of[c] for c in term) for term in terms]
    real = np.einsum(equation, *(np.ones(s) for s in shapes))
    out = right if "->" in equation else "".join(sorted(c for c in of if left.count(c) == 1))
    used = apply("Einsum", *shapes, equation=equation)
    macs, plain = contracted(terms, out, of)
    work = used.cost()
    assert used.y.shape == real.shape
    assert (work.macs, work.multiplications, work.additions) == (macs, macs + plain, macs)


ELLIPSES: list[tuple[str, tuple[tuple[int, ...], ...], int]] = [
    ("...ij,...jk->...ik", ((5, 2, 3), (5, 3, 4)), 5 * 2 * 3 * 4),
    ("...ij,...jk->...ik", ((6, 1, 2, 3), (5, 3, 4)), 6 * 5 * 2 * 3 * 4),
    ("...ij,jk", ((7, 2, 3), (3, 4)), 7 * 2 * 3 * 4),
    ("...i,...->...i", ((5,), ()), 0),
    ("i...,i...->...", ((3, 4), (3, 4)), 3 * 4),
]


@pytest.mark.parametrize(("equation", "shapes", "macs"), ELLIPSES)
def test_einsum_with_an_ellipsis(equation: str, shapes: Any, macs: int, apply: Any) -> None:
    used = apply("Einsum", *shapes, equation=equation)
    assert used.y.shape == np.einsum(equation, *(np.ones(s) for s in shapes)).shape
    assert used.cost().macs == macs


@pytest.mark.parametrize(
    ("equation", "shapes", "additions"),
    [("ij->", ((3, 4),), 11), ("ij->i", ((3, 4),), 9), ("ii->i", ((4, 4),), 0), ("ii", ((4, 4),), 3)],
)
def test_einsum_of_one_operand_only_adds(equation: str, shapes: Any, additions: int, apply: Any) -> None:
    work = apply("Einsum", *shapes, equation=equation).cost()
    assert (work.additions, work.multiplications) == (additions, 0)


def stepped(
    op: str, lengths: list[int], i: int, h: int, directions: int, *, bias: bool, peephole: bool
) -> Counter[str]:
    """One unit of one sequence after the other: what the equations of ONNX's operators do."""
    did: Counter[str] = Counter()
    for _ in range(directions * sum(lengths) * h):
        for _ in range(GATES[op]):
            did["macs"] += i + h
            did["additions"] += 2 if bias else 0
        sigmoids, tanhs = {"RNN": (0, 1), "GRU": (2, 1), "LSTM": (3, 2)}[op]
        did["special"] += sigmoids + tanhs
        did["additions"] += sigmoids
        did["divisions"] += sigmoids
        if op == "GRU":  # (r ⊙ h); (1 - z) ⊙ g + z ⊙ h
            did["multiplications"] += 3
            did["additions"] += 2
        if op == "LSTM":  # f ⊙ c + i ⊙ g; o ⊙ tanh(c); p ⊙ c added to three gates
            did["multiplications"] += 3 + 3 * peephole
            did["additions"] += 1 + 3 * peephole
    did["multiplications"] += did["macs"]
    did["additions"] += did["macs"]
    return did


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("seed", range(20))
def test_recurrent(op: str, seed: int, apply: Any) -> None:
    rng = random.Random(seed)
    t, b, i, h = sizes(rng, 4)
    direction, layout = rng.choice(("forward", "reverse", "bidirectional")), rng.randint(0, 1)
    d, g = 2 if direction == "bidirectional" else 1, GATES[op]
    bias, peephole, ragged = rng.random() < 0.5, op == "LSTM" and rng.random() < 0.5, rng.random() < 0.5
    lengths = [rng.randint(1, t) for _ in range(b)] if ragged else [t] * b
    inputs: list[Any] = [(t, b, i) if layout == 0 else (b, t, i), (d, g * h, i), (d, g * h, h)]
    inputs.append((d, 2 * g * h) if bias else None)
    inputs.append(np.array(lengths, dtype=np.int32) if ragged else None)
    if peephole:
        inputs += [None, None, (d, 3 * h)]
    used = apply(op, *inputs, hidden_size=h, direction=direction, layout=layout)
    last = (d, b, h) if layout == 0 else (b, d, h)
    assert used.y.shape == ((t, d, b, h) if layout == 0 else (b, t, d, h))
    assert [o.shape for o in used.outputs[1:]] == [last] * (2 if op == "LSTM" else 1)
    did, work = stepped(op, lengths, i, h, d, bias=bias, peephole=peephole), used.cost()
    for what in ("macs", "multiplications", "additions", "divisions", "special"):
        assert getattr(work, what) == did[what], what


UNIT = {"special": 0, "multiplications": 0, "additions": 0, "divisions": 0, "comparisons": 0}
FUNCTIONS = {
    "Tanh": {"special": 1},
    "sigmoid": {"special": 1, "additions": 1, "divisions": 1},
    "ReLU": {"comparisons": 1},
    "affine": {"multiplications": 1, "additions": 1},
    "ScaledTanh": {"multiplications": 2, "special": 1},
}
"""What one value costs; names in any case: αx + β is Affine, α·tanh(βx) ScaledTanh."""

USES = {"RNN": (1,), "GRU": (2, 1), "LSTM": (3, 1, 1)}
"""Uses of f, g, h for one hidden unit in the equations of ONNX's operators: f for the gates."""


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("seed", range(10))
def test_activation_functions_and_clip_of_recurrent_layers(op: str, seed: int, apply: Any) -> None:
    rng = random.Random(seed)
    t, b, i, h = sizes(rng, 4)
    g, d = GATES[op], rng.choice((1, 2))
    inputs = (t, b, i), (d, g * h, i), (d, g * h, h)
    direction = {1: "reverse", 2: "bidirectional"}[d]
    zero = apply(op, *inputs, direction=direction, activations=("ReLU",) * (d * len(USES[op]))).cost()
    names = [rng.choice(list(FUNCTIONS)) for _ in range(d * len(USES[op]))]
    work = apply(op, *inputs, direction=direction, activations=names, clip=1.0).cost()
    expected = dict(UNIT)
    expected["comparisons"] = 2 * g * d  # each gate's sum is held between two bounds
    for name, uses in zip(names, USES[op] * d, strict=True):
        expected["comparisons"] -= uses
        for what, n in FUNCTIONS[name].items():
            expected[what] += n * uses
    for what, n in expected.items():
        assert getattr(work, what) - getattr(zero, what) == n * t * b * h, what


def test_empty_names_stand_for_the_usual_activation_functions(apply: Any) -> None:
    inputs = (5, 2, 3), (1, 4, 3), (1, 4, 4)
    assert apply("RNN", *inputs, activations=("",)).cost() == apply("RNN", *inputs).cost()


def test_lengths_that_are_not_known_count_in_full(apply: Any) -> None:
    inputs = (5, 2, 3), (1, 4, 3), (1, 4, 4)
    assert apply("RNN", *inputs, None, (2,)).cost().macs == 5 * 2 * 4 * 7


@pytest.mark.parametrize("flags", range(16))
@pytest.mark.parametrize("rank", [3, 4])
def test_fused_matmul_against_onnxruntime(flags: int, rank: int, apply: Any) -> None:
    """Ones times ones: each element of the output is K."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    runtime = pytest.importorskip("onnxruntime")
    names = ("transA", "transB", "transBatchA", "transBatchB")
    attributes: dict[str, Any] = {name: flags >> n & 1 for n, name in enumerate(names)}
    batch = (2, 5)[: rank - 2]
    a = laid(batch, (3, 4), last=attributes["transA"], first=attributes["transBatchA"])
    b = laid(batch, (4, 6), last=attributes["transB"], first=attributes["transBatchB"])
    node = helper.make_node("FusedMatMul", ["a", "b"], ["y"], domain="com.microsoft", **attributes)
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("a", a), ("b", b), ("y", None))]
    graph = helper.make_graph([node], "g", values[:2], values[2:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    feeds = {"a": np.ones(a, dtype=np.float32), "b": np.ones(b, dtype=np.float32)}
    y = runtime.InferenceSession(model).run(None, feeds)[0]
    used = apply("FusedMatMul", a, b, domain="com.microsoft", **attributes)
    assert used.y.shape == y.shape == (*batch, 3, 6)
    assert used.cost().macs == y.sum()


def laid(batch: tuple[int, ...], matrix: tuple[int, int], *, last: int, first: int) -> tuple[int, ...]:
    """The stored shape of an operand: its matrix transposed, its rows (as stored) before the batch."""
    rows, columns = matrix[::-1] if last else matrix
    return (rows, *batch, columns) if first else (*batch, rows, columns)


@pytest.mark.parametrize(
    ("a", "b"), [((4,), (4, 6)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4,)), ((4,), (2, 4, 6))]
)
def test_vectors_are_not_transposed(a: Any, b: Any, apply: Any) -> None:
    real = np.matmul(np.ones(a), np.ones(b))
    for name, more in (("MatMul", {}), ("FusedMatMul", {"domain": "com.microsoft", "transA": int(len(a) == 1)})):
        used = apply(name, a, b, **more)
        assert used.y.shape == real.shape
        assert used.cost().macs == real.sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_attention(seed: int, apply: Any) -> None:
    rng = random.Random(seed)
    b, g, share, s, t, past = sizes(rng, 6)
    dk, dv, h = rng.randint(1, 4), rng.randint(1, 4), g * share
    flat, cached = rng.random() < 0.5, rng.random() < 0.5
    q, k, v = (b, h, s, dk), (b, g, t, dk), (b, g, t, dv)
    caches = [None, (b, g, past, dk), (b, g, past, dv)] if cached else []
    total = t + past if cached else t
    macs = 0
    for _ in product(range(b), range(h), range(s), range(total)):
        macs += dk  # the score
        macs += dv  # the weighted value
    attributes: dict[str, int] = {}
    if flat:
        q, k, v = (b, s, h * dk), (b, t, g * dk), (b, t, g * dv)  # type: ignore[assignment]
        attributes = {"q_num_heads": h, "kv_num_heads": g}
    used = apply("Attention", q, k, v, *caches, **attributes)
    assert used.cost().macs == macs
    y = (b, s, h * dv) if flat else (b, h, s, dv)
    assert [o.shape for o in used.outputs] == [y, (b, g, total, dk), (b, g, total, dv), (b, h, s, total)]
