"""The charts: what they show is the report's, and what is drawn is a picture."""

from __future__ import annotations

import hashlib
import http.server
import struct
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from convcost import record
from convcost.errors import ReportError
from convcost.record import Report
from convcost.report import charts, content, render
from convcost.report.charts import CHARTS, Canvas, convert, pareto, roofline, share, treemap
from convcost.report.charts.tiles import tiles
from convcost.report.view import View

Make = Callable[..., Any]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def network(layer: Make, model: Make, cost: Make, report: Make) -> Callable[..., Report]:
    """Six layers in two scopes, perhaps measured, and a comparison."""

    def build(*, timed: bool = False, name: str = "") -> Report:
        macs = [400, 300, 150, 100, 50, 0]
        layers = [
            layer(
                i, f"stage{i // 3}/{name}block/conv{i}", n, kind=["standard", "pointwise", "depthwise"][i % 3],
                cost=cost(n, 16 * i, intensity=None if n == 0 else n / 100),
                timing=record.LayerTiming(
                    algorithm="im2col", runs=3, median_ns=1000 * (i + 1), mad_ns=1, min_ns=900, gflops=n / 10 or None,
                ) if timed else None,
            )
            for i, n in enumerate(macs)
        ]  # fmt: skip
        whole = record.ModelTiming(
            backend="numpy", threads=1, runs=3, warmup=1, median_ns=21000, mad_ns=5, min_ns=20000, layers_sum_ns=21000,
            weights="random",
        )  # fmt: skip
        machine = record.Environment(
            python="3", numpy="2", blas="b", machine="m", processor="p", cores=2, threads=2, gemm_gflops=50.0,
            copy_gbytes_per_s=10.0,
        )  # fmt: skip
        ways = [
            record.Alternative(
                name=f"{name}way {i}",
                notation=None,
                cost=cost(m, p),
                ratio=record.Ratio(macs=1.0, params=1.0),
                pareto=front,
            )
            for i, (m, p, front) in enumerate([(1000, 100, False), (500, 90, True), (700, 40, True), (900, 95, False)])
        ]
        comparison = record.Comparison(of=f"{name}conv", alternatives=ways, skipped=[])
        made: Report = report(
            model(layers, source=f"{name}net.onnx", timing=whole if timed else None),
            comparisons=[comparison], environment=machine if timed else None,
        )  # fmt: skip
        return made

    return build


def marks(svg: str) -> list[ET.Element]:
    """The marks that stand for rows."""
    root = ET.fromstring(svg)
    return [child for group in root.iter(f"{SVG}g") if "rows" in group.get("class", "").split() for child in group]


def test_cells_are_shares_of_macs(network: Callable[..., Report]) -> None:
    report = network()
    found = tiles(report.models, 800, 400)
    assert [(cell.row, cell.part) for cell in found.cells] == [(0, 0.4), (1, 0.3), (2, 0.15), (3, 0.1), (4, 0.05)]
    areas = {area.name: (area.first, area.end) for area in found.areas}
    assert areas == {"": (0, 5), "stage0/block": (0, 3), "stage1/block": (3, 5)}


def test_cells_of_a_scope_lie_in_it(network: Callable[..., Report]) -> None:
    found = tiles(network().models, 800, 400)
    for area, heading in zip(found.areas, found.headings, strict=True):
        outer = heading.box
        for cell in found.cells[area.first : area.end]:
            assert cell.box.x >= outer.x - 1e-9
            assert cell.box.y >= outer.y - 1e-9
            assert cell.box.x + cell.box.width <= outer.x + outer.width + 1e-9
            assert cell.box.y + cell.box.height <= outer.y + outer.height + 1e-9


