"""Every command over every input of the hostile corpus: exit code, one clean line, no report with an error, bounds."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tarfile
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import onnx
import pytest

from convcost.cli import main

pytestmark = pytest.mark.corpus

SECONDS = 20
MEMORY = 2 << 30
"""Bytes of addresses more than there are before a command."""

LARGE = {"g_nodes_5000_conv", "g_fanout_5000", "g_initializers_50000", "fn_tree_2_10", "cf_loop_forever"}
"""Models of thousands of layers, and one that runs until its time is over: work, not danger, and left out where slow."""

UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
COMMAND = re.compile(r"(?m)^\s*(::[a-z-]+|##\[|##vso|##teamcity)")
"""What a CI system would take for an order."""


class Input(NamedTuple):
    """One of the corpus: its name, where it lies, whether it can be counted, and then its layers."""

    name: str
    path: str
    layers: list[str]
    convolutions: list[str]
    counted: bool


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(*words: str) -> Done:
    """One command in this process, within its time and memory."""
    out, err = io.BytesIO(), io.BytesIO()
    texts = [io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="\n") for stream in (out, err)]
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(texts[0]), contextlib.redirect_stderr(texts[1]):
            code = main(words)
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, before)
    for text in texts:
        text.flush()
    return Done(code, out.getvalue().decode(), err.getvalue().decode())


def clean(*words: str, new: Path | None = None) -> Done:
    """Run a command, and see that it ended as any command must. `new` is the folder of the files that it writes."""
    done = run(*words)
    assert done.code in (0, 1, 2), done
    shown = done.out.replace("\r\n", "\n") + done.err
    assert "Traceback" not in shown
    assert "C000" not in done.err, done.err
    assert not UNSEEN.search(shown)
    assert not COMMAND.search(done.err if "github" not in words else "")
    assert "CANARY" not in shown
    assert "root:x:" not in shown
    if done.code == 2:
        assert done.out == ""
        assert re.fullmatch(r"convcost: error\[C\d\d\d\]: [^\n]{1,480}\n", done.err), done.err
        assert new is None or list(new.iterdir()) == []
    return done


@pytest.fixture(scope="module")
def inputs(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Input]:
    """All of the corpus, counted."""
    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(corpus / "hostile" / "public.tar.xz") as archive:
        archive.extractall(folder, filter="fully_trusted")
    header, *lines = (corpus / "hostile" / "index.tsv").read_text("utf-8").rstrip("\n").split("\n")
    found = []
    for line in lines:
        row = dict(zip(header.split("\t"), line.split("\t"), strict=False))
        path = os.path.join(folder, os.fsdecode(urllib.parse.unquote_to_bytes(row["path"])))  # noqa: PTH118 - odd names
        done = clean("count", "-f", "json", "--", path)
        layers: list[Any] = []
        if done.code == 0:
            layers = json.loads(done.out)["models"][0]["layers"]
        names = [layer["name"] for layer in layers]
        found.append(Input(row["name"], path, names, [n["name"] for n in layers if "Conv" in n["op"]], done.code == 0))
    assert len(found) == 456
    return found


@pytest.fixture
def each(
    inputs: list[Input], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Iterator[Input]]]:
    """The inputs one by one; the working folder is empty before each."""
    monkeypatch.chdir(tmp_path)

    def overdue(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} s")

    def walk(*, large: bool = False) -> Iterator[Input]:
        for one in inputs:
            if large or one.name not in LARGE:
                for path in tmp_path.iterdir():
                    path.unlink()
                yield one

    before = signal.signal(signal.SIGALRM, overdue)
    yield walk
    signal.signal(signal.SIGALRM, before)


def test_explain(each: Callable[..., Iterator[Input]]) -> None:
    for one in each():
        assert clean("explain", "--", one.path).code == (0 if one.counted else 2)
        for name in {*one.layers[:1], *one.convolutions[:1]}:
            assert clean("explain", f"--layer={name}", "--", one.path).code == 0


def test_compare(each: Callable[..., Iterator[Input]]) -> None:
    for one in each():
        clean("compare", "--layer=no such layer", "--", one.path)
        for name in one.convolutions[:1]:
            clean("compare", f"--layer={name}", "-f", "json", "--", one.path)


def test_check_fails_closed(each: Callable[..., Iterator[Input]]) -> None:
    """No budget passes that may be exceeded: an upper bound below the limit is one that cannot be."""
    for one in each(large=True):
        done = clean("check", "--budget", "macs=1", "-f", "json", "--", one.path)
        assert (done.code == 2) == (not one.counted)
        if one.counted:
            report = json.loads(done.out)
            (model,) = report["models"]
            (verdict,) = report["checks"]
            macs = model["totals"]["macs"]
            fits = macs is not None and macs <= 1 and not model["coverage"]["lower_bound"]
            assert verdict["status"] == ("pass" if fits else "fail"), one.name
            assert done.code == (0 if fits else 1)


def test_diff_with_itself_is_empty(each: Callable[..., Iterator[Input]]) -> None:
    for one in each():
        done = clean("diff", "-f", "json", "--", one.path, one.path)
        assert done.code == (0 if one.counted else 2)
        if one.counted:
            found = json.loads(done.out)["diff"]
            assert found["layers"] == []
            assert found["renamed"] == []
            assert all(total["old"] == total["new"] for total in found["totals"])


@pytest.mark.parametrize(
    ("words", "least"),
    [
        (("whatif", "--to", "low-rank"), 100),
        (("whatif", "--to", "depthwise-separable"), 100),
        (("separate", "--rank", "1"), 100),
        (("export",), 100),
    ],
)
def test_a_new_model(each: Callable[..., Iterator[Input]], tmp_path: Path, words: tuple[str, ...], least: int) -> None:
    """It can be counted, and onnx's checker, in a process of its own, has nothing against it that it had not before."""
    made: dict[str, bytes] = {}
    for one in each():
        options = [f"--layer={name}" for name in one.convolutions[:1]] if words == ("export",) else []
        done = clean(*words, *options, "-q", "-o", "new.onnx", "--", one.path, new=tmp_path)
        if done.code == 0:
            assert clean("count", "-q", "new.onnx").code == 0, one.name
            if not refuses(Path(one.path).read_bytes()):
                made[one.name] = Path("new.onnx").read_bytes()
    paths = [tmp_path / f"made{i}.onnx" for i in range(len(made))]
    for path, model in zip(paths, made.values(), strict=True):
        path.write_bytes(model)
    child = subprocess.run(
        [sys.executable, "-c", CHECK, *map(str, paths)], capture_output=True, text=True, timeout=60, check=True
    )
    assert [name for name, path in zip(made, paths, strict=True) if str(path) in child.stdout.split("\n")] == []
    assert len(made) >= least


CHECK = """
import sys, onnx
for path in sys.argv[1:]:
    try:
        onnx.checker.check_model(open(path, "rb").read())
    except (onnx.checker.ValidationError, ValueError, RuntimeError):
        print(path)
"""


def refuses(model: bytes) -> bool:
    """Whether onnx's checker has something against a model."""
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError):
        return True
    return False


def test_every_text_format(each: Callable[..., Iterator[Input]]) -> None:
    """Drawn from the report alone, which has all the foreign names in it."""
    formats = ("table", "tree", "jsonl", "csv", "markdown", "html", "github", "gitlab", "sarif", "openmetrics")
    for one in each():
        if one.layers:
            assert clean("check", "--budget", "macs=1", "-q", "-o", "report.json", "--", one.path).code in (0, 1)
            for shape in (*formats, "junit"):
                assert clean("render", "-f", shape, "report.json").code == 0
