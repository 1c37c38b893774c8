"""Real models against counts that were taken while onnxruntime ran them.

`expected.json` has the MACs of each node from the shapes that came out, the parameters and the output shapes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convcost import analysis, onnx_reader

MODELS = [
    "mnist_cntk",
    "light_bvlc_alexnet",
    "light_densenet121",
    "light_inception_v1",
    "light_inception_v2",
    "light_resnet50",
    "light_shufflenet",
    "light_squeezenet",
    "light_vgg19",
    "light_zfnet512",
    "mtcnn_pnet",
    "blazeface_front128",
    "mtcnn_onet",
    "resblock_toy",
    "espcn_nnresize_f32",
    "espcn_subpixel_f32",
    "espcn_nnresize_brevitas",
    "espcn_subpixel_brevitas",
    "ppocr6_det_tiny",
    "ppocr6_rec_tiny",
    "ort_logreg_iris",
    "sdp_attention",
    "silero_16k_seq",
    "silero_vad",
    "silero_16k_op15",
    "dnsmos_sig_bak_ovr",
    "dnsmos_p808",
    "aecmos_gru",
    "plcmos_gru",
    "tashkeel_rawi_v3_int8",
    "g2pid_bert_tf",
    "d_blazeface_ortfused",
    "d_g2pid_ortfused",
    "d_resblock_qdq_int8",
    "d_dnsmos_qop_int8",
    "d_extdata_pertensor/model",
    "d_extdata_onefile_onet",
    "d_onet_fp16",
    "d_silero_seq_fp16",
    "d_g2pid_int4",
    "d_sdp_localfunc",
]

Expected = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def expected(corpus: Path) -> Expected:
    models: Expected = json.loads((corpus / "models" / "expected.json").read_text())["models"]
    return models


def counted(corpus: Path, row: dict[str, Any]) -> tuple[onnx_reader.ModelFile, analysis.Counted]:
    texts = {name: "x".join(map(str, shape)) if shape else "scalar:16000" for name, shape in row["inputs"].items()}
    inputs = dict(onnx_reader.parse_input_option(f"{name}={text}") for name, text in texts.items())
    file = onnx_reader.read_file(str(corpus / "models" / row["file"]), inputs=inputs)
    return file, analysis.count(file.graph)


@pytest.mark.corpus
def test_every_model_has_a_row(expected: Expected) -> None:
    assert sorted(expected) == sorted(MODELS)


@pytest.mark.corpus
@pytest.mark.parametrize("name", MODELS)
def test_macs_by_node_and_parameters(corpus: Path, expected: Expected, name: str) -> None:
    row = expected[name]
    file, found = counted(corpus, row)
    totals = analysis.total_cost(file.graph, found)
    if row["macs_by_node"] is not None:
        prefix = {layer.name: f"{layer.domain}:" if layer.domain else "" for layer in found.layers}
        mine = [
            [layer.name, prefix[layer.name] + layer.op, layer.cost.macs] for layer in found.layers if layer.cost.macs
        ]
        assert mine == row["macs_by_node"]
        assert totals.macs == row["macs_total"]
    assert totals.params == row["params"]
    assert found.coverage.complete


@pytest.mark.corpus
@pytest.mark.parametrize("name", MODELS)
def test_output_shapes_are_those_that_came_out(corpus: Path, expected: Expected, name: str) -> None:
    file, _ = counted(corpus, expected[name])
    for output in analysis.outputs_of(file.graph):
        seen = expected[name]["outputs"].get(output.name)
        if seen is not None and seen["shape"] is not None:
            assert output.shape == seen["shape"]


@pytest.mark.corpus
@pytest.mark.parametrize("name", [m for m in MODELS if m.startswith("light_")])
def test_batch_normalisation_statistics_are_buffers(corpus: Path, expected: Expected, name: str) -> None:
    _, found = counted(corpus, expected[name])
    norms = [layer.cost.buffers or 0 for layer in found.layers if layer.op == "BatchNormalization"]
    assert sum(norms) == expected[name]["buffers_bn_mean_var"]


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["light_squeezenet", "silero_vad", "d_sdp_localfunc", "g2pid_bert_tf"])
def test_columns_add_up_to_the_total(corpus: Path, expected: Expected, name: str) -> None:
    file, found = counted(corpus, expected[name])
    totals = analysis.total_cost(file.graph, found)
    for quantity in (
        "macs",
        "multiplications",
        "additions",
        "flops",
        "params",
        "buffers",
        "weight_bytes",
        "write_bytes",
    ):
        assert sum(getattr(layer.cost, quantity) or 0 for layer in found.layers) == getattr(totals, quantity)
