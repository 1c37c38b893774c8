"""An evaluator of printed arithmetic that shares nothing with the code that prints it; and what raises a code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from convcost import api
from convcost.errors import ConvcostError
from convcost.explaining import codes
from convcost.record import Explanation, Report

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
UNIT = re.compile(r" (?!%)[A-Za-z][A-Za-z/ -]*$")


def value(text: str) -> Fraction:
    """The value of one side: numbers, + − · / and parentheses, floor, ceil, per cent."""
    code = NUMBER.sub(lambda m: f"F('{m[0].replace(',', '')}')", text.replace("·", "*").replace("−", "-"))
    code = code.replace(" %", "*F(1, 100)")
    names = {"F": Fraction, "floor": lambda x: Fraction(math.floor(x)), "ceil": lambda x: Fraction(math.ceil(x))}
    out = eval(code, {"__builtins__": {}}, names)
    assert isinstance(out, Fraction)
    return out


def last_place(text: str) -> Fraction:
    """Half a unit of the last digit that is printed."""
    found = NUMBER.search(text)
    assert found is not None
    places = len(found[0].partition(".")[2])
    unit = Fraction(1, 2 * 10**places)
    return unit / 100 if "%" in text else unit


def check(text: str) -> Fraction:
    """Assert that a printed equation is true; returns its value."""
    sides = re.split(r" ([=≈]) ", UNIT.sub("", text))
    first = value(sides[0])
    for sign, side in zip(sides[1::2], sides[2::2], strict=True):
        if sign == "=":
            assert value(side) == first, text
        else:
            assert value(side) != first, f"exact, but printed as rounded: {text}"
            assert abs(value(side) - first) <= last_place(side), text
    return first


def equations(explanation: Explanation) -> Iterator[tuple[str, str, str]]:
    """(title of the section, sentence, arithmetic)."""
    for section in explanation.sections:
        for sentence in section.sentences:
            if sentence.equation is not None:
                yield section.title, sentence.text, sentence.equation.text


@pytest.fixture(scope="session")
def true() -> Callable[[str], Fraction]:
    """Checks one printed equation."""
    return check


@pytest.fixture(scope="session")
def all_true() -> Callable[[Report], int]:
    """Checks every equation of a report; returns how many there are."""

    def run(report: Report) -> int:
        found = [text for explanation in report.explanations for _, _, text in equations(explanation)]
        for text in found:
            check(text)
        return len(found)

    return run


@pytest.fixture(scope="session")
def found() -> Callable[[Report], list[tuple[str, str, str]]]:
    """Every equation of a report, with its section and sentence."""
    return lambda report: [one for explanation in report.explanations for one in equations(explanation)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, as the commands name it."""
    sample = Path(__file__).resolve().parent.parent.parent / "sample_models" / "lenet5.onnx"
    (tmp_path / "model.onnx").write_bytes(sample.read_bytes())
    (tmp_path / "sample_models").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


class World:
    """Where a code is raised: a folder with a model, a monkeypatch, and models that are wrong in their own way."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.patch = patch

    def model(
        self,
        nodes: Sequence[onnx.NodeProto],
        shape: Sequence[int | str | None] | None = (1, 4),
        weights: Sequence[onnx.TensorProto] = (),
        outputs: Sequence[str] = ("y",),
        *,
        kind: int = TensorProto.FLOAT,
        opset: int = 17,
        **more: Any,
    ) -> onnx.ModelProto:
        graph = helper.make_graph(
            list(nodes),
            "g",
            [helper.make_tensor_value_info("x", kind, shape)],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            list(weights),
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more)

    def relu(self, name: str = "x", out: str = "y") -> onnx.NodeProto:
        return helper.make_node("Relu", [name], [out], name="relu")

    def loop(self) -> onnx.ModelProto:
        """A Loop over a Relu, as often as an input says."""
        body = helper.make_graph(
            [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Relu", ["a"], ["b"])],
            "body",
            [
                helper.make_tensor_value_info("i", TensorProto.INT64, []),
                helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 4]),
            ],
            [
                helper.make_tensor_value_info("on", TensorProto.BOOL, []),
                helper.make_tensor_value_info("b", TensorProto.FLOAT, [1, 4]),
            ],
        )
        made = self.model([helper.make_node("Loop", ["n", "", "x"], ["y"], name="loop", body=body)])
        made.graph.input.append(helper.make_tensor_value_info("n", TensorProto.INT64, []))
        return made

    def external(self, location: str) -> onnx.ModelProto:
        """A model whose weight lies elsewhere."""
        weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1000])
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value=location)
        return self.model([helper.make_node("Add", ["x", "w"], ["y"])], (1, 1000), [weight])

    def foreign(self) -> onnx.ModelProto:
        made = self.model([helper.make_node("Mine", ["x"], ["y"], domain="own")])
        made.opset_import.append(helper.make_opsetid("own", 1))
        return made

    def stored(self, made: onnx.ModelProto | bytes) -> str:
        path = self.place / "made.onnx"
        path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
        return str(path)

    def count(self, made: onnx.ModelProto | bytes, **options: Any) -> Report:
        return api.count(self.stored(made), **options)


@pytest.fixture
def raises(
    place: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[codes.Code], None]:
    """Asserts that a code is raised by its example, or that the example returns a report or notes that hold it.

    The example is the module's function of a `World` in whose name the code stands, as in `c202_web_page`.
    """

    def run(entry: codes.Code) -> None:
        (example,) = (f for name, f in vars(request.module).items() if entry.code.lower() in name.split("_"))
        try:
            result = example(World(place, monkeypatch))
        except ConvcostError as error:
            found = [(error.code, "error")]
        else:
            notes = result.diagnostics if isinstance(result, Report) else result
            found = [(note.code, note.severity) for note in notes]
        assert (entry.code, entry.severity) in found

    return run
