"""Configurations: what they say, the place of each mistake in them, and files that mean harm."""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convcost.ci import config
from convcost.ci.schema import config_schema
from convcost.errors import ConfigError
from convcost.report.diagnostics import render_error

FULL = """
models = ["a.onnx", "12x12x3 -(3x3x3x8)->"]
baseline = "base.json"
level = "warn"
macs = 600_000_000
params = "5 M"
peak-memory = { limit = "12 MiB", level = "error" }
read-bytes = "1.5MB"
flops = 1e9
coverage = "99.5 %"
time = "5 ms"
max-growth = "2%"
batch = 4
dtype = "float16"
dim.N = 8
input = { x = "1x3x8x8" }

[[layer]]
match = "conv*"
macs = "10%"

[[layer]]
op = "Gemm"
kind = "matmul"
params = "1,000,000"
level = "off"
"""


Read = Callable[[str], config.Config]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """read(text): the configuration of a convcost.toml that holds `text`."""
    monkeypatch.chdir(tmp_path)

    def write_and_read(text: str) -> config.Config:
        Path("convcost.toml").write_text(text, "utf-8")
        return config.read("convcost.toml")

    return write_and_read


def test_everything_is_read(read: Read) -> None:
    found = read(FULL)
    (section,) = found.sections
    assert (found.models, found.baseline) == (["a.onnx", "12x12x3 -(3x3x3x8)->"], "base.json")
    assert [(b.rule, b.limit.amount, b.limit.share, b.level) for b in section.budgets] == [
        ("macs", 600_000_000, False, "warn"),
        ("flops", 10**9, False, "warn"),
        ("params", 5_000_000, False, "warn"),
        ("read-bytes", 1_500_000, False, "warn"),
        ("peak-memory", 12 * 2**20, False, "error"),
        ("coverage", Fraction(199, 200), True, "warn"),
        ("time", 5_000_000, False, "warn"),
        ("macs growth", Fraction(1, 50), True, "warn"),
        ("params growth", Fraction(1, 50), True, "warn"),
        ("weight-bytes growth", Fraction(1, 50), True, "warn"),
        ("peak-memory growth", Fraction(1, 50), True, "warn"),
        ("layer conv* macs", Fraction(1, 10), True, "warn"),
        ("layer op Gemm kind matmul params", 1_000_000, False, "off"),
    ]
    assert section.reading == config.Reading({"N": 8}, {"x": "1x3x8x8"}, {}, 4, "float16")
    places = [b.location.line for b in section.budgets if b.location is not None]
    assert places == [5, 9, 6, 8, 7, 10, 11, 12, 12, 12, 12, 20, 25]


def test_a_table_of_models_has_sections_in_order(read: Read) -> None:
    found = read('macs = 5\n[models."net/*.onnx"]\nmacs = 6\n[models."a.onnx"]\nmacs = 7\nmax-growth.macs = "+1"\n')
    assert found.models == ["net/*.onnx", "a.onnx"]
    assert [[b.limit.amount for b in s.budgets] for s in found.of("net/b.onnx")] == [[5], [6]]
    assert [[b.limit.amount for b in s.budgets] for s in found.of("deep/a.onnx")] == [[5], [7, 1]]


