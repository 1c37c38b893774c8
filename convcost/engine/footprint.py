"""The memory of a run, predicted from shapes before anything is allocated.

Beside stored constants and live values stand the forms of weights that convolutions make, their scratch, and the
trials that choose among algorithms. Which algorithm wins is not known before, so the largest of each counts.
"""

from __future__ import annotations

import msgspec

from convcost.engine.guard import too_large
from convcost.engine.kernels import all_keys
from convcost.engine.needs import Needs, of_convolution, of_recurrent, temporary
from convcost.engine.static.team import forks
from convcost.ir import DType, Graph, Node, Tensor

OBJECTS = 10_000
"""Bytes of Python objects for each node: names, views, calls."""
BLOCKS = 1.4
"""Blocks of a compiled program in parts of its live values: some are held twice, some blocks too large."""
PROGRAM = 6 << 20
"""Bytes of what any run brings: code that is loaded late, buffers of the matrix library."""
PROCESS = 2 << 20
"""Bytes of each further process, beside half of the objects: it writes to those it uses, which count their uses."""
VARINTS = ("int32_data", "int64_data", "uint64_data")
NUMBER = 80
"""Bytes for each number of a field whose numbers have no fixed length, while they are read."""
LIBRARY = 12 << 20
"""Bytes of onnx's own operators, where a node needs one."""


class Footprint(msgspec.Struct, frozen=True):
    """Peak bytes of a run; `lean` where convolutions take no algorithm that enlarges their weights.

    `forms` is the part of the peak that is set aside for prepared weights.
    """

    peak: int
    lean: int
    forms: int = 0


def predict(graph: Graph, limit: int, *, threads: int = 1) -> int:
    """Peak bytes of a run where shapes are known; what only a run knows is weighed when it comes.

    Raises EngineError naming the tensor at which `limit` would be passed. Where only the larger algorithms would pass
    it they are left out.
    """
    found = footprint(graph, limit, threads=threads)
    return found.peak if found.peak <= limit else found.lean


