"""The script of the GitLab template as a runner does it: all its parts in one shell, after `set -eo pipefail`."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import junitparser
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import convcost

yaml = pytest.importorskip("ruamel.yaml", reason="comes with check-jsonschema")

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "integrations" / "gitlab.yml"
JOB = yaml.YAML(typ="safe").load(TEMPLATE)["convcost"]


def run(work: Path, environment: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the job, which installs nothing here."""
    given = JOB["variables"] | {"CONVCOST_INSTALL": ""} | variables
    script = work.parent / "script"
    script.write_text("set -eo pipefail\n" + "\n".join(JOB["script"]))
    return subprocess.run(
        ["bash", str(script)],
        cwd=work,
        env=environment | given,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_merge_request_over_its_budget(repository: Any, environment: dict[str, str]) -> None:
    work, git = repository
    git("fetch", "--quiet", "origin", "main")
    done = run(
        work, environment, CI_MERGE_REQUEST_DIFF_BASE_SHA=git("rev-parse", "FETCH_HEAD"), CONVCOST_FAIL_ON="macs:5%"
    )
    assert (done.returncode, done.stderr) == (1, "")
    reports = work / "convcost-reports"
    assert [c["status"] for c in json.loads((reports / "check.json").read_text())["checks"]].count("fail") == 1
    (issue, *_) = json.loads((reports / "code-quality.json").read_text())
    assert (issue["location"]["path"], issue["location"]["lines"]["begin"]) == ("convcost.toml", 2)
    suites = junitparser.JUnitXml.fromfile(str(reports / "junit.xml"))
    assert (suites.tests, suites.failures) == (4, 1)
    metrics: Any = text_string_to_metric_families((reports / "metrics.txt").read_text())  # type: ignore[no-untyped-call]
    assert list(metrics)
    diff = json.loads((reports / "diff-1.json").read_text())
    assert [check["status"] for check in diff["checks"]] == ["fail"]
    assert (reports / "diff-1.md").read_text()
    assert set(JOB["artifacts"]["reports"].values()) <= {f"convcost-reports/{file.name}" for file in reports.iterdir()}


def test_a_branch(repository: Any, environment: dict[str, str]) -> None:
    done = run(repository[0], environment, CONVCOST_MODELS="models/same.onnx\n", CONVCOST_BUDGETS="params=1K\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "models" not in {path.name for path in (repository[0] / "convcost-reports").iterdir()}


def installed(work: Path, environment: dict[str, str], **variables: str) -> list[str]:
    """What pip is told to install, with variables put into variables as GitLab does."""
    given = {"CONVCOST_VERSION": JOB["variables"]["CONVCOST_VERSION"]} | variables
    text = Template(JOB["variables"]["CONVCOST_INSTALL"]).substitute(given)
    python = work.parent / "bin" / "python"
    python.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {shlex.quote(str(work.parent / 'asked'))}\n")
    python.chmod(0o755)
    run(work, environment, **{"CONVCOST_INSTALL": text} | variables)
    asked = (work.parent / "asked").read_text().splitlines()
    assert asked[:4] == ["-P", "-m", "pip", "install"]
    return asked[asked.index("--") + 1 :]


def test_the_release_is_pinned(repository: Any, environment: dict[str, str]) -> None:
    work, _ = repository
    assert installed(work, environment) == [f"convcost=={convcost.__version__}"]
    assert installed(work, environment, CONVCOST_VERSION="9.8.7") == ["convcost==9.8.7"]
    assert installed(work, environment, CONVCOST_INSTALL="./a b.whl") == ["./a b.whl"]


@pytest.mark.parametrize(
    "text",
    [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned",
        '"; touch pwned; "',
        "\ntouch pwned\n",
        "-opwned",
        "EOF\ntouch pwned",
    ],
)
def test_variables_are_never_code(repository: Any, environment: dict[str, str], text: str) -> None:
    work, _ = repository
    done = run(
        work, environment, **{name: text for name in JOB["variables"] if name not in ("GIT_DEPTH", "CONVCOST_INSTALL")}
    )
    assert done.returncode == 2
    assert not [path for path in work.parent.rglob("*") if "pwned" in path.name]


def test_a_base_that_is_not_there_is_no_success(repository: Any, environment: dict[str, str]) -> None:
    done = run(repository[0], environment, CONVCOST_BUDGETS="macs=1M", CI_MERGE_REQUEST_DIFF_BASE_SHA="0" * 40)
    assert done.returncode not in (0, 1)


def test_the_published_schema_accepts_it() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(TEMPLATE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
