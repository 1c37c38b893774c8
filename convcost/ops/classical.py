"""Models of classical machine learning (domain ai.onnx.ml): linear models, support vector machines, trees.

Letters: N samples, C features, E classes or targets, S support vectors. Coefficients are attributes, not tensors.
"""

from __future__ import annotations

from typing import Any

from convcost.errors import Unknown
from convcost.ir import Dim, DType, Tensor
from convcost.ops.base import Attrs, Call, Op, Work, products, require, show, typed

DOMAIN = "ai.onnx.ml"

Numbers = tuple[float, ...]


class LinearAttrs(Attrs, frozen=True):
    """Attributes of LinearClassifier and LinearRegressor."""

    coefficients: Numbers = ()
    intercepts: Numbers = ()
    classlabels_ints: tuple[int, ...] = ()
    classlabels_strings: tuple[str, ...] = ()
    targets: int = 1
    post_transform: str = "NONE"


class SvmAttrs(Attrs, frozen=True):
    """Attributes of SVMClassifier and SVMRegressor."""

    coefficients: Numbers = ()
    support_vectors: Numbers = ()
    vectors_per_class: tuple[int, ...] = ()
    classlabels_ints: tuple[int, ...] = ()
    classlabels_strings: tuple[str, ...] = ()
    n_supports: int = 0
    rho: Numbers = ()
    prob_a: Numbers = ()
    kernel_type: str = "LINEAR"
    post_transform: str = "NONE"


class TreeAttrs(Attrs, frozen=True):
    """What decides the shapes of the tree ensembles."""

    classlabels_int64s: tuple[int, ...] = ()
    classlabels_strings: tuple[str, ...] = ()
    n_targets: int | None = None


KERNELS = {
    "LINEAR": (Work(), Work()),
    "POLY": (Work(), Work(multiplications=1, additions=1, special=1)),
    "SIGMOID": (Work(), Work(multiplications=1, additions=1, special=1)),
    "RBF": (Work(additions=1), Work(multiplications=1, special=1)),
}
"""Kernel -> what it adds to the product of two features, and to the sum over the features."""

TRANSFORMS = {
    "NONE": Work(),
    "LOGISTIC": Work(additions=1, divisions=1, special=1),
    "SOFTMAX": Work(comparisons=1, additions=2, divisions=1, special=1),
    "SOFTMAX_ZERO": Work(comparisons=1, additions=2, divisions=1, special=1),
    "PROBIT": Work(special=1),
}
"""Transformation of the scores -> work for each score."""


def samples(x: Tensor) -> tuple[Dim, Dim]:
    """(N, C) of an input (N, C) or (C)."""
    require(1 <= x.rank <= 2, f"the input {show(x.dims)} has rank {x.rank}, not 1 or 2")
    return (1, x.dims[0]) if x.rank == 1 else (x.dims[0], x.dims[1])


def transform(a: LinearAttrs | SvmAttrs) -> Work:
    """The work of `post_transform` for each score."""
    require(a.post_transform in TRANSFORMS, f"post_transform '{a.post_transform[:40]}' is no known value")
    return TRANSFORMS[a.post_transform]


def rows_of(coefficients: Numbers, c: Dim) -> int:
    """How many vectors of C features there are."""
    if not isinstance(c, int):
        raise Unknown("the number of features is not known", needs=tuple(sorted(c.symbols)))
    require(c > 0 and len(coefficients) % c == 0, f"mismatch: {len(coefficients)} coefficients for {c} features")
    return len(coefficients) // c


def classified(call: Call, scores: int) -> tuple[Tensor, ...]:
    """Labels (N) and scores (N, E)."""
    n, _ = samples(call.x(0))
    a = call.attrs
    text = a.classlabels_strings
    label = Tensor("", dtype=DType.STRING if text else DType.INT64, shape=(n,))
    return (label, Tensor("", dtype=DType.FLOAT32, shape=(n, scores)))


def linear_classifier_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> labels: (N), scores: (N, E)."""
    a = call.attrs
    labels = len(a.classlabels_strings or a.classlabels_ints)
    return classified(call, labels or rows_of(a.coefficients, samples(call.x(0))[1]))


def linear_regressor_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> y: (N, E)."""
    n, _ = samples(call.x(0))
    return (typed(call.x(0), (n, call.attrs.targets), dtype=DType.FLOAT32),)


