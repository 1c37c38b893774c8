"""An existing model with some of its nodes replaced: bytes in, bytes out.

Everything that is not replaced stays as it was stored: metadata, functions, bodies, operator sets, value types, fields
that this program does not know. New nodes stand where the old one stood; new weights are initializers of the main
graph, which bodies see too. Initializers and constant nodes that only a replaced node read are removed.

The caller reads the file (`onnx_reader.open_source`) and has it judged by the reader first: this module trusts that the
message parses, and looks for nothing but the places it is given. It opens no file itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from convcost.errors import ModelError, ReportError
from convcost.ir.splice import Part, Replacement, Survey, Taken, absent, part_of, unused
from convcost.onnx_writer.messages import content, node_proto, tensor_proto

MAX_BYTES = 2**31 - 1
"""Protobuf's limit for one message."""

INPUTS_HOLD_WEIGHTS = 3
"""Up to this ir_version every initializer must be an input of its graph too."""

EXTERNAL = 1

Fetch = Callable[[Mapping[str, str], int, Sequence[int]], bytes]
"""The content of an external tensor, from its `external_data` entries, its element type and its dims."""


class Named(msgspec.Struct, frozen=True):
    """The name and position that `part_of` needs of a stored node."""

    name: str
    index: int


def rewritten(data: bytes, replacements: Sequence[Replacement], *, fetch: Fetch | None = None) -> bytes:
    """The model `data` with each replacement in the place of its node.

    A node is told by its place, as `ir.visits` of the graph that the reader made of the same bytes gives it. With
    `fetch` every external tensor is put into the file itself; without, references to external files stay as they are.
    The graph of a replacement must not need a newer operator set than the model has (`needs.too_old`), and its place
    must not lie in a function. Arrays keep their element type. Equal arguments give equal bytes.

    Raises ModelError where a place is not there or a name is no text, ReportError where the result would be over 2 GiB.
    """
    model = ModelProto.FromString(data)
    try:
        Rewriter(model, {new.place: new for new in replacements}).run()
    except UnicodeError:
        raise ModelError("a name in it is not UTF-8: the model cannot be rewritten", code="C207") from None
    if fetch is not None:
        for tensor in tensors_of(model):
            embed(tensor, fetch)
    if model.ByteSize() > MAX_BYTES:
        raise ReportError("the new model would be over protobuf's limit of 2 GiB", code="C505")
    out: bytes = model.SerializeToString(deterministic=True)
    return out


class Rewriter:
    """One rewriting."""

    def __init__(self, model: ModelProto, wanted: Mapping[str, Replacement]) -> None:
        self.model = model
        self.wanted = wanted
        self.survey = Survey()
        survey(model.graph, self.survey)
        self.values = Taken(self.survey.values | self.survey.said)
        self.names = Taken(self.survey.nodes)
        self.parts: dict[str, Part] = {}
        self.gone: list[str] = []
        domains = ((o.domain, o.version) for o in model.opset_import)
        self.imports = {"" if domain == "ai.onnx" else domain: version for domain, version in domains}

    def run(self) -> None:
        """Replace, remove what is left over, add the new weights."""
        for place, _, index, node in nodes_of(self.model.graph, ""):
            if place in self.wanted:
                self.replace(place, index, node)
        absent(self.wanted, self.parts)
        dead = unused(self.gone, self.survey.uses, self.survey.makers)
        rebuild(self.model.graph, "", self.new_nodes(), dead)
        for place, part in self.parts.items():
            for name, t in part.stored.items():
                weights = self.wanted[place].weights
                self.add(name, weights[t.name] if t.name in weights else content(t))

    def replace(self, place: str, index: int, node: NodeProto) -> None:
        """Work out one replacement."""
        named = Named(node.name or f"n{index}", index)
        part = part_of(self.wanted[place], named, node.input[0], node.output[0], self.values, self.names)
        self.parts[place] = part
        self.gone += [n for n in node.input if n]
        self.survey.read(i for n in part.nodes for i in n.inputs)

    def new_nodes(self) -> dict[str, list[NodeProto]]:
        """The messages of the new nodes by place."""
        return {
            place: [node_proto(n, self.imports, self.wanted[place].weights) for n in part.nodes]
            for place, part in self.parts.items()
        }

    def add(self, name: str, array: Any) -> None:
        """A new initializer of the main graph."""
        tensor = tensor_proto(name, array)
        self.model.graph.initializer.append(tensor)
        if self.model.ir_version <= INPUTS_HOLD_WEIGHTS:
            info = helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims))
            self.model.graph.input.append(info)


