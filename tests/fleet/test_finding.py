"""Folders, patterns and files become one list of paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from convcost.errors import ConvcostError, UsageError
from convcost.fleet.finding import find


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.onnx", "a/z.ONNX", "a/c.onnx", "a/notes.txt", ".git/hidden.onnx", "odd.onnx/inner.onnx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "paths"),
    [
        (["."], ["./b.onnx", "./a/c.onnx", "./a/z.ONNX", "./odd.onnx/inner.onnx"]),
        (["a"], ["a/c.onnx", "a/z.ONNX"]),
        (["b.onnx", "a/c.onnx", "b.onnx"], ["b.onnx", "a/c.onnx"]),
        (["a/*.onnx", "a"], ["a/c.onnx", "a/z.ONNX"]),
        (["*.onnx"], ["b.onnx", "odd.onnx/inner.onnx"]),
        (["a/**/c.onnx"], ["a/c.onnx"]),
        (["a/notes.txt", "missing.onnx"], ["a/notes.txt", "missing.onnx"]),
        ([".git"], [".git/hidden.onnx"]),
    ],
)
@pytest.mark.usefixtures("tree")
def test_found(sources: list[str], paths: list[str]) -> None:
    assert find(sources) == paths


@pytest.mark.parametrize("sources", [[], ["empty"], ["x/*.onnx"], ["b.onnx", "empty"]])
def test_nothing_found(tree: Path, sources: list[str]) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(UsageError, match=r"nothing to count|no \.onnx file|no file matches"):
        find(sources)


def test_a_folder_that_cannot_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("a"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ConvcostError, match="cannot be listed: Permission denied"):
        find([str(tree)])
