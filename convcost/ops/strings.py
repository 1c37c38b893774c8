"""Operators on text. Comparing and copying characters is not counted: the shapes do not know how long a text is."""

from __future__ import annotations

from typing import Any

from convcost.ir import DType, Tensor
from convcost.ops.base import Attrs, Call, NoAttrs, Op, Work, broadcast, free, require, show, typed, unknown


class SplitAttrs(Attrs, frozen=True):
    """What separates the parts, and how many cuts at most."""

    delimiter: str | None = None
    maxsplit: int | None = None


class NormalizerAttrs(Attrs, frozen=True):
    """Words that are left out make the size of the result depend on the data."""

    stopwords: tuple[str, ...] = ()


class TfIdfAttrs(Attrs, frozen=True):
    """Where each n-gram is counted in the result, and how counts become weights: TF, IDF or TFIDF."""

    ngram_indexes: tuple[int, ...]
    mode: str
    weights: tuple[float, ...] | None = None


MODES = ("TF", "IDF", "TFIDF")


def concat_shape(call: Call) -> tuple[Tensor, ...]:
    """a, b: shapes that broadcast -> y: their common shape."""
    return (typed(call.x(0), broadcast(call.x(0).dims, call.x(1).dims)),)


def match_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, of truth values."""
    return (typed(call.x(0), call.x(0).dims, dtype=DType.BOOL),)


def split_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (*D) -> parts: (*D, most parts of a text), number of parts: (*D)."""
    x = call.x(0)
    return (
        unknown("the number of parts depends on the text", x.dtype),
        typed(x, x.dims, dtype=DType.INT64),
    )


def normalizer_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (C) or (1, C) -> y: like x, without the words that are left out."""
    x = call.x(0)
    single = x.rank == 1 or (x.rank == 2 and (not isinstance(x.dims[0], int) or x.dims[0] == 1))
    require(single, f"the input has the shape {show(x.dims)}, not C or 1xC")
    if call.attrs.stopwords:
        return (unknown("the number of words left depends on the text", x.dtype),)
    return (typed(x, x.dims),)


def tf_idf_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (C) or (N, C) -> y: (K) or (N, K), K the largest index and one."""
    x, a = call.x(0), call.attrs
    require(1 <= x.rank <= 2, f"the input {show(x.dims)} has rank {x.rank}, not 1 or 2")
    require(a.mode in MODES, f"mode '{a.mode[:40]}' is a value other than {', '.join(MODES)}")
    require(len(a.ngram_indexes) > 0, "ngram_indexes has no value")
    size = max(a.ngram_indexes) + 1
    return (typed(x, (*x.dims[:-1], size), dtype=DType.FLOAT32),)


def tf_idf_cost(call: Call) -> Work:
    """TfIdfVectorizer. x: (N, C) -> y: (N, K).

    Counted: with weights and mode TFIDF 1 multiplication for each element of y.
    Not counted: finding the n-grams, which depends on the data.
    Source: ONNX operator TfIdfVectorizer.
    """
    weighted = call.attrs.mode == "TFIDF" and call.attrs.weights is not None
    return Work(multiplications=call.y().size) if weighted else Work()


def textual(name: str, shape: Any, inputs: tuple[int, int], attrs: type[Attrs] = NoAttrs, **more: Any) -> Op:
    """The record of an operator on text."""
    return Op(name=name, attrs=attrs, shape=shape, cost=free, kind="string", inputs=inputs, **more)


OPS = (
    textual("StringConcat", concat_shape, (2, 2)),
    textual("StringSplit", split_shape, (1, 1), SplitAttrs, outputs=(2, 2)),
    textual("StringNormalizer", normalizer_shape, (1, 1), NormalizerAttrs),
    textual("RegexFullMatch", match_shape, (1, 1)),
    Op(
        name="TfIdfVectorizer",
        attrs=TfIdfAttrs,
        shape=tf_idf_shape,
        cost=tf_idf_cost,
        kind="string",
        inputs=(1, 1),
    ),
)