def footprint(graph: Graph, limit: int, *, threads: int = 1) -> Footprint:
    """What `graph` takes with and without the larger algorithms. Raises EngineError where `limit` is too little."""
    walk = Walk(limit, threads)
    total = walk.graph(graph) + walk.held
    others = threads - 1 if walk.trial and forks() else 0
    objects = OBJECTS * walk.nodes * (2 + others) // 2 + PROCESS * others + PROGRAM + (LIBRARY if walk.borrows else 0)
    objects = min(objects, limit // 8)
    peak = max(total + walk.forms, walk.held + walk.trial) + objects
    return Footprint(peak, max(total, min(total + walk.lean_forms + objects, limit)), walk.forms)


class Walk:
    """Adds up graphs, inner ones too. A graph that is met again is not looked at again."""

    def __init__(self, limit: int, threads: int) -> None:
        self.limit = limit
        self.threads = threads
        self.peaks: dict[int, int] = {}
        self.held = 0
        self.nodes = 0
        self.forms = 0
        self.lean_forms = 0
        self.trial = 0
        self.borrows = False

    def graph(self, graph: Graph) -> int:
        """Peak bytes of constants, live values and scratch of one graph and those inside it."""
        if id(graph) in self.peaks:
            return self.peaks[id(graph)]
        self.held += self.constants(graph)
        last: dict[str, int] = {}
        own = set(all_keys())
        self.borrows |= any((n.domain, n.op) not in own and not n.bodies and n.op != "Constant" for n in graph.nodes)
        for i, node in enumerate(graph.nodes):
            for name in (*node.inputs, *(o for _, b in node.bodies for n in b.nodes for o in n.inputs)):
                last[name] = i
        for name in graph.outputs:
            last[name] = len(graph.nodes)
        sizes = {t.name: tensor_bytes(t) for t in graph.inputs}
        live = sum(sizes.values())
        if self.held + live > self.limit:
            name = max(sizes, key=lambda n: sizes[n])
            raise too_large(name, sizes[name], self.held + live, self.limit, None)
        peak = widest = live
        seen = Seen()
        for i, node in enumerate(graph.nodes):
            outputs = [t for o in node.outputs if o and (t := graph.tensors.get(o)) is not None and not t.constant]
            made = {t.name: tensor_bytes(t) for t in outputs}
            live += sum(made.values())
            self.refuse(node, made, live)
            inner = max((self.graph(body) for _, body in node.bodies), default=0)
            extra = inner + self.scratch(node, graph, made, sizes, seen)
            self.refuse(node, made, live + extra)
            peak, widest = max(peak, live + extra), max(widest, live)
            sizes.update(made)
            for name in {*node.inputs, *made}:
                if last.get(name, -1) <= i:
                    live -= sizes.pop(name, 0)
        self.close(graph, seen)
        blocks = int(widest * BLOCKS) + seen.scratch if seen.count else 0
        self.peaks[id(graph)] = max(peak, blocks)
        return self.peaks[id(graph)]

    def close(self, graph: Graph, seen: Seen) -> None:
        """Add what a graph as a whole takes."""
        self.nodes += len(graph.nodes)
        self.forms += seen.forms
        self.lean_forms += seen.lean
        self.trial = max(self.trial, seen.trial)

    def constants(self, graph: Graph) -> int:
        """Bytes of constants.

        Weights that lie in a file and that only convolutions read are dropped once they have another form.
        """
        total = largest = numbers = 0
        mapped = dropped(graph)
        for t in graph.tensors.values():
            if t.constant or t.stored:
                size = tensor_bytes(t)
                if t.payload is not None and t.payload.encoding in VARINTS and isinstance(t.size, int):
                    numbers = max(numbers, NUMBER * t.size)
                if t.name in mapped:
                    largest = max(largest, size)
                else:
                    total += size
                if self.held + total + largest > self.limit:
                    raise too_large(t.name, size, self.held + total + largest, self.limit, None)
        return total + max(largest, min(numbers, self.limit // 8))

    def scratch(self, node: Node, graph: Graph, made: dict[str, int], sizes: dict[str, int], seen: Seen) -> int:
        """Bytes that the kernel of one node takes beside its inputs and outputs."""
        kept = of_recurrent(node, graph)
        seen.forms += kept
        seen.lean += kept
        needs = of_convolution(node, graph, self.limit, self.threads)
        if needs is not None:
            seen.add(needs)
            return seen.scratch
        return max(seen.scratch, temporary(node, max((sizes.get(n, 0) for n in node.inputs), default=0), made.values()))

    def refuse(self, node: Node, made: dict[str, int], total: int) -> None:
        """Raise where a node's outputs pass the limit."""
        if self.held + total > self.limit:
            name = max(made, key=lambda n: made[n]) if made else node.name
            raise too_large(name, made.get(name, 0), self.held + total, self.limit, node.name)


class Seen:
    """What the convolutions of one graph take together."""

    def __init__(self) -> None:
        self.count = self.forms = self.lean = self.scratch = self.trial = 0

    def add(self, needs: Needs) -> None:
        """One more convolution."""
        self.count += 1
        self.forms += needs.forms
        self.lean += needs.lean
        self.scratch = max(self.scratch, needs.scratch)
        self.trial = max(self.trial, needs.trial)


def dropped(graph: Graph) -> set[str]:
    """Weights in a file that only convolutions read, so that they need not stay in memory."""
    from convcost.engine.plan import brought  # noqa: PLC0415 - plans are made after this

    names = brought(graph)
    tensors = (graph.tensors.get(name) for name in names)
    return {t.name for t in tensors if t is not None and t.payload is not None and t.payload.path is not None}


def tensor_bytes(t: Tensor) -> int:
    """Bytes of the array that holds `t`, 0 where its size is not known. Short types take a byte an element."""
    if t.shape is None or not isinstance(t.size, int):
        return 0
    return t.size * max((t.dtype or DType.FLOAT32).bits // 8, 1)
