"""`convcost render`: from the JSON alone, every report looks as its command drew it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from convcost import record
from convcost.api import time
from convcost.cli import main
from convcost.errors import ReportError
from convcost.report import BINARY, FORMATS, content
from convcost.report.view import View

ROOT = Path(__file__).resolve().parent.parent.parent
LENET = str(ROOT / "sample_models" / "lenet5.onnx")
SOBEL = str(ROOT / "sample_models" / "sobel.onnx")
TEXT = "12x12x3 -(5x5x3x256)->"
TEXTS = [name for name in FORMATS if name not in BINARY and name != "svg"]
COMMANDS = {
    "count": ["count", LENET, TEXT],
    "compare": ["compare", TEXT],
    "scan": ["compare", "56x56x64 -(3x3x64x64 same)->", "-L", "k=1,3,5"],
    "diff": ["diff", LENET, SOBEL],
    "diff that fails": ["diff", TEXT, "12x12x3 -(5x5x3x512)->", "--fail-on", "macs:5%"],
    "check": ["check", LENET, "--budget", "macs=100k", "--budget", "params=1M"],
    "explain": ["explain", TEXT],
    "explain a code": ["explain", "C101"],
    "whatif": ["whatif", LENET, "--to", "depthwise-separable"],
    "separate": ["separate", SOBEL],
    "fleet": ["fleet", SOBEL, LENET],
    "export": ["export", TEXT, "-o", "layer.onnx"],
}
Capture = pytest.CaptureFixture[str]
Drawn = Callable[..., tuple[str, str]]


@pytest.fixture
def drawn(capfd: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Drawn:
    """drawn(*arguments): what a command prints on standard output, and on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments: str) -> tuple[str, str]:
        capfd.readouterr()
        assert main(list(arguments)) in (0, 1, 2)
        seen = capfd.readouterr()
        return seen.out, seen.err

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_format_is_drawn_from_the_json_alone(command: str, drawn: Drawn, tmp_path: Path) -> None:
    arguments = COMMANDS[command]
    (tmp_path / "report.json").write_text(drawn(*arguments, "-f", "json")[0], "utf-8")
    for name in TEXTS:
        assert drawn("render", "report.json", "-f", name) == drawn(*arguments, "-f", name), name


@pytest.mark.parametrize(
    "options", [["-v"], ["-n", "3", "--sort", "macs"], ["--by", "op"], ["--width", "140", "--ascii"]]
)
def test_choices_of_a_reader_are_those_of_the_command(options: list[str], drawn: Drawn, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(drawn(LENET, "-f", "json")[0], "utf-8")
    for name in ("table", "tree", "markdown", "html", "openmetrics", "github"):
        assert drawn("render", "report.json", "-f", name, *options) == drawn(LENET, "-f", name, *options)


def test_times_too() -> None:
    """Times differ from run to run, so one run is drawn twice."""
    report = time(TEXT, runs=1, warmup=0)
    again = record.decode(content(report, "json"))
    for name in TEXTS:
        for view in (View(), View(all_layers=True)):
            if name == "junit":
                with pytest.raises(ReportError):
                    content(again, name, view)
            else:
                assert content(again, name, view) == content(report, name, view)


def test_json_and_back_is_the_same_bytes(drawn: Drawn, tmp_path: Path) -> None:
    first = drawn("compare", TEXT, "-f", "json")[0]
    (tmp_path / "report.json").write_text(first, "utf-8")
    assert drawn("render", "report.json", "-f", "json")[0] == first
    (tmp_path / "report.jsonl").write_text(drawn("render", "report.json", "-f", "jsonl")[0], "utf-8")
    assert drawn("render", "report.jsonl", "-f", "json")[0] == first


def test_count_of_a_report_is_render(drawn: Drawn, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(drawn("compare", TEXT, "-f", "json")[0], "utf-8")
    assert drawn("report.json") == drawn("render", "report.json")


def test_a_summary_goes_where_the_runner_says(drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, said = drawn(*COMMANDS["check"], "-f", "github")
    assert said.startswith("::error ")
    summary = tmp_path / "summary.md"
    summary.write_text("# before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", os.fspath(summary))
    assert drawn(*COMMANDS["check"], "-f", "github") == ("", said)
    assert summary.read_text("utf-8") == "# before\n\n" + shown


def test_a_report_is_not_replaced_by_its_drawing(drawn: Drawn, tmp_path: Path) -> None:
    before = drawn(TEXT, "-f", "json")[0]
    (tmp_path / "report.json").write_text(before, "utf-8")
    out, err = drawn("render", "report.json", "-o", "report.json")
    assert (out, err) == ("", "convcost: error[C503]: report.json: is an input; a report never replaces one\n")
    assert (tmp_path / "report.json").read_text("utf-8") == before


def test_nothing_to_render(drawn: Drawn) -> None:
    out, err = drawn("render")
    assert out == ""
    assert err.startswith("convcost: error[C001]: nothing to render")
