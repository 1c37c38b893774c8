"""A walk over protobuf's wire format that cuts large tensor payloads out of a model before it is parsed.

Only messages that are large enough to hold such a payload are entered, so the work is that of the graph's structure,
whatever the weights weigh. Each cut leaves a marker in its tensor: an `external_data` entry whose key is a random
text that the file cannot know and whose value says where the payload lies.
"""

from __future__ import annotations

from convcost.errors import ModelError
from convcost.onnx_reader.limits import CUT_BYTES, MAX_MESSAGE_DEPTH, MAX_STRUCTURE_BYTES
from convcost.onnx_reader.source import Data

MODEL, TRAINING, GRAPH, NODE, ATTRIBUTE, FUNCTION, SPARSE, TENSOR = range(8)

CHILDREN: tuple[dict[int, int], ...] = (
    {7: GRAPH, 20: TRAINING, 25: FUNCTION},
    {1: GRAPH, 2: GRAPH},
    {1: NODE, 5: TENSOR, 15: SPARSE},
    {5: ATTRIBUTE},
    {5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH, 22: SPARSE, 23: SPARSE},
    {7: NODE, 11: ATTRIBUTE},
    {1: TENSOR, 2: TENSOR},
    {},
)
"""For each message: which fields hold messages that can hold tensors. Numbers from onnx.proto."""

PAYLOADS = {4: "float_data", 5: "int32_data", 7: "int64_data", 9: "raw", 10: "double_data", 11: "uint64_data"}
"""Fields of TensorProto that hold elements (packed). Strings stay: they are needed as they are."""

EXTERNAL_DATA = 13

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Frame:
    """A message being rewritten: where it is, how far it was read, what has been kept of it.

    `tag` is where its tag stands in the enclosing message, `keep` where the bytes begin that are not yet in `parts`.
    """

    __slots__ = ("end", "keep", "kind", "parts", "pos", "tag")

    def __init__(self, kind: int, begin: int, end: int, tag: int) -> None:
        self.kind = kind
        self.pos = begin
        self.end = end
        self.keep = begin
        self.tag = tag
        self.parts: list[bytes] = []


def without_payloads(data: Data, marker: str) -> bytes:
    """The model without payloads above the limit. Raises `ModelError` where the wire format is broken."""
    if len(data) <= CUT_BYTES:
        return bytes(data)
    try:
        out = _walk(data, marker.encode())
    except IndexError:
        raise broken("it ends too early (truncated)") from None
    if len(out) > MAX_STRUCTURE_BYTES:
        raise ModelError(
            f"too large: {len(out):,} bytes of graph structure are over the limit of {MAX_STRUCTURE_BYTES:,}",
            code="C204",
        )
    return out


def broken(why: str) -> ModelError:
    """What a file is that protobuf cannot parse."""
    return ModelError(f"not an ONNX model, or a corrupt one: {why}", code="C203")


def _walk(data: Data, marker: bytes) -> bytes:
    """The rewritten model. An explicit stack stands for the nesting of messages."""
    frame = Frame(MODEL, 0, len(data), 0)
    stack: list[Frame] = []
    while True:
        child = _scan(data, frame, marker)
        if child is not None:
            stack.append(frame)
            if len(stack) > MAX_MESSAGE_DEPTH:
                raise ModelError(f"nested too deep: more than {MAX_MESSAGE_DEPTH} messages", code="C250")
            frame = child
            continue
        if not stack:
            return b"".join([*frame.parts, data[frame.keep : frame.end]])
        done, frame = frame, stack.pop()
        frame.pos = done.end
        if done.parts:
            _replace(data, frame, done)


def _scan(data: Data, frame: Frame, marker: bytes) -> Frame | None:
    """Go on through the fields of a message: to its end (None), or to a field that has to be entered."""
    pos, end = frame.pos, frame.end
    while pos < end:
        start = pos
        tag = data[pos]
        pos += 1
        if tag >= 0x80:
            tag, pos = read_varint(data, start)
        wire = tag & 7
        if wire == BYTES:
            n = data[pos]
            if n < 0x80:
                pos += 1
            else:
                n, pos = read_varint(data, pos)
            if n > end - pos:
                raise broken("a length points beyond its end (truncated)")
            if n > CUT_BYTES:
                field = tag >> 3
                kind = CHILDREN[frame.kind].get(field)
                if kind is not None:
                    return Frame(kind, pos, pos + n, start)
                if frame.kind == TENSOR and field in PAYLOADS:
                    frame.parts.append(data[frame.keep : start])
                    frame.parts.append(_mark(marker, f"{PAYLOADS[field]}:{pos}:{n}".encode()))
                    frame.keep = pos + n
            pos += n
        elif wire == VARINT:
            while data[pos] >= 0x80:
                pos += 1
            pos += 1
        elif wire == FIXED32:
            pos += 4
        elif wire == FIXED64:
            pos += 8
        else:
            raise broken("a wire type that ONNX does not use")
    if pos > end:
        raise broken("a field reaches beyond its message (truncated)")
    return None


def _replace(data: Data, frame: Frame, done: Frame) -> None:
    """Put the shortened message `done` in its place in `frame`."""
    content = b"".join([*done.parts, data[done.keep : done.end]])
    _, length_at = read_varint(data, done.tag)
    frame.parts += (data[frame.keep : length_at], write_varint(len(content)), content)
    frame.keep = done.end


def _mark(marker: bytes, value: bytes) -> bytes:
    entry = b"\x0a" + write_varint(len(marker)) + marker + b"\x12" + write_varint(len(value)) + value
    return bytes((EXTERNAL_DATA << 3 | BYTES,)) + write_varint(len(entry)) + entry


def read_varint(data: Data, pos: int) -> tuple[int, int]:
    """(value, position after it). At most ten bytes."""
    byte = data[pos]
    if byte < 0x80:
        return byte, pos + 1
    value, shift = byte & 0x7F, 7
    for at in range(pos + 1, pos + 10):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7
    raise broken("a number of more than ten bytes")


def write_varint(value: int) -> bytes:
    """Protobuf's encoding of a number that is not negative."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