def bodies(node: NodeProto) -> Iterator[tuple[str, GraphProto]]:
    """The graphs inside a node with the roles that the reader gives them."""
    for a in node.attribute:
        if a.HasField("g"):
            yield a.name, a.g
        for i, g in enumerate(a.graphs):
            yield f"{a.name}_{i}", g


def nodes_of(graph: GraphProto, prefix: str) -> Iterator[tuple[str, GraphProto, int, NodeProto]]:
    """(place, graph, position, node) of every node outside of functions."""
    for i, node in enumerate(graph.node):
        place = f"{prefix}{i}"
        yield place, graph, i, node
        for role, body in bodies(node):
            yield from nodes_of(body, f"{place}/{role}/")


def survey(graph: GraphProto, found: Survey) -> None:
    """What `Survey.graph` does, for a message. An initializer that is an input too counts as an initializer."""
    stored = {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    found.read(o.name for o in graph.output)
    for value in graph.input:
        if value.name not in stored:
            found.made(value.name, None, removable=False)
    for name in sorted(stored):
        found.made(name, None)
    found.said.update(v.name for v in graph.value_info)
    for i, node in enumerate(graph.node):
        inner = list(bodies(node))
        found.nodes.add(node.name or f"n{i}")
        found.read(node.input)
        for name in node.output:
            found.made(name, (tuple(node.input), tuple(node.output)), removable=not inner)
        for _, body in inner:
            survey(body, found)


def rebuild(graph: GraphProto, prefix: str, new: Mapping[str, list[NodeProto]], dead: set[str]) -> None:
    """Put new nodes in place and take dead names out, here and in the bodies."""
    nodes: list[NodeProto] = []
    changed = False
    for i, node in enumerate(graph.node):
        place = f"{prefix}{i}"
        for role, body in bodies(node):
            rebuild(body, f"{place}/{role}/", new, dead)
        if place in new:
            nodes += new[place]
            changed = True
        elif node.output and dead and all(o in dead for o in node.output if o):
            changed = True
        else:
            nodes.append(node)
    if changed:
        copy = GraphProto()
        copy.node.extend(nodes)
        del graph.node[:]
        graph.node.extend(copy.node)
    if dead:
        for field in (graph.initializer, graph.value_info):
            remove(field, dead, lambda item: item.name)
        remove(graph.sparse_initializer, dead, lambda item: item.values.name)
        remove(graph.input, dead, lambda item: item.name)
        remove(graph.quantization_annotation, dead, lambda item: item.tensor_name)


def remove(field: Any, dead: set[str], name_of: Callable[[Any], str]) -> None:
    """Take the items with dead names out of a repeated field."""
    for i in range(len(field) - 1, -1, -1):
        if name_of(field[i]) in dead:
            del field[i]


def tensors_of(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor that a model stores, those of bodies, functions and attributes too."""
    todo: list[Any] = [model.graph, *(info.initialization for info in model.training_info)]
    todo += [info.algorithm for info in model.training_info] + list(model.functions)
    while todo:
        holder = todo.pop()
        if isinstance(holder, GraphProto):
            yield from holder.initializer
            for sparse in holder.sparse_initializer:
                yield from (sparse.values, sparse.indices)
        defaults = [] if isinstance(holder, GraphProto) else list(holder.attribute_proto)
        for attribute in [*defaults, *(a for node in holder.node for a in node.attribute)]:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            single = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            for sparse in [*single, *attribute.sparse_tensors]:
                yield from (sparse.values, sparse.indices)
            todo += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def embed(tensor: TensorProto, fetch: Fetch) -> None:
    """Put the content of an external tensor into the file."""
    if tensor.data_location != EXTERNAL:
        return
    entries = {e.key: e.value for e in tensor.external_data}
    tensor.raw_data = fetch(entries, tensor.data_type, tuple(tensor.dims))
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")


__all__ = ["Fetch", "Replacement", "rewritten"]
