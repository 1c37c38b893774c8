"""Every limit of the reader, each with its reason. docs/limits.md lists them."""

from __future__ import annotations

MAX_FILE_BYTES = 2**31 - 1
"""Protobuf's own limit for one message: no runtime loads a larger .onnx file (weights go into external data)."""

READ_WHOLE_BYTES = 1 << 20
"""Smaller files are read; larger ones are memory-mapped, so that their weights stay on the disk."""

HASH_BYTES = 64 << 20
"""Files up to this size are hashed without being asked: about a tenth of a second."""

CUT_BYTES = 64 << 10
"""Tensor payloads above this are cut out before parsing. 4,096 elements of any type fit below."""

MAX_STRUCTURE_BYTES = 512 << 20
"""What remains after cutting is parsed and held in memory; the largest real graphs have a few tens of megabytes."""

MAX_MESSAGE_DEPTH = 100
"""Messages inside messages; protobuf's parsers stop there too."""

MAX_NODES = 1_000_000
"""Nodes built in all, branches and function instances included; the largest real models have about 100,000."""

MAX_FUNCTION_INSTANCES = 10_000
"""Different (function, attribute values) pairs that are built; exporters make a few hundred."""

MAX_RANK = 64
"""Dimensions of a tensor; NumPy stops there too."""

MAX_ATTRIBUTE_ELEMENTS = 1_000_000
"""Elements of one attribute list; tree ensembles reach some hundred thousand."""

MAX_ALIKE_BYTES = 1024
"""Nodes whose attributes take at most this are compared with earlier ones, so that equal attributes are read once."""

MAX_NOTES = 5
"""Notes of one kind; the rest is said as a number."""

MAX_MESSAGE = 400
"""Characters of an error message: operators' rules quote attributes, which come from the file."""

MAX_QUOTED = 60
"""Characters of a foreign name in a message."""
