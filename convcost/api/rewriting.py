"""A model file with some of its nodes replaced, as bytes: read safely, rewritten, read back and judged again."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

from convcost.errors import ModelError, ReportError
from convcost.ir import DType, Payload, Tensor
from convcost.ir.splice import Replacement

MAX_BYTES = 2**31 - 2**20
"""One file holds at most 2 GiB; a little is left for what is new."""


def rewritten_file(path: str, replacements: Sequence[Replacement], *, target: str | None = None) -> bytes:
    """The bytes of the model at `path` with its nodes replaced; see `onnx_writer.rewrite.rewritten`.

    External data are put into the new file, so that it stands for itself. Where that would be over 2 GiB the
    references stay, which `target` allows only in the folder of `path`. Raises ModelError, EngineError, ReportError.
    """
    from convcost.onnx_reader.source import open_source  # noqa: PLC0415 - onnx is slow to import
    from convcost.onnx_writer.rewrite import rewritten  # noqa: PLC0415 - NumPy and onnx are loaded only to write

    with open_source(path) as source:
        data, folder = bytes(source.data), source.directory or "."
    total = len(data) + sum(payload.length for payload in external_payloads(path))
    if total > MAX_BYTES and target is not None and not same_folder(folder, target):
        raise ReportError(
            f"with its external data the new model would take {total:,} bytes, and a file holds at most {MAX_BYTES:,}",
            code="C505",
            help=f"write it into the folder of {os.path.basename(path)}: then it refers to the same data",  # noqa: PTH119 - names that are not UTF-8 stay
        )
    fetch = (lambda said, code, dims: content(said, code, dims, folder)) if total <= MAX_BYTES else None
    try:
        return rewritten(data, replacements, fetch=fetch)
    except ModelError as wrong:
        wrong.file = wrong.file or path
        raise


def external_files(path: str) -> list[str]:
    """The files where the external tensors of a model lie."""
    return sorted({os.path.join(p.directory, p.path) for p in external_payloads(path) if p.directory and p.path})  # noqa: PTH118 - as above


def external_payloads(path: str) -> list[Payload]:
    """Where the external tensors of a model lie, those inside bodies and functions too."""
    from convcost.onnx_reader import read_raw  # noqa: PLC0415 - as above

    todo = [read_raw(path).graph]
    stored: dict[int, Tensor] = {}
    seen: set[int] = set()
    while todo:
        graph = todo.pop()
        if id(graph) not in seen:  # calls share the body of a function
            seen.add(id(graph))
            stored.update((id(t), t) for t in graph.tensors.values())
            todo += [body for node in graph.nodes for _, body in node.bodies]
    return [t.payload for t in stored.values() if t.payload is not None and t.payload.external]


def content(entries: Mapping[str, str], code: int, dims: Sequence[int], folder: str) -> bytes:
    """The bytes of one external tensor: below `folder`, behind no link, of the length that its shape needs."""
    from convcost.onnx_reader.external import external_payload, open_payload  # noqa: PLC0415 - as above

    dtype = DType.from_code(code)
    if dtype is None:
        raise ModelError(f"an external tensor has the element type {code}, which ONNX does not define", code="C212")
    nbytes = dtype.nbytes(math.prod(dims))
    return bytes(open_payload(external_payload(entries.items(), int(str(nbytes)), folder)))


def same_folder(folder: str, target: str) -> bool:
    """Whether the file `target` would lie in `folder`."""
    try:
        return os.path.samefile(folder, os.path.dirname(target) or ".")  # noqa: PTH120, PTH121 - as above
    except (OSError, ValueError):
        return False
