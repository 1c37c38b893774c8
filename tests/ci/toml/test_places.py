"""Places of keys and values, against what tomllib reads: the text at each place is that key and that value."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.ci.toml.places import DEEPEST, Path, Places, TooDeep

ODD = {
    "dotted keys": "a.b.c = 1\na.b.d = 2\na . e = 3\n",
    "quoted keys": '"a b".\'c.d\' = 1\n"q\\"uote" = 2\n"\\u00e9" = 3\n\'\' = 4\n',
    "bare numbers as keys": "1.2 = 3\n-_- = 4\n",
    "tables": "[a]\nx = 1\n[a.b]\nx = 2\n[ c . d ]\ny = 3\n",
    "arrays of tables": "[[l]]\nx = 1\n[[l]]\nx = 2\n[l.in]\ny = 3\n[[l.deep]]\nz = 4\n[[l.deep]]\nz = 5\n",
    "inline tables": 'a = { x = 1, y = { z = "w" }, "q r" = [1, 2] }\nb = {}\n',
    "arrays over lines": "a = [\n  1, # one, two = 3\n  2,\n  [ 'x', \"y]\" ],\n]\nb = []\n",
    "strings": "a = \"x # no = comment\"\nb = '[c]'\nd = \"\"\"\n[not.a.table]\nk = 1\n\"\"\"\ne = '''\nf = 2'''\ng = 1\n",
    "quotes inside long strings": 'a = """x"" y\\""" z"""\nb = """two""\\\\"""\nc = """"quoted""""\nd = \'\'\'\'\'\'\ne = 1\n',
    "scalars": "a = 1_000\nb = 0xff\nc = 1e3\nd = inf\ne = true\nf = 1979-05-27 07:32:00Z\ng = 07:32:00 # x\n",
    "no space": "a=1#x\nb={x=1,y=2}#y\n[c]#z\nd=2",
    "line ends": "a = 1\r\n[b]\r\nc = 2\r\n",
    "empty": "",
    "comments": "# only\n\n   # this\n",
}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All values that are no table, with their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, (*path, i))
    else:
        yield path, value


def agrees(text: str) -> None:
    """At each place stands the value that tomllib found, behind a key that ends in its name."""
    places = Places(text)
    for path, value in leaves(tomllib.loads(text)):
        spans = places.spans[path]
        written = text[slice(*spans.value)]
        if not written.startswith(('"""', "'''")):
            assert tomllib.loads(f"x = {written}")["x"] == value
        if isinstance(path[-1], str):
            assert tomllib.loads(f"{text[slice(*spans.key)]} = 1") == {path[-1]: 1}


@pytest.mark.parametrize("name", ODD)
def test_odd_documents(name: str) -> None:
    agrees(ODD[name].replace("\r\n", "\n"))


KEYS = st.text("ab-_1 .\"'é", max_size=4).map(json.dumps) | st.text("abc-_1", min_size=1, max_size=3)
SCALARS = st.integers().map(str) | st.sampled_from(["true", "false"]) | st.text("a]}#=,\"'", max_size=5).map(json.dumps)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda vs: "[" + ", # x\n ".join(vs) + "\n]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda d: "{" + ", ".join(f"{k} = {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=6,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(" = ".join),
    st.tuples(st.lists(KEYS, min_size=1, max_size=3).map(".".join), VALUES).map("=".join),
    st.lists(KEYS, min_size=1, max_size=3).map(lambda keys: f"[{' . '.join(keys)}]  # table"),
    KEYS.map(lambda key: f"[[{key}]]"),
)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_any_document(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        Places(text)  # whatever it is, it ends
    else:
        agrees(text)


@given(st.text("[]{}=.,\"'#\\\n a1", max_size=40))
def test_any_text_ends(text: str) -> None:
    assert Places(text).text == text


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * (DEEPEST + 1), "a = " + "{a = " * (DEEPEST + 1), ".".join("a" * (DEEPEST + 1)) + " = 1",
     "[" + ".".join("a" * (DEEPEST + 1)) + "]"],
    ids=["arrays", "inline tables", "dotted key", "header"],
)  # fmt: skip
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(TooDeep):
        Places(text)


@pytest.mark.parametrize(
    "text",
    ["a = " + "[[" * 10 + "," * 2**20, "\n" * 2**20, 'a = """' + "\\" * 2**20, "a = '''" + "''" * 2**19,
     "a = [" + "1," * 2**18 + "]", "#" * 2**20, '"' * 2**20, "a=" + " " * 2**20, "[[a]]\n" * 2**17],
    ids=["commas", "lines", "backslashes", "quotes", "array", "comment", "double quotes", "spaces", "tables"],
)  # fmt: skip
def test_a_megabyte_takes_seconds(text: str) -> None:
    start = time.perf_counter()
    Places(text)
    assert time.perf_counter() - start < 10


def test_a_place_has_a_line_and_a_column() -> None:
    places = Places("a = 1\n  bc = 'd'\n")
    spans = places.spans["bc",]
    assert places.line(spans.key[0]) == (2, 3, "  bc = 'd'")
    assert places.line(spans.value[0]) == (2, 8, "  bc = 'd'")
