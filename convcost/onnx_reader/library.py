"""The two parts of the onnx library that reading needs: its protobuf messages and its operator schemas.

`import onnx` also loads NumPy, helpers, the checker and more: four fifths of its time, and a count needs none of it. So
the two modules are loaded from the library's folder under their own names, without running the package's `__init__`; an
`import onnx` later finds and shares them. Where a release keeps them elsewhere, the whole package is imported.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

MESSAGES = "onnx.onnx_ml_pb2"
BINDINGS = "onnx.onnx_cpp2py_export"
SUFFIXES = (".py", *importlib.machinery.EXTENSION_SUFFIXES)


@cache
def messages() -> Any:
    """The module with `ModelProto`."""
    return part(MESSAGES)


@cache
def schemas() -> Any:
    """The module with `get_schema`, `get_all_schemas_with_history` and `schema_version_map`."""
    return part(BINDINGS).defs


def part(name: str) -> ModuleType:
    """One module of the onnx package, alone where it can be."""
    if "onnx" not in sys.modules and name not in sys.modules:
        for file in files(name):
            spec = importlib.util.spec_from_file_location(name, file)
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                sys.modules[name] = module
                try:
                    spec.loader.exec_module(module)
                except BaseException:
                    del sys.modules[name]
                    raise
                return module
    if name in sys.modules:
        return sys.modules[name]
    return importlib.import_module(name)


def files(name: str) -> list[str]:
    """Where the module may lie: in the folder of the package, with an ending that Python loads."""
    package, _, module = name.partition(".")
    found = importlib.util.find_spec(package)
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    paths = [Path(folder, module + suffix) for folder in folders for suffix in SUFFIXES]
    return [str(path) for path in paths if path.is_file()]
