"""Checks: budgets from files and options, baselines, what is not known, and that the advice works."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import jsonschema
import msgspec
import onnx
import pytest
from onnx import TensorProto, helper

from convcost import api, record
from convcost.ci.schema import baseline_schema
from convcost.cli import main
from convcost.errors import ConfigError, ConvcostError, ReportError, UsageError

ROOT = Path(__file__).resolve().parent.parent.parent
LENET_MACS = 416_520


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with models/lenet5.onnx in it."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "lenet5.onnx").write_bytes((ROOT / "sample_models" / "lenet5.onnx").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(path: str, nodes: list[onnx.NodeProto], shape: list[int | str]) -> str:
    """A model of one float input `x` and one output `y`, with a 3×3 kernel `w` of 4 to 4 channels."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy")
    w = helper.make_tensor("w", TensorProto.FLOAT, [4, 4, 3, 3], [0.0] * 144)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("odd", 1)]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], [w]), opset_imports=opsets)
    onnx.save(model, path)
    return path


def convolution(out: str = "y") -> onnx.NodeProto:
    return helper.make_node("Conv", ["x", "w"], [out], name="conv", pads=[1, 1, 1, 1])


def statuses(report: record.Report) -> list[tuple[str, str]]:
    return [(check.rule, check.status) for check in report.checks]


def test_paths_of_a_configuration_start_from_its_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "pyproject.toml").write_text(
        '[tool.convcost.models."models/*.onnx"]\nmacs = 416520\n[tool.convcost.models."other/*.onnx"]\nmacs = 1\n'
        '[tool.convcost.models."lenet?.onnx"]\nparams = 61705\n',
        "utf-8",
    )
    (place / "deep").mkdir()
    monkeypatch.chdir(place / "deep")
    report = api.check("../models/lenet5.onnx")
    assert statuses(report) == [("macs", "pass"), ("params", "fail")]
    where = report.checks[1].location
    assert where == record.Location(file=str(Path("../pyproject.toml")), line=6)
    with pytest.raises(UsageError, match="no file matches"):
        api.check()


def test_options_win_over_the_configuration(place: Path) -> None:
    (place / "convcost.toml").write_text('macs = 1\nmodels = ["models/lenet5.onnx"]\n', "utf-8")
    assert statuses(api.check(budgets=["macs=416520"])) == [("macs", "pass")]
    assert statuses(api.check(budgets=["params=5"])) == [("macs", "fail"), ("params", "fail")]


def test_how_models_are_read_stands_with_them(place: Path) -> None:
    """4·4·3·3 MACs for each of N × 8 × 8 outputs."""
    saved("a.onnx", [convolution()], ["N", 4, 8, "W"])
    (place / "convcost.toml").write_text(
        'dim.W = 8\n[models."a.onnx"]\ndim.N = 2\nmacs = 18432\n[models."12x12x3 -(3x3x3x8)->"]\nbatch = 3\nmacs = 64800\n',
        "utf-8",
    )
    assert [check.value for check in api.check().checks] == [144 * 2 * 64, 3 * 100 * 9 * 3 * 8]
    assert [check.value for check in api.check("a.onnx", dims={"N": 5}).checks] == [144 * 5 * 64]


def test_what_is_said_for_all_models_holds_for_those_that_have_it(place: Path) -> None:
    """lenet5 has neither; a section of its own must not name what it lacks."""
    saved("a.onnx", [convolution()], ["N", 4, 8, 8])
    (place / "convcost.toml").write_text('dim.N = 2\ninput.z = "1x4x8x8"\nmacs = "1M"\n', "utf-8")
    assert [check.value for check in api.check("a.onnx", "models/lenet5.onnx").checks] == [144 * 2 * 64, LENET_MACS]
    (place / "convcost.toml").write_text('macs = "1M"\n[models."lenet5.onnx"]\ndim.N = 2\n', "utf-8")
    with pytest.raises(UsageError, match="no open dimension 'N'"):
        api.check("models/lenet5.onnx")


