"""Preparation of features (domain ai.onnx.ml): scaling, encoding, dictionaries."""

from __future__ import annotations

from typing import Any

from convcost.errors import Unknown
from convcost.ir import Dim, DType, Tensor
from convcost.ir.graph import SEQUENCE
from convcost.ops.base import MANY, Attrs, Call, NoAttrs, Op, Work, free, require, show, typed
from convcost.ops.classical import DOMAIN, samples
from convcost.ops.pointwise import per_element, unary_shape


class MapperAttrs(Attrs, frozen=True):
    """CategoryMapper: integers become text, or the reverse, as the input is."""

    cats_int64s: tuple[int, ...] = ()


class LabelAttrs(Attrs, frozen=True):
    """LabelEncoder: the element type follows the values that are given."""

    values_int64s: tuple[int, ...] | None = None
    values_floats: tuple[float, ...] | None = None
    values_strings: tuple[str, ...] | None = None
    values_tensor: Any = None
    classes_strings: tuple[str, ...] | None = None


class NormalizerAttrs(Attrs, frozen=True):
    """`norm`: MAX, L1 or L2."""

    norm: str = "MAX"


class OneHotAttrs(Attrs, frozen=True):
    """The categories."""

    cats_int64s: tuple[int, ...] = ()
    cats_strings: tuple[str, ...] = ()


class VectorizerAttrs(Attrs, frozen=True):
    """Number of features of each input."""

    inputdimensions: tuple[int, ...] = ()


class VocabularyAttrs(Attrs, frozen=True):
    """The keys of a dictionary, in the order of the result."""

    int64_vocabulary: tuple[int, ...] = ()
    string_vocabulary: tuple[str, ...] = ()


class CastMapAttrs(Attrs, frozen=True):
    """What the values become, and how many there are in sparse form."""

    cast_to: str = "TO_FLOAT"
    map_form: str = "DENSE"
    max_map: int = 1


CAST = {"TO_FLOAT": DType.FLOAT32, "TO_STRING": DType.STRING, "TO_INT64": DType.INT64}

NORMS = ("MAX", "L1", "L2")


def float_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, of type float32."""
    return (typed(call.x(0), call.x(0).dims, dtype=DType.FLOAT32),)


def mapper_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, text for integers and integers for text."""
    x = call.x(0)
    return (typed(x, x.dims, dtype=DType.INT64 if x.dtype is DType.STRING else DType.STRING),)


def label_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, of the type of the values."""
    a: LabelAttrs = call.attrs
    x = call.x(0)
    dtype: DType | None = None
    if isinstance(a.values_tensor, Tensor):
        dtype = a.values_tensor.dtype
    elif a.values_int64s is not None:
        dtype = DType.INT64
    elif a.values_floats is not None:
        dtype = DType.FLOAT32
    elif a.values_strings is not None:
        dtype = DType.STRING
    elif a.classes_strings is not None:
        dtype = DType.INT64 if x.dtype is DType.STRING else DType.STRING
    return (Tensor("", dtype=dtype, shape=x.dims),)


def normalizer_cost(call: Call) -> Work:
    """Normalizer. x: (N, C) -> y: x divided by the largest element, the sum or the Euclidean norm of its row.

    Counted: C divisions for each row; MAX: C - 1 comparisons; L1: C - 1 additions and C comparisons (sign);
    L2: C multiplications, C - 1 additions and a root.
    Source: ONNX operator Normalizer of ai.onnx.ml.
    """
    norm = call.attrs.norm
    require(norm in NORMS, f"norm '{norm[:40]}' is a value other than {', '.join(NORMS)}")
    n, c = samples(call.x(0))
    if norm == "MAX":
        row = Work(divisions=c, comparisons=c - 1)
    elif norm == "L1":
        row = Work(divisions=c, additions=c - 1, comparisons=c)
    else:
        row = Work(divisions=c, multiplications=c, additions=c - 1, special=1)
    return row.times(n)


def one_hot_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (*D) -> y: (*D, categories)."""
    a = call.attrs
    n = len(a.cats_int64s or a.cats_strings)
    return (typed(call.x(0), (*call.x(0).dims, n), dtype=DType.FLOAT32),)


