"""An onnxruntime-like session in NumPy."""

from __future__ import annotations

from convcost.engine.profile import NodeTimes, Profile
from convcost.engine.session import NodeArg, Session

__all__ = ["NodeArg", "NodeTimes", "Profile", "Session"]
