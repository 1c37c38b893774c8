"""Codes of the command line, and of sources given on it."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code

USAGE = (
    Code(
        "C000",
        "Something else went wrong: memory is short, or convcost itself has a mistake (internal error).",
        "Set CONVCOST_TRACEBACK=1 and run it again: the trace shows where, and belongs into a bug report.",
        "A model that does not fit into memory.",
    ),
    Code(
        "C001",
        "An option, an argument or a combination of them makes no sense.",
        "The message says what was expected, and offers the nearest word.",
        command="convcost count 12x12x3,k5,c256 --format tabel",
    ),
    Code(
        "C010",
        "The value of --dim or --input is not of the form that it takes.",
        "Write --dim NAME=NUMBER and --input NAME=SHAPE; a value for a scalar is sr=scalar:16000.",
        command="convcost count model.onnx --input x=1xthree",
    ),
    Code(
        "C011",
        "--dim or --input names something that the model does not have.",
        "The message lists the names that there are.",
        command="convcost count model.onnx --input nothing=1x1x28x28",
    ),
    Code(
        "C012",
        "--dim and --input give one dimension two sizes.",
        "Keep one of the two.",
        "--dim N=2 --input x=3x1x28x28 for a model whose input x has the shape Nx1x28x28.",
    ),
    Code(
        "C020",
        "A condition on layers cannot be read: --where takes comparisons with and, or, not and parentheses.",
        "The caret shows where; write it as in 'kernel>=3 and cin>=64'.",
        command="convcost whatif model.onnx --to depthwise-separable --where 'kernel>='",
    ),
    Code(
        "C030",
        "A list of shape strings, from a file or standard input, is longer than a mebibyte.",
        "Split the list.",
        "@list.txt with two million lines.",
    ),
    Code("C031", "A list holds no shape string, only comments or nothing.", "Give one string a line.", "@empty.txt"),
    Code(
        "C032",
        "The file behind an @ cannot be read: it is not there, is a folder, or may not be read.",
        "Check the name; @ stands before a file with one shape string a line.",
        command="convcost count @nothing.txt",
    ),
)
