"""Codes, operators, kinds, models and layers by their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import api, record
from convcost.alternatives import choice
from convcost.errors import UsageError
from convcost.explaining import concepts, operators, topics
from convcost.explaining.formulas import formula
from convcost.explaining.terms import text_of, value_of
from convcost.ops import all_keys, find
from convcost.ops.base import free
from convcost.record import Explanation, Report, decode, encode
from convcost.report import render
from convcost.report.layers import BY_KEY

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_models"


def said(explanation: Explanation) -> str:
    return " ".join(f"{s.text} {s.spelled}" for section in explanation.sections for s in section.sentences)


@pytest.mark.parametrize("key", all_keys(), ids=":".join)
def test_every_operator_is_explained_in_its_own_words(key: tuple[str, str]) -> None:
    domain, name = key
    op = find(*key)
    assert op is not None
    found = operators.explanation(f"{domain}:{name}" if domain else name)
    assert found is not None
    assert ("Counted:" in said(found)) == (op.cost is not free and "Counted:" in (op.cost.__doc__ or ""))


@pytest.mark.parametrize(
    ("word", "of"),
    [
        ("Conv", "Conv"),
        ("conv", "Conv"),
        ("c101", "C101"),
        ("FusedConv", "com.microsoft:FusedConv"),
        ("DEPTHWISE", "depthwise"),
        ("MACs", "macs"),
        ("Peak  memory", "peak memory"),
    ],
)
def test_names_are_found_whatever_their_case(word: str, of: str) -> None:
    assert api.explain(word).explanations[0].of == of


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("Convv", "Conv"),
        ("C999", ""),
        ("lstmm", "LSTM"),
        ("depthwis", "depthwise"),
        ("zzzzzz", ""),
        ("macss", "macs"),
        ("thopp", "thop"),
        ("peak memry", "peak memory"),
        ("winogard", "winograd"),
    ],
)
def test_an_unknown_word_offers_the_nearest(word: str, near: str) -> None:
    with pytest.raises(UsageError) as error:
        api.explain(word)
    assert near in str(error.value)


@pytest.mark.parametrize(
    ("word", "titles", "text"),
    [
        ("macs", ["Quantity macs", "Quantity macs_effective"], "1 MAC = 1 multiplication + 1 addition"),
        ("mults", ["Quantity multiplications"], "Scalar multiplications"),
        ("memory", ["Quantity write_bytes", "Quantity peak_memory_bytes"], "plus weights"),
        ("FLOP/B", ["Quantity intensity"], "FLOP per byte"),
        ("flops", ["Quantity flops", "Convention flops"], "Sum of multiplications"),
        ("thop", ["Convention thop"], "4 for each normalised element"),
        ("2x thop", ["Convention 2 × thop"], "--convention '2 x thop'"),
        ("products+bias", ["Convention products+bias"], "one for each biased output"),
        ("separable", ["Idea depthwise separable", "Idea spatially separable"], "arXiv:1704.04861"),
        ("stacked", ["Idea stack of small kernels"], "arXiv:1409.1556"),
        ("grouped", ["Kind", "Idea grouped"], "1/g of the standard layer"),
        ("coverage", ["Quantity coverage"], "totals stand for"),
    ],
)
def test_a_word_of_a_report(word: str, titles: list[str], text: str) -> None:
    (explanation,) = api.explain(word).explanations
    assert [section.title for section in explanation.sections] == titles
    assert text in said(explanation)


def test_whatever_a_report_prints_is_explained() -> None:
    """Titles of the layers' columns, fields of the JSON, figures of other tools, rows of a comparison."""
    compared = api.compare("28x28x16 -(5x5x16x32 same)->", everything=True).comparisons[0].alternatives
    words = [BY_KEY[key].column.title for key in (*record.COUNTED[:-1], "memory")]
    words += record.Cost.__struct_fields__[:-1]
    words += [figure.convention for figure in api.count("6x6x2 -(3x3x2x4)->", explain_difference=1).models[0].figures]
    words += choice.names()
    for word in words:
        assert api.explain(word).explanations[0].sections, word
    told = " ".join(said(one) for one in api.explain(*concepts.ideas()).explanations).lower()
    assert all(way.summary.lower() in told for way in compared)


def test_nothing_lists_everything() -> None:
    text = said(api.explain().explanations[0])
    for word in ("C101", "T104", "Conv", "LSTM", "com.microsoft", "depthwise", "macs_effective", "fvcore", "low-rank"):
        assert re.search(rf"\b{word}\b", text)


