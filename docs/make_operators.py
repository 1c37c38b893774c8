"""Writes operators.md from the operator table: run `python docs/make_operators.py` after changing a rule."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from convcost.ops.base import Op, free
from convcost.ops.index import FAMILIES

PAGE = Path(__file__).parent / "operators.md"

INTRODUCTION = """# Operators

What each operator costs. This page is made from the rules themselves (`python docs/make_operators.py`); what the
columns mean is in [counting.md](counting.md).

Letters in capitals are sizes, |y| is the number of elements of y, Π a product. Operators of another domain than ONNX's
own have it in front, as in `com.microsoft:FusedConv`. An operator that is not on this page is reported as not counted.
"""


def spelled(op: Op) -> str:
    """The operator with its domain."""
    return f"{op.domain}:{op.name}" if op.domain else op.name


def rule(op: Op) -> str:
    """What the cost rule says of itself, as Markdown."""
    text = inspect.cleandoc(op.cost.__doc__ or "")
    if not text:
        raise ValueError(f"{spelled(op)}: its cost rule has no docstring")
    return text.replace("*", "\\*").replace("\nCounted:", "\n\nCounted:").replace("\n\n\n", "\n\n")


def paragraphs(text: str) -> str:
    """One paragraph for each heading word, so that Markdown does not join them."""
    for word in ("Effective:", "Not counted:", "Source:"):
        text = text.replace(f"\n{word}", f"  \n{word}")
    return text


def page() -> str:
    """The whole page."""
    out = [INTRODUCTION]
    for family in FAMILIES:
        module = importlib.import_module(f"convcost.ops.{family}")
        title = (module.__doc__ or family).strip().split("\n")[0].split(". ")[0].rstrip(".")
        ops: tuple[Op, ...] = module.OPS
        out.append(f"## {title}\n")
        moving = [f"`{spelled(op)}`" for op in ops if op.cost is free]
        if moving:
            out.append(f"Free, as they only move, name or describe data: {', '.join(moving)}.\n")
        out += [f"### {spelled(op)}\n\n{paragraphs(rule(op))}\n" for op in ops if op.cost is not free]
    return "\n".join(out)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