def test_many_small_layers_become_one_cell(layer: Make, model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.report.charts.tiles.MOST", 10)
    made = model([layer(i, f"c{i}", 100 - i) for i in range(30)])
    found = tiles([made], 800, 400)
    rest = [cell for cell in found.cells if cell.row < 0]
    assert [(cell.text, cell.part) for cell in rest] == [
        ("20 smaller layers", sum(range(71, 91)) / sum(range(71, 101)))
    ]


def test_shares_add_up(network: Callable[..., Report]) -> None:
    """400, 700, 850 of 1000: three layers for four fifths."""
    report = network()
    lines = share.series(report.models)
    assert [(line.name, line.needed) for line in lines if line.values] == [
        ("MACs", 3), ("parameters", 3), ("bytes written", 5),
    ]  # fmt: skip
    chart = share.chart(report.models, Canvas())
    assert chart is not None
    points = [p for p in chart.spec["data"][0]["values"] if p["series"] == 0]
    assert [p["y"] for p in points] == [0, 0.4, 0.7, 0.85, 0.95, 1]


def test_a_roof_only_where_it_was_measured(network: Callable[..., Report]) -> None:
    def roof(report: Report) -> list[dict[str, float]]:
        chart = roofline.chart(report.models, report.environment, Canvas())
        assert chart is not None
        return next(data["values"] for data in chart.spec["data"] if data["name"] == "roof")

    assert roof(network()) == []
    line = roof(network(timed=True))
    assert line[1]["y"] == line[2]["y"] == max(p["y"] for p in line)
    assert line[2]["x"] == 1


def test_points_under_the_roof_are_under_it_on_paper(network: Callable[..., Report]) -> None:
    """Attainable at 1 FLOP/B is 10 GFLOP/s; a layer of 1 FLOP/B with 10 GFLOP/s stands on the slope."""
    report = network(timed=True)
    chart = roofline.chart(report.models, report.environment, Canvas())
    assert chart is not None
    at = chart.rows.index(3)
    point = chart.spec["data"][0]["values"][at]
    (x0, y0), (x1, y1) = [(p["x"], p["y"]) for p in chart.spec["data"][2]["values"][:2]]
    assert point["y"] == pytest.approx(y0 + (point["x"] - x0) / (x1 - x0) * (y1 - y0), abs=1e-3)


def test_the_line_of_the_front_joins_the_ways_on_it(network: Callable[..., Report]) -> None:
    chart = pareto.chart(network().comparisons[0], Canvas())
    assert chart is not None
    points = dict(zip(chart.rows, chart.spec["data"][0]["values"], strict=True))
    front = chart.spec["data"][1]["values"]
    assert [(p["x"], p["y"]) for p in front] == [(points[i]["x"], points[i]["y"]) for i in (2, 1)]
    assert {i: points[i]["kind"] for i in points} == {
        0: "the original", 1: "on the front", 2: "on the front", 3: "beaten by another",
    }  # fmt: skip


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("name", CHARTS)
def test_svg_is_a_picture_of_the_size(name: str, timed: bool, network: Callable[..., Report]) -> None:
    report = network(timed=timed)
    drawn = render(report, "svg", View(chart=name))
    root = ET.fromstring(drawn)
    assert root.tag == f"{SVG}svg"
    assert (root.get("width"), root.get("height")) == ("960", "540")
    assert len(marks(drawn)) == len(charts.chart(report, name).rows)
    assert drawn == render(report, "svg", View(chart=name))


@pytest.mark.parametrize("name", CHARTS)
def test_png_is_an_image_of_twice_the_size(name: str, network: Callable[..., Report]) -> None:
    image = content(network(), "png", View(chart=name))
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind = struct.unpack(">IIBB", image[16:26])
    assert (width, height, depth, kind) == (1920, 1080, 8, 6)
    pixels, at = b"", 8
    while at < len(image):
        length, tag = struct.unpack(">I4s", image[at : at + 8])
        body = image[at + 8 : at + 8 + length]
        assert zlib.crc32(tag + body) == struct.unpack(">I", image[at + 8 + length : at + 12 + length])[0]
        pixels += body if tag == b"IDAT" else b""
        at += 12 + length
    assert len(zlib.decompress(pixels)) == height * (1 + 4 * width)


@pytest.mark.parametrize(("timed", "compared", "expected"), [
    (False, False, "treemap"), (True, False, "roofline"), (True, True, "pareto"),
])  # fmt: skip
def test_the_chart_that_says_most(timed: bool, compared: bool, expected: str, network: Callable[..., Report]) -> None:
    report = network(timed=timed)
    report = report if compared else replace(report, comparisons=[])
    assert charts.default(report) == expected


NAMES = [
    "</svg><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\u202eb\u2066", "n" * 10_000, "]]>", "&amp;",
    "datum.x", "{signal: 'width'}", "width; fetch('http://127.0.0.1')", "a.b[0]['c']", "\ud800", "\x00", "url(http://127.0.0.1)",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
@pytest.mark.parametrize("which", CHARTS)
def test_names_are_only_shown(name: str, which: str, network: Callable[..., Report]) -> None:
    """The drawing is the same but for its texts, and texts are as they were but for escapes."""
    drawn = render(network(name=name, timed=True), "svg", View(chart=which))
    root = ET.fromstring(drawn)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "path", "text", "line", "rect"}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not any(key.startswith("on") or key.endswith(("href", "style", "src")) for key in attributes)
    for element in root.iter():
        assert not any("127.0.0.1" in value for key, value in element.attrib.items() if key != "aria-label")
    assert all(len(text) < 200 for text in root.itertext())
    assert not set("\u202e\u2066\x00") & set("".join(root.itertext()))


def test_specifications_hold_foreign_text_only_as_data(network: Callable[..., Report]) -> None:
    """Only `values` and titles; a signal, an expression or a field would be interpreted."""

    def walk(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(inner, (*path, key))
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner, path)
        elif isinstance(value, str) and "FOREIGN" in value:
            yield path

    for timed in (False, True):
        report = network(name="FOREIGN", timed=timed)
        for name in CHARTS:
            spec = charts.chart(report, name).spec
            assert {path[-2:] for path in walk(spec, ())} <= {
                ("values", "text"),
                ("title", "subtitle"),
                ("title", "text"),
            }


def test_nothing_is_loaded() -> None:
    """A specification that asks for an address of the network gets nothing."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/data.json"
        spec = {
            "$schema": "https://vega.github.io/schema/vega/v6.json", "width": 9, "height": 9,
            "data": [{"name": "a", "url": address}],
            "marks": [{"type": "image", "encode": {"update": {"url": {"value": address}, "width": {"value": 9}}}}],
        }  # fmt: skip
        with pytest.raises(ReportError, match="cannot be drawn"):
            convert.png(spec)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == []


def test_what_is_not_there_is_not_drawn(report: Make, model: Make) -> None:
    empty: Report = report(model([]))
    for name in CHARTS:
        assert charts.drawn(empty, name, Canvas()) is None
        with pytest.raises(ReportError, match=f"there is no {name} to draw") as caught:
            charts.chart(empty, name)
        assert caught.value.code == "C521"


def test_without_the_extra(network: Callable[..., Report], monkeypatch: pytest.MonkeyPatch) -> None:
    """SVG is an error that says what to install; a page says it, and has everything else."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    report = network()
    with pytest.raises(ReportError, match="charts need vl-convert-python") as caught:
        render(report, "svg")
    assert caught.value.help is not None
    assert "convcost[plot]" in caught.value.help
    page = render(report, "html", View(all_layers=True))
    assert "No charts: charts need vl-convert-python; pip install &#x27;convcost[plot]&#x27;" in page
    assert "<svg" not in page
    assert page.count("<table") == render(report, "html", View(all_layers=True, charts=False)).count("<table")


LIMITED = """
import resource
import sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from convcost.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_process_without_addresses_lives(tmp_path: Path) -> None:
    """V8 would end it by a signal: the page has no charts and says why, SVG is an error of one line."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", LIMITED, "8x8x1 -(3x3x1x1)->", *words], capture_output=True, text=True, check=False
        )

    page = tmp_path / "page.html"
    done = run("-q", "-o", str(page))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "No charts: charts need a process without a limit on addresses" in page.read_text("utf-8")
    assert "<table" in page.read_text("utf-8")
    refused = run("-f", "svg")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("convcost: error[C523]: charts need")
    assert len(refused.stderr.rstrip().splitlines()) <= 2


