"""Many models: a pool of processes, or a cluster.

The module is the function: `convcost.fleet("models/")` is `convcost.fleet.run.fleet("models/")`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class Door(ModuleType):
    """A module that can be called. A package's function cannot have the name of one of its folders otherwise."""

    def __call__(self, *sources: str, **options: Any) -> Any:
        from convcost.fleet.run import fleet  # noqa: PLC0415 - loads what counting needs

        return fleet(*sources, **options)


sys.modules[__name__].__class__ = Door
