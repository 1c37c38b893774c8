"""The list of formats and the page about them agree, and what the page shows can be run."""

from __future__ import annotations

import csv
import io
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from convcost import record
from convcost.cli import main
from convcost.report import render
from convcost.report.formats import ALL
from convcost.report.rows import LAYERS, TABLES, TIMING

Make = Callable[..., Any]
ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")
ROWS = {
    name: (endings, example)
    for name, endings, example in re.findall(r"(?m)^\| `(\w+)` \| [^|]* \|([^|]*)\| `(convcost [^|]*)` \|$", PAGE)
}


@pytest.mark.parametrize("one", ALL, ids=lambda one: str(one.name))
def test_the_page_has_each_format_and_its_endings(one: Any) -> None:
    assert re.findall(r"`(\.\w+)`", ROWS[one.name][0]) == list(one.endings)


@pytest.mark.parametrize("name", [name for name in ROWS if name not in ("svg", "png")])
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for file in ("model.onnx", "old.onnx", "new.onnx"):
        shutil.copy(ROOT / "sample_models" / "lenet5.onnx", tmp_path / file)
    assert main(shlex.split(ROWS[name][1])[1:]) == 0


def test_the_page_has_every_column_of_csv() -> None:
    for columns, _ in TABLES.values():
        assert [column for column in (*columns, *TIMING) if f"`{column}`" not in PAGE] == []


@pytest.mark.parametrize("name", ["a,b", 'say "no"', "=cmd()", "x\ny", "\u5c64", "007", "NA"])
def test_csv_as_pandas_and_csv_read_it(name: str, layer: Make, model: Make, report: Make) -> None:
    drawn = render(report(model([layer(0, name, 10**30), layer(1, "other", None)])), "csv")
    frame = pd.read_csv(io.StringIO(drawn, newline=""), dtype=str, keep_default_na=False)
    assert tuple(frame.columns) == LAYERS
    assert list(frame["macs"]) == [str(10**30), ""]
    assert list(csv.DictReader(io.StringIO(drawn, newline=""), strict=True)) == frame.to_dict("records")


def test_markdown_as_a_renderer_of_commonmark_shows_it(layer: Make, model: Make, report: Make) -> None:
    """One cell a column in every row, and names as they are."""
    names = ["conv1", "a|b", "<b>", "*x*", "[x](y)"]
    drawn = render(report(model([layer(i, name) for i, name in enumerate(names)])), "markdown")
    tokens = MarkdownIt("commonmark").enable("table").parse(drawn)
    kinds = [token.type for token in tokens]
    titles, rows = kinds.count("th_open"), kinds.count("tr_open") - 1
    assert rows == len(names) + 1
    assert kinds.count("td_open") == titles * rows
    spans = [t.content for token in tokens for t in token.children or () if t.type == "code_inline"]
    assert [one for one in spans if one in ("conv1", "*x*")] == ["conv1", "*x*"]
    assert not any(t.type in ("link_open", "html_inline") for token in tokens for t in token.children or ())


def test_numbers_of_rows_are_no_numbers_of_issues(cost: Make, report: Make) -> None:
    """A forge links #1 in a comment to its issue, but not in a code span."""
    way = record.Alternative(name="a", notation="a", cost=cost(8, 1), ratio=record.Ratio(macs=1.0, params=1.0))
    drawn = render(report(comparisons=[record.Comparison(of="a", alternatives=[way, way], skipped=[])]), "markdown")
    assert "- `#1` `a`" in drawn
    assert not re.search(r"(?<!`)#\d", drawn)
