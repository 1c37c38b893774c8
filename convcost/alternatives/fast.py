"""The same layer under another algorithm: no other graph, fewer multiplications."""

from __future__ import annotations

from convcost.alternatives.chain import number
from convcost.alternatives.idea import Form
from convcost.alternatives.layer import ConvLayer, Skip
from convcost.analysis.algorithms import of_geometry
from convcost.ops.conv import ConvAttrs


def under(layer: ConvLayer, prefix: str) -> tuple[Form, ...]:
    """The algorithms whose names begin with `prefix`; the one with the fewest multiplications is not an extra."""
    attrs = ConvAttrs(
        group=layer.group, strides=layer.strides, dilations=layer.dilations, pads=(*layer.before, *layer.after)
    )
    x = (layer.batch, layer.c, *layer.spatial)
    w = (layer.m, layer.c // layer.group, *layer.kernel)
    costs = [
        cost for cost in of_geometry(x, w, (layer.batch, layer.m, *layer.out), attrs) if cost.name.startswith(prefix)
    ]
    done = [cost for cost in costs if cost.multiplications is not None]
    if not done:
        raise Skip(costs[0].skipped or "it does not apply")
    least = min(done, key=lambda cost: number(cost.multiplications or 0))
    return tuple(Form(cost.name, None, extra=cost is not least, algorithm=cost) for cost in done)
