"""The program as its users meet it: exit codes, streams, files, interrupts."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from convcost.version import __version__

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SHAPE = "12x12x3 -(5x5x3x256)-> 8x8x256"
MODEL = str(Path(__file__).resolve().parent.parent.parent / "sample_models" / "lenet5.onnx")


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(run: Run, flag: str) -> None:
    done = run(flag)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"convcost {__version__}\n", "")


def test_count_is_the_default(run: Run) -> None:
    assert run(SHAPE).stdout == run("count", SHAPE).stdout
    assert "1,228,800 MACs" in run(SHAPE).stdout


@pytest.mark.parametrize("arguments", [[], ["--help"], ["count", "--help"], ["compare", "--help"], ["time", "--help"]])
def test_help_shows_examples(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"12x12x3 -(5x5x3x256)->' in done.stdout or "56x56x64 -(3x3x64x128 s2)->" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nope", SHAPE], r"error\[C001\]: no such option: --nope"),
        (["--formt", "json", SHAPE], r"error\[C001\]: no such option: --formt .*--format"),
        ([SHAPE, "-f", "jsno"], r"error\[C001\]: --format jsno: .*did you mean json"),
        ([SHAPE, "--batch", "many"], r"error\[C001\]: .*--batch.*many"),
        ([SHAPE, "-f"], r"error\[C001\]: .*-f.* requires an argument"),
        (["cuont", "x.onnx"], r"error\[C001\]: there is no command cuont; did you mean count\?"),
        (["count"], r"error\[C001\]: nothing to count"),
        (["compare"], r"error\[C001\]: nothing to compare"),
        (["time"], r"error\[C001\]: time takes one source"),
        ([SHAPE, "--columns", "macs,nope"], r"error\[C001\]: --columns nope"),
        ([SHAPE, "--sort", "nope"], r"error\[C001\]: --sort nope"),
        ([SHAPE, "--dim", "N"], r"error\[C001\]: --dim N: expected NAME=SIZE"),
        ([SHAPE, "--top", "0"], r"error\[C001\]: --top 0"),
        ([SHAPE, "-o", "report"], r"error\[C001\]: -o report: say the format"),
        ([SHAPE, "-o", "none/report.json"], r"error\[C500\]: none/report.json: cannot be written"),
        (["schema", "nope"], r"error\[C001\]: schema nope"),
        (["missing.onnx"], r"error\[C2\d\d\]: missing.onnx: "),
        (["--", "--help.onnx"], r"error\[C2\d\d\]: --help.onnx: "),
        (["*.onnx"], r"error\[C001\]: no file matches \*.onnx"),
    ],
)
def test_errors_are_one_line_and_exit_2(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(rf"convcost: {message}.*\n", done.stderr)
    assert len(done.stderr) <= 501
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "12x12x3", "12x12x3 -(5x5x4x256)->", "-(relu)->", "-3x3x3", "\u200b", "--=", "(", "\udcff"]
)
def test_a_wrong_shape_string_is_a_notation_error(run: Run, text: str) -> None:
    done = run("--", text)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.match(r"convcost: error\[C1\d\d\]: ", done.stderr)
    assert done.stderr.replace("\n", "").isprintable()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x08\x12"])
def test_bad_models(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.onnx").write_bytes(content)
    done = run("bad.onnx", "-o", "report.json")
    assert done.returncode == 2
    assert re.fullmatch(r"convcost: error\[C2\d\d\]: bad.onnx: .*\n", done.stderr)
    assert not (tmp_path / "report.json").exists()


def test_files_and_standard_output(run: Run, tmp_path: Path) -> None:
    done = run(SHAPE, "-o", "a.json", "-o", "csv=b", "-o", "c.md", "-o", "d.html", "-o", "tree=e.txt")
    assert "1,228,800" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b", "c.md", "d.html", "e.txt"]
    assert json.loads((tmp_path / "a.json").read_text())["models"][0]["totals"]["macs"] == 1_228_800


def test_quiet(run: Run, tmp_path: Path) -> None:
    done = run(SHAPE, "-q", "-o", "a.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "a.json").exists()


def test_the_json_report_can_be_counted_again(run: Run) -> None:
    first = run(SHAPE, "-f", "json", "-o", "a.json").stdout
    assert json.loads(run("a.json", "-f", "json").stdout)["models"] == json.loads(first)["models"]


def test_an_input_is_never_replaced(run: Run, tmp_path: Path) -> None:
    run(SHAPE, "-q", "-o", "a.json")
    before = (tmp_path / "a.json").read_bytes()
    done = run("a.json", "-o", "a.json")
    assert done.returncode == 2
    assert "is an input" in done.stderr
    assert (tmp_path / "a.json").read_bytes() == before


def test_standard_input(run: Run) -> None:
    done = run("-", "-f", "json", input=f"# two\n{SHAPE}\n\n3x3x1 -(3x3x1x1)->\n")
    assert [m["totals"]["macs"] for m in json.loads(done.stdout)["models"]] == [1_228_800, 9]


@pytest.mark.parametrize("arguments", [[SHAPE], [SHAPE, "-f", "json"], ["schema"]])
def test_a_full_disk_is_an_error(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = [sys.executable, "-m", "convcost", *arguments]
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"convcost: error\[C500\]: standard output: No space left on device\n", done.stderr)


@pytest.mark.parametrize("arguments", [[SHAPE], [SHAPE, "-f", "json"], ["schema"], ["--help"], ["--version"]])
def test_a_closed_pipe_is_quiet(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "convcost", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_streams_are_no_crash(tmp_path: Path) -> None:
    command = f"{sys.executable} -m convcost '{SHAPE}' -o {tmp_path}/a.json >&- 2>&-"
    assert subprocess.run(command, shell=True, check=False).returncode == 0
    assert (tmp_path / "a.json").exists()


def interrupted(delay: float) -> float:
    """Seconds from Ctrl-C, `delay` seconds after the start, to the end of the program, which must be clean."""
    arguments = ["convcost", "time", "224x224x64 -(3x3x64x64 same)->", "--runs", "1000"]
    code = (
        f"import os, sys; from convcost.cli import main; os.write(1, b'x'); sys.argv = {arguments!r}; sys.exit(main())"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.read(1) == b"x"
    time.sleep(delay)
    child.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, said = child.communicate(timeout=10)
    assert child.returncode == 130
    assert b"Traceback" not in said
    return time.monotonic() - start


@pytest.mark.parametrize("delay", [0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.4, 1.0])
def test_ctrl_c_is_130_within_half_a_second(delay: float) -> None:
    """The quickest of a few tries: other programs on the machine may hold one of them up."""
    assert any(interrupted(delay) < 0.5 for _ in range(4))


def loaded(*arguments: str) -> set[str]:
    """The modules that a command loads."""
    code = "import sys; from convcost.cli import main; main(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8", check=True)
    return set(done.stderr.split())


HEAVY = {"numpy", "onnx", "onnxruntime", "rich", "typer", "dataclasses", "jsonschema", "asyncio", "vl_convert", "dask"}


def test_json_of_a_shape_string_loads_nothing_heavy() -> None:
    assert loaded(SHAPE, "-f", "json") & (HEAVY | {"pathlib"}) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        (SHAPE,),
        ("explain", SHAPE),
        ("explain", "C101"),
        ("compare", SHAPE),
        ("whatif", SHAPE),
        ("check", SHAPE, "--budget", "macs=1"),
        ("check", "REPORT", "--budget", "macs=1"),
        ("diff", "REPORT", "REPORT"),
        ("render", "REPORT"),
        ("render", "REPORT", "-f", "csv"),
        ("schema",),
    ],
    ids=" ".join,
)
def test_what_reads_no_model_loads_nothing_heavy(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Reports, shape strings and codes need neither arrays nor the library of models nor a terminal's."""
    report = str(tmp_path / "report.json")
    assert run(SHAPE, "-q", "-o", report).returncode == 0
    assert loaded(*(report if word == "REPORT" else word for word in arguments)) & HEAVY == set()