def test_figures_beyond_any_float(layer: Make, model: Make, report: Make, cost: Make) -> None:
    huge: Report = report(
        model(
            [layer(i, f"c{i}", 10 ** (400 * i) + 7, cost=cost(10 ** (400 * i) + 7, 3, intensity=2.5)) for i in range(3)]
        )
    )
    for name in ("treemap", "roofline", "share"):
        ET.fromstring(render(huge, "svg", View(chart=name)))
    cells = tiles(huge.models, 800, 400).cells
    total = 10**800 + 10**400 + 22
    assert [cell.part for cell in cells] == [float(Fraction(n, total)) for n in (10**800 + 7, 10**400 + 7, 8)]


def test_svg_does_not_depend_on_what_was_drawn_before(network: Callable[..., Report]) -> None:
    first = hashlib.sha256(render(network(), "svg", View(chart="share")).encode()).digest()
    render(network(timed=True), "svg", View(chart="roofline"))
    assert hashlib.sha256(render(network(), "svg", View(chart="share")).encode()).digest() == first


def test_treemap_names_what_there_is_room_for(network: Callable[..., Report]) -> None:
    drawn = render(network(), "svg", View(chart="treemap"))
    texts = "".join(ET.fromstring(drawn).itertext())
    for name in ("stage0/block", "stage1/block", "conv0", "40.0 %", "conv3"):
        assert name in texts
    assert treemap.chart([], Canvas()) is None
