"""Every input of the hostile corpus: read, or refused with the cause, as its index asks."""

from __future__ import annotations

import os
import re
import tarfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from convcost.errors import ConvcostError
from convcost.onnx_reader import read_file

pytestmark = pytest.mark.corpus

SECONDS = 10


@pytest.fixture(scope="module")
def hostile(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus unpacked: it holds links, pipes and names that git does not keep."""
    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(corpus / "hostile" / "public.tar.xz") as archive:
        archive.extractall(folder, filter="fully_trusted")
    return folder


def rows(corpus: Path) -> Iterator[dict[str, str]]:
    header, *lines = (corpus / "hostile" / "index.tsv").read_text("utf-8").rstrip("\n").split("\n")
    for line in lines:
        yield dict(zip(header.split("\t"), line.split("\t"), strict=False))


def verdict(file: str) -> tuple[str, str]:
    try:
        read_file(file)
    except ConvcostError as wrong:
        message = str(wrong)
        assert 0 < len(message) <= 500
        assert message.isprintable()
        return "clean-error", message
    return "ok", ""


def test_every_row(corpus: Path, hostile: Path) -> None:
    bad = []
    count = 0
    for row in rows(corpus):
        place = os.path.join(hostile, os.fsdecode(urllib.parse.unquote_to_bytes(row["path"])))  # noqa: PTH118 - odd names
        wanted = {row["expect"], row["alt"]} | ({"ok", "clean-error"} if "either" in row.values() else set())
        start = time.process_time()
        got, message = verdict(place)
        count += 1
        if got not in wanted:
            bad.append(f"{row['name']}: {got}, wanted {row['expect']}: {message}")
        elif message and row["cause"] and not re.search(row["cause"], message, re.IGNORECASE):
            bad.append(f"{row['name']}: cause not named: {message}")
        if time.process_time() - start > SECONDS:
            bad.append(f"{row['name']}: too slow")
    assert bad == []
    assert count == 456
