"""Options as values."""

from __future__ import annotations

import pytest

from convcost.cli import values
from convcost.cli.output import target
from convcost.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GiB", 2 * 2**30), ("500M", 500_000_000), ("1.5 gb", 1_500_000_000), ("64", 64), ("1KiB", 1024), ("7B", 7)],
)
def test_nbytes(text: str, size: int) -> None:
    assert values.nbytes(text, "--max-memory") == size


@pytest.mark.parametrize("text", ["", "GiB", "-1", "1.2.3", "1e9", "2 XB", "1.", "٣", "9" * 40])
def test_nbytes_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="expected a size"):
        values.nbytes(text, "--max-memory")


def test_sizes() -> None:
    assert values.sizes(["N=8", "a=b=3"], "--dim", "NAME=SIZE") == {"N": 8, "a=b": 3}


@pytest.mark.parametrize("text", ["N", "=3", "N=", "N=-1", "N=x", "N=1.5", "N=9223372036854775808"])
def test_sizes_refuse(text: str) -> None:
    with pytest.raises(UsageError, match="--dim"):
        values.sizes([text], "--dim", "NAME=SIZE")


def test_twice_is_an_error() -> None:
    with pytest.raises(UsageError, match="given twice"):
        values.sizes(["N=1", "N=2"], "--dim", "NAME=SIZE")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("json=out", ("json", "out")),
        ("a.json", ("json", "a.json")),
        ("dir.x/a.MD", ("markdown", "dir.x/a.MD")),
        ("table=-", ("table", "-")),
        ("a=b.csv", ("csv", "a=b.csv")),
        ("csv=a=b", ("csv", "a=b")),
    ],
)
def test_target(text: str, form: tuple[str, str]) -> None:
    assert target(text) == form


@pytest.mark.parametrize("text", ["out", "a.xyz", "jsn=out", "json=", ""])
def test_target_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="-o"):
        target(text)


@pytest.mark.parametrize(
    ("text", "count"), [("4133742592", 4_133_742_592), ("4,133,742,592", 4_133_742_592), ("4.1G", 4_100_000_000)]
)
def test_number(text: str, count: int) -> None:
    assert values.number(text, "--explain-difference") == count


@pytest.mark.parametrize("text", ["", "abc", "-1", "1.5", "4GB", "4 GiB", "4,1"])
def test_number_refuses(text: str) -> None:
    with pytest.raises(UsageError, match=r"--explain-difference .*: expected a number"):
        values.number(text, "--explain-difference")
