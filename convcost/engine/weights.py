"""Contents of stored constants as arrays: read from the model, or drawn at random where a shape string has none."""

from __future__ import annotations

import math
import mmap
from contextlib import suppress
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from convcost.engine.kernels.convolution.workspace import aligned
from convcost.engine.values import Array, numpy_dtype
from convcost.errors import EngineError
from convcost.ir import DType, Graph, Node, Payload, Shape, Tensor

AT_ONCE = 1 << 22
"""Elements that are copied between two releases."""


class Weights:
    """Loads constants, and remembers whether they came from the model or from the generator."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.loaded = 0
        self.drawn = 0
        self.kept: dict[str, Array] = {}

    @property
    def source(self) -> Literal["model", "random", "mixed"]:
        """Where the contents came from."""
        if self.drawn:
            return "mixed" if self.loaded else "random"
        return "model"

    def load(self, t: Tensor, graph: Graph, *, placed: bool = True) -> Array:
        """The content of a stored tensor. What lies in a file stays there until it is read.

        Unless `placed`, it may begin anywhere in memory, which is slow to compute on.
        """
        if t.payload is not None:
            self.loaded += 1
            found = decode(t.payload, _dtype(t), _shape(t))
            if not placed or found.flags.aligned:
                return found
            return moved(found)
        if t.value is not None:
            return from_value(t)
        if t.sparse is not None:
            return self.dense(t, *t.sparse, graph)
        self.drawn += 1
        self.kept[t.name] = self.draw(t, graph)
        return self.kept[t.name]

    def dense(self, t: Tensor, values: Tensor, indices: Tensor, graph: Graph) -> Array:
        """A tensor that is stored sparsely, with its zeros. Its size was weighed with the other constants."""
        shape = _shape(t)
        content, places = self.load(values, graph).reshape(-1), self.load(indices, graph)
        if places.ndim == 2:
            inside = bool(((places >= 0) & (places < np.array(shape))).all())
            flat = np.ravel_multi_index(tuple(places.T), shape) if inside else places[:0, 0]
        else:
            inside, flat = bool(((places >= 0) & (places < math.prod(shape))).all()), places
        if not inside or len(flat) != len(content):
            raise EngineError(f"the indices of the sparse constant '{t.name[:80]}' do not fit its shape", code="C413")
        out = np.zeros(math.prod(shape), content.dtype)
        out[flat] = content
        return out.reshape(shape)

    def constant(self, node: Node, graph: Graph) -> Any:
        """The output of a Constant node, whose attribute is a tensor, a number, a string or a list of these."""
        for name, kind in (("value_float", np.float32), ("value_int", np.int64), ("value_string", object)):
            for given in (getattr(node.attrs, name, None), getattr(node.attrs, name + "s", None)):
                if given is not None:
                    return np.array(given, kind)
        t = getattr(node.attrs, "value", None)
        if t is None:
            t = getattr(node.attrs, "sparse_value", None)
        if not isinstance(t, Tensor):
            raise EngineError("the content of a Constant is stored in a way that is not run here", node=node.name)
        return self.load(t, graph)

    def draw(self, t: Tensor, graph: Graph) -> Array:
        """Random weights that keep the size of activations: normal with variance 2 / fan-in; vectors in [0.5, 1.5)."""
        shape, dtype = _shape(t), _dtype(t)
        if not dtype.is_float:
            return self.random.integers(0, 8, shape).astype(numpy_dtype(dtype))
        if len(shape) < 2:
            return self.random.uniform(0.5, 1.5, shape).astype(numpy_dtype(dtype))
        fan_in = _fan_in(t.name, shape, graph)
        values = self.random.standard_normal(shape, np.float32)
        values *= np.float32(math.sqrt(2 / max(fan_in, 1)))
        return values.astype(numpy_dtype(dtype), copy=False)


def drawn(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Arrays for the stored tensors of a shape string, by name, always the same for one `seed`."""
    weights = Weights(seed)
    return {t.name: weights.load(t, graph) for t in graph.tensors.values() if t.stored}


def _fan_in(name: str, shape: tuple[int, ...], graph: Graph) -> int:
    """Inputs of one output: for a convolution C/g ⋅ ΠK, for a product its rows, else the elements behind axis 0."""
    for node in graph.nodes:
        if name in node.inputs:
            if node.op == "MatMul" or (node.op == "Gemm" and not getattr(node.attrs, "transB", 0)):
                return shape[-2]
            if node.op == "ConvTranspose":
                return shape[0] * math.prod(shape[2:])
            break
    return math.prod(shape[1:])


def _dtype(t: Tensor) -> DType:
    if t.dtype is None:
        raise EngineError(f"the element type of '{t.name[:80]}' is not known", code="C410")
    return t.dtype


