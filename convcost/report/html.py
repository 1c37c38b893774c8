"""The report as one HTML file: no network, light and dark, charts, tables that sort and filter, the JSON inside."""

from __future__ import annotations

from convcost.record import Model, Report
from convcost.report.document import document
from convcost.report.page import embed, figures
from convcost.report.page.blocks import draw
from convcost.report.page.cards import cards
from convcost.report.page.tables import draw_table
from convcost.report.picture import Block, Facts, Fold, Table
from convcost.report.text import html, shorten
from convcost.report.view import View


def render(report: Report, view: View) -> str:
    """The whole page."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{embed.policy()}">
<meta name="generator" content="convcost {html(shorten(report.tool.version, 60))}">
<title>convcost report</title>
<style>{embed.style()}</style>
</head>
<body>
<header><h1>convcost {html(shorten(report.command, 60))}</h1>
<button id="save" type="button" hidden>Save JSON</button><button id="theme" type="button" hidden>Dark</button></header>
<main>
{body(report, view)}
</main>
{embed.data(report)}
<script>{embed.script()}</script>
</body>
</html>
"""


def body(report: Report, view: View) -> str:
    """All blocks in reading order. Charts stand before the table that they belong to."""
    out: list[str] = []
    charted = 0
    for number, block in enumerate(document(report, view)):
        about = block.about if isinstance(block, Table) and view.charts else None
        if not isinstance(block, Table) or about is None:
            out.append(piece(block))
            continue
        identity = f"t{number}"
        if not isinstance(about, Model):
            out.append(figures.of_comparison(about, identity))
        elif charted < figures.MOST:
            out.append(figures.of_model(about, report.environment, identity))
            charted += 1
        out.append(draw_table(block, identity))
    return "\n".join(out)


def piece(block: Block) -> str:
    """A block without charts."""
    if isinstance(block, Table):
        return draw_table(block)
    if isinstance(block, Facts) and block.about is not None:
        return cards(block.about)
    if isinstance(block, Fold):
        inside = "\n".join(piece(one) for one in block.blocks)
        return f"<details><summary>{html(block.title)}</summary>\n{inside}\n</details>"
    return draw(block)


def fragment(report: Report, view: View | None = None) -> str:
    """A small piece of HTML without script or charts, for notebooks: figures and tables of all that the report holds.

    It brings a style of its own, which reaches nothing outside of it.
    """
    parts = [piece(block) for block in document(report, view or View())]
    return f'<div class="convcost">\n<style>{FRAGMENT}</style>\n{chr(10).join(parts)}\n</div>\n'


FRAGMENT = """
.convcost table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.convcost th, .convcost td { padding: .15rem .6rem; text-align: left; white-space: nowrap; }
.convcost .cards { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; } .convcost dd { margin: 0; }
.convcost dt { opacity: .7; } .convcost dd:nth-of-type(1) { font-size: 1.25em; }
.convcost .n { text-align: right; } .convcost .dim { opacity: .7; } .convcost h2 { font-size: 1.1em; }
.convcost .frame { overflow: auto; max-height: 30rem; } .convcost tfoot td { font-weight: 600; }
.convcost th button { all: unset; } .convcost .bar { display: none; }
"""
