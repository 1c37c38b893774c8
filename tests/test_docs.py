"""The generated pages are those that the code makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["alternatives", "operators"])
def test_a_generated_page_is_up_to_date(page: str) -> None:
    """Otherwise: python docs/make_alternatives.py, python docs/make_operators.py."""
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == generator(f"make_{page}").page()
