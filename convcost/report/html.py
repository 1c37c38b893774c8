"""The report as one HTML file: no network, light and dark, tables that sort by a click, the JSON inside."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.record import Report
from convcost.report import json_
from convcost.report.document import document
from convcost.report.explanation import grid_text
from convcost.report.picture import Bar, Block, Cell, Derivation, Facts, Grid, Heading, Paragraph, Table, Tree
from convcost.report.text import Line, Text, html, shorten
from convcost.report.view import View

LONGEST = 300
"""Columns of one foreign name."""

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --bar: #3b82c4; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; overflow-wrap: anywhere; } pre { line-height: 1.25; overflow-x: auto; }
code, td { font-variant-numeric: tabular-nums; } code { font-family: ui-monospace, monospace; font-size: .92em; }
.frame { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; text-align: left; }
th.n, td.n { text-align: right; } th { position: sticky; top: 0; background: Canvas; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--bar); }
th[aria-sort=ascending] button::after { content: " ▲"; } th[aria-sort=descending] button::after { content: " ▼"; }
tfoot td { font-weight: 600; } .dim { opacity: .7; } .warning { color: #b45309; } .error { color: #b91c1c; }
.bar { width: 7rem; } .bar i { display: block; height: .8em; background: var(--bar); min-width: 1px; }
"""

SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  table.querySelectorAll("th button").forEach((button, column) => button.addEventListener("click", () => {
    const head = button.closest("th"), down = head.getAttribute("aria-sort") !== "descending";
    table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const at = head.cellIndex, body = table.tBodies[0], rows = [...body.rows];
    const key = row => row.cells[at].dataset.v ?? row.cells[at].textContent;
    const order = (a, b) => { const x = key(a), y = key(b), d = Number(x) - Number(y);
      return Number.isNaN(d) ? x.localeCompare(y) : d; };
    rows.sort((a, b) => down ? order(b, a) : order(a, b));
    body.append(...rows);
  }));
}
"""


def render(report: Report, view: View) -> str:
    """The whole page."""
    body = "\n".join(draw(block) for block in document(report, view))
    data = json_.compact(report).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy()}">
<meta name="generator" content="convcost {html(report.tool.version)}">
<title>convcost report</title>
<style>{STYLE}</style>
</head>
<body>
<h1>convcost {html(report.command)}</h1>
{body}
<script type="application/json" id="report">
{data}</script>
<script>{SCRIPT}</script>
</body>
</html>
"""


def policy() -> str:
    """Only this page's own script may act, known by its hash; nothing is loaded."""
    from base64 import b64encode  # noqa: PLC0415 - only for a page
    from hashlib import sha256  # noqa: PLC0415 - only for a page

    script = f"'sha256-{b64encode(sha256(SCRIPT.encode()).digest()).decode()}'"
    return f"default-src 'none'; script-src {script}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def draw(block: Block) -> str:
    """One block."""
    if isinstance(block, Heading):
        return f"<h2>{line(block.line)}</h2>"
    if isinstance(block, Facts):
        return f"<p>{' · '.join(line(item) for item in block.items)}</p>"
    if isinstance(block, Paragraph):
        return "\n".join(f'<p class="{block.role}">{line(one)}</p>' for one in block.lines)
    if isinstance(block, Derivation):
        return draw_derivation(block)
    if isinstance(block, Grid):
        return f"<p>{html(block.caption)}</p>\n<pre>{html_lines(grid_text(block))}</pre>"
    return draw_table(block)


def draw_derivation(block: Derivation) -> str:
    """A small title, and its statements."""
    said = "\n".join(f"<p>{line(one.line)} <code>{html(one.arithmetic)}</code></p>" if one.arithmetic
                     else f"<p>{line(one.line)}</p>" for one in block.statements)  # fmt: skip
    return f"<h3>{line(block.title)}</h3>\n{said}"


def html_lines(lines: Sequence[str]) -> str:
    """Lines of our own, escaped one by one."""
    return "\n".join(html(text) for text in lines)


def draw_table(table: Table) -> str:
    """A table; a click on a title sorts it."""
    classes = ["n" if c.right else "bar" if c.key.endswith("bar") else "" for c in table.columns]
    titles = "".join(
        f'<th class="{k}"><button>{html(c.title)}</button></th>' if c.title else f'<th class="{k}"></th>'
        for k, c in zip(classes, table.columns, strict=True)
    )
    body = "\n".join(row(cells, classes) for cells in table.rows)
    foot = "\n".join(row(cells, classes) for cells in table.totals)
    note = f'<p class="dim">{html(table.note)}</p>' if table.note else ""
    return (
        f'<div class="frame"><table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}\n</tbody>\n'
        f"<tfoot>\n{foot}\n</tfoot>\n</table></div>{note}"
    )


def row(cells: tuple[Cell, ...], classes: list[str]) -> str:
    """One row."""
    return "<tr>" + "".join(f'<td class="{k}">{cell(c)}</td>' for c, k in zip(cells, classes, strict=True)) + "</tr>"


def cell(value: Cell) -> str:
    """One cell."""
    if isinstance(value, Bar):
        return f'<i style="width:{min(float(value.part), 1.0) * 100:.1f}%"></i>'
    if isinstance(value, Tree):
        return html(value.guides).replace(" ", "&nbsp;") + span(value.name)
    return span(value)


def line(spans: Line) -> str:
    """Spans in a row."""
    return "".join(span(one) for one in spans)


def span(value: str | Text) -> str:
    """Our own text, or foreign text as code; both escaped."""
    if not isinstance(value, Text):
        return html(value)
    return f"<code>{html(shorten(value.raw, LONGEST))}</code>"
