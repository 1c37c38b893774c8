"""Shared fixtures: the corpus of models and inputs that lies outside of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("convcost", deadline=None, print_blob=True)
settings.load_profile("convcost")


def _corpus() -> Path | None:
    given = os.environ.get("CONVCOST_CORPUS")
    place = Path(given) if given else Path(__file__).resolve().parent.parent.parent / "shared"
    return place if (place / "models" / "expected.json").is_file() else None


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder with `models/`, `facts/` and `hostile/`; tests that need it are marked `corpus`."""
    place = _corpus()
    if place is None:
        pytest.skip("the corpus is absent: set CONVCOST_CORPUS to its folder")
    return place