def _shape(t: Tensor) -> tuple[int, ...]:
    shape: Shape = t.shape if t.shape is not None else ()
    if t.shape is None or not all(isinstance(d, int) for d in shape):
        raise EngineError(f"the shape of the constant '{t.name[:80]}' is not known", code="C410")
    return tuple(d for d in shape if isinstance(d, int))


def from_value(t: Tensor) -> Array:
    """The array of a tensor whose few elements the graph carries."""
    assert t.value is not None
    items = [float(v) if isinstance(v, Fraction) else v for v in t.value]
    return np.array(items, dtype=numpy_dtype(_dtype(t))).reshape(_shape(t))


def decode(payload: Payload, dtype: DType, shape: tuple[int, ...]) -> Array:
    """The elements that a payload holds. Raises EngineError where they do not fit the shape."""
    if payload.encoding == "string_data":
        return _fitted(np.array(_strings(bytes(_bytes(payload))), dtype=object), shape)
    kind = numpy_dtype(dtype)
    data = _bytes(payload)
    if dtype.bits < 8 and payload.encoding == "raw":
        return _fitted(_unpacked(np.frombuffer(data, np.uint8), dtype, math.prod(shape)), shape)
    if payload.encoding in ("int32_data", "int64_data", "uint64_data"):
        return _fitted(_from_integers(varints(data), dtype, math.prod(shape)), shape)
    return _fitted(np.frombuffer(data, kind), shape)


def moved(array: Array) -> Array:
    """A copy that begins where it is fast; what lies in a file is given back as it is copied."""
    copy = aligned(array.shape, array.dtype)
    source, target = array.reshape(-1), copy.reshape(-1)
    for start in range(0, source.size, AT_ONCE):
        np.copyto(target[start : start + AT_ONCE], source[start : start + AT_ONCE])
        release(array)
    return copy


def release(array: Any) -> None:
    """Let the system have back the memory of an array that lies in a file; a later look reads the file again."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    if base.flags.writeable or not isinstance(base.base, memoryview) or not hasattr(mmap, "MADV_DONTNEED"):
        return  # what can be written to lies nowhere else
    if isinstance(base.base.obj, mmap.mmap):
        with suppress(ValueError, OSError):
            base.base.obj.madvise(mmap.MADV_DONTNEED)


def _bytes(payload: Payload) -> memoryview | bytes:
    if payload.data is not None:
        return payload.data
    from convcost import onnx_reader  # noqa: PLC0415 - shape strings need no ONNX

    return onnx_reader.open_payload(payload)


def _fitted(flat: Array, shape: tuple[int, ...]) -> Array:
    if flat.size != math.prod(shape):
        wanted = "x".join(map(str, shape)) or "scalar"
        raise EngineError(f"a constant of shape {wanted} has {flat.size} elements stored", code="C413")
    return flat.reshape(shape)


def _unpacked(packed: Array, dtype: DType, count: int) -> Array:
    """Elements of less than a byte: the first in the lowest bits, in a row without gaps."""
    bits = np.unpackbits(packed, bitorder="little")[: count * dtype.bits].reshape(count, dtype.bits)
    flat = np.zeros(count, np.uint8)
    for i in range(dtype.bits):
        flat |= bits[:, i] << i
    if dtype.is_float:
        return flat.view(numpy_dtype(dtype))
    if dtype.name.startswith("INT"):
        sign = 1 << (dtype.bits - 1)
        return ((flat.astype(np.int8) ^ sign) - sign).astype(numpy_dtype(dtype))
    return flat.astype(numpy_dtype(dtype))


def _from_integers(values: Any, dtype: DType, count: int) -> Array:
    """Elements from the integers of a typed field: halves and short floats lie there as their bits."""
    kind = numpy_dtype(dtype)
    if dtype.bits < 8:
        return _unpacked(values.astype(np.uint8), dtype, count)
    if dtype.is_float:
        bits: Array = values.astype({8: np.uint8, 16: np.uint16}[dtype.bits])
        return bits.view(kind)
    whole: Array = values.astype(kind)
    return whole


def varints(data: Any) -> Any:
    """The integers of a packed protobuf field, modulo 2^64."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 128)
    if raw.size and (not ends.size or ends[-1] != raw.size - 1):
        raise EngineError("a stored constant ends inside a number", code="C413")
    if not raw.size:
        return np.zeros(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(raw.size) - np.repeat(starts, ends - starts + 1)
    parts = (raw & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.add.reduceat(parts, starts).astype(np.int64)


def _strings(data: bytes) -> list[str]:
    """The strings of `string_data`: each with its tag and length before it."""
    out = []
    at = 0
    while at < len(data):
        at += 1
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        out.append(data[at : at + length].decode("utf-8", "surrogateescape"))
        at += length
    return out
