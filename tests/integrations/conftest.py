"""A repository with a model on its main branch and a larger one on the branch of a pull request."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import TensorProto, helper

ROOT = Path(__file__).resolve().parents[2]


def write_model(path: Path, channels: int) -> None:
    """One 3×3 convolution from 4 channels on 8×8: 2,304 MACs for each output channel."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, 8, 8])
    w = helper.make_tensor("w", TensorProto.FLOAT, [channels, 4, 3, 3], [0.5] * (channels * 36))
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "net", [x], [y], [w])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.SerializeToString())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a runner's shell sees: this convcost on PATH, a home and a configuration of git of its own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = shutil.which("convcost", path=os.fspath(Path(sys.executable).parent))
    assert program is not None, "install the package: pip install -e ."
    (folder / "convcost").symlink_to(program)
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "GITHUB", "CI"))}
    return keep | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, environment: dict[str, str]) -> tuple[Path, Git]:
    """(a shallow checkout of the pull request, git in it). Its `origin` has `main`, where the model is smaller."""
    origin = tmp_path / "origin"
    origin.mkdir()

    def git(*words: str, cwd: Path = origin) -> str:
        done = subprocess.run(
            ["git", *words], cwd=cwd, env=environment, check=True, capture_output=True, encoding="utf-8"
        )
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    write_model(origin / "models" / "a net.onnx", 8)
    write_model(origin / "models" / "same.onnx", 4)
    (origin / "convcost.toml").write_text('models = ["models/*.onnx"]\nmacs = "30K"\ncoverage = "100%"\n')
    git("add", ".")
    git("commit", "--quiet", "-m", "main")
    git("switch", "--quiet", "-c", "change")
    write_model(origin / "models" / "a net.onnx", 16)
    git("commit", "--quiet", "-a", "-m", "change")
    work = tmp_path / "work"
    git("clone", "--quiet", "--depth=1", "--branch=change", origin.as_uri(), str(work))
    return work, lambda *words: git(*words, cwd=work)
