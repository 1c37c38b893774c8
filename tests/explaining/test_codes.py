"""Every code that the source can emit is explained; every command that is given as an example raises its code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from convcost import errors
from convcost.cli import main
from convcost.explaining import codes

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "convcost"
CODE = re.compile(r'"([A-Z]\d{3})"')


def emitted() -> set[str]:
    """Every code that stands as a string in the source, but for the explanations themselves."""
    ours = {SOURCE / "notation" / "codes.py", *(SOURCE / "explaining").rglob("*.py")}
    return {code for path in SOURCE.rglob("*.py") if path not in ours for code in CODE.findall(path.read_text("utf-8"))}


def test_every_code_of_the_source_is_explained() -> None:
    """A new code needs an entry in convcost/explaining/codes, and an example here."""
    assert sorted(emitted()) == sorted(codes.names())


SHARED = {
    "C201": "api/reports fleet/finding onnx_reader/source",
    "C202": "onnx_reader/model onnx_reader/source",
    "C204": "onnx_reader/declared onnx_reader/graphs onnx_reader/source onnx_reader/wire",
    "C210": "onnx_reader/graphs onnx_reader/model onnx_reader/order",
    "C211": "onnx_reader/attributes onnx_reader/graphs onnx_reader/opsets",
    "C212": "api/rewriting onnx_reader/tensors",
    "C214": "onnx_reader/model onnx_reader/opsets",
    "C216": "onnx_reader/declared onnx_reader/model",
    "C220": "onnx_reader/check ops/resolve",
    "C231": "onnx_reader/check onnx_reader/model",
    "C234": "onnx_reader/model onnx_reader/opsets",
    "C250": "onnx_reader/graphs onnx_reader/model onnx_reader/wire ops/resolve",
    "C330": "api/checking ci/baseline",
    "C410": "engine/values engine/weights onnx_reader/external",
    "C412": "engine/control engine/fallback",
    "C421": "engine/control engine/weighing",
    "C430": "engine/guard engine/static/program",
    "C504": "report/junit report/trace",
    "C505": "api/rewriting onnx_writer/layers onnx_writer/rewrite",
    "C601": "fleet/child fleet/pool",
    "C602": "fleet/child fleet/pool",
    "C603": "fleet/lines fleet/run",
    "C604": "fleet/child fleet/cluster fleet/pool fleet/run",
}
"""Codes that several modules raise, each with one meaning: look at all of its places before adding one."""


def test_a_code_stands_for_one_thing() -> None:
    """It is raised by one module, or by those that are known to mean the same by it. Shape strings have their own."""
    places: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE).with_suffix("").as_posix()
        if module.partition("/")[0] not in ("explaining", "notation"):
            for code in set(CODE.findall(path.read_text("utf-8"))):
                places.setdefault(code, []).append(module)
    assert {code: " ".join(found) for code, found in places.items() if len(found) > 1} == SHARED


def test_every_code_has_a_meaning_an_example_and_a_remedy() -> None:
    for _, entries in codes.FAMILIES:
        for entry in entries:
            assert entry.means.endswith((".", ")"))
            assert entry.fix
            assert bool(entry.command) != bool(entry.example)


def test_the_base_codes_are_those_of_the_error_tree() -> None:
    """They are raised where nothing else fits."""
    tree: list[type[errors.ConvcostError]] = [errors.ConvcostError, *errors.ConvcostError.__subclasses__()]
    base = {code for code in codes.names() if code.endswith("00")}
    assert {one.default_code for one in tree} == base | {"C001"}


COMMANDS = [entry for _, entries in codes.FAMILIES for entry in entries if entry.command]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.code)
def test_a_command_raises_its_code(entry: codes.Code, capfd: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(entry.command)
    assert words[0] == "convcost"
    code = main(words[1:])
    out, err = capfd.readouterr()
    if entry.severity == "error":
        assert code == 2
        assert f"error[{entry.code}]" in err
        assert not out
    else:
        assert code == 0
        assert f"{entry.severity}[{entry.code}]" in out + err
