"""What a page holds besides text: its style, its script, the report, and the policy that allows these and nothing else.

A large report is compressed (zlib, base64): as plain text it would be most of the page. The button saves it as JSON.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from zlib import compress

from convcost.record import Report
from convcost.report import json_
from convcost.report.page.tables import BARS

PLAIN = 512 << 10
"""Characters of JSON up to which it stands in the page as it is."""


@cache
def style() -> str:
    """The style sheet."""
    return "\n" + asset("style.css") + BARS + "\n"


@cache
def script() -> str:
    """The script."""
    return "\n" + asset("script.js")


def asset(name: str) -> str:
    """A file beside this one."""
    return Path(__file__).with_name(name).read_text("utf-8").replace("\r\n", "\n")


def data(report: Report) -> str:
    """The report as an element that does nothing."""
    text = json_.compact(report)
    if len(text) <= PLAIN:
        inert = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        return f'<script type="application/json" id="report">\n{inert}</script>'
    packed = b64encode(compress(text.encode(), 9)).decode()
    return f'<script type="application/zlib" id="report">\n{packed}\n</script>'


def policy() -> str:
    """Only this page's own script and style count, known by their hashes; nothing is loaded, sent or framed."""
    return (
        f"default-src 'none'; script-src '{digest(script())}'; style-src '{digest(style())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    """The hash by which a policy knows a text."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
