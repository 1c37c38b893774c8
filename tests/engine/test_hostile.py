"""Every input of the hostile corpus: run, or refused with the cause, as the `run` column of its index asks."""

from __future__ import annotations

import os
import re
import tarfile
import urllib.parse
from pathlib import Path

import pytest

from convcost.errors import ConvcostError
from convcost.onnx_reader import read_file
from convcost.timing import Options, time_model

pytestmark = pytest.mark.corpus

OPTIONS = Options(
    runs=1, min_seconds=0, warmup=0, threads=1, max_memory=1 << 30, time_limit=0.5, roof=False, tune=False
)


def verdict(file: str) -> tuple[str, str]:
    try:
        time_model(read_file(file).graph, options=OPTIONS, source=file)
    except ConvcostError as wrong:
        return "clean-error", str(wrong)
    return "ok", ""


def test_every_row(corpus: Path, tmp_path: Path) -> None:
    with tarfile.open(corpus / "hostile" / "public.tar.xz") as archive:
        archive.extractall(tmp_path, filter="fully_trusted")
    header, *lines = (corpus / "hostile" / "index.tsv").read_text("utf-8").rstrip("\n").split("\n")
    bad = []
    count = 0
    for line in lines:
        row = dict(zip(header.split("\t"), line.split("\t"), strict=False))
        if row["run"] == "-":
            continue
        count += 1
        place = os.fsdecode(urllib.parse.unquote_to_bytes(row["path"]))
        got, message = verdict(os.path.join(tmp_path, place))  # noqa: PTH118 - odd names
        if row["run"] not in ("either", got):
            bad.append(f"{row['name']}: {got}, wanted {row['run']}: {message}")
        elif message and row["cause"] and not re.search(row["cause"], message, re.IGNORECASE):
            bad.append(f"{row['name']}: cause not named: {message}")
    assert bad == []
    assert count == 281
