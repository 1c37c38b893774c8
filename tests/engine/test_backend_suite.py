"""onnx's own backend test suite: every case that runs on the CPU, less those listed here, each with its reason.

The suite's outputs were computed by its authors, independently of this engine.
"""

from __future__ import annotations

import re
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the suite's own data set-up overflows on purpose
    import onnx.backend.test

    from convcost.engine import backend

    SUITE = onnx.backend.test.BackendTest(backend.NumpyBackend, __name__)

EXCLUDED = {
    r"test_bernoulli.*": "random: the expected numbers come from another generator",
    r"test_image_decoder.*": "decoding JPEG, PNG … needs an image library, which is no dependency",
    r"test_gradient_of.*": "Gradient differentiates a graph, which neither this engine nor onnx's reference does",
    r"test_if_opt_cpu": "the suite compares an optional sequence with a plain tensor; onnx's reference fails as well",
    r"test_loop16_seq_none_cpu": "the suite compares an optional sequence with a plain tensor; onnx's reference fails as well",
    r"test_(bvlc_alexnet|densenet121|inception_v1|inception_v2|resnet50|shufflenet|squeezenet|vgg19|zfnet512)_cpu": (
        "downloads weights; the same networks are compared with onnxruntime in test_models"
    ),
    r".*_cuda": "another device",
}

for pattern in EXCLUDED:
    SUITE.exclude(f"^{pattern}$")

KINDS = ("Node", "Simple", "PyTorchConverted", "PyTorchOperator")
for name, case in SUITE.test_cases.items():
    if any(kind in name for kind in KINDS):
        for method in [
            m for m in vars(case) if m.startswith("test_") and getattr(vars(case)[m], "__unittest_skip__", False)
        ]:
            delattr(case, method)
        globals()[name] = case


def test_exclusions_are_few_and_give_a_reason() -> None:
    assert all(reason for reason in EXCLUDED.values())
    assert all(re.compile(pattern) for pattern in EXCLUDED)
