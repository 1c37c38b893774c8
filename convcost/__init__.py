"""What a convolution, or a whole network, really costs.

The public names, loaded on first use. Nothing is defined here.
"""

from __future__ import annotations

from typing import Any

_HOMES = {
    "count": "convcost.api",
    "compare": "convcost.api",
    "scan": "convcost.api",
    "time": "convcost.api",
    "check": "convcost.api",
    "diff": "convcost.api",
    "export": "convcost.api",
    "separate": "convcost.api",
    "whatif": "convcost.api",
    "read": "convcost.api",
    "fleet": "convcost.fleet",
    "Session": "convcost.engine",
    "ConvcostError": "convcost.errors",
    "NotationError": "convcost.errors",
    "ModelError": "convcost.errors",
    "EngineError": "convcost.errors",
    "__version__": "convcost.version",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - the keys are names


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convcost' has no attribute '{name}'")
    import importlib  # noqa: PLC0415 - only when a name is used

    home = importlib.import_module(_HOMES[name])
    return home if home.__name__ == f"convcost.{name}" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
