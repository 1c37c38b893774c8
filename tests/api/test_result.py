"""A report in Python: looked at, drawn, saved, as rows and as a data frame; and the types that others see."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

import convcost
from convcost import record
from convcost.report.rows import TABLES

ROOT = Path(__file__).resolve().parents[2]
SHAPE = "12x12x3 -(5x5x3x256)-> 8x8x256"
LENET = str(ROOT / "sample_models" / "lenet5.onnx")


def test_all_public_names_are_there_and_documented() -> None:
    assert dir(convcost) == convcost.__all__ == sorted(convcost.__all__)
    for name in convcost.__all__:
        value = getattr(convcost, name)
        assert value.__doc__
        assert name == "__version__" or len(value.__doc__) > 30
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        convcost.nonsense  # type: ignore[attr-defined]  # noqa: B018 - looking is what is tested


@pytest.mark.parametrize("function", ["count", "compare", "read", "fleet"])
def test_no_source_at_all_is_an_error(function: str) -> None:
    with pytest.raises(convcost.UsageError, match=r"nothing to|no report|needs a source"):
        getattr(convcost, function)()


@pytest.mark.parametrize(
    "first",
    ["import convcost.fleet.pool", "from convcost import fleet", "import convcost; convcost.fleet", "import convcost"],
)
def test_fleet_is_a_function_whatever_is_imported_first(first: str) -> None:
    code = f"{first}\nimport convcost\nprint(repr(convcost.fleet({LENET!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "<convcost fleet: 1 models counted, 0 failed>\n"


def test_import_is_light() -> None:
    code = f"import sys, convcost; convcost.count({SHAPE!r}); print({{'numpy', 'onnx', 'pandas', 'rich'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_short_to_look_at() -> None:
    assert repr(convcost.count(SHAPE)) == f"<convcost count: {SHAPE}, 1,228,800 MACs, 19,200 params>"
    several = repr(convcost.count(LENET, SHAPE, *["2x2x1,k1,c1"] * 6)).split("\n")
    assert several[0] == "<convcost count:"
    assert several[1] == "  lenet5.onnx, 416,520 MACs, 61,706 params"
    assert several[-1] == "  and 3 more>"
    assert str(convcost.count(SHAPE)) == convcost.count(SHAPE).render("table")


@pytest.mark.parametrize("source", ["x" * 5000, "\x1b[31mred", "a\nb", "\u202e\u200b", "\udcff"])
def test_names_do_not_act_in_the_short_form(source: str) -> None:
    one = convcost.count(SHAPE)
    renamed = msgspec.structs.replace(one, models=[msgspec.structs.replace(one.models[0], source=source)])
    assert repr(renamed).isprintable()
    assert len(repr(renamed)) < 200


def test_a_notebook_sees_tables_without_script() -> None:
    one = convcost.count(SHAPE)
    model = msgspec.structs.replace(one.models[0], source="<script>alert(1)</script>")
    page = msgspec.structs.replace(one, models=[model])._repr_html_()
    assert "1,228,800" in page
    assert "<script" not in page
    assert "<table" in page


@pytest.mark.parametrize("format", ["table", "tree", "json", "jsonl", "csv", "markdown", "html", "openmetrics"])
def test_drawn_like_the_command_line(format: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "convcost", LENET, "-f", format], capture_output=True, encoding="utf-8", check=True
    )
    assert convcost.count(LENET).render(format).replace("\r\n", "\n") == done.stdout.replace("\r\n", "\n")


def test_saved_and_read(tmp_path: Path) -> None:
    report = convcost.count(LENET, SHAPE)
    for name in ("r.json", "r.jsonl"):
        report.save(str(tmp_path / name))
        again = convcost.read(str(tmp_path / name))
        assert again == report
        assert type(again) is type(report) is convcost.Report
    report.save(str(tmp_path / "odd"), "csv")
    assert (tmp_path / "odd").read_bytes() == report.render("csv").encode()
    assert {path.name for path in tmp_path.iterdir()} == {"r.json", "r.jsonl", "odd"}


def test_equal_to_its_record_and_to_nothing_else() -> None:
    report = convcost.count(SHAPE)
    plain = record.decode(record.encode(report))
    assert type(plain) is record.Report
    assert report == plain
    assert plain == report
    assert report != convcost.count(LENET)
    assert report != SHAPE


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda r, _: r.render("png"), "no format 'png'"),
        (lambda r, _: r.render(sort="nothing"), "no order 'nothing'"),
        (lambda r, _: r.rows("nothing"), "no table 'nothing'"),
        (lambda r, p: r.save(str(p / "r.xyz")), "say the format"),
        (lambda r, p: r.save(str(p / "r.json"), "xyz"), "say the format"),
        (lambda r, p: r.save(str(p / "no" / "r.json")), "cannot be written"),
    ],
)
def test_mistakes(act: Callable[[Any, Path], object], words: str, tmp_path: Path) -> None:
    with pytest.raises(convcost.ConvcostError, match=words):
        act(convcost.count(SHAPE), tmp_path)
    assert list(tmp_path.iterdir()) == []


REPORTS: dict[str, Callable[[], convcost.Report]] = {
    "layers": lambda: convcost.count(LENET),
    "models": lambda: convcost.fleet(LENET, str(ROOT / "sample_models" / "make.py")),
    "alternatives": lambda: convcost.compare(SHAPE),
    "kernels": lambda: convcost.separate(str(ROOT / "sample_models" / "sobel.onnx")),
    "changes": lambda: convcost.diff(LENET, str(ROOT / "sample_models" / "sobel.onnx")),
    "checks": lambda: convcost.check(LENET, budgets=["macs=1K", "coverage=100%"]),
}


@pytest.mark.parametrize("of", TABLES)
def test_rows_and_frames(of: str) -> None:
    report = REPORTS[of]()
    rows = report.rows(of)
    assert rows
    assert all([*row] == [*TABLES[of][0]] for row in rows)
    frame = report.to_pandas(of)
    assert [*frame.columns] == [*TABLES[of][0]]
    plain = [{k: None if v is pd.NA else v for k, v in row.items()} for row in frame.astype(object).to_dict("records")]
    assert plain == rows
    assert len(pd.DataFrame(rows)) == len(rows)


def test_columns_have_the_right_types() -> None:
    frame = REPORTS["models"]().to_pandas()
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert (types["macs"], types["complete"], types["error"]) == ("Int64", "boolean", "string")
    assert frame.macs.sum() == 416_520
    assert frame.macs.isna().tolist() == [False, True]
    assert str(REPORTS["alternatives"]().to_pandas().ratio_macs.dtype) == "Float64"


def test_counts_beyond_64_bits_stay_exact() -> None:
    frame = convcost.count("1x1x3 -(1x1x3x7)->", batch=10**18).to_pandas()
    assert frame.macs[0] == 21 * 10**18 > 2**63


@pytest.mark.parametrize("source", [LENET, SHAPE])
def test_csv_has_the_same_rows(source: str) -> None:
    report = convcost.count(source)
    seen = list(csv.DictReader(io.StringIO(report.render("csv"), newline="")))
    assert [int(row["macs"]) for row in seen] == [row["macs"] for row in report.rows()]
    assert [*seen[0]] == [*report.rows()[0]]


PROGRAM = """
import convcost
report = convcost.count("12x12x3,k5,c256")
reveal_type(report)
reveal_type(report.models[0].totals.macs)
reveal_type(convcost.fleet("models"))
reveal_type(convcost.Report)
reveal_type(report.rows())
try:
    convcost.Session
