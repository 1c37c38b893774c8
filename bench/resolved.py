"""How many tensors of real models have a shape: `python bench/resolved.py [--models FOLDER]`.

For each model of `expected.json`: tensors whose shape is known as numbers / all tensors, bodies included, with the
inputs' shapes given and, beside it, with the file alone (open dimensions count as known where they are formulas).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from convcost import onnx_reader
from convcost.ir import Expr, Graph, Tensor

MODELS = Path(__file__).resolve().parent.parent.parent / "shared" / "models"


def tensors(graph: Graph) -> Iterator[Tensor]:
    """Every tensor that a node makes, in the graph and in all bodies."""
    for node in graph.nodes:
        for name in node.outputs:
            if name:
                yield graph.tensors[name]
        for _, body in node.bodies:
            if body.resolved:
                yield from tensors(body)


def tally(graph: Graph) -> tuple[int, int, int, str]:
    """(known as numbers, known with symbols, all, the first reason why one is not known)."""
    numbers = formulas = total = 0
    why = ""
    for t in tensors(graph):
        total += 1
        if t.shape is None:
            why = why or t.reason
        elif any(isinstance(d, Expr) for d in t.shape):
            formulas += 1
        else:
            numbers += 1
    return numbers, formulas, total, why


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=MODELS)
    folder = parser.parse_args().models
    expected = json.loads((folder / "expected.json").read_text())["models"]
    print(f"{'model':26} {'inputs given':>14} {'file alone':>18}  what remains")
    for name, row in expected.items():
        texts = {i: "x".join(map(str, s)) if s else "scalar:16000" for i, s in row["inputs"].items()}
        given = dict(onnx_reader.parse_input_option(f"{i}={text}") for i, text in texts.items())
        path = str(folder / row["file"])
        numbers, _, total, why = tally(onnx_reader.read(path, inputs=given))
        alone, formulas, of, _ = tally(onnx_reader.read(path))
        print(f"{name:26} {f'{numbers}/{total}':>14} {f'{alone}+{formulas}f/{of}':>18}  {why}")


if __name__ == "__main__":
    main()
