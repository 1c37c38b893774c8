"""Running the command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def _byte_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Byte code is written once for all processes, as an installed package has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONDONTWRITEBYTECODE", "")
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("byte_code")))
        yield


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """run(*arguments, env={...}, **subprocess options): in an empty folder, with nothing on standard input."""

    def convcost(
        *arguments: str, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
        return subprocess.run(
            [sys.executable, "-m", "convcost", *arguments],
            capture_output=True,
            encoding="utf-8",
            stdin=options.pop("stdin", subprocess.DEVNULL) if "input" not in options else None,
            cwd=options.pop("cwd", tmp_path),
            env=clean | (env or {}),
            timeout=60,
            check=False,
            **options,
        )

    return convcost
