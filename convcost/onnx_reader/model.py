"""A model file read: graph, bound dimensions, notes. The steps in order: open, cut, parse, build, bind, resolve."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from convcost.errors import ModelError
from convcost.ir import Graph, Node, Note, Payload, Tensor
from convcost.ir.graph import SPARSE
from convcost.onnx_reader.check import compare_declared, layout_hint, note_unused
from convcost.onnx_reader.declared import declared
from convcost.onnx_reader.external import problem
from convcost.onnx_reader.graphs import Builder, Scope
from convcost.onnx_reader.library import messages
from convcost.onnx_reader.limits import HASH_BYTES, MAX_MESSAGE
from convcost.onnx_reader.names import printable, quoted, text
from convcost.onnx_reader.notes import Notes
from convcost.onnx_reader.opsets import imports_of
from convcost.onnx_reader.options import Binding, InputSpec, bind
from convcost.onnx_reader.source import Source, open_source, recognise
from convcost.onnx_reader.tensors import Place
from convcost.onnx_reader.wire import broken, without_payloads
from convcost.ops.resolve import resolve

NO_DIMS: Mapping[str, int] = {}
NO_INPUTS: Mapping[str, InputSpec] = {}


class RawModel(msgspec.Struct, frozen=True):
    """A file as it was read: nothing bound, nothing resolved. Dimensions of its inputs may be symbols."""

    name: str
    path: str | None
    graph: Graph
    declared: dict[str, Tensor]
    size: int
    sha256: str | None
    ir_version: int


class ModelFile(msgspec.Struct, frozen=True):
    """A model ready to be counted.

    `graph` is resolved. `dims` holds the value of every bound dimension; `assumed` names those that nobody gave, so
    that the batch was taken as 1. `sha256` is None for files above 64 MiB unless asked for. `size` is in bytes.
    """

    graph: Graph
    dims: dict[str, int]
    assumed: tuple[str, ...]
    sha256: str | None
    size: int
    raw: RawModel


def read_raw(path: str | os.PathLike[str], *, hash: bool = False) -> RawModel:
    """The model at `path`, not resolved. Raises `ModelError`."""
    with open_source(path, hashed=hash) as source:
        return _located(source)


def from_bytes(
    data: bytes,
    name: str = "model",
    *,
    dims: Mapping[str, int] = NO_DIMS,
    inputs: Mapping[str, InputSpec] = NO_INPUTS,
    batch: int | None = None,
) -> ModelFile:
    """A model in memory, read and resolved. External data cannot be found for it. Raises `ModelError`, `UsageError`."""
    if not data:
        raise ModelError("not an ONNX model: it is empty", file=name, code="C202")
    recognise(data[:4096], name)
    digest = hashlib.sha256(data).hexdigest() if len(data) <= HASH_BYTES else None
    return resolve_model(_located(Source(data, name, path=None, sha256=digest)), dims=dims, inputs=inputs, batch=batch)


def read_file(
    path: str | os.PathLike[str],
    *,
    dims: Mapping[str, int] = NO_DIMS,
    inputs: Mapping[str, InputSpec] = NO_INPUTS,
    batch: int | None = None,
    hash: bool = False,
) -> ModelFile:
    """The model at `path`, read and resolved. Raises `ModelError`, and `UsageError` for names it does not have.

    `dims` sets open dimensions by name, `inputs` the shape (and content) of inputs; an open batch dimension is
    `batch`, or 1 and said so. `hash` asks for the SHA-256 of a file above 64 MiB.
    """
    return resolve_model(read_raw(path, hash=hash), dims=dims, inputs=inputs, batch=batch)


def read(
    path: str | os.PathLike[str],
    *,
    dims: Mapping[str, int] = NO_DIMS,
    inputs: Mapping[str, InputSpec] = NO_INPUTS,
    batch: int | None = None,
) -> Graph:
    """The resolved graph of the model at `path`. Errors as for `read_file`."""
    return read_file(path, dims=dims, inputs=inputs, batch=batch).graph


def resolve_model(
    raw: RawModel,
    *,
    dims: Mapping[str, int] = NO_DIMS,
    inputs: Mapping[str, InputSpec] = NO_INPUTS,
    batch: int | None = None,
    assume: bool = True,
) -> ModelFile:
    """`raw` with its dimensions bound and every tensor resolved. Without `assume` the batch stays a symbol."""
    bound = bind(raw.graph, dims, inputs, batch, assume=assume)
    notes = Notes()
    _say_binding(bound, notes)
    try:
        graph = resolve(msgspec.structs.replace(raw.graph, inputs=bound.inputs))
    except ModelError as wrong:
        layout_hint(wrong, bound.inputs)
        raise _at(wrong, raw.path or raw.name) from None
    compare_declared(raw.declared, graph, notes)
    graph = msgspec.structs.replace(graph, notes=(*raw.graph.notes, *notes.all()))
    return ModelFile(graph, bound.dims, bound.assumed, raw.sha256, raw.size, raw)


def _say_binding(bound: Binding, notes: Notes) -> None:
    if bound.assumed:
        said = ", ".join(f"{name}=1" for name in bound.assumed)
        notes.add("C230", f"dims: {said} assumed", help=f"--dim {bound.assumed[0]}=8 sets it")
    for name in bound.overruled:
        notes.add("C235", "the given shape differs from the one the model declares: the given one holds", location=name)
    for t in bound.inputs:
        if t.shape is not None and 0 in t.shape:
            notes.add("C236", "the input has a dimension of 0, so it is empty", location=t.name)


def _located(source: Source) -> RawModel:
    try:
        return _parse(source)
    except ModelError as wrong:
        raise _at(wrong, source.path or source.name) from None
    except RecursionError:
        raise ModelError("nested too deep for this interpreter", file=source.path or source.name, code="C250") from None


def _at(wrong: ModelError, place: str) -> ModelError:
    """The error with its file, and with nothing in it that could not be shown."""
    if wrong.file is None:
        wrong.file = place
    wrong.message = printable(wrong.message, MAX_MESSAGE)
    wrong.args = (wrong.message,)
    return wrong


def _parse(source: Source) -> RawModel:
    """Cut, parse and build."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy

    marker = secrets.token_hex(16)
    structure = without_payloads(source.data, marker)
    try:
        proto = messages().ModelProto.FromString(structure)
    except DecodeError:
        raise broken("it cannot be parsed (truncated, or nested more than 100 messages deep)") from None
    if not proto.HasField("graph"):
        raise broken("there is no graph in it")
    place = Place(source.path, source.directory, marker, source.data)
    notes = Notes()
    builder = Builder(place, _ir_version(proto, notes, messages().IR_VERSION), notes)
    imports = imports_of(proto.opset_import, notes, ir_version=builder.ir_version)
    builder.model_imports = imports
    builder.add_functions(proto.functions)
    if proto.training_info:
        notes.add("C237", "the model holds training graphs: they are not counted")
    graph, free = builder.graph(proto.graph, Scope(imports, None))
    _check_defined(graph, free)
    note_unused(graph.tensors, {*graph.outputs, *builder.used}, notes)
    _look_up_external(place.external, notes)
    said = _said(proto.graph, notes)
    graph = msgspec.structs.replace(graph, opset=imports, notes=notes.all())
    return RawModel(source.name, source.path, graph, said, source.size, source.sha256, builder.ir_version)


