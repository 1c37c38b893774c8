"""Names that come from a file: made printable for messages, and text where the file holds none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convcost.errors import escaped
from convcost.onnx_reader.limits import MAX_QUOTED


def quoted(name: str, limit: int = MAX_QUOTED) -> str:
    """`name` in quotes for a message: control, bidi and invisible characters escaped, long names shortened."""
    return "'" + printable(name, limit) + "'"


def printable(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, of which every one can be shown."""
    shown = escaped(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Some names for a message, the rest as a number."""
    all_names = list(names)
    text = ", ".join(quoted(n, 40) for n in all_names[:most])
    return text + (f" and {len(all_names) - most} more" if len(all_names) > most else "")


def text(value: str | bytes) -> str:
    r"""A protobuf string as text. Strings that are not UTF-8 arrive as bytes: the odd bytes are spelled `\xff`.

    The leading U+FFFD keeps such a name apart from a name that is spelled that way in the file.
    """
    if isinstance(value, str):
        return value
    return "\ufffd" + value.decode("utf-8", "backslashreplace")


def texts(values: Sequence[str | bytes]) -> tuple[str, ...]:
    """Protobuf strings as text. A slice of a protobuf list comes faster than its elements one by one."""
    out = tuple(values[:])
    for v in out:
        if v.__class__ is not str:
            return tuple([text(v) for v in out])
    return out  # type: ignore[return-value]
