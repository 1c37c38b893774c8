"""A fleet says of every model what `count` says, of models of the world and of models made to hurt."""

from __future__ import annotations

import os
import tarfile
import urllib.parse
from pathlib import Path

import pytest

import convcost
from convcost import record
from convcost.api.models import model_of
from convcost.api.sources import Options, load_file

pytestmark = pytest.mark.corpus


def test_public_models(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "fleet.jsonl"
    report = convcost.fleet(str(corpus / "models"), output=str(out))
    assert report.fleet is not None
    assert (report.fleet.counted, report.fleet.failed) == (41, 0)
    for line, entry in zip(out.read_bytes().splitlines(), report.fleet.entries, strict=True):
        model = convcost.count(entry.path).models[0]
        assert entry.totals == model.totals
        assert (entry.nodes, entry.counted, entry.complete) == (
            model.coverage.nodes, model.coverage.counted, model.coverage.complete,
        )  # fmt: skip
        assert record.decode(line).models == [model]


def count(path: str) -> tuple[str, str] | record.Cost:
    """What counting alone says: a code and a message, or the totals."""
    try:
        model, _ = model_of(load_file(path, Options(hash=True)), Options(hash=True))
    except convcost.ConvcostError as wrong:
        return wrong.code, wrong.message
    return model.totals


def test_hostile_models(corpus: Path, tmp_path: Path) -> None:
    with tarfile.open(corpus / "hostile" / "public.tar.xz") as archive:
        archive.extractall(tmp_path, filter="fully_trusted")
    header, *rows = (corpus / "hostile" / "index.tsv").read_text("utf-8").rstrip("\n").split("\n")
    at = header.split("\t").index("path")
    names = {os.fsdecode(urllib.parse.unquote_to_bytes(row.split("\t")[at])) for row in rows}
    paths = sorted(f"{tmp_path}/{name}" for name in names if not (tmp_path / name).is_dir())
    report = convcost.fleet(*paths, time_limit=60)
    assert report.fleet is not None
    assert len(report.fleet.entries) == len(paths) > 400
    failed = iter(report.diagnostics)
    for path, entry in zip(paths, report.fleet.entries, strict=True):
        if entry.totals is not None:
            assert entry.totals == count(path), path
        else:
            said = next(failed)
            assert (said.code, said.message) == count(path), path
