"""Codes of configuration files, budgets and baselines."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code

BUDGETS = (
    Code(
        "C300",
        "A configuration is wrong in a way that has no code of its own.",
        "The message says how.",
        "Rare.",
    ),
    Code(
        "C301",
        "The configuration file cannot be read, or is too large.",
        "Check the name that --config gives.",
        command="convcost check model.onnx --config nothing.toml",
    ),
    Code(
        "C302",
        "The configuration file is not TOML.",
        "The caret shows where it stops being TOML.",
        "A file convcost.toml with the line macs = = 1.",
    ),
    Code(
        "C303",
        "A key of the configuration is unknown, or its value is none that it takes.",
        "The message lists the keys, or what the value should be.",
        "A file convcost.toml with macz = '600M'.",
    ),
    Code(
        "C304",
        "Two files configure the same folder: convcost.toml and pyproject.toml with [tool.convcost].",
        "Keep one, or name one with --config.",
        "Both files beside each other.",
    ),
    Code(
        "C305",
        "The pyproject.toml that is named holds no [tool.convcost].",
        "Add the table, or name another file.",
        "--config pyproject.toml of a project without budgets.",
    ),
    Code("C306", "More budgets than are looked at.", "Use patterns for layers.", "Ten thousand tables of budgets."),
    Code(
        "C310",
        "There is nothing to check: no budget is given.",
        "Paste the lines that the message proposes, or say --budget macs=600M.",
        command="convcost check model.onnx",
    ),
    Code(
        "C330",
        "The baseline cannot be read, or is not one.",
        "Write it again: convcost check --write-baseline.",
        "A baseline file that was edited by hand.",
    ),
    Code(
        "C331",
        "The baseline was written by a release with another form.",
        "Write it again: convcost check --write-baseline.",
        "A baseline of schema 9.0.",
    ),
    Code(
        "C332",
        "Growth is limited, but there is no baseline to grow from.",
        "Make one: convcost check --write-baseline.",
        "--max-growth macs=2% in a folder without a baseline.",
    ),
    Code(
        "C340",
        "No budget applies to a model.",
        "Correct the pattern of models in the configuration.",
        "Budgets for mobile/*.onnx, and a model elsewhere.",
        severity="warning",
    ),
    Code(
        "C341",
        "A budget for layers matches none.",
        "Correct the pattern; convcost count -v shows the names.",
        "A budget for the layers conv* of a model whose layers are called block1 and so on.",
        severity="warning",
    ),
    Code(
        "C342",
        "The baseline was written, as --write-baseline asked.",
        "Commit the file: the next check compares with it.",
        "convcost check --write-baseline.",
        severity="note",
    ),
)
