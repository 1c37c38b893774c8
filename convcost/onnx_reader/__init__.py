"""Reads ONNX files into `ir.Graph`: any model, from anyone, without its weights.

`read_file` opens, parses, binds open dimensions and resolves every shape; `read` gives just the graph; `read_raw` and
`resolve_model` are its two halves, for binding the same file in several ways. Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcost.onnx_reader.external import open_payload
    from convcost.onnx_reader.model import ModelFile, RawModel, from_bytes, read, read_file, read_raw, resolve_model
    from convcost.onnx_reader.options import InputSpec, parse_dim_option, parse_input_option

__all__ = [
    "InputSpec",
    "ModelFile",
    "RawModel",
    "from_bytes",
    "open_payload",
    "parse_dim_option",
    "parse_input_option",
    "read",
    "read_file",
    "read_raw",
    "resolve_model",
]

_OPTIONS = ("InputSpec", "parse_dim_option", "parse_input_option")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'convcost.onnx_reader' has no attribute '{name}'")
    import importlib  # noqa: PLC0415 - only when a name is used

    home = "options" if name in _OPTIONS else "external" if name == "open_payload" else "model"
    return getattr(importlib.import_module(f"convcost.onnx_reader.{home}"), name)
