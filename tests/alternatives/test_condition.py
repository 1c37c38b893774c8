"""The language of --where: what holds, what is wrong and where, and that nothing else ever happens."""

from __future__ import annotations

import fnmatch
import re
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.alternatives.condition import NAMES, Facts, read
from convcost.alternatives.condition.compare import fits
from convcost.errors import NotationError

LAYER: Facts = {
    "kernel": 3,
    "kernel_w": 3,
    "cin": 64,
    "cout": 128,
    "macs": 20_000_000,
    "bytes": 2**21,
    "share": Fraction(1, 8),
    "kind": ("standard", "strided", "same"),
    "name": "layer1.0/conv1",
    "op": "Conv",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("kernel>=3 and cin>=64", True),
        ("kernel > 3 or cin = 64", True),
        ("not (kernel > 3 or cin < 64)", True),
        ("not kernel > 3 and cin < 64", False),
        ("cin < 64 and cin < 64 or cin == 64", True),
        ("cin <= 64 and 64 <= cin and cin >= 64", True),
        ("cin <= 63 or cin < 64 or cin > 64 or cin >= 65", False),
        ("32 <= cin < 128", True),
        ("32 <= cin < 64", False),
        ("cin < cout", True),
        ("macs >= 20M", True),
        ("macs >= 20.1M", False),
        ("bytes == 2MiB", True),
        ("bytes > 2MB", True),
        ("bytes == 2097152B and bytes == 2_048kib", True),
        ("macs == 0.02G and macs == 20000k", True),
        ("share == 12.5%", True),
        ("share > 0.125", False),
        ("kind == standard", True),
        ("kind == strided", True),
        ("kind != strided", False),
        ("kind == depthwise", False),
        ("kind ~ 's*'", True),
        ("standard == kind", True),
        ("'strided' == kind", True),
        ("depthwise == kind", False),
        ("op == 'Conv' and name != op", True),
        ('name ~ "layer1.*"', True),
        ("name ~ layer?.0/conv1", True),
        ("name ~ conv1", False),
        ("NOT op == ConvTranspose AND op == Conv", True),
        ("kernel_h == 3", False),
        ("not kernel_h == 3", False),
        ("kernel_h == 3 or cin == 64", True),
        ("kernel_h == 3 and cin == 64", False),
    ],
)
def test_what_holds(text: str, *, holds: bool) -> None:
    assert read(text).holds(LAYER) is holds


@pytest.mark.parametrize(
    ("text", "marked", "said", "help"),
    [
        ("kernl >= 3", "kernl", "unknown name 'kernl'", "did you mean kernel?"),
        ("cin >= 64 and chanels == 3", "chanels", "unknown name", None),
        ("kind == pontwise", "pontwise", "unknown kind", "did you mean pointwise?"),
        ("kernel >=", "", "ends where a name or a number is expected", None),
        ("", "", "ends where", None),
        ("kernel", "kernel", "compared with nothing", "kernel >= 3"),
        ("3 < 4", "3 < 4", "a comparison needs a name", None),
        ("(cin > 3", "(", "parenthesis is not closed", None),
        ("cin > 3)", ")", "expected 'and', 'or' or the end", None),
        ("cin > 3 kernel > 3", "kernel", "expected 'and', 'or' or the end", None),
        ("name == 'x", "'x", "quotation mark is not closed", None),
        ("name > 3", ">", "compares numbers", None),
        ("cin ~ 3", "~", "compares text", None),
        ("cin == 'a'", "'a'", "'cin' is a number, this is not", None),
        ("macs > 10Q", "10Q", "not a number", "10M"),
        ("macs > 1.5.2", "1.5.2", "not a number", None),
        ("cin > 3 & cout > 3", "&", "a character that no condition contains", "write 'and'"),
        ("cin ≥ 3", "≥", "a character that no condition contains", None),
        ("not", "", "ends where", None),
        ("cin > 3 'and' cout > 3", "'and'", "expected 'and', 'or' or the end", None),
        ("(cin > 3 kernel > 3)", "kernel", "expected 'and', 'or' or ')' here", None),
        ("name < a", "<", "compares numbers", None),
        ("name <= a", "<=", "compares numbers", None),
        ("kind >= strided", ">=", "compares numbers", None),
        ("share > 10%b", "10%b", "not a number", None),
        ("share > 1M%", "1M%", "not a number", None),
        ("cin == standard", "standard", "unknown name", None),
        ("cin > > 3", ">", "expected a name or a number", None),
    ],
)
def test_what_is_wrong_and_where(text: str, marked: str, said: str, help: str | None) -> None:
    with pytest.raises(NotationError) as caught:
        read(text)
    wrong = caught.value
    start, end = wrong.span
    assert wrong.text[start:end].strip() == marked
    assert said in wrong.message
    assert help is None or help in (wrong.help or "")


def test_depth_is_of_what_is_inside() -> None:
    assert read("(" * 63 + "cin > 3" + ")" * 63).holds(LAYER)
    with pytest.raises(NotationError, match="nested more than 64 deep"):
        read("(" * 64 + "cin > 3" + ")" * 64)
    assert read(" and ".join(["(not cin < 3)"] * 100)).holds(LAYER)


def test_too_much_is_refused() -> None:
    for text in ("(" * 10_000, "not " * 1000 + "cin > 3", "(" * 100 + "cin > 3" + ")" * 100, "cin > " + "9" * 3000):
        with pytest.raises(NotationError):
            read(text)


@given(st.text(max_size=60) | st.text(alphabet=" ()<>=!~kcinotandr0123.M%\"'", max_size=60))
def test_any_text_is_a_condition_or_an_error_inside_it(text: str) -> None:
    spans = [(0, 0)]
    try:
        read(text).holds(LAYER)
    except NotationError as wrong:
        spans.append(wrong.span)
    assert all(0 <= start <= end <= max(len(text), 1) for start, end in spans)


WORD = st.text(alphabet="ab/", max_size=8)


@given(text=WORD, pattern=st.text(alphabet="ab/*?", max_size=8))
def test_patterns_are_those_of_fnmatch(text: str, pattern: str) -> None:
    assert fits(text, pattern) is bool(re.match(fnmatch.translate(pattern), text))


def test_a_pattern_takes_bounded_time() -> None:
    began = time.perf_counter()
    assert not fits("a" * 4000, "*a" * 2000 + "b")
    assert time.perf_counter() - began < 20


@given(st.sampled_from(sorted(NAMES)), st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), st.integers(0, 200))
def test_numbers_compare_as_in_python(name: str, sign: str, number: int) -> None:
    value = LAYER.get(name)
    if isinstance(value, int):
        assert read(f"{name}{sign}{number}").holds(LAYER) is eval(f"{value}{sign}{number}")
