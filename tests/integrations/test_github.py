"""The steps of action.yml as GitHub's runner does them, with bash, in a checkout of a pull request.

Actions of others (setup-python, upload-artifact) are not run, and with them falls the step that installs: the input
`install` is false, as on a runner that has convcost.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("ruamel.yaml", reason="comes with check-jsonschema")

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.YAML(typ="safe").load(ROOT / "action.yml")
STEPS = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


class Runner:
    """As much of GitHub's runner as the action needs."""

    def __init__(self, place: Path, work: Path, environment: dict[str, str], inputs: dict[str, str]) -> None:
        self.place, self.work, self.environment = place, work, environment
        self.temporary = place / "temp"
        self.temporary.mkdir()
        self.summary = ""
        self.log = ""
        defaults = {name: str(given["default"]) for name, given in ACTION["inputs"].items()}
        self.values = {f"inputs.{name}": value for name, value in (defaults | {"install": "false"} | inputs).items()}
        self.values |= {"github.base_ref": "main", "runner.temp": str(self.temporary), "github.action_path": str(ROOT)}

    def evaluate(self, expression: str) -> str:
        """The first of the alternatives that is not empty."""
        for part in expression.split(" || "):
            value = part.strip("'") if part.startswith("'") else self.values.get(part, "")
            if value:
                return value
        return ""

    def wanted(self, step: dict[str, Any]) -> bool:
        condition = EXPRESSION.fullmatch(step["if"])
        assert condition is not None
        left, _, right = condition[1].partition(" == ")
        return self.evaluate(left) == right.strip("'")

    def run(self) -> int:
        """Run all steps; the exit code of the last."""
        code = 0
        for number, step in enumerate(STEPS):
            if "run" not in step or ("if" in step and not self.wanted(step)):
                continue
            given = {k: EXPRESSION.sub(lambda m: self.evaluate(m[1]), v) for k, v in step["env"].items()}
            code = self.step(step, given, self.place / f"step{number}")
            if code:
                break
        return code

    def step(self, step: dict[str, Any], given: dict[str, str], place: Path) -> int:
        place.mkdir()
        (place / "script").write_text(step["run"])
        files = {name: place / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
        for file in files.values():
            file.touch()
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(place / "script")],
            cwd=self.work,
            env=self.environment | given | {name: str(file) for name, file in files.items()},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        self.log += done.stdout + done.stderr
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            name, _, value = line.partition("=")
            self.values[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode

    def report(self, name: str) -> Any:
        return json.loads((self.temporary / "convcost-reports" / name).read_text())


@pytest.fixture
def runner(tmp_path: Path, repository: Any, environment: dict[str, str]) -> Any:
    """runner(name=value, …): a runner with these inputs; `_` in a name stands for `-`."""
    work, _ = repository
    return lambda **inputs: Runner(tmp_path, work, environment, {k.replace("_", "-"): v for k, v in inputs.items()})


def test_a_pull_request_over_its_budget(runner: Any) -> None:
    seen = runner()
    assert seen.run() == 1
    checks = {(c["model"], c["rule"]): c["status"] for c in seen.report("check.json")["checks"]}
    assert checks["models/a net.onnx", "macs"] == "fail"
    assert checks["models/same.onnx", "macs"] == "pass"
    assert json.loads((seen.temporary / "convcost-reports" / "check.sarif").read_text())["runs"][0]["results"]
    assert re.search(r"(?m)^::error file=convcost\.toml,line=2,title=convcost%3A macs::", seen.log)
    assert "### " in seen.summary
    diff = seen.report("diff-1.json")["diff"]
    (macs,) = [delta for delta in diff["totals"] if delta["metric"] == "macs"]
    assert (macs["old"], macs["new"]) == (8 * 2304, 16 * 2304)
    assert not (seen.temporary / "convcost-reports" / "diff-2.json").exists()
    assert "1 changed models compared" in seen.log


def test_a_pull_request_within_its_budget(runner: Any) -> None:
    seen = runner(models="models/same.onnx\n\nmodels/a net.onnx\n", budgets="macs=1M\nparams=1K\n", diff="false")
    seen.work.joinpath("convcost.toml").unlink()
    assert seen.run() == 0
    assert [c["rule"] for c in seen.report("check.json")["checks"]] == ["macs", "params"] * 2
    assert "::error" not in seen.log
    assert not (seen.temporary / "convcost-reports" / "diff-1.json").exists()


def test_growth_fails(runner: Any) -> None:
    seen = runner(budgets="macs=1M", fail_on="macs:5%\nparams:+0")
    assert seen.run() == 1
    assert [c["status"] for c in seen.report("diff-1.json")["checks"]] == ["fail", "fail"]


def test_a_branch_without_a_base(runner: Any) -> None:
    seen = runner(budgets="macs=1M")
    seen.values["github.base_ref"] = ""
    assert seen.run() == 0
    assert "nothing to compare with" in seen.log


def test_a_broken_model_is_2(runner: Any) -> None:
    seen = runner()
    (seen.work / "models" / "same.onnx").write_bytes(b"\x08\x07broken")
    assert seen.run() == 2
    assert "convcost: error[C203]: " in seen.log
    assert "::error title=convcost::check ended with exit code 2; the log says why" in seen.log


HOSTILE = (
    "$(touch pwned)", "`touch pwned`", "; touch pwned", "'; touch pwned; '", '"; touch pwned; "', "| touch pwned",
    "&& touch pwned", "\ntouch pwned\n", "${IFS}touch${IFS}pwned", "--output=pwned.json", "-opwned.json", "* ; touch pwned",
    "a\n::error::injected\n", "%0A::set-output name=code::0", "EOF\ntouch pwned", "x:refs/heads/pwned", "../../pwned",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_inputs_are_never_code(runner: Any, text: str) -> None:
    """All inputs at once hold the text: whatever the verdict is, nothing else happens."""
    seen = runner(models=text, budgets=text, config="", base=text, fail_on=text)
    before = set(seen.work.rglob("*"))
    assert seen.run() in (1, 2)
    assert {path for path in seen.work.rglob("*") if ".git" not in path.parts} <= before
    assert not [path for path in seen.place.rglob("*") if "pwned" in path.name]
    assert not re.search(r"(?m)^::(?!error (title=convcost|file=[\w./]+)[,:])", seen.log)
    assert "Traceback" not in seen.log


@pytest.mark.parametrize("text", HOSTILE)
def test_a_configuration_is_never_code(runner: Any, text: str) -> None:
    seen = runner(config=text, diff="false")
    assert seen.run() == 2
    assert not [path for path in seen.place.rglob("*") if "pwned" in path.name]


def test_no_input_is_part_of_a_script() -> None:
    """Expressions stand in `env`, `with` and `if` only; other actions are named by their commits."""
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
        else:
            assert step["shell"] == "bash"


def test_the_published_schema_accepts_it() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-actions",
        str(ROOT / "action.yml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
