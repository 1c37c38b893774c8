"""Shape strings: tokens, syntax tree, ir.Graph. The only place that knows HWC and NCHW."""

from __future__ import annotations

from convcost.notation.carets import render_error
from convcost.notation.read import canonical, is_notation, parse
from convcost.notation.sources import Line, read_file, read_lines

__all__ = ["Line", "canonical", "is_notation", "parse", "read_file", "read_lines", "render_error"]