def _ir_version(proto: Any, notes: Notes, newest: int) -> int:
    version: int = proto.ir_version
    if version < 1:
        raise ModelError("not a valid ONNX model: its ir_version is missing or zero", code="C214")
    if version > newest:
        notes.add("C234", f"ir_version {version} is newer than {newest}, the newest known")
    return version


def _check_defined(graph: Graph, free: Mapping[str, Node]) -> None:
    for name, node in free.items():
        said = f"tensor {quoted(name)} is missing: no input, weight or node defines it"
        raise ModelError(said, node=node.name, code="C210")
    made = {o for node in graph.nodes for o in node.outputs}
    made.update(graph.tensors)
    made.update(t.name for t in graph.inputs)
    if not graph.outputs:
        raise ModelError("the graph has no outputs" if graph.nodes else "the graph is empty: no nodes", code="C210")
    for name in graph.outputs:
        if name not in made or not name:
            raise ModelError(
                f"output {quoted(name)} is missing: no node computes it" if name else "an output has no name",
                code="C210",
            )
    for t in graph.inputs:
        if t.container == SPARSE:
            raise ModelError(f"input {quoted(t.name)} is sparse, which no runtime takes", code="C216")


def _said(graph: Any, notes: Notes) -> dict[str, Tensor]:
    """The declared types of intermediate tensors and outputs. Those that cannot be are noted and left out."""
    out: dict[str, Tensor] = {}
    for v in (*graph.value_info, *graph.output):
        name = text(v.name)
        try:
            out[name] = declared(v, name)
        except ModelError as wrong:
            notes.add("C231", f"declared with a type that cannot be ({wrong.message}): ignored", location=name)
    return out


def _look_up_external(payloads: list[Payload], notes: Notes) -> None:
    """Note the external files that could not be used to run the model. Counting does not need them."""
    last: dict[str, Payload] = {}
    for payload in payloads:
        path = payload.path or ""
        if path not in last or payload.offset + payload.length > last[path].offset + last[path].length:
            last[path] = payload
    for path, payload in last.items():
        why = problem(payload) if payload.directory is not None else "cannot be found for a model in memory"
        if why is not None:
            notes.add("C238", f"external data {quoted(path)} {why}: the model can be counted but not run")


__all__ = ["ModelFile", "Note", "RawModel", "from_bytes", "read", "read_file", "read_raw", "resolve_model"]
