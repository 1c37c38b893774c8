"""The report as people handle it in Python: short to look at, drawn in every format, and a table for pandas."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import astuple

from convcost import record
from convcost.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from convcost.report.rows import Value

SHOWN = 6
"""Models in the short form of a report."""


class Report(record.Report, frozen=True, kw_only=True, gc=False):
    """What a command found. Its fields are the keys of the JSON report: `models[0].totals.macs`, `diagnostics` ….

    `print(report)` shows the table of the command line, a notebook the same as HTML. A report never changes.
    """

    def render(self, format: str = "table", *, width: int = 80, sort: str | None = None, top: int | None = None) -> str:
        """The report as text in any format of `-f` but png: "table", "markdown", "html", "csv", "json".

        `width` are the columns of a table, `sort` and `top` choose its rows as `--sort` and `--top` do. Raises
        UsageError for a format or an order that does not exist.
        """
        from convcost.report import BINARY, FORMATS, render  # noqa: PLC0415 - a count draws nothing
        from convcost.report.style import Style  # noqa: PLC0415 - as above
        from convcost.report.view import SORT, View  # noqa: PLC0415 - as above

        texts = [name for name in FORMATS if name not in BINARY]
        if format not in texts:
            raise UsageError(f"no format {format!r}; there are {', '.join(texts)}")
        if sort is not None and sort not in SORT:
            raise UsageError(f"no order {sort!r}; there are {', '.join(SORT)}")
        return render(self, format, View(sort=sort, top=top), Style(width=width))

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the report to a file; its ending names the format unless `format` does.

        The file is replaced as a whole or not at all. Raises UsageError for an unknown format, ReportError where the
        file cannot be written.
        """
        from convcost.report import FORMATS, content  # noqa: PLC0415 - as above
        from convcost.report.formats import format_of  # noqa: PLC0415 - as above
        from convcost.report.write import write_all  # noqa: PLC0415 - as above

        place = os.fspath(path)
        name = format_of(place) if format is None else format
        if name not in FORMATS:
            raise UsageError(f"{place}: say the format; there are {', '.join(FORMATS)}")
        write_all([(place, content(self, name))])

    def rows(self, of: str | None = None) -> list[dict[str, Value]]:
        """Flat rows with plain values; what is not known is None.

        `of` is "layers", "models", "alternatives", "kernels", "changes" or "checks"; by default what the report is
        about. docs/api.md lists the columns. Raises UsageError for another word.
        """
        columns, lines = self._table(of)
        return [dict(zip(columns, line, strict=True)) for line in lines]

    def to_pandas(self, of: str | None = None) -> pd.DataFrame:
        """The same rows as a DataFrame. Counts stay whole numbers also where some are missing (Int64).

        Raises ImportError where pandas is not installed.
        """
        import pandas as pd  # noqa: PLC0415 - not a dependency: who calls this has it

        columns, lines = self._table(of)
        frame = pd.DataFrame([*lines], columns=pd.Index(columns), dtype=object)
        for name in columns:
            kinds = {type(value) for value in frame[name] if value is not None}
            frame[name] = frame[name].astype(dtype_of(kinds, frame[name]))
        return frame

    def _table(self, of: str | None) -> tuple[tuple[str, ...], Iterator[list[Value]]]:
        from convcost.report.rows import TABLES, table  # noqa: PLC0415 - as above

        if of is not None and of not in TABLES:
            raise UsageError(f"no table {of!r}; there are {', '.join(TABLES)}")
        columns, lines = table(self, of)
        return columns, iter(lines)

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, also to a plain record."""
        return isinstance(other, record.Report) and astuple(self) == astuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        from convcost.report.summary import summary  # noqa: PLC0415 - as above

        return summary(self)

    def __str__(self) -> str:
        return self.render()

    def _repr_html_(self) -> str:
        from convcost.report import html  # noqa: PLC0415 - as above

        return html.fragment(self)


def dtype_of(kinds: set[type], values: object) -> str:
    """The type of a column: whole numbers stay whole, however large."""
    if kinds == {int}:
        fits = all(value is None or -(2**63) <= value < 2**63 for value in values)  # type: ignore[attr-defined]
        return "Int64" if fits else "object"
    if kinds == {bool}:
        return "boolean"
    if kinds and kinds <= {int, float}:
        return "Float64"
    return "string" if kinds <= {str} else "object"
