"""onnxruntime as a guest: asked through a child process, whose death is an answer too."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from convcost.errors import EngineError

ADDRESS_SPACE = 4 << 30
"""What libraries and thread stacks take of the address space, beside the model."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One job for the child; see `ort_child`."""

    model: str
    names: tuple[str, ...]
    inputs: str
    outputs: str
    optimise: bool = False
    threads: int | None = None
    max_memory: int | None = None
    runs: int = 0
    warmup: int = 0
    min_seconds: float = 0.0
    profile: str | None = None
    probes: tuple[str, ...] = ()


BOOT = (
    "import sys; job = sys.argv[1]; sys.path[:] = sys.argv[2:]; "
    "from convcost.engine.ort_child import main; sys.exit(main(job))"
)
"""Modules are looked for where this program found them, and not first in the current folder, which `-m` would do."""


def installed() -> bool:
    """Whether onnxruntime is there."""
    return importlib.util.find_spec("onnxruntime") is not None


def ask(request: Request, feeds: Mapping[str, Any], folder: Path, *, seconds: float | None) -> dict[str, Any]:
    """The child's answer. Raises EngineError when onnxruntime is missing, fails, dies or takes too long."""
    if not installed():
        raise EngineError(
            "onnxruntime is not installed", code="C440", help="install the extra: pip install 'convcost[onnxruntime]'"
        )
    arrays = {f"i{i}": np.asarray(feeds[name]) for i, name in enumerate(request.names)}
    if any(a.dtype == object or a.dtype.kind == "V" for a in arrays.values()):
        raise EngineError("onnxruntime is asked with plain numeric tensors only", code="C441")
    np.savez(request.inputs, allow_pickle=False, **arrays)
    job = folder / "request.json"
    job.write_bytes(msgspec.json.encode(request))
    command = [sys.executable, "-c", BOOT, str(job), *sys.path]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - our own module
    except subprocess.TimeoutExpired:
        raise EngineError(f"onnxruntime did not end within {seconds:g} s", code="C442") from None
    if done.returncode < 0:
        raise EngineError(f"onnxruntime died of signal {-done.returncode}", code="C443")
    if done.returncode != 0:
        raise EngineError(f"onnxruntime cannot run this model: {_reason(done.stderr)}", code="C444")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _reason(stderr: bytes) -> str:
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return " ".join(lines[-1].split())[:200] if lines else "no reason given"
