"""What a convolution, or a whole network, really costs: multiplications, parameters, memory, measured time.

    >>> import convcost
    >>> report = convcost.count("12x12x3 -(5x5x3x256)-> 8x8x256")
    >>> report
    <convcost count: 12x12x3 -(5x5x3x256)-> 8x8x256, 1,228,800 MACs, 19,200 params>
    >>> report.models[0].totals.macs
    1228800

Each command is a function that takes sources (shape strings, `.onnx` files, patterns, reports) and returns a `Report`:

    count     what each layer costs                 diff      two models or reports
    compare   ways to do the same thing             check     budgets
    scan      one layer under other parameters      fleet     many models in one table
    time      run it and measure each layer         read      a report that was written before
    explain   the arithmetic in words
    export    a shape string as an .onnx file
    separate  which kernels are spatially separable
    whatif    a model with layers replaced

`Report` has `rows()`, `to_pandas()`, `render("markdown")` and `save("report.html")`. `Session` runs a model. All
that is raised on purpose is a `ConvcostError`. docs/api.md shows more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcost.api import check, compare, count, diff, explain, export, read, scan, separate, time, whatif
    from convcost.api.result import Report
    from convcost.engine import Session
    from convcost.errors import (
        ConfigError,
        ConvcostError,
        EngineError,
        FleetError,
        ModelError,
        NotationError,
        ReportError,
        UsageError,
    )
    from convcost.fleet.run import fleet
    from convcost.version import __version__

__all__ = [
    "ConfigError",
    "ConvcostError",
    "EngineError",
    "FleetError",
    "ModelError",
    "NotationError",
    "Report",
    "ReportError",
    "Session",
    "UsageError",
    "__version__",
    "check",
    "compare",
    "count",
    "diff",
    "explain",
    "export",
    "fleet",
    "read",
    "scan",
    "separate",
    "time",
    "whatif",
]

_HOMES = {"Report": "convcost.api.result", "Session": "convcost.engine", "__version__": "convcost.version"}
"""Where public names are defined that are neither commands nor errors. All are loaded on first use."""


if not TYPE_CHECKING:  # a checker would take every name for known

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'convcost' has no attribute '{name}'")
        import importlib  # noqa: PLC0415 - only when a name is used

        if name == "fleet":  # a folder of this name is there too, and can be called
            return importlib.import_module("convcost.fleet")
        home = _HOMES.get(name, "convcost.errors" if name.endswith("Error") else "convcost.api")
        return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