@pytest.mark.parametrize("command", ["compare", "explain", "whatif", "separate", "check", "diff", "fleet"])
def test_every_command_leaves_a_closed_pipe_and_a_poor_locale_quietly(run: Run, command: str) -> None:
    sources = {"compare": [SHAPE], "check": [MODEL, "--budget", "macs=1G"], "diff": [MODEL, MODEL]}.get(
        command, [MODEL]
    )
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "convcost", command, *sources]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    for env in ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "cp1252"}):
        shown = run(command, *sources, env=env)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.isascii()


def on_a_terminal(arguments: list[str], env: dict[str, str]) -> str:
    """What the program writes to a terminal of 100 columns."""
    leader, follower = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    child = subprocess.Popen(
        [sys.executable, "-m", "convcost", *arguments],
        stdout=follower,
        stderr=follower,
        env=clean | {"COLUMNS": "100"} | env,
    )
    os.close(follower)
    seen = b""
    try:
        while chunk := os.read(leader, 4096):
            seen += chunk
    except OSError:  # the terminal closes
        pass
    child.wait(10)
    os.close(leader)
    return seen.decode()


def test_a_terminal_gets_color_and_its_own_width() -> None:
    seen = on_a_terminal([MODEL], {"TERM": "xterm"})
    assert "\x1b[1m" in seen
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen).split("\r\n")
    assert 80 < max(map(len, plain)) <= 100


@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_a_terminal_without_color(env: dict[str, str]) -> None:
    assert "\x1b" not in on_a_terminal([MODEL], env)


def test_a_terminal_without_unicode() -> None:
    assert on_a_terminal([MODEL], {"PYTHONIOENCODING": "ascii", "TERM": "xterm", "PYTHONUTF8": "0"}).isascii()


@pytest.mark.parametrize("name", ["-o.onnx", "--help.onnx", "  .onnx", "a\nb.onnx", "[red].onnx", "層.onnx"])
def test_odd_file_names(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(Path(MODEL).read_bytes())
    done = run("-f", "json", "--", name)
    assert json.loads(done.stdout)["models"][0]["source"] == name
    assert "416,520 MACs" in run("--", name).stdout


def test_a_file_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.onnx"
    Path(os.fsdecode(path)).write_bytes(Path(MODEL).read_bytes())
    for kind in ("json", "table", "html"):
        command = [os.fsencode(sys.executable), b"-m", b"convcost", path, b"-f", kind.encode()]
        done = subprocess.run(command, capture_output=True, check=True)
        assert b"\\xff.onnx" in done.stdout.replace(b"\\\\", b"\\")


@pytest.mark.parametrize(
    ("words", "offered"),
    [("convcost count -f ma", "markdown"), ("convcost count --by sc", "scope"), ("convcost co", "count")],
)
def test_shell_completion(run: Run, words: str, offered: str) -> None:
    at = str(len(words.split()) - 1)
    done = run(env={"_CONVCOST_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": at})
    assert done.returncode == 0
    assert offered in done.stdout.split()
