"""Object detection: regions of interest and suppression of overlapping boxes."""

from __future__ import annotations

from typing import Any

from convcost.errors import Unknown
from convcost.ir import DType, Tensor
from convcost.ops.base import NOTHING, Attrs, Call, Op, Work, agree, bounded, integers, numbers, require, show, typed


class RoiPoolAttrs(Attrs, frozen=True):
    """Attributes of MaxRoiPool."""

    pooled_shape: tuple[int, ...]
    spatial_scale: float = 1.0


class RoiAlignAttrs(Attrs, frozen=True):
    """Attributes of RoiAlign."""

    coordinate_transformation_mode: str = "half_pixel"
    mode: str = "avg"
    output_height: int = 1
    output_width: int = 1
    sampling_ratio: int = 0
    spatial_scale: float = 1.0


class SuppressionAttrs(Attrs, frozen=True):
    """Attributes of NonMaxSuppression."""

    center_point_box: int = 0


class CropAttrs(Attrs, frozen=True):
    """Attributes of CropAndResize."""

    extrapolation_value: float = 0.0
    mode: str = "bilinear"


def regions(call: Call, width: int) -> tuple[Tensor, Tensor]:
    """(x: (N, C, H, W), regions: (R, width)), checked."""
    x, rois = call.x(0), call.x(1)
    require(x.rank == 4, f"the input {show(x.dims)} needs rank 4 (N, C, H, W)")
    require(rois.rank == 2, f"the regions {show(rois.dims)} need rank 2")
    agree(rois.dims[1], width, f"a region has {width} numbers, not {rois.dims[1]}")
    return x, rois


def roi_pool_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, H, W), regions: (R, 5), pooled shape (h, w) -> y: (R, C, h, w)."""
    x, rois = regions(call, 5)
    size = call.attrs.pooled_shape
    require(len(size) == 2 and min(size) >= 1, "pooled_shape must be two numbers above 0")
    return (typed(x, (rois.dims[0], x.dims[1], *size)),)


def roi_pool_cost(_: Call) -> Work:
    """MaxRoiPool. x: (N, C, H, W), regions: (R, 5) -> y: (R, C, h, w).

    Not counted: the node, because the sizes of its windows are content of the regions.
    Source: ONNX operator MaxRoiPool.
    """
    raise Unknown("the windows of MaxRoiPool depend on the content of the regions")


def roi_align_upgrade(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Before opset 16 coordinates are not shifted by half a pixel."""
    return {"coordinate_transformation_mode": "output_half_pixel"} | raw if version < 16 else raw


def roi_align_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, H, W), regions: (R, 4), batch index: (R) -> y: (R, C, h, w)."""
    a = call.attrs
    x, rois = regions(call, 4)
    require(a.output_height >= 1 and a.output_width >= 1, "the output size must be above 0")
    require(a.mode in ("avg", "max"), f"mode '{a.mode[:40]}' is not avg or max")
    return (typed(x, (rois.dims[0], x.dims[1], a.output_height, a.output_width)),)


def roi_align_cost(call: Call) -> Work:
    """RoiAlign. x: (N, C, H, W), regions: (R, 4), s × s samples in each bin -> y: (R, C, h, w).

    Counted: for each output s² samples of 4 multiplications and 3 additions (bilinear); avg: s² - 1 additions and one
    division; max: the largest of all 4·s² products, without the additions: 4·s² - 1 comparisons.
    Not counted: coordinates and coefficients. With adaptive sampling (ratio 0) the node is reported as not counted.
    Source: ONNX operator RoiAlign.
    """
    s, n = call.attrs.sampling_ratio, call.y().size
    if s <= 0:
        raise Unknown("adaptive sampling: the number of samples depends on the content of the regions")
    if call.attrs.mode == "max":
        return Work(multiplications=n * 4 * s * s, comparisons=n * (4 * s * s - 1))
    return Work(multiplications=n * 4 * s * s, additions=n * (3 * s * s + s * s - 1), divisions=n)


def crop_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, H, W), regions: (R, 4), batch index: (R), size (h, w) -> y: (R, C, h, w)."""
    x, rois = regions(call, 4)
    size = numbers(call.x(3), "the crop size")
    require(len(size) == 2 and min(size) >= 1, "the crop size must be two numbers above 0")
    return (typed(x, (rois.dims[0], x.dims[1], *size)),)


def crop_cost(call: Call) -> Work:
    """CropAndResize. x: (N, C, H, W), regions: (R, 4) -> y: (R, C, h, w).

    Counted: bilinear: for each output 4 multiplications and 3 additions; nearest only copies.
    Not counted: coordinates and coefficients.
    Source: onnxruntime operator CropAndResize.
    """
    n = call.y().size
    return Work(multiplications=n * 4, additions=n * 3) if call.attrs.mode == "bilinear" else NOTHING


def keeps_none(call: Call) -> bool:
    """Whether no box may be kept: the limit is 0 or left out."""
    limit = call.optional(2)
    return limit is None or (limit.value is not None and all(v == 0 for v in limit.value))


def suppression_shape(call: Call) -> tuple[Tensor, ...]:
    """Boxes: (N, B, 4), scores: (N, C, B) -> (batch, class, box) of each kept box: (?, 3)."""
    boxes, scores = call.x(0), call.x(1)
    require(
        boxes.rank == 3 and scores.rank == 3, f"boxes {show(boxes.dims)} and scores {show(scores.dims)} need rank 3"
    )
    agree(boxes.dims[2], 4, f"a box has 4 numbers, not {boxes.dims[2]}")
    agree(boxes.dims[1], scores.dims[2], f"there are {boxes.dims[1]} boxes, but scores for {scores.dims[2]}")
    agree(boxes.dims[0], scores.dims[0], f"the batches of boxes and scores differ: {boxes.dims[0]}, {scores.dims[0]}")
    if keeps_none(call):
        return (typed(boxes, (0, 3), dtype=DType.INT64),)
    each = boxes.dims[1]
    limit = call.optional(2)
    if limit is not None and limit.value is not None and len(limit.value) == 1:
        kept = integers(limit, "the number of boxes to keep")[0]
        each = min(each, kept) if isinstance(each, int) and isinstance(kept, int) else each
    most = scores.dims[0] * scores.dims[1] * each
    return (bounded((most, 3), "how many boxes are kept depends on the data", DType.INT64),)


def suppression_cost(call: Call) -> Work:
    """NonMaxSuppression. boxes: (N, B, 4), scores: (N, C, B) -> (batch, class, box) of each kept box: (?, 3).

    Not counted: the node, because the data decide how many boxes are compared.
    Source: ONNX operator NonMaxSuppression.
    """
    if keeps_none(call):
        return NOTHING
    raise Unknown("how many boxes are compared depends on the data")


OPS = (
    Op("MaxRoiPool", RoiPoolAttrs, roi_pool_shape, roi_pool_cost, "pool", (2, 2)),
    Op("RoiAlign", RoiAlignAttrs, roi_align_shape, roi_align_cost, "pool", (3, 3), upgrade=roi_align_upgrade),
    Op("CropAndResize", CropAttrs, crop_shape, crop_cost, "resize", (4, 4), domain="com.microsoft"),
    Op("NonMaxSuppression", SuppressionAttrs, suppression_shape, suppression_cost, "control", (2, 5)),
)