def test_what_is_not_known_fails_closed() -> None:
    open_ = saved("open.onnx", [convolution()], [1, 4, 8, "W"])
    odd = saved(
        "odd.onnx", [convolution("h"), helper.make_node("Odd", ["h"], ["y"], name="o", domain="odd")], [1, 4, 8, 8]
    )
    (one,) = api.check(open_, budgets=["macs=1G"]).checks
    assert (one.status, one.value) == ("fail", None)
    assert "W" in (one.reason or "")
    (two,) = api.check(odd, budgets=["macs=1G"]).checks
    assert (two.status, two.value, two.reason) == ("fail", 9216, "a lower bound: 1 node is not counted: o (Odd)")
    assert two.accept == f"convcost check {odd} --budget coverage=50.0%"
    assert statuses(api.check(odd, budgets=["macs=1G", "coverage=50%"])) == [("macs", "pass"), ("coverage", "pass")]
    assert statuses(api.check(odd, budgets=["macs=9K", "coverage=50%"])) == [("macs", "fail"), ("coverage", "pass")]


def test_a_baseline_is_small_valid_and_the_same_every_time(place: Path) -> None:
    (place / "convcost.toml").write_text('models = ["models/lenet5.onnx"]\nmax-growth = "2%"\n', "utf-8")
    first = api.check(write_baseline=True)
    written = (place / "convcost-baseline.json").read_bytes()
    api.check(write_baseline=True)
    assert (place / "convcost-baseline.json").read_bytes() == written
    assert len(written) < 3000
    jsonschema.Draft202012Validator.check_schema(baseline_schema())
    jsonschema.Draft202012Validator(baseline_schema()).validate(json.loads(written))
    assert json.loads(written)["models"]["models/lenet5.onnx"]["totals"]["macs"] == LENET_MACS
    assert {status for _, status in statuses(first)} == {"pass"}
    assert not [path for path in place.iterdir() if path.name.endswith(".convcost")]


def test_a_named_model_is_added_to_a_baseline_and_a_listed_one_replaces_it(place: Path) -> None:
    (place / "convcost.toml").write_text('models = ["models/lenet5.onnx"]\nmacs = "1M"\n', "utf-8")
    shape = "12x12x3 -(3x3x3x8)->"
    api.check("models/lenet5.onnx", write_baseline=True)
    api.check(shape, write_baseline=True)
    assert list(json.loads(Path("convcost-baseline.json").read_text("utf-8"))["models"]) == [
        shape,
        "models/lenet5.onnx",
    ]
    api.check(write_baseline=True)
    assert list(json.loads(Path("convcost-baseline.json").read_text("utf-8"))["models"]) == ["models/lenet5.onnx"]


def test_growth_from_one_version_to_the_next() -> None:
    """A second convolution doubles the MACs: 144 × 64 each."""
    saved("net.onnx", [convolution()], [1, 4, 8, 8])
    api.check("net.onnx", write_baseline=True)
    second = helper.make_node("Conv", ["h", "w"], ["y"], name="second", pads=[1, 1, 1, 1])
    saved("net.onnx", [convolution("h"), second], [1, 4, 8, 8])
    (grown,) = api.check("net.onnx", max_growth=["macs=99%"]).checks
    assert (grown.status, grown.old, grown.value, grown.message) == ("fail", 9216, 18432, "+100.0 %: 18.4 K > 18.3 K")
    assert [(layer.name, layer.old, layer.value) for layer in grown.layers] == [("second", 0, 9216)]
    assert statuses(api.check("net.onnx", max_growth=["macs=100%"])) == [("macs growth", "pass")]


def test_a_report_is_known_to_the_baseline_by_its_models_name(place: Path) -> None:
    api.check("models/lenet5.onnx", write_baseline=True)
    (place / "report.json").write_bytes(record.encode(api.count("models/lenet5.onnx")))
    assert statuses(api.check("report.json", max_growth=["macs=0"])) == [("macs growth", "pass")]


