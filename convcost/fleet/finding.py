"""Which models a fleet is made of: folders, patterns and files as paths of models, in a fixed order, each once."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence

from convcost.errors import ModelError, UsageError

ENDING = ".onnx"


def find(sources: Sequence[str]) -> list[str]:
    """The paths of all models in `sources`, in their order; those of a folder sorted, with its folders' below.

    Folders whose name begins with a dot are left out, links to folders are not followed. Raises UsageError where a
    folder or a pattern yields nothing. A file is taken as it is: whether it is a model shows when it is read.
    """
    if not sources:
        raise UsageError("nothing to count: give folders, .onnx files, or patterns as in 'models/**/*.onnx'")
    found: dict[str, None] = {}
    for source in sources:
        some = dict.fromkeys(of(source))
        if not some:
            raise UsageError(f"{source}: no {ENDING} file in it")
        found |= some
    return list(found)


def of(source: str) -> Iterable[str]:
    """The models of one source."""
    if os.path.isdir(source):  # noqa: PTH112 - names that are not UTF-8 stay as they are
        return in_folder(source)
    if any(c in source for c in "*?[") and not os.path.lexists(source):
        found = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - patterns may be absolute
        if not found:
            raise UsageError(f"no file matches {source}")
        return (path for one in found for path in (in_folder(one) if os.path.isdir(one) else (one,)))  # noqa: PTH112 - as above
    return (source,)


def in_folder(folder: str) -> Iterator[str]:
    """The models below a folder. A folder that cannot be listed is an error: nothing is left out in silence."""
    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(place, name) for name in sorted(files) if name.lower().endswith(ENDING))  # noqa: PTH118 - as above


def refuse(wrong: OSError) -> None:
    """Raise the reader's error for a folder."""
    raise ModelError(f"cannot be listed: {wrong.strerror or wrong}", file=str(wrong.filename), code="C201")
