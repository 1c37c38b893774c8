"""Einsum: parsing of the equation, sizes of the indices, and the work of contracting the operands in order."""

from __future__ import annotations

import msgspec

from convcost.ir import Dim, Shape, Tensor, product
from convcost.ops.base import MANY, NOTHING, Attrs, Call, Op, Work, agree, products, require, typed

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DOTS = "..."
MAX_EQUATION = 4096


class EinsumAttrs(Attrs, frozen=True):
    """Attributes of Einsum."""

    equation: str


class Parsed(msgspec.Struct, frozen=True):
    """An equation: the indices of each operand and of the output. An ellipsis stands for -1, -2 and so on."""

    terms: tuple[tuple[str, ...], ...]
    out: tuple[str, ...]
    sizes: dict[str, Dim]


def parse(equation: str, shapes: tuple[Shape, ...]) -> Parsed:
    """The indices of every operand and of the output, and their sizes, checked against each other."""
    text = equation.replace(" ", "")
    require(len(text) <= MAX_EQUATION, f"the Einsum equation has {len(text)} characters: more than {MAX_EQUATION}")
    left, arrow, right = text.partition("->")
    require("->" not in right, "the Einsum equation has more than one arrow")
    written = left.split(",")
    require(
        len(written) == len(shapes),
        f"the Einsum equation has {len(written)} terms, there are {len(shapes)} inputs",
    )
    terms = tuple(indices(term, len(shape)) for term, shape in zip(written, shapes, strict=True))
    sizes: dict[str, Dim] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for i, d in zip(term, shape, strict=True):
            sizes[i] = joined(sizes.get(i, 1), d, i)
    wide = max((sum(i[0] == "-" for i in term) for term in terms), default=0)
    hidden = tuple(f"-{n}" for n in range(wide, 0, -1))
    if arrow:
        body, dots, rest = right.partition(DOTS)
        out = (*letters(body), *(hidden if dots else ()), *letters(rest))
    else:
        once = sorted(i for i in sizes if i[0] != "-" and sum(term.count(i) for term in terms) == 1)
        out = (*hidden, *once)
    require(len(set(out)) == len(out), "the Einsum output names an index twice")
    for i in out:
        require(i in sizes, f"the Einsum output index {i} stands in no input")
    return Parsed(terms, out, sizes)


def indices(term: str, rank: int) -> tuple[str, ...]:
    """The indices of one operand, an ellipsis spread over the dimensions that are left."""
    body, dots, rest = term.partition(DOTS)
    first, last = letters(body), letters(rest)
    hidden = rank - len(first) - len(last)
    require(
        hidden == 0 or (bool(dots) and hidden > 0),
        f"the Einsum term '{term[:40]}' does not fit an input of rank {rank}",
    )
    return (*first, *(f"-{n}" for n in range(hidden, 0, -1)), *last)


def letters(text: str) -> tuple[str, ...]:
    """The letters of a term; anything else is wrong."""
    for c in text:
        require(c in LETTERS, f"the Einsum equation holds '{c}': indices are the letters a to z and A to Z")
    return tuple(text)


def joined(a: Dim, b: Dim, index: str) -> Dim:
    """The size of an index in two places; 1 broadcasts."""
    if a == 1:
        return b
    return a if b == 1 else agree(a, b, f"the Einsum index {index} has sizes {a} and {b}")


def parsed(call: Call) -> Parsed:
    """The equation of a use."""
    return parse(call.attrs.equation, tuple(call.x(i).dims for i in range(len(call.inputs))))


def einsum_shape(call: Call) -> tuple[Tensor, ...]:
    """Operands with indices -> y with the indices of the output."""
    p = parsed(call)
    return (typed(call.x(0), tuple(p.sizes[i] for i in p.out)),)


def einsum_cost(call: Call) -> Work:
    """Einsum. operands with indices -> y with the indices of the output.

    Counted: operands are contracted from left to right, each pair over all indices of the two. A pair that sums over
    an index costs the product of the sizes of all its indices in multiply-accumulates; one that sums over none, the
    same in multiplications (an outer or elementwise product has no sum). An index is summed with the last operand that
    has it. A single operand costs one addition for each element that is summed away.
    Not counted: diagonals and permutations, which move data.
    Source: ONNX operator Einsum.
    """
    p = parsed(call)
    if len(p.terms) == 1:
        distinct = product(p.sizes[i] for i in dict.fromkeys(p.terms[0]))
        kept = product(p.sizes[i] for i in p.out)
        return Work(additions=distinct - kept) if distinct != kept and kept != 0 else NOTHING
    work = NOTHING
    held = set(p.terms[0])
    for n, term in enumerate(p.terms[1:], 1):
        both = held | set(term)
        later = set(p.out).union(*p.terms[n + 1 :])
        volume = product(p.sizes[i] for i in sorted(both))
        held = both & later
        work += products(volume) if both - held else Work(multiplications=volume)
    return work


OPS = (Op("Einsum", EinsumAttrs, einsum_shape, einsum_cost, "matmul", (1, MANY), weights=(0, 1, 2, 3)),)
