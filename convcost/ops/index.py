"""Which file holds which operator: one literal, so that only the families in use are loaded."""

from __future__ import annotations

FAMILIES: dict[str, tuple[str, ...]] = {
    "conv": (
        "Conv",
        "ConvTranspose",
    ),
    "pool": (
        "MaxPool",
        "AveragePool",
        "LpPool",
        "MaxUnpool",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "GlobalLpPool",
        "com.microsoft:NhwcMaxPool",
        "com.microsoft:MaxpoolWithMask",
        "com.microsoft:QLinearAveragePool",
        "com.microsoft:QLinearGlobalAveragePool",
        "com.microsoft.nchwc:MaxPool",
        "com.microsoft.nchwc:AveragePool",
        "com.microsoft.nchwc:GlobalAveragePool",
        "com.microsoft.nchwc:GlobalMaxPool",
    ),
    "norm": (
        "BatchNormalization",
        "InstanceNormalization",
        "LayerNormalization",
        "RMSNormalization",
        "GroupNormalization",
        "LRN",
        "MeanVarianceNormalization",
        "LpNormalization",
    ),
    "softmax": (
        "Softmax",
        "LogSoftmax",
        "Hardmax",
        "NegativeLogLikelihoodLoss",
        "SoftmaxCrossEntropyLoss",
    ),
    "matmul": (
        "MatMul",
        "Gemm",
        "MatMulInteger",
        "QLinearMatMul",
        "com.microsoft:FusedMatMul",
        "com.microsoft:TransposeMatMul",
        "com.microsoft:FusedMatMulActivation",
        "com.microsoft:FusedGemm",
        "com.microsoft:MatMulNBits",
        "com.microsoft:MatMulBnb4",
    ),
}
"""Operators by family (a module of `convcost.ops`). `domain:Name` for operators outside of the ONNX domain."""

ALIASES = {"ai.onnx": ""}
"""Other spellings of a domain."""