def linear_cost(call: Call) -> Work:
    """LinearClassifier, LinearRegressor. x: (N, C), E rows of C coefficients -> scores: (N, E).

    Counted: N · E · C multiply-accumulates, N · E additions for intercepts, the transformation of the scores.
    Not counted: picking the label.
    Source: ONNX operators LinearClassifier and LinearRegressor of ai.onnx.ml.
    """
    a = call.attrs
    n, c = samples(call.x(0))
    e = rows_of(a.coefficients, c)
    return products(n * e * c, plus=n * e if a.intercepts else 0) + transform(a).times(n * e)


def svm_classifier_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> labels: (N), scores: (N, E)."""
    a = call.attrs
    labels = len(a.classlabels_strings or a.classlabels_ints)
    require(labels > 0, "the class labels are missing: no attribute gives them")
    return classified(call, labels)


def svm_regressor_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> y: (N, 1)."""
    n, _ = samples(call.x(0))
    return (typed(call.x(0), (n, 1), dtype=DType.FLOAT32),)


def kernels(a: SvmAttrs, supports: int, c: Dim) -> Work:
    """The kernel of one sample with every support vector."""
    require(a.kernel_type in KERNELS, f"kernel_type '{a.kernel_type[:40]}' is no known value")
    each, after = KERNELS[a.kernel_type]
    return (products(c) + each.times(c) + after).times(supports)


def svm_cost(call: Call) -> Work:
    """SVMClassifier, SVMRegressor. x: (N, C), S support vectors -> scores: (N, E), E = 1 for the regressor.

    Counted: for each sample S kernels, each of C multiply-accumulates (RBF: and C subtractions) with its function
    (POLY, SIGMOID: a multiplication, an addition and a power or tanh; RBF: a multiplication and exp); S
    multiply-accumulates with the coefficients for each of the max(E - 1, 1) other classes; one addition for each rho;
    the transformation of the scores. Without support vectors E · C multiply-accumulates.
    Not counted: voting, coupling of pairwise probabilities.
    Source: ONNX operators SVMClassifier and SVMRegressor of ai.onnx.ml.
    """
    a = call.attrs
    n, c = samples(call.x(0))
    supports = a.n_supports or sum(a.vectors_per_class)
    classes = max(len(a.classlabels_strings or a.classlabels_ints), 1)
    after = Work(additions=len(a.rho)) + transform(a).times(classes)
    if not supports:
        return (products(c * rows_of(a.coefficients, c)) + after).times(n)
    return (kernels(a, supports, c) + products(supports * max(classes - 1, 1)) + after).times(n)


def tree_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> y: (N, targets)."""
    targets = call.attrs.n_targets
    if targets is None:
        raise Unknown("n_targets is not given")
    x = call.x(0)
    dtype = None if call.attrs.classlabels_int64s else x.dtype
    return (typed(x, (samples(x)[0], targets), dtype=dtype),)


def tree_regressor_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> y: (N, targets), float32."""
    (y,) = tree_shape(call)
    return (typed(y, y.dims, dtype=DType.FLOAT32),)


def tree_classifier_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C) -> labels: (N), scores: (N, E)."""
    a = call.attrs
    labels = len(a.classlabels_strings or a.classlabels_int64s)
    require(labels > 0, "the class labels are missing: no attribute gives them")
    return classified(call, labels)


def tree_cost(_: Call) -> Work:
    """TreeEnsemble, TreeEnsembleClassifier, TreeEnsembleRegressor. x: (N, C) -> y: (N, E).

    Not counted: the whole operator; how many comparisons a sample takes depends on its path through each tree.
    Source: ONNX operator TreeEnsemble of ai.onnx.ml.
    """
    raise Unknown("the number of comparisons depends on the path of each sample through the trees")


def model(name: str, attrs: type[Attrs], shape: Any, cost: Any, outputs: int = 1) -> Op:
    """The record of one model."""
    return Op(
        name=name,
        attrs=attrs,
        shape=shape,
        cost=cost,
        kind="classical",
        inputs=(1, 1),
        outputs=(outputs, outputs),
        domain=DOMAIN,
    )


OPS = (
    model("LinearClassifier", LinearAttrs, linear_classifier_shape, linear_cost, outputs=2),
    model("LinearRegressor", LinearAttrs, linear_regressor_shape, linear_cost),
    model("SVMClassifier", SvmAttrs, svm_classifier_shape, svm_cost, outputs=2),
    model("SVMRegressor", SvmAttrs, svm_regressor_shape, svm_cost),
    model("TreeEnsemble", TreeAttrs, tree_shape, tree_cost),
    model("TreeEnsembleClassifier", TreeAttrs, tree_classifier_shape, tree_cost, outputs=2),
    model("TreeEnsembleRegressor", TreeAttrs, tree_regressor_shape, tree_cost),
)
