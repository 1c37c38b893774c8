"""Reading loads two modules of the onnx package and leaves the rest alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from onnx import TensorProto, helper

PROGRAM = """
import sys
from convcost import api
report = api.count(sys.argv[1])
assert report.models[0].totals.macs == 6 * 5 * 7
assert "numpy" not in sys.modules, "numpy"
assert "onnx" not in sys.modules, "onnx"
from convcost.onnx_reader.library import messages, schemas
import onnx, onnx.checker, onnx.defs, onnx.reference
assert onnx.ModelProto is messages().ModelProto
assert onnx.defs.onnx_opset_version() == schemas().schema_version_map()[""][1]
onnx.checker.check_model(onnx.load(sys.argv[1]))
assert api.count(sys.argv[1]) == report
"""


def test_the_package_is_not_run_to_count_and_is_whole_when_it_is_imported_later(tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [6, 5])
    w = helper.make_tensor("w", TensorProto.FLOAT, [5, 7], [0.0] * 35)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [6, 7])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [w])
    path = tmp_path / "m.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
