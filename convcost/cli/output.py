"""Where reports go: standard output in one format, files in any number of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from convcost.cli.console import style_of
from convcost.cli.options import Arguments
from convcost.cli.stream import put, tell
from convcost.cli.values import at_least, choice, one_of
from convcost.errors import UsageError
from convcost.record import Report
from convcost.report import BINARY, FORMATS, content
from convcost.report.formats import format_of
from convcost.report.style import Style
from convcost.report.view import By, Units, View


class Destination:
    """What is to be written, checked before anything is counted.

    With `models` one of the files may be an .onnx file: `model` is its path, or None. `columns` names the module of
    `report` whose `BY_KEY` says which columns the command's table has.
    """

    def __init__(self, arguments: Arguments, *, models: bool = False, columns: str = "layers") -> None:
        self.arguments = arguments
        self.format = choice("format", arguments.format)
        wanted = [path for path in map(model_path, arguments.output) if path is not None] if models else []
        if len(wanted) > 1:
            raise UsageError(f"-o {wanted[1]}: one .onnx file is written, {len(wanted)} are named")
        self.model = wanted[0] if wanted else None
        self.files = [target(text) for text in arguments.output if not models or model_path(text) is None]
        self.view = view_of(arguments, columns)
        if self.format in BINARY and not arguments.quiet and sys.stdout is not None and sys.stdout.isatty():
            raise UsageError(f"-f {self.format}: no text for a terminal; write it to a file with -o {self.format}=PATH")
        color = choice("color", arguments.color)
        width = at_least(arguments.width, 1, "--width")
        self.style = style_of(color=color, ascii_only=arguments.ascii, width=width)

    def deliver(self, report: Report, made: Sequence[tuple[str, bytes]] = (), inputs: Sequence[str] = ()) -> None:
        """Render everything, then write the files and those `made` by the command, then standard output.

        None of the files may be one that was read: a source, its external data, or one of `inputs`.
        """
        plain = Style(width=self.arguments.width or Style().width, unicode=not self.arguments.ascii)
        files = [*made]
        files += [(path, content(report, name, self.view, plain)) for name, path in self.files]
        shown = b"" if self.arguments.quiet else content(report, self.format, self.view, self.style)
        if files:
            from convcost.report.write import write_all  # noqa: PLC0415 - only for files

            write_all(files, inputs_of((*self.arguments.sources, *inputs), [path for path, _ in files]))
        if self.format == "github":
            self.annotate(report, shown)
        else:
            put(shown)

    def annotate(self, report: Report, shown: bytes) -> None:
        """Annotations go to standard error, the summary to the file that GitHub's runner names, if it does."""
        from convcost.report import github  # noqa: PLC0415 - only for this format

        path = os.environ.get(github.VARIABLE)
        if path:
            github.add_summary(path, report, self.view)
        else:
            put(shown)
        tell(github.commands(report))


def model_path(text: str) -> str | None:
    """The path of an -o that names an .onnx file."""
    path = text.removeprefix("onnx=")
    return path if path != text or text.lower().endswith(".onnx") else None


def target(text: str) -> tuple[str, str]:
    """(format, path) of one -o."""
    name, equals, path = text.partition("=")
    if equals and name in FORMATS:
        if not path:
            raise UsageError(f"-o {text}: a path is missing")
        return name, path
    by_ending = format_of(text)
    if by_ending is None:
        if equals and "/" not in name and "." not in name:
            one_of(name, FORMATS, f"-o {text}: the format")
        raise UsageError(f"-o {text}: say the format, as in -o json={text or 'PATH'}; there are {', '.join(FORMATS)}")
    return by_ending, text


def view_of(arguments: Arguments, table: str = "layers") -> View:
    """How tables look."""
    columns = None
    if arguments.columns is not None:
        from importlib import import_module  # noqa: PLC0415 - JSON does not need the tables

        keys = import_module(f"convcost.report.{table}").BY_KEY
        columns = tuple(one_of(name.strip(), keys, "--columns") for name in arguments.columns.split(","))
    if arguments.sort is not None:
        from convcost.report.view import SORT  # noqa: PLC0415 - as above

        one_of(arguments.sort, SORT, "--sort")
    by: By = choice("by", arguments.by)  # type: ignore[assignment]
    how: Units = choice("units", arguments.units)  # type: ignore[assignment]
    return View(
        columns=columns,
        sort=arguments.sort,
        top=at_least(arguments.top, 1, "--top"),
        by=by,
        units=how,
        chart=choice("chart", arguments.chart) if arguments.chart is not None else None,
        all_layers=arguments.verbose > 0,
    )


def inputs_of(sources: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Files that are read, and that none of `targets` may replace."""
    out: list[str] = []
    for source in sources:
        path = source.removeprefix("@")
        out.append(path)
        if any(c in path for c in "*?["):
            from glob import glob  # noqa: PLC0415 - rare

            out += glob(path, recursive=True)  # noqa: PTH207 - the same call that finds the sources
    if any(format_of(path) is None and os.path.isfile(path) for path in targets):  # noqa: PTH113 - any bytes
        from convcost.api.rewriting import external_files  # noqa: PLC0415 - external data have other endings

        out += [file for path in out if path.endswith(".onnx") for file in external_files(path)]
    return out
