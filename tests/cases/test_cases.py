"""Runs the Markdown files of this folder and the documentation: prose, a command, the output that is expected of it.

In a fenced `console` block a line `$ convcost …` is a command and the lines below it are all that it prints, standard
error after standard output, and `[2]` for an exit code that is not 0. A new output is accepted by
`CONVCOST_UPDATE_CASES=1 pytest tests/cases`; look at the difference before it is committed. A block whose output is
never the same twice, such as times, is marked `console times`: its commands must only succeed.

A fenced block with a `title="NAME"` is a file of that name for the commands below it.

In a fenced `sh` block each line that begins with `convcost` must succeed; the code after it in a comment `[1]` says
otherwise. Other lines, such as those that install something, are not run; nor is a block `sh unsafe`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import onnx
import pytest

from convcost.cli import main

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
LOOSE = re.compile(r"(?ms)^```(console times|sh)\n(.*?)^```$")
PAGES = (*sorted(HERE.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md")), ROOT / "README.md")
FILE = re.compile(r'(?ms)^```\w+ title="([\w.-]+)"\n(.*?)^```$')
UPDATE = bool(os.environ.get("CONVCOST_UPDATE_CASES"))
SUMMED = ("MACs", "params", "mults")


def cases() -> list[tuple[str, int]]:
    """(file, number of its block)."""
    return [
        (path.relative_to(ROOT).as_posix(), i)
        for path in PAGES
        for i in range(len(BLOCK.findall(path.read_text("utf-8"))))
    ]


def shown_commands() -> list[tuple[str, int, str, int]]:
    """(file, place in it, command, expected exit code) of what documentation shows without its output."""
    out = []
    for path in PAGES:
        for found in LOOSE.finditer(path.read_text("utf-8")):
            kind, block = found.groups()
            pattern = r"(?m)^(convcost .*)$" if kind == "sh" else r"(?m)^\$ (convcost .*)$"
            for line in re.findall(pattern, block.replace("\\\n", "")):
                command, _, comment = line.partition(" #")
                code = re.search(r"\[(\d+)\]", comment)
                name = path.relative_to(ROOT).as_posix()
                out.append((name, found.start(), command.strip(), int(code[1]) if code else 0))
    return out


def put_files(page: str, end: int) -> None:
    """Write the files that a page shows before a place in it."""
    for name, content in FILE.findall(page[:end]):
        Path(name).write_text(content, "utf-8")


def commands(block: str) -> list[tuple[str, str]]:
    """(command, expected output) of a block."""
    parts = re.split(r"(?m)^\$ (.*)\n", block)
    assert parts[0] == "", "a block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def execute(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    """What a command prints."""
    words = shlex.split(command)
    assert words[0] == "convcost"
    code = main(words[1:])
    out, err = capfd.readouterr()
    out = out.replace("\r\n", "\n")
    return out + err + (f"[{code}]\n" if code else "")


def columns_add_up(output: str) -> None:
    """Exact numbers in the columns of a table of layers sum to its total."""
    lines = output.split("\n")
    for end, line in enumerate(lines):
        if not re.match(r" +total ", line) or "--top" in "".join(lines[end:]):
            continue
        rules = [i for i, other in enumerate(lines[:end]) if other and set(other) <= {"─", "-"}][-2:]
        head = lines[rules[0] - 1]
        for title in (t for t in SUMMED if re.search(rf" {t}(?: |$)", head)):
            edge = re.search(rf" {title}(?= |$)", head).end()  # type: ignore[union-attr]
            column = [row[:edge].split()[-1].replace(",", "") for row in lines[rules[0] + 1 : rules[1]]]
            if all(n.isdigit() for n in column):
                assert sum(map(int, column)) == int(line[:edge].split()[-1].replace(",", ""))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample models in it, and models under the names that documentation uses."""
    (tmp_path / "sample_models").symlink_to(ROOT / "sample_models")
    shutil.copy(ROOT / "sample_models" / "lenet5.onnx", tmp_path / "old.onnx")
    shutil.copy(ROOT / "sample_models" / "lenet5.onnx", tmp_path / "new.onnx")
    model = onnx.load(ROOT / "sample_models" / "lenet5.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("name", "number"), cases())
def test_case(name: str, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / name).read_text("utf-8")
    found = list(BLOCK.finditer(page))[number]
    block = found[1]
    put_files(page, found.start())
    seen = [(command, execute(command, capfd)) for command, _ in commands(block)]
    for _, output in seen:
        columns_add_up(output)
    actual = "".join(f"$ {command}\n{output}" for command, output in seen)
    if UPDATE:
        text = (ROOT / name).read_text("utf-8")
        (ROOT / name).write_text(text.replace(f"```console\n{block}```", f"```console\n{actual}```", 1), "utf-8")
    else:
        assert actual == block


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("name", "start", "command", "code"), shown_commands())
def test_shown_command(name: str, start: int, command: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    put_files((ROOT / name).read_text("utf-8"), start)
    words = shlex.split(command)
    assert main(words[1:]) == code, f"{name}: {command}\n{capfd.readouterr().err}"
