"""The generated pages are those that the code makes, and the pages make a site."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
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


@pytest.mark.parametrize("page", ["alternatives", "convolutions", "operators"])
def test_a_generated_page_is_up_to_date(page: str) -> None:
    """Otherwise: python docs/make_alternatives.py, python docs/make_convolutions.py, python docs/make_operators.py."""
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == generator(f"make_{page}").page()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. The build fails where a link or an anchor leads nowhere."""
    pytest.importorskip("zensical", reason="the site is built by the extra docs")
    place = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "zensical.toml", place)
    shutil.copytree(ROOT / "docs", place / "docs")
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(build, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return place / "site"


def test_every_page_is_in_the_navigation(site: Path) -> None:
    nav = str(tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"])
    for page in (ROOT / "docs").glob("**/*.md"):
        name = page.relative_to(ROOT / "docs")
        assert f"'{name.as_posix()}'" in nav
        assert (
            site / (name.with_name("index.html") if name.stem == "index" else name.with_suffix("") / "index.html")
        ).is_file()


def test_the_site_asks_no_other_server(site: Path) -> None:
    for page in site.glob("**/*.html"):
        for tag in re.findall(r"<(?:script|link|img|iframe)[^>]*>", page.read_text("utf-8")):
            assert "//" not in tag.replace("http-equiv", ""), tag
