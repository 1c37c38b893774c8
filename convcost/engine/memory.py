"""How much memory a run may take."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SHARE = 0.8
"""Part of the available memory that a run may take unless told otherwise."""


def available_bytes() -> int | None:
    """Memory that this program could still use without swapping; None where the system does not say."""
    free, allowed = _free_bytes(), _allowed_bytes()
    return allowed if free is None else free if allowed is None else min(free, allowed)


def _allowed_bytes() -> int | None:
    """What a limit on the address space leaves; None where there is none."""
    try:
        import resource  # noqa: PLC0415 - not on every system

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None
    return None if limit == resource.RLIM_INFINITY else max(limit - used, 0)


def _free_bytes() -> int | None:
    if sys.platform == "linux":
        try:
            text = Path("/proc/meminfo").read_text(encoding="ascii")
        except OSError:
            return None
        for line in text.splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def default_limit() -> int:
    """80 % of the available memory, in bytes; 2 GiB where the system does not say."""
    available = available_bytes()
    return int(available * SHARE) if available else 2 << 30
