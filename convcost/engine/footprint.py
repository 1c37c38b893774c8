"""The memory of a run, predicted from shapes before anything is allocated."""

from __future__ import annotations

from convcost.engine.guard import too_large
from convcost.ir import DType, Graph, Tensor

SCRATCH_OPS = {"Conv": 1, "ConvTranspose": 1, "FusedConv": 1, "QLinearConv": 4, "ConvInteger": 4}
"""Operators that copy their input (padding, another layout, a wider type): how many times its bytes."""


TILE_BYTES = 16 << 20
"""Scratch of a convolution beside that copy: tiles of columns, transforms, products."""


def predict(graph: Graph, limit: int, known: dict[int, int] | None = None) -> int:
    """Peak bytes of stored constants and live values, where shapes are known (unknown ones are weighed at run time).

    Raises EngineError naming the tensor at which `limit` would be passed. Views are counted as if they were copies.
    `known` remembers the peaks of inner graphs, so that a function called often is looked at once.
    """
    known = {} if known is None else known
    if id(graph) in known:
        return known[id(graph)]
    constants = 0
    for t in graph.tensors.values():
        if t.constant or t.stored:
            constants += tensor_bytes(t)
            if constants > limit:
                raise too_large(t.name, tensor_bytes(t), constants, limit, None)
    last: dict[str, int] = {}
    for i, node in enumerate(graph.nodes):
        for name in (*node.inputs, *(o for _, b in node.bodies for n in b.nodes for o in n.inputs)):
            last[name] = i
    for name in graph.outputs:
        last[name] = len(graph.nodes)
    sizes = {t.name: tensor_bytes(t) for t in graph.inputs}
    live = constants + sum(sizes.values())
    if live > limit:
        widest = max(sizes, key=lambda n: sizes[n])
        raise too_large(widest, sizes[widest], live, limit, None)
    peak = live
    for i, node in enumerate(graph.nodes):
        made = {}
        for name in node.outputs:
            found = graph.tensors.get(name)
            if name and found is not None and not found.constant:
                made[name] = tensor_bytes(found)
        live += sum(made.values())
        scratch = SCRATCH_OPS.get(node.op, 0) * max((sizes.get(n, 0) for n in node.inputs), default=0)
        scratch += TILE_BYTES if scratch else 0
        inner = max((predict(body, limit, known) for _, body in node.bodies), default=0)
        if live + scratch + inner > limit:
            name = max(made, key=lambda n: made[n]) if made else node.name
            raise too_large(name, made.get(name, 0), live + scratch + inner, limit, node.name)
        peak = max(peak, live + scratch + inner)
        sizes.update(made)
        for name in {*node.inputs, *made}:
            if last.get(name, -1) <= i:
                live -= sizes.pop(name, 0)
    known[id(graph)] = peak
    return peak


def tensor_bytes(t: Tensor) -> int:
    """Bytes of the array that holds `t`, 0 where its size is not known. Short types take a byte an element."""
    if t.shape is None or not isinstance(t.size, int):
        return 0
    return t.size * max((t.dtype or DType.FLOAT32).bits // 8, 1)