def test_no_budget_at_all_is_an_error_whose_example_works(place: Path) -> None:
    with pytest.raises(ConfigError, match="there is no budget") as caught:
        api.check("models/lenet5.onnx")
    (place / "pyproject.toml").write_text("\n".join(caught.value.example), "utf-8")
    report = api.check("models/lenet5.onnx", write_baseline=True)
    assert {check.status for check in report.checks} == {"pass"}
    assert {"macs", "params", "peak-memory", "coverage", "macs growth"} <= {check.rule for check in report.checks}


@pytest.mark.parametrize("budget", ["macs=5", "peak-memory=1KiB", "coverage=100%", "macs growth"])
def test_the_command_that_accepts_a_value_does(budget: str, capfd: pytest.CaptureFixture[str]) -> None:
    odd = [convolution("h"), helper.make_node("Odd", ["h"], ["y"], name="o", domain="odd")]
    given = ["--max-growth", "macs=0"] if "growth" in budget else ["--budget", budget]
    source = saved("it's.onnx", odd if "coverage" in budget else [convolution()], [1, 4, 8, 8])
    if "growth" in budget:
        api.check(source, write_baseline=True)
        saved(source, [convolution()], [1, 4, 16, 16])
    assert main(["check", source, *given, "-o", "out.json"]) == 1
    (check,) = json.loads(Path("out.json").read_text("utf-8"))["checks"]
    words = shlex.split(check["accept"])
    assert words[:2] == ["convcost", "check"]
    main(words[1:] + (given if "growth" in budget else []))
    if "growth" in budget:
        assert main(["check", source, *given]) == 0
    else:
        assert main(words[1:]) == 0
    capfd.readouterr()


