"""How much memory a run may take."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SHARE = 0.8
"""Part of the available memory that a run may take unless told otherwise."""


def available_bytes() -> int | None:
    """Memory that a new program could use without swapping; None where the system does not say."""
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