MISTAKES = [
    ('mcas = "600M"', "convcost.toml:1:1: unknown key mcas", "mcas", "did you mean macs?"),
    ("peak_memory = 1", "convcost.toml:1:1: unknown key peak_memory", "peak_memory", "did you mean peak-memory?"),
    ('macs = "600Q"', "convcost.toml:1:8: macs takes a count", '"600Q"', None),
    ('macs = "1MiB"', "convcost.toml:1:8: macs is a count, not bytes", '"1MiB"', None),
    ("macs = 0.5", "convcost.toml:1:8: a number with a point is not exact", "0.5", None),
    ("macs = true", "convcost.toml:1:8: macs takes a count", "true", None),
    ("macs = -1", "convcost.toml:1:8: macs takes a count", "-1", None),
    ('macs = "5%"', "convcost.toml:1:8: macs of a whole model takes a count", '"5%"', None),
    ('coverage = "101%"', "convcost.toml:1:12: a share is at most 100%", '"101%"', None),
    ("coverage = 1", "convcost.toml:1:12: coverage takes", "1", None),
    ('time = "5 h"', "convcost.toml:1:8: time takes", '"5 h"', None),
    ('level = "eror"', 'convcost.toml:1:9: level takes "error", "warn" or "off"', '"eror"', None),
    ("macs = { limt = 5 }", "convcost.toml:1:10: unknown key limt", "limt", "did you mean limit?"),
    ('macs = { level = "warn" }', "convcost.toml:1:8: a budget needs a limit", '{ level = "warn" }', None),
    ("macs.limit = [1,\n2]", "convcost.toml:1:14: macs takes", "[1,", None),
    ('[[layer]]\nmacs = "1M"', "convcost.toml:1:3: which layers?", "layer", None),
    ('[[layer]]\nmatch = "a"', "convcost.toml:1:3: a layer budget needs a limit", "layer", 'as in macs = "50M"'),
    ('[[layer]]\nmatch = "a"\nmacs = 1\n[[layer]]\nmatch = 5\nmacs = 1', "convcost.toml:5:9: a pattern is", "5", None),
    ('[layer]\nmatch = "a"', "convcost.toml:1:2: layer is an array of tables", "layer", None),
    ('[[layer]]\nmatch = "a"\npeak-memory = 1', "convcost.toml:3:1: unknown key peak-memory", "peak-memory", None),
    ('[max-growth]\nmacs = "x"', "convcost.toml:2:8: macs takes", '"x"', None),
    ('max-growth = { flop = "2%" }', "convcost.toml:1:16: unknown key flop", "flop", "did you mean flops?"),
    ('"models" = 5', "convcost.toml:1:1: models is an array", '"models"', None),
    ("models = ['a',\n 5]", "convcost.toml:2:2: a model is a path", "5", None),
    ("[models.'a.onnx']\nmodels = []", "convcost.toml:2:1: unknown key models", "models", None),
    ("batch = 0", "convcost.toml:1:9: batch takes", "0", None),
    ("dim.N = 1.5", "convcost.toml:1:9: N takes a whole number", "1.5", None),
    ("[input]\nx = [1, 3]", "convcost.toml:2:5: x takes a string", "[1, 3]", None),
    ("dim = 5", "convcost.toml:1:1: dim is a table", "dim", None),
    ("macs = 5\nmacs = 6", "convcost.toml:2:9: not TOML: cannot overwrite a value", " ", None),
    ('macs = "600M', "convcost.toml:1:13: not TOML", " ", None),
    ("a = \x01", "convcost.toml:1:5: not TOML", "\\x01", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start", "meant", "help"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_shown_in_its_place(read: Read, text: str, start: str, meant: str, help: str | None) -> None:
    """The first line says what and where; below it the line, and carets under exactly what is meant."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    lines = render_error(caught.value).split("\n")
    assert lines[0].split(": ", 2)[2].startswith(start)
    shown, carets = lines[1], lines[2]
    first = carets.index("^")
    assert (shown + " ")[first : first + carets.count("^")] == meant
    assert caught.value.help == help or help is None


def test_models_as_a_list_and_as_tables_has_a_hint(read: Read) -> None:
    with pytest.raises(ConfigError) as caught:
        read('models = ["a.onnx"]\n[models."b.onnx"]\nmacs = 5')
    assert caught.value.line == 2
    assert caught.value.help == "models is a list or tables, not both: list every model as a table"


def test_a_huge_integer_is_an_error_not_a_crash(read: Read) -> None:
    with pytest.raises(ConfigError, match="not TOML"):
        read("macs = " + "9" * 5000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"macs = 1 # \xff\n", "not UTF-8 text"),
        (b"a = " + b"[" * 100_000, "nested deeper than"),
        (b"[" + b"a." * 100_000 + b"a]", "nested deeper than"),
        (b"#" * (2**20 + 1), "larger than 1,048,576 bytes"),
        (b"[[layer]]\nmatch='a'\nmacs=1\n" * 10_001, "more than 10000 budgets"),
    ],
    ids=["not UTF-8", "nested", "dotted", "large", "budgets"],
)
def test_hostile_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "convcost.toml"
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=message):
        config.read(str(path))
    assert time.perf_counter() - start < 10


def test_a_pipe_a_folder_and_a_link_to_a_device_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "null.toml").symlink_to("/dev/zero")
    for name in ("pipe.toml", "null.toml", "."):
        with pytest.raises(ConfigError, match=r"not a regular file|a folder"):
            config.read(str(tmp_path / name))
    (tmp_path / "real.toml").write_text("macs = 1\n", "utf-8")
    (tmp_path / "link.toml").symlink_to("real.toml")
    assert config.read(str(tmp_path / "link.toml")).sections[0].budgets[0].limit.amount == 1


def test_the_nearest_configuration_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upwards; a pyproject.toml without [tool.convcost] is passed by, even one that is no TOML."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    (tmp_path / "pyproject.toml").write_text("[tool.convcost]\nmacs = 5\n", "utf-8")
    (tmp_path / "a" / "pyproject.toml").write_text("not toml", "utf-8")
    assert config.find() == str(Path("../../pyproject.toml"))
    assert config.read("../../pyproject.toml").sections[0].budgets[0].limit.amount == 5
    (tmp_path / "a" / "convcost.toml").write_text("macs = 6\n", "utf-8")
    assert config.find() == str(Path("../convcost.toml"))
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.convcost]\nmacs = 5\n", "utf-8")
    with pytest.raises(ConfigError, match="which one"):
        config.find()


def test_a_pyproject_without_our_table_is_an_error_when_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n", "utf-8")
    with pytest.raises(ConfigError, match=r"has no \[tool.convcost\]"):
        config.read(str(tmp_path / "pyproject.toml"))


NAMES = [*config.TOP, *config.LAYER, "limit", "macs.limit", "x", "max-growth.macs", "models.a", "models.a.macs"]
VALUES = ["1", "-1", "1.5", "nan", "true", "[]", "{}", '""', '"5%"', '"1MiB"', '"5 ms"', "2020-01-01", '["a", 1]', "[[[]]]",
          '{ limit = 5, level = "off" }', "{ a = { b = 1 } }", "9" * 30, '"\\ud800"', '"é\\u0000"']  # fmt: skip
LINES = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(" = ".join),
    st.sampled_from(
        ["[[layer]]", "[layer]", "[models]", '[models."*"]', '[[models."*".layer]]', "[max-growth]", "[dim]", "#"]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=6).map("\n".join))
def test_any_configuration_is_read_or_refused_cleanly(read: Read, text: str) -> None:
    """Whatever it says, only our error leaves, and it prints."""
    try:
        said = read(text).file
    except ConfigError as wrong:
        said = render_error(wrong).removeprefix("convcost: error[C303]: ").removeprefix("convcost: error[C302]: ")
    assert str(said).startswith("convcost.toml")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(config_schema())
    return jsonschema.Draft202012Validator(config_schema())


def test_the_schema_takes_what_the_reader_takes(validator: jsonschema.Draft202012Validator, read: Read) -> None:
    for text in (FULL, '[models."a"]\nmacs = "5 k"', 'max-growth = { macs = "-5%", params = { limit = 0 } }'):
        read(text)
        validator.validate(json.loads(json.dumps(tomllib.loads(text))))


LEFT = ('coverage = "101%"', '[[layer]]\nmatch = "a"')
"""Rules that the schema leaves to the reader."""


@pytest.mark.parametrize("text", [m[0] for m in MISTAKES if "not TOML" not in m[1] and m[0] not in LEFT])
def test_the_schema_refuses_what_the_reader_refuses(validator: jsonschema.Draft202012Validator, text: str) -> None:
    assert not validator.is_valid(tomllib.loads(text))