def test_a_pipe_is_not_waited_for(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(place / "report.json")
    assert main(["check", "report.json", "--budget", "macs=5"]) == 2
    assert main(["diff", "report.json", "models/lenet5.onnx"]) == 2
    assert main(["check", "models/lenet5.onnx", "--max-growth", "0", "--baseline", "report.json"]) == 2
    assert capfd.readouterr().err.count("not a regular file") == 3


def test_a_pattern_that_no_model_has_is_said(place: Path) -> None:
    (place / "convcost.toml").write_text('macs = "1M"\n[[layer]]\nmatch = "gone"\nmacs = 5\n', "utf-8")
    report = api.check("models/lenet5.onnx")
    assert statuses(report) == [("macs", "pass"), ("layer gone macs", "skip")]
    assert [(note.code, note.severity) for note in report.diagnostics] == [("C341", "warning")]


def test_a_model_that_no_budget_is_about_is_said(place: Path) -> None:
    (place / "convcost.toml").write_text('[models."lenet5.onnx"]\nmacs = "1M"\n', "utf-8")
    report = api.check("models/lenet5.onnx", "12x12x3 -(3x3x3x8)->")
    assert [note.code for note in report.diagnostics] == ["C340"]


def test_times_warn_where_they_are_measured() -> None:
    (quick,) = api.check("12x12x3 -(3x3x3x8)->", budgets=["time=1 ns"], time=True, runs=3).checks
    assert (quick.status, quick.unit) == ("warn", "ns")
    assert isinstance(quick.value, int)
    assert quick.value > 1


@pytest.mark.parametrize(
    ("prepare", "arguments", "message"),
    [
        ("", ["--budget", "macs=5"], "no model to check"),
        ("models = []\nmacs = 5", [], "no model to check"),
        ("macs = 5", ["empty.json"], "holds none"),
        ("macs = 5", ["none.onnx"], "cannot be opened"),
        ("max-growth = 0", ["models/lenet5.onnx"], "there is no baseline"),
        ("max-growth = 0\nbaseline = 'convcost.toml'", ["models/lenet5.onnx"], "not a convcost baseline"),
        ("macs = 5", ["models/lenet5.onnx", "--config", "models"], "is a folder"),
        ("macs = 5", ["models/lenet5.onnx", "--write-baseline", "--baseline", "models/lenet5.onnx"], "not a convcost baseline"),
        ("macs = 5", ["models/lenet5.onnx", "--write-baseline", "--baseline", "models"], "is a folder"),
        ("macs = 5", ["models/lenet5.onnx", "--write-baseline", "--baseline", "no/b.json"], "cannot be written"),
    ],
)  # fmt: skip
def test_mistakes_exit_with_2_and_print_nothing(
    place: Path, prepare: str, arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "convcost.toml").write_text(prepare, "utf-8")
    empty = record.encode(msgspec.structs.replace(api.count("12x12x3 -(3x3x3x8)->"), models=[]))
    (place / "empty.json").write_bytes(empty)
    before = sorted(path.name for path in place.rglob("*"))
    model = (place / "models" / "lenet5.onnx").read_bytes()
    assert main(["check", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("convcost: error[C")
    assert message in err
    assert (place / "models" / "lenet5.onnx").read_bytes() == model
    assert sorted(path.name for path in place.rglob("*")) == before


def test_a_baseline_never_replaces_a_model_that_the_configuration_lists(place: Path) -> None:
    (place / "convcost.toml").write_text('models = ["models/lenet5.onnx"]\nbaseline = "models/lenet5.onnx"\n', "utf-8")
    with pytest.raises(ReportError, match="is an input"):
        api.check(write_baseline=True)


def test_ten_thousand_budgets_of_many_layers_end(place: Path) -> None:
    """Hostile patterns: many stars against many names."""
    lines = [f'[[layer]]\nmatch = "{"*a" * 100}{i}"\nmacs = 1\n' for i in range(200)]
    (place / "convcost.toml").write_text("".join(lines), "utf-8")
    try:
        report = api.check(str(ROOT / "sample_models" / "mobilenet_v1.onnx"))
    except ConvcostError:
        pytest.fail("budgets within the limits are read")
    assert {check.status for check in report.checks} == {"skip"}


def test_the_advice_counts_elements_of_the_same_type() -> None:
    """Half precision halves the bytes: 2 · 19,200."""
    (check,) = api.check("12x12x3 -(5x5x3x256)->", budgets=["weight-bytes=1"], dtype="float16").checks
    assert check.value == 38_400
    assert "--dtype float16" in str(check.accept)


def test_files_of_one_name_are_told_apart(place: Path) -> None:
    (place / "a").mkdir()
    saved("a/net.onnx", [convolution()], [1, 4, 8, 8])
    saved("net.onnx", [convolution("h"), helper.make_node("Odd", ["h"], ["y"], domain="odd")], ["N", 4, 8, 8])
    report = api.check("a/net.onnx", "./net.onnx", budgets=["macs=1M", "coverage=100%"])
    assert [(c.model, c.status) for c in report.checks] == [
        ("a/net.onnx", "pass"),
        ("a/net.onnx", "pass"),
        ("net.onnx", "fail"),
        ("net.onnx", "fail"),
    ]
    assert [model.source for model in report.models] == ["a/net.onnx", "net.onnx"]
    files = [d.location.file for d in report.diagnostics if d.location is not None]
    assert files
    assert set(files) == {"net.onnx"}
    assert report.render("junit").count("<testsuite ") == 2


@pytest.mark.parametrize("folder", [".", "deep"])
def test_a_report_finds_its_model_in_the_baseline(place: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of a count has the file's name, one of a check the path from where it was made."""
    api.check("models/lenet5.onnx", write_baseline=True)
    api.check("models/lenet5.onnx", budgets=["macs=1M"]).save("checked.json")
    api.count("models/lenet5.onnx").save("counted.json")
    (place / "deep").mkdir()
    monkeypatch.chdir(place / folder)
    for name in ("checked.json", "counted.json"):
        found = api.check(str(place / name), max_growth=["macs=0%"], baseline=str(place / "convcost-baseline.json"))
        assert statuses(found) == [("macs growth", "pass")]
