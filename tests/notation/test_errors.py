"""What is refused, where the carets point, and that every correction offered parses."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convcost.errors import ModelError, NotationError, UsageError
from convcost.notation import parse, render_error
from convcost.notation.codes import CODES

WRONG = [
    ("", "C109", ""),
    (" \n ", "C109", ""),
    ("12x12x3", "C105", ""),
    ("12x12x3 -", "C105", ""),
    ("12x12x3 -(", "C102", ""),
    ("12x12x3 -(5x5x3x256)", "C102", ""),
    ("12x12x3 -> 8x8x256", "C103", "->"),
    ("12x12x3 -5x5x3x256)-> 8x8x256", "C103", "5"),
    ("12x12x3 --(5x5x3x256)--> 8x8x256", "C103", "-"),
    ("12x12x3 -(5x5x3x256)-> 8x8x256 junk", "C103", "junk"),
    ("12x12x3 -(5x5x3x256, , s2)->", "C103", ","),
    ("12x12x3 -(5x5x3x256,)->", "C103", ")"),
    ("12,12,3,k5", "C103", "12"),
    ("12x12x3,k5,c256,", "C102", ""),
    ("12✕12✕3 -(5x5x3x256)->", "C104", "✕"),
    ("\u202e12x12x3 -(5x5x3x256)->", "C104", "\u202e"),
    ("12x12x3\u200b -(5x5x3x256)->", "C104", "\u200b"),
    ("8x8x4 -" + "{ (id) | -" * 9, "C107", "{"),
    ("8x8x4 -{ (id) }->", "C108", "}"),
    ("8x8x4 -{ (id) | (id) + (id) }->", "C108", "+"),
    ("nanx12x3 -(5x5x3x256)->", "C111", "nan"),
    ("Nx12x12x3 -(5x5x3x256)->", "C111", "N"),
    ("12x-12x3 -(5x5x3x256)->", "C111", "-"),
    ("12.5x12x3 -(5x5x3x256)->", "C111", "."),
    ("1e3x12x3 -(5x5x3x256)->", "C111", "1e3"),
    ("12_0x12x3 -(5x5x3x256)->", "C111", "12_0"),
    ("٣x12x3 -(5x5x3x256)->", "C111", "٣"),
    ("12²x12x3 -(5x5x3x256)->", "C111", "²"),
    ("12x12x3 -(5x5x3x256, stride=abc)->", "C111", "abc"),
    ("12x12x0 -(5x5x0x256)->", "C112", "0"),
    ("0x10x3 -(5x5x3x256)->", "C112", "0"),
    ("12x12x3 -(5x5x3x256 s0)->", "C112", "0"),
    ("9223372036854775808x1x1 -(1x1x1x1)->", "C113", "9223372036854775808"),
    ("9" * 5000 + "x1x1 -(1x1x1x1)->", "C113", "9" * 5000),
    ("9223372036854775807x1 -(2x1x1 full)->", "C113", "2"),
    ("9223372036854775807x1 -(3x1x1 d9223372036854775807)->", "C113", "9223372036854775807"),
    ("5x5x5x5x2 -(3x3x3x3x2x4)->", "C114", "5x5x5x5x2"),
    ("12x12x3 -(5x5x3x3x256)->", "C114", "5x5x3x3x256"),
    ("12x12x3 -(5x5x3x256)-> 8x8x256x1", "C114", "8x8x256x1"),
    ("12x12x3 -(5x5x3x256 s=2x2x2)->", "C114", "2x2x2"),
    ("12x12x3 -(5x5x3x256 p=1/1)->", "C114", "1/1"),
    ("400 -(gap)->", "C114", "gap"),
    ("12x12x3 -(5x5x3x256, strid=2)->", "C120", "strid"),
    ("12x12x3 -(softmaxx)->", "C120", "softmaxx"),
    ("12x12x3 -(relu s2)->", "C121", "s2"),
    ("12x12x3 -(5x5x3x256 bias=1)->", "C121", "=1"),
    ("12x12x3 -(5x5x3x256, stride=2, s3)->", "C122", "s"),
    ("12x12x3 -(5x5x3x256 same full)->", "C122", "full"),
    ("12x12x3 -(5x5x3x256 sep g3)->", "C123", "g3"),
    ("12x12x3 -(5x5x3x256 op=1)->", "C123", "op=1"),
    ("12x12x3 -(shuffle)->", "C124", "shuffle"),
    ("12x12x3,c256", "C124", ",c256"),
    ("12x3 -(3x3x8 spatial)->", "C124", "spatial"),
    ("12x12x3 -(5x5x4x256)-> 8x8x256", "C101", "4"),
    ("12x12x4 -(5x5x2x256)-> 8x8x256", "C101", "2"),
    ("12x12x3 -(5x5x3x256, groups=2)->", "C131", "2"),
    ("12x12x4 -(5x5x2x3 g2)->", "C131", "3"),
    ("12x12x3 -(5x5x3x256)-> 8x8x255", "C132", "255"),
    ("8x8x8 -(9x9x8x4)->", "C133", "9x9"),
    ("2x2x3 -(2x2x3x1 T p9)->", "C133", "9"),
    ("8x8x8 -(maxpool 2x2 p2)->", "C134", "2"),
    ("8x8x8 -(2x2x8x8 T s2 op=2)->", "C134", "2"),
    ("12x12x3 -(5x5x3x256)-> 9x8x256", "C140", "9"),
    ("224x224x3 -(7x7x3x64, stride=4)-> 112x112x64", "C140", "112"),
    ("12x12x3 -(gap)-> 1x2x3", "C141", "2"),
    ("8x8x4 -{ (3x3x4x4) | (id) }->", "C142", "id"),
    ("8x8x4 -{ (1x1x4x2) + (id) }->", "C142", "id"),
    ("12x12x3,k5,c256 s2", "C103", "s"),
    ("12x12x3 -(5x5x3x256)-✕", "C104", "✕"),
    ("8x8x4 -{ (id) | (id) (relu) }->", "C103", "("),
    ("12x12x3,k5", "C124", ",k5"),
    ("8x8x6,k3,c8,g4", "C131", "4"),
    ("8x8x6,k3,c8,g3", "C131", "8"),
    ("8x8x6 -(3x3x3x6 g3)->", "C101", "3"),
    ("12x12x3 -(5x5x3x8 same)-> 5x12x8", "C140", "5"),
    ("12x12x3 -(5x5x3x8 p=0/1/0/1)-> 9x12x8", "C140", "9"),
    ("4x4x3 -(3x3x3x8 T s3)-> 40x40x8", "C140", "40"),
    ("12x12x3 -(gap)-> 3", "C114", "3"),
    ("12x12x3 -(maxpool 2x2x2)->", "C114", "2x2x2"),
    ("400 -(fc 2x2)->", "C114", "2x2"),
    ("12x12x3 -(5x5x3x8 sep)-> 8x8x9", "C132", "9"),
    ("12x12x3 -(5x5x3x8 spatial)-> 8x8x9", "C132", "9"),
    ("12x12x3 -(5x5x1x8 spatial)->", "C101", "1"),
    ("12x12x3 -(5x5x3x8 dw)->", "C114", "5x5x3x8"),
    ("12x12x3,k5x5x5,c8", "C114", "5x5x5"),
    ("784 -(784x10)-> 11", "C132", "11"),
    ("784 -(700x10)-> 10", "C101", "700"),
    ("784 -(784)->", "C114", "784"),
    ("784,k5,c10", "C114", "k5"),
]


def refused(text: str) -> NotationError:
    with pytest.raises(NotationError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(("text", "code", "at"), WRONG)
def test_refused_at_its_place(text: str, code: str, at: str) -> None:
    error = refused(text)
    assert (error.code, text[slice(*error.span)]) == (code, at)


def test_every_code_of_an_error_in_text_has_a_case() -> None:
    elsewhere = {"C106", "C110", "C143", "C150", "C151", "C152"}
    assert {code for _, code, _ in WRONG} | elsewhere == set(CODES)


CORRECTED = [
    ("12x12x3 -(5x5x4x256)-> 8x8x256", "12x12x3 -(5x5x3x256)-> 8x8x256"),
    ("12x12x4 -(5x5x2x256)-> 8x8x256", "12x12x4 -(5x5x2x256 g2)-> 8x8x256"),
    ("224x224x3 -(11x11x3x96)-> 55x55x96", "224x224x3 -(11x11x3x96 s4 p2)-> 55x55x96"),
    ("12x12x3 -(5x5x3x256)-> 9x8x256", "12x12x3 -(5x5x3x256)-> 8x8x256"),
    ("12x12x3 -[5x5x3x256]-> 8x8x256", "12x12x3 -(5x5x3x256)-> 8x8x256"),
    ("12x12x3 -(5x5x3x256)-&gt; 8x8x256", "12x12x3 -(5x5x3x256)-> 8x8x256"),
    ("12x12x3 -(5x5x3x256) => 8x8x256", "12x12x3 -(5x5x3x256) -> 8x8x256"),
    ("12x12x3 -(5x5x3x256-> 8x8x256", "12x12x3 -(5x5x3x256)-> 8x8x256"),
    ("１２x１２x３ -(5x5x3x256)->", "12x12x3 -(5x5x3x256)->"),
    ("12x12x3 -(5x5x3x256 sep g3)->", "12x12x3 -(5x5x3x256 sep)->"),
    ("12x12x3 -(5x5x3x256, s2, s3)->", "12x12x3 -(5x5x3x256, s2)->"),
    ("12x12x3 -(5x5x3x256 Same)->", "12x12x3 -(5x5x3x256 same)->"),
    ("12x12x3 -(maxpol 2x2)->", "12x12x3 -(maxpool 2x2)->"),
    ("12x12x3 -(5x5)->", "12x12x3 -(5x5 dw)->"),
    ("12x12x3 -(gap)-> 1x2x3", "12x12x3 -(gap)-> 1x1x3"),
    ("12x12x3 --(5x5x3x256)--> 8x8x256", "12x12x3 -(5x5x3x256)-> 8x8x256"),
    ("3x12x12 -(5x5x3x256)->", "12x12x3 -(5x5x3x256)->"),
    ("12x12x3 -(256x3x5x5)->", "12x12x3 -(5x5x3x256)->"),
    ("12x12x3 -(5x5x3x256 padding=same)->", "12x12x3 -(5x5x3x256 same)->"),
    ("12x12x3 -(sep 5x5x3x256)->", "12x12x3 -(5x5x3x256 sep)->"),
    ("12x12x3 -(dw 5x5)->", "12x12x3 -(5x5 dw)->"),
    ("12x12x3 k5 c256", "12x12x3,k5,c256"),
]


@pytest.mark.parametrize(("text", "expected"), CORRECTED)
def test_the_help_offers_a_correction(text: str, expected: str) -> None:
    assert (refused(text).help or "").endswith(f"write  {expected}")


@pytest.mark.parametrize("text", [text for text, *_ in WRONG])
def test_every_correction_parses(text: str) -> None:
    _, offered, corrected = (refused(text).help or "").partition("write  ")
    if offered:
        assert parse(corrected).resolved


@pytest.mark.parametrize("text", ["12x12x3", "12x12x3 -"])
def test_a_bare_tensor_says_to_quote(text: str) -> None:
    help_ = refused(text).help or ""
    assert "quotes" in help_
    assert parse(help_.split('"')[1]).resolved


def test_the_numbers_that_disagree_are_both_marked() -> None:
    error = refused("12x12x3 -(5x5x4x256)-> 8x8x256")
    assert (error.span, error.others) == ((14, 15), ((6, 7),))


def test_what_each_mode_gives_is_listed() -> None:
    assert "8 (valid), 12 (same), 16 (full)" in refused("12x12x3 -(5x5x3x256)-> 9x8x256").message


@pytest.mark.parametrize("text", ["1" * 65537, "×" * 32769, "x" * 10**6])
def test_too_long_a_string_is_refused(text: str) -> None:
    error = refused(text)
    assert error.code == "C106"
    assert 0 <= error.span[0] <= error.span[1] <= len(text)


def test_an_operator_that_refuses_is_a_notation_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise ModelError("Conv: refused")

    monkeypatch.setattr("convcost.notation.read.resolve", refuse)
    assert refused("12x12x3,k5,c256").code == "C143"


def test_a_batch_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="batch"):
        parse("12x12x3,k5,c256", batch=0)


def test_a_long_chain_is_fine() -> None:
    assert len(parse("8x8x4" + " -(relu)->" * 6000).nodes) == 6000


PIECES = ["12x12x3", "8x8x256", "400", "-(", ")->", "(", ")", "{", "}", "|", "+", "->", "-", ",", "=", "/", "x", "0"]
PIECES += ["5x5x3x256", "3x3x1x3", "s2", "p=1/2", "d", "g3", "T", "op=1", "dw", "sep", "spatial", "same", "full", "k5"]
PIECES += ["c8", "maxpool 2x2", "gap", "relu", "fc 10", "shuffle g3", "id", "bias", " ", "\u200b", "×", "→", "9" * 20]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join) | st.lists(st.sampled_from(PIECES)).map(" ".join))
@example("2x2x2 -(2x2x2x2 T s1 d2 op=1)->")
@example("1 -(flatten)-> -(gap)->")
@example("9223372036854775807x9223372036854775807x2 -(flatten)->")
@example("8x8x4 -(3x3x4x4 same")
@example("\ud800")
def test_any_text_is_a_graph_or_one_notation_error(text: str) -> None:
    error = None
    try:
        assert parse(text).resolved
    except NotationError as wrong:
        error = wrong
    if error is None:
        return
    assert all(0 <= start <= end <= len(text) for start, end in (error.span, *error.others))
    assert error.code in CODES
    shown = render_error(error)
    assert all(line.startswith(("convcost: ", "  ")) for line in shown.split("\n"))
    assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\ud800-\udfff]*", shown)
