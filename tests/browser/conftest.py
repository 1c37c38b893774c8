"""A headless Chromium, and pages in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convcost import record
from convcost.record import Report
from convcost.report import render

SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser, skipped with a reason where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is absent: pip install 'convcost[browser]'")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium or its driver is absent")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield running
    running.quit()


class Shown:
    """A page in a window."""

    def __init__(self, driver: Any, place: Path, pictures: Path) -> None:
        self.driver = driver
        self.place = place
        self.pictures = pictures

    def open(self, report: Report, *, width: int = 1280, height: int = 900, dark: bool = False) -> Any:
        """Render and load; returns the driver."""
        self.place.write_text(render(report, "html"), "utf-8")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(self.place.as_uri())
        return self.driver

    def run(self, script: str, *given: object) -> Any:
        """What a function body in the page returns."""
        return self.driver.execute_script(script, *given)

    def picture(self, name: str) -> bytes:
        """A screenshot, kept outside of the project."""
        path = self.pictures / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path.read_bytes()


@pytest.fixture
def shown(chromium: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A page, and a folder for its pictures."""
    return Shown(chromium, tmp_path / "report.html", tmp_path_factory.mktemp("pictures", numbered=True))


@pytest.fixture
def large() -> Callable[[int], Report]:
    """large(n): a report of n layers with different figures, in ten scopes."""

    def build(n: int) -> Report:
        layers = [layer(i, macs=(i * 7919) % 10007 * 10**12) for i in range(n)]
        macs = sum(one.cost.macs or 0 for one in layers)
        model = record.Model(
            source="large.onnx", kind="onnx", sha256=None, opset={"": 17}, dims={}, totals=cost(macs, 5 * n), outputs=[],
            coverage=record.Coverage(complete=True, nodes=n, counted=n, unknown=[]), layers=layers,
        )  # fmt: skip
        return record.Report(
            schema_version=record.SCHEMA_VERSION, tool=record.Tool(name="convcost", version="0"), command="count",
            convention=record.CONVENTION, models=[model],
        )  # fmt: skip

    return build


def cost(macs: int, params: int) -> record.Cost:
    return record.Cost(
        multiplications=macs, macs=macs, macs_effective=macs, additions=macs, divisions=0, comparisons=0, special=0,
        flops=2 * macs, params=params, buffers=0, weight_bytes=4 * params, read_bytes=10**9, write_bytes=10**6,
        peak_memory_bytes=None, intensity=macs / 10**10 or None,
    )  # fmt: skip


def layer(index: int, macs: int) -> record.Layer:
    kind = ("standard", "pointwise", "depthwise", "matmul")[index % 4]
    return record.Layer(
        index=index, name=f"stage{index % 10}/block{index % 70}/conv{index}", scope=[], op="Conv", domain="", kind=kind,
        traits=[], inputs=[[1, 3, 8, 8]], outputs=[[1, 16, 8, 8]], dtype="float32", attributes={},
        cost=cost(macs, index % 11), share=record.Share(macs=None),
    )  # fmt: skip