def extract_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, C), indices: k of them -> y: (…, k); a vector counts as one row."""
    x, at = call.x(0), call.x(1)
    require(x.rank >= 1, "the input has rank 0")
    return (typed(x, (*(x.dims[:-1] or (1,)), at.size)),)


def vectorizer_shape(call: Call) -> tuple[Tensor, ...]:
    """x1: (N, C1), x2: (N, C2), … -> y: (N, C1 + C2 + …)."""
    rows: Dim = 1
    columns: Dim = 0
    for i, _ in enumerate(call.inputs):
        n, c = samples(call.x(i))
        require(
            i == 0 or n == rows or not (isinstance(n, int) and isinstance(rows, int)), "the inputs mismatch in rows"
        )
        rows, columns = n, columns + c
    return (typed(call.x(0), (rows, columns), dtype=DType.FLOAT32),)


def dictionary_shape(call: Call) -> tuple[Tensor, ...]:
    """A dictionary -> y: (1, keys)."""
    a = call.attrs
    n = len(a.int64_vocabulary or a.string_vocabulary)
    return (Tensor("", dtype=call.x(0).dtype, shape=(1, n)),)


def cast_map_shape(call: Call) -> tuple[Tensor, ...]:
    """A dictionary -> y: (1, keys); in dense form their number depends on data."""
    a = call.attrs
    require(a.cast_to in CAST, f"cast_to '{a.cast_to[:40]}' is a value other than {', '.join(CAST)}")
    if a.map_form == "DENSE":
        raise Unknown("the number of entries of a dictionary depends on data")
    return (Tensor("", dtype=CAST[a.cast_to], shape=(1, a.max_map)),)


def zip_map_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, E) -> a list of N dictionaries."""
    x = call.x(0)
    n, _ = samples(x)
    why = f"a list of dictionaries made of {show(x.dims)} has no shape"
    return (Tensor("", dtype=x.dtype, container=SEQUENCE, length=n, reason=why),)


def feature(name: str, attrs: type[Attrs], shape: Any, *, cost: Any = free, inputs: tuple[int, int] = (1, 1)) -> Op:
    """One operator of the domain."""
    return Op(name=name, attrs=attrs, shape=shape, cost=cost, kind="classical", inputs=inputs, domain=DOMAIN)


def pointwise(name: str, formula: str, each: Work, shape: Any) -> Op:
    """One operator of the domain that works element by element."""
    source = f"ONNX operator {name} of {DOMAIN}"
    return feature(name, NoAttrs, shape, cost=per_element(name, formula, each, source=source))


OPS = (
    pointwise("Scaler", "y = scale · (x - offset)", Work(multiplications=1, additions=1), float_shape),
    pointwise("Imputer", "y = x, or another value for a missing one", Work(comparisons=1), unary_shape),
    pointwise("Binarizer", "y = 1 for x > threshold, else 0", Work(comparisons=1), unary_shape),
    feature("Normalizer", NormalizerAttrs, float_shape, cost=normalizer_cost),
    feature("CategoryMapper", MapperAttrs, mapper_shape),
    feature("LabelEncoder", LabelAttrs, label_shape),
    feature("OneHotEncoder", OneHotAttrs, one_hot_shape),
    feature("ArrayFeatureExtractor", NoAttrs, extract_shape, inputs=(2, 2)),
    feature("FeatureVectorizer", VectorizerAttrs, vectorizer_shape, inputs=(1, MANY)),
    feature("DictVectorizer", VocabularyAttrs, dictionary_shape),
    feature("CastMap", CastMapAttrs, cast_map_shape),
    feature("ZipMap", NoAttrs, zip_map_shape),
)