@pytest.mark.parametrize("name", topics.kinds())
def test_every_word_of_a_report_is_explained_by_its_example(name: str) -> None:
    """The example, where there is one, is of that kind or has that trait."""
    assert topics.kind(name)
    if name in topics.EXAMPLES:
        layers = api.count(topics.EXAMPLES[name]).models[0].layers
        assert any(name == layer.kind or name in layer.traits for layer in layers)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.onnx")), ids=lambda path: path.stem)
def test_every_layer_of_the_sample_models(
    path: Path, all_true: Callable[[Report], int], true: Callable[[str], Fraction]
) -> None:
    story = api.explain(str(path))
    assert all_true(story)
    (model,) = story.models
    done: set[str] = set()
    for layer in model.layers:
        window = f"{layer.op} {layer.kind} {layer.attributes}"
        if window in done:
            continue
        done.add(window)
        report = api.explain(str(path), layer=layer.name)
        all_true(report)
        if layer.cost.macs:
            equations = [
                s.equation.text for part in report.explanations[0].sections for s in part.sentences if s.equation
            ]
            assert layer.cost.macs in {true(text) for text in equations}


def test_a_story_adds_up(true: Callable[[str], Fraction]) -> None:
    (explanation,) = api.explain(str(SAMPLES / "mobilenet_v1.onnx")).explanations
    (where,) = [part for part in explanation.sections if part.title.startswith("Where")]
    (together,) = [s.equation.text for s in where.sentences if s.text == "Together:" and s.equation]
    assert true(together) == 568_740_352


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="did you mean"):
        api.explain(str(SAMPLES / "lenet5.onnx"), layer="conv9")


def attention(path: Path) -> str:
    inputs = {"q": [1, 4, 7, 8], "k": [1, 4, 9, 8], "v": [1, 4, 9, 8]}
    graph = helper.make_graph(
        [helper.make_node("Attention", list(inputs), ["y"], name="att")],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info("y")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10), path)
    return str(path)


def test_a_rule_with_the_sizes_of_a_layer(tmp_path: Path) -> None:
    """Scores q·kᵀ take 4·7·9·8 products, and their sum over v as many."""
    (explanation,) = api.explain(attention(tmp_path / "a.onnx"), layer="att").explanations
    texts = [s.equation.text for part in explanation.sections for s in part.sentences if s.equation]
    assert "1·4·7·9·(8 + 8) = 4,032 MACs" in texts
    assert "H = 4" in said(explanation)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("B·H", 6),
        ("2·(B + H)·B", 20),
        ("(H - B)·|y|", 5),
        ("B·Q", None),
        ("B H", None),
        ("B·(H", None),
        ("", None),
        ("B·x", None),
    ],
)
def test_formulas(text: str, value: int | None) -> None:
    term = formula(text, {"B": 2, "H": 3, "|y|": 5})
    assert (None if term is None else value_of(term)) == value
    assert term is None or "B" not in text_of(term)


def hostile(path: Path, name: str) -> str:
    weight = numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], name=name)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, name, name])],
        [helper.make_empty_tensor_value_info("y")],
        [weight],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


NAMES = ["\x1b[31mred", "<script>alert(1)</script>", "a`b|c", "## x\n::error::", "\u202eevil", "=1+1"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("format", ["table", "markdown", "html", "json"])
def test_names_change_no_structure(name: str, format: str, tmp_path: Path) -> None:
    plain, bad = hostile(tmp_path / "m.onnx", "plain"), hostile(tmp_path / "n.onnx", name)
    for options in ({}, {"layer": ""}):
        lines = []
        for path, layer in ((plain, "plain"), (bad, name)):
            chosen = {"layer": layer} if options else {}
            drawn = render(api.explain(path, **chosen), format)
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", drawn)
            assert "<script>alert" not in drawn or format in ("json", "table")
            lines.append(drawn.count("\n"))
        assert lines[0] == lines[1]


def test_json_holds_typed_terms_and_comes_back() -> None:
    report = api.explain("12x12x3 -(5x5x3x256)->", "C101", "Conv")
    assert decode(encode(report)) == report
    equation = next(s.equation for s in report.explanations[0].sections[0].sentences if s.equation)
    factors = [(term.name, term.value) for term in equation.sides[0].of]
    assert factors == [("kernels", 256), ("channels", 3), ("kernel", 5), ("kernel", 5), ("places", 8), ("places", 8)]
    assert equation.sides[-1].value == 1_228_800


def test_markdown_and_html_show_the_equations() -> None:
    report = api.explain("12x12x3 -(5x5x3x256)->")
    assert "256·3·5·5·8·8 = 1,228,800 multiplications" in render(report, "markdown")
    assert "<code>256·3·5·5·8·8 = 1,228,800 multiplications</code>" in render(report, "html")
