"""The HTML report as somebody uses it: clicked, typed into, printed, on a telephone, in the dark."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from convcost import compare, count, record
from convcost.record import Report
from convcost.report import json_

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:selenium"),
]

Large = Callable[[int], Report]
MOBILENET = str(Path(__file__).resolve().parent.parent.parent / "sample_models" / "mobilenet_v1.onnx")
WAYS = "56x56x64 -(3x3x64x64 same)->"

CELLS = """return [...document.querySelectorAll("table tbody tr")].filter(row => !row.hidden)
  .map(row => row.cells[arguments[0]].textContent)"""
COLUMN = 'return [...document.querySelectorAll("thead th")].findIndex(th => th.textContent === arguments[0])'
CLICK = 'document.querySelectorAll("thead th")[arguments[0]].querySelector("button").click()'
TIMES = """const now = performance.now(); %s; document.body.offsetHeight; return performance.now() - now"""


def loaded(shown: Any) -> list[str]:
    """Addresses that the page asked for, its own file apart."""
    seen = [json.loads(entry["message"])["message"] for entry in shown.driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in seen if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if url != shown.place.as_uri() and not url.startswith("blob:null/")]


def complaints(shown: Any) -> list[str]:
    """What the console says, errors of the policy included."""
    return [entry["message"] for entry in shown.driver.get_log("browser")]


def indices(shown: Any) -> list[int]:
    return [int(text) for text in shown.run(CELLS, 0)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 800)])
@pytest.mark.parametrize("which", ["model", "comparison"])
def test_opens_quietly(which: str, width: int, height: int, dark: bool, shown: Any) -> None:
    report = count(MOBILENET) if which == "model" else compare(WAYS)
    shown.open(report, width=width, height=height, dark=dark)
    assert complaints(shown) == []
    assert loaded(shown) == []
    assert shown.run('return performance.getEntriesByType("resource").length') == 0
    assert shown.run("return document.documentElement.scrollWidth") <= width
    image = shown.picture(f"{which}_{width}_{'dark' if dark else 'light'}")
    assert struct.unpack(">II", image[16:24]) == (width, height)


@pytest.mark.parametrize(("title", "key"), [
    ("MACs", lambda layer: layer.cost.macs), ("params", lambda layer: layer.cost.params), ("#", lambda layer: layer.index),
])  # fmt: skip
def test_sorts_by_a_click(title: str, key: Callable[[record.Layer], int], shown: Any, large: Large) -> None:
    """Largest first, then smallest first, then as it was; equal figures keep their order. No figure fits a float."""
    report = large(120)
    layers = [one for one in report.models[0].layers if one.cost.flops or one.cost.params]
    layers = [replace(one, cost=replace(one.cost, macs=(one.cost.macs or 0))) for one in layers]
    shown.open(report)
    at = shown.run(COLUMN, title)
    shown.run(CLICK, at)
    assert indices(shown) == [one.index for one in sorted(layers, key=key, reverse=True)]
    assert shown.run('return document.querySelectorAll("th")[arguments[0]].ariaSort', at) == "descending"
    shown.run(CLICK, at)
    assert indices(shown) == [one.index for one in sorted(layers, key=key)]
    assert shown.run('return document.querySelectorAll("th")[arguments[0]].ariaSort', at) == "ascending"
    shown.run(CLICK, at)
    assert indices(shown) == [one.index for one in layers]
    assert shown.run('return document.querySelectorAll("th[aria-sort]").length') == 0


def test_sorts_figures_that_differ_beyond_2_53(shown: Any, large: Large) -> None:
    report = large(9)
    model = report.models[0]
    macs = [2**60 + n for n in (5, 3, 8, 1, 7, 2, 6, 4, 0)]
    layers = [
        replace(one, cost=replace(one.cost, macs=n, flops=2 * n)) for one, n in zip(model.layers, macs, strict=True)
    ]
    shown.open(replace(report, models=[replace(model, layers=layers)]))
    shown.run(CLICK, shown.run(COLUMN, "MACs"))
    assert indices(shown) == sorted(range(9), key=lambda i: -macs[i])
    shown.run('[...document.querySelectorAll(".tools button")].find(b => b.textContent === "All digits").click()')
    assert shown.run(CELLS, shown.run(COLUMN, "MACs")) == [f"{n:,}" for n in sorted(macs, reverse=True)]


def test_filters_by_words(shown: Any, large: Large) -> None:
    report = large(200)
    driver = shown.open(report)
    field = driver.find_element("css selector", "input[type=search]")
    field.send_keys("stage3 POINTWISE")
    expected = [one.index for one in report.models[0].layers if "stage3/" in one.name and one.kind == "pointwise"]
    assert indices(shown) == expected
    rows = sum(1 for one in report.models[0].layers if one.cost.flops or one.cost.params)
    assert shown.run('return document.querySelector("[role=status]").textContent') == f"{len(expected)} of {rows} rows"
    field.clear()
    field.send_keys("no such layer")
    assert indices(shown) == []


def test_works_by_keys_alone(shown: Any) -> None:
    """Tab reaches a title, Enter sorts; arrows walk through the rows, and the charts follow."""
    driver = shown.open(count(MOBILENET))
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    shown.run('document.querySelectorAll("thead th button")[0].focus()')
    driver.switch_to.active_element.send_keys(keys.TAB)
    driver.switch_to.active_element.send_keys(keys.ENTER)
    assert shown.run('return document.querySelectorAll("th")[1].ariaSort') == "ascending"
    shown.run("document.querySelector('tbody').focus()")
    driver.switch_to.active_element.send_keys(keys.ARROW_DOWN, keys.ARROW_DOWN)
    row = shown.run('return [...document.querySelectorAll("tbody tr")].findIndex(row => row.classList.contains("on"))')
    assert row == 1
    shown.run('document.querySelector("input[type=search]").value = ""')


MARK = """const figure = document.querySelectorAll("figure")[arguments[0]];
const mark = figure.querySelector("g.rows").children[arguments[1]];
mark.dispatchEvent(new MouseEvent("click", { bubbles: true }));
return Number(figure.dataset.rows.split(" ")[arguments[1]])"""
CHOSEN = 'return [...document.querySelectorAll("tr.on")].map(row => Number(row.cells[0].textContent))'


def test_a_chart_and_the_table_choose_the_same_layer(shown: Any) -> None:
    report = count(MOBILENET)
    shown.open(report)
    row = shown.run(MARK, 1, 4)
    assert shown.run(CHOSEN) == [row]
    shown.run('document.querySelectorAll("tbody tr")[0].click()')
    first = shown.run(CHOSEN)
    assert first == [indices(shown)[0]]
    figures = shown.run("""return [...document.querySelectorAll("figure[data-of]")].map(figure =>
        figure.querySelectorAll("g.rows > .on").length)""")
    assert figures == [1, 1]


def test_the_treemap_goes_deeper_and_back(shown: Any) -> None:
    """A click on a cell of block3 shows block3 alone; the path leads back."""
    report = count(MOBILENET)
    shown.open(report)
    rows = [int(n) for n in shown.run('return document.querySelector("figure").dataset.rows').split()]
    names = {one.index: one.name for one in report.models[0].layers}
    within = [i for i, row in enumerate(rows) if names[row].startswith("block3.")]
    visible = """return [...document.querySelectorAll("figure:first-of-type g.rows > *")]
      .map((mark, i) => mark.style.display === "none" ? -1 : i).filter(i => i >= 0)"""
    assert shown.run(visible) == list(range(len(rows)))
    before = shown.run(SHAPES)
    shown.run(MARK, 0, within[0])
    assert shown.run(visible) == within
    assert shown.run('return [...document.querySelectorAll(".path button")].map(b => b.textContent)') == [
        "whole model", "block3",
    ]  # fmt: skip
    assert shown.run(CHOSEN) == []
    shown.picture("treemap_deeper")
    shown.run(MARK, 0, within[0])
    assert shown.run(CHOSEN) == [rows[within[0]]]
    shown.run('document.querySelector(".path button").click()')
    assert shown.run(visible) == list(range(len(rows)))
    assert shown.run(SHAPES) == before


SHAPES = 'return [...document.querySelectorAll("figure:first-of-type g.rows > *")].map(mark => mark.getAttribute("d"))'


def test_a_tip_shows_the_row_of_a_mark(shown: Any) -> None:
    report = count(MOBILENET)
    driver = shown.open(report)
    actions = pytest.importorskip("selenium.webdriver.common.action_chains").ActionChains
    mark = driver.find_element("css selector", "figure g.rows > path")
    actions(driver).move_to_element(mark).perform()
    first = int(shown.run('return document.querySelector("figure").dataset.rows').split()[0])
    layer = next(one for one in report.models[0].layers if one.index == first)
    tip = shown.run('const tip = document.getElementById("tip"); return tip.hidden ? "" : tip.textContent')
    assert tip.startswith(layer.name)
    shown.picture("tip")


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_by_a_click(dark: bool, shown: Any) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    cell = 'return getComputedStyle(document.querySelector("g.rows > *")).fill'
    colours = {False: "rgb(255, 255, 255)", True: "rgb(20, 23, 28)"}
    shown.open(count(MOBILENET), dark=dark)
    assert shown.run(paper) == colours[dark]
    first = shown.run(cell)
    shown.run('document.getElementById("theme").click()')
    assert shown.run(paper) == colours[not dark]
    assert shown.run(cell) != first
    shown.run('document.getElementById("theme").click()')
    assert (shown.run(paper), shown.run(cell)) == (colours[dark], first)


@pytest.mark.parametrize("layers", [20, 2000])
def test_saves_the_json(layers: int, shown: Any, large: Large, tmp_path: Path) -> None:
    report = large(layers)
    driver = shown.open(report)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    driver.find_element("id", "save").click()
    wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait(driver, 20)
    wait.until(lambda _: (tmp_path / "convcost.json").exists())
    assert record.decode((tmp_path / "convcost.json").read_bytes()) == report
    assert (tmp_path / "convcost.json").read_text("utf-8") == json_.compact(report) + "\n"
    assert complaints(shown) == []
    assert loaded(shown) == []


def test_2000_layers_are_no_trouble(shown: Any, large: Large) -> None:
    """Sorting and filtering 2,000 rows, against laying the same page out anew once."""
    shown.open(large(2000))
    assert complaints(shown) == []
    anew = shown.run(
        TIMES % 'document.body.style.display = "none"; document.body.offsetHeight; document.body.style.display = ""'
    )
    sort = shown.run(
        TIMES
        % f"({{}}, document.querySelectorAll('thead th')[{shown.run(COLUMN, 'MACs')}].querySelector('button').click())"
    )
    type_ = "const field = document.querySelector('input[type=search]'); field.value = 'stage3'; field.dispatchEvent(new Event('input'))"
    search = shown.run(TIMES % type_)
    assert sort < 5 * anew + 200
    assert search < 5 * anew + 200
    shown.picture("large")


NAMES = [
    "</script><script>document.title = 'owned'</script>", '"><img src=x onerror="document.title=\'owned\'">',
    "'-alert(1)-'", "javascript:document.title='owned'", "a\u202eb\u2066c", "n" * 10_000, "<style>*{display:none}</style>",
    "{{7*7}}", "${document.title='owned'}", "]]></svg><svg onload=\"document.title='owned'\">", "\x00\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:14]))
def test_names_do_nothing(name: str, shown: Any, large: Large) -> None:
    """Not when the page opens, and not when everything in it is clicked."""
    report = large(12)
    model = report.models[0]
    layers = [replace(one, name=f"{name}/{name}{one.index}") for one in model.layers]
    hostile = replace(report, command=name, models=[replace(model, source=name, layers=layers)])
    shown.open(hostile)
    for script in ('document.querySelectorAll("button").forEach(b => b.id === "save" || b.click())',
                   'document.querySelectorAll("g.rows > *").forEach(m => m.dispatchEvent(new MouseEvent("click", {bubbles: true})))',
                   'document.querySelectorAll("g.rows > *").forEach(m => m.dispatchEvent(new PointerEvent("pointermove", {bubbles: true})))',
                   'document.querySelectorAll("tbody tr").forEach(row => row.click())'):  # fmt: skip
        shown.run(script)
    assert shown.run("return document.title") == "convcost report"
    assert shown.run('return document.querySelectorAll("img, iframe, object, embed, link, base, form").length') == 0
    assert shown.run('return document.querySelectorAll("script").length') == 2
    assert shown.run("return getComputedStyle(document.body).display") == "block"
    assert complaints(shown) == []
    assert loaded(shown) == []
    assert shown.run("return document.documentElement.scrollWidth") <= 1280


def test_prints(shown: Any) -> None:
    """On paper: no controls, all rows, light."""
    driver = shown.open(count(MOBILENET), dark=True)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = 'return ["#theme", "#save", ".tools"].map(q => getComputedStyle(document.querySelector(q)).display)'
    assert shown.run(hidden) == ["none"] * 3
    assert shown.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    frame = "const f = document.querySelector('.frame'); return f.scrollHeight - f.clientHeight"
    assert shown.run(frame) <= 1
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF-")


def test_is_whole_without_script(shown: Any) -> None:
    """Figures, charts and the table are there; what only a script could do is not."""
    shown.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver = shown.open(count(MOBILENET))
        text = driver.find_element("tag name", "main").text
        buttons = [b for b in driver.find_elements("css selector", "header button") if b.is_displayed()]
    finally:
        shown.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "568,740,352" in text
    assert "block13.pointwise" in text
    assert buttons == []