except convcost.ModelError as wrong:
    reveal_type(wrong.file)
convcost.nonsense
convcost.count(3)
"""


def test_a_type_checker_sees_the_types_from_outside(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "program.py"]
    pytest.importorskip("mypy", reason="mypy is not installed")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.count('Revealed type is "convcost.api.result.Report"') == 2
    assert 'Revealed type is "int | None"' in done.stdout
    assert 'Revealed type is "str | None"' in done.stdout
    assert "def (" in done.stdout
    assert 'error: Module has no attribute "nonsense"' in done.stdout
    assert 'error: Argument 1 to "count" has incompatible type "int"; expected "str | PathLike[str]"' in done.stdout
    assert "Found 2 errors" in done.stdout


def test_paths_are_sources_and_files(tmp_path: Path) -> None:
    lenet, new, saved = Path(LENET), tmp_path / "new.onnx", tmp_path / "report.json"
    assert convcost.count(lenet) == convcost.count(LENET)
    assert convcost.diff(lenet, LENET).diff == convcost.diff(LENET, LENET).diff
    assert convcost.explain(lenet, layer="conv1") == convcost.explain(LENET, layer="conv1")
    assert convcost.scan(lenet, {"k": (1, 3)}, layer="conv2") == convcost.scan(LENET, {"k": (1, 3)}, layer="conv2")
    assert convcost.check(lenet, budgets=["macs=1M"]).checks[0].status == "pass"
    made = convcost.whatif(lenet, to="low-rank", where="kernel >= 3 and cin > 1", output=new)
    assert made.written
    assert [way.name for way in convcost.compare(lenet, new).comparisons[0].alternatives] == ["lenet5.onnx", "new.onnx"]
    report = convcost.export(SHAPE, output=tmp_path / "layer.onnx")
    report.save(saved)
    assert convcost.read(saved) == report


@pytest.mark.parametrize("source", [3, None, b"model.onnx", ["model.onnx"]])
def test_a_source_is_a_text_or_a_path(source: Any) -> None:
    with pytest.raises(convcost.UsageError, match=f"a source is a text or a path, not {type(source).__name__}"):
        convcost.count(source)
