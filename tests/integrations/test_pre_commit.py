"""The hooks as pre-commit runs them: the entry, then the changed files that `files` matches."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("ruamel.yaml", reason="comes with check-jsonschema")

MANIFEST = Path(__file__).resolve().parents[2] / ".pre-commit-hooks.yaml"
HOOKS: dict[str, dict[str, Any]] = {hook["id"]: hook for hook in yaml.YAML(typ="safe").load(MANIFEST)}


def run(
    name: str, changed: list[str], work: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str] | None:
    """Run a hook; None where no file is for it."""
    hook = HOOKS[name]
    files = [path for path in changed if re.search(hook["files"], path)]
    if not files:
        return None
    command = shlex.split(hook["entry"]) + (files if hook.get("pass_filenames", True) else [])
    return subprocess.run(
        command, cwd=work, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.mark.parametrize(
    "changed", ["models/a net.onnx", "convcost.toml", "sub/pyproject.toml", "convcost-baseline.json"]
)
def test_budgets(repository: Any, environment: dict[str, str], changed: str) -> None:
    work, _ = repository
    done = run("convcost-check", [changed], work, environment)
    assert done is not None
    assert done.returncode == 1
    (work / "convcost.toml").write_text('models = ["models/*.onnx"]\nmacs = "40K"\n')
    done = run("convcost-check", [changed], work, environment)
    assert done is not None
    assert done.returncode == 0


def test_models_can_be_counted(repository: Any, environment: dict[str, str]) -> None:
    work, _ = repository
    changed = ["models/a net.onnx", "models/same.onnx", "README.md"]
    done = run("convcost-models", changed, work, environment)
    assert done is not None
    assert done.returncode == 0
    (work / "models" / "same.onnx").write_bytes(b"\x08\x07broken")
    done = run("convcost-models", changed, work, environment)
    assert done is not None
    assert done.returncode == 2
    assert "error[C203]: models/same.onnx: " in done.stdout


def test_names_are_never_options(repository: Any, environment: dict[str, str]) -> None:
    work, _ = repository
    (work / "-opwned.onnx").write_bytes((work / "models" / "same.onnx").read_bytes())
    done = run("convcost-models", ["-opwned.onnx"], work, environment)
    assert done is not None
    assert "1 counted · 0 failed" in done.stdout


@pytest.mark.parametrize("name", HOOKS)
def test_other_files_start_no_hook(repository: Any, environment: dict[str, str], name: str) -> None:
    work, _ = repository
    assert run(name, ["README.md", "model.onnx.txt", "notconvcost.toml.bak"], work, environment) is None


def test_pre_commit_accepts_them() -> None:
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
