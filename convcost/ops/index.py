"""Which file holds which operator: one literal, so that only the families in use are loaded."""

from __future__ import annotations

# fmt: off
FAMILIES: dict[str, tuple[str, ...]] = {
    "elementwise": (
        "Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Sqrt", "Reciprocal", "Not", "BitwiseNot", "IsNaN",
        "Exp", "Log", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh",
        "Erf", "Add", "Sub", "Mul", "Div", "Pow", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
        "And", "Or", "Xor", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Sum", "Mean", "Max",
        "Min", "Where", "Clip", "IsInf",
    ),
    "activation": (
        "Relu", "LeakyRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish",
        "Swish", "Mish", "Softplus", "Softsign", "Tanh", "Shrink", "Gelu", "PRelu", "SwiGLU",
    ),
    "cast": ("Cast", "CastLike", "BitCast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
    "constant": (
        "Constant", "ConstantOfShape", "Range", "EyeLike", "HannWindow", "HammingWindow", "BlackmanWindow",
        "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial",
    ),
    "shape": ("Shape", "Size", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"),
    "move": ("Transpose", "Concat", "Split"),
    "rearrange": ("DepthToSpace", "SpaceToDepth", "ReverseSequence", "Trilu", "Col2Im"),
    "gather": ("Gather", "GatherElements", "GatherND", "Scatter", "ScatterElements", "ScatterND", "TensorScatter"),
    "sequence": (
        "SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase", "SequenceAt", "SequenceLength",
        "SplitToSequence", "ConcatFromSequence", "Optional", "OptionalHasElement", "OptionalGetElement",
    ),
    "strings": ("StringConcat", "StringSplit", "StringNormalizer", "RegexFullMatch", "TfIdfVectorizer"),
    "optimizer": (
        "ai.onnx.preview.training:Adagrad", "ai.onnx.preview.training:Adam",
        "ai.onnx.preview.training:Momentum", "ai.onnx.preview.training:Gradient",
    ),
    "qonnx": (
        "onnx.brevitas:Quant", "onnx.brevitas:IntQuant", "onnx.brevitas:BipolarQuant", "onnx.brevitas:Trunc",
        "onnx.brevitas:MultiThreshold", "qonnx.custom_op.general:Quant", "qonnx.custom_op.general:IntQuant",
        "qonnx.custom_op.general:BipolarQuant", "qonnx.custom_op.general:Trunc",
        "qonnx.custom_op.general:MultiThreshold", "finn.custom_op.general:Quant",
        "finn.custom_op.general:IntQuant", "finn.custom_op.general:BipolarQuant",
        "finn.custom_op.general:Trunc", "finn.custom_op.general:MultiThreshold",
    ),
    "classical": (
        "ai.onnx.ml:LinearClassifier", "ai.onnx.ml:LinearRegressor", "ai.onnx.ml:SVMClassifier",
        "ai.onnx.ml:SVMRegressor", "ai.onnx.ml:TreeEnsemble", "ai.onnx.ml:TreeEnsembleClassifier",
        "ai.onnx.ml:TreeEnsembleRegressor",
    ),
    "features": (
        "ai.onnx.ml:Scaler", "ai.onnx.ml:Imputer", "ai.onnx.ml:Binarizer", "ai.onnx.ml:Normalizer",
        "ai.onnx.ml:CategoryMapper", "ai.onnx.ml:LabelEncoder", "ai.onnx.ml:OneHotEncoder",
        "ai.onnx.ml:ArrayFeatureExtractor", "ai.onnx.ml:FeatureVectorizer", "ai.onnx.ml:DictVectorizer",
        "ai.onnx.ml:CastMap", "ai.onnx.ml:ZipMap",
    ),
    "slice": ("Slice", "Pad", "CenterCropPad"),
    "select": ("Compress", "NonZero", "Unique", "OneHot", "TopK"),
    "repeat": ("Expand", "Tile"),
    "conv": ("Conv", "ConvTranspose"),
    "conv_variants": (
        "ConvInteger", "QLinearConv", "DeformConv", "com.microsoft:FusedConv", "com.microsoft:NhwcConv",
        "com.microsoft:NhwcFusedConv", "com.microsoft:QLinearConv",
        "com.microsoft:ConvTransposeWithDynamicPads",
    ),
    "pool": (
        "MaxPool", "AveragePool", "LpPool", "MaxUnpool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool",
        "com.microsoft:NhwcMaxPool", "com.microsoft:MaxpoolWithMask", "com.microsoft:QLinearAveragePool",
        "com.microsoft:QLinearGlobalAveragePool", "com.microsoft.nchwc:MaxPool",
        "com.microsoft.nchwc:AveragePool", "com.microsoft.nchwc:GlobalAveragePool",
        "com.microsoft.nchwc:GlobalMaxPool",
    ),
    "norm": (
        "BatchNormalization", "InstanceNormalization", "LayerNormalization", "RMSNormalization",
        "GroupNormalization", "LRN", "MeanVarianceNormalization", "LpNormalization",
    ),
    "norm_fused": (
        "SimplifiedLayerNormalization", "com.microsoft:SkipLayerNormalization",
        "com.microsoft:SkipSimplifiedLayerNormalization", "com.microsoft:EmbedLayerNormalization",
        "com.microsoft:GroupNorm", "com.microsoft:SkipGroupNorm",
    ),
    "softmax": ("Softmax", "LogSoftmax", "Hardmax", "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"),
    "matmul": (
        "MatMul", "Gemm", "MatMulInteger", "QLinearMatMul", "com.microsoft:FusedMatMul",
        "com.microsoft:TransposeMatMul", "com.microsoft:FusedMatMulActivation", "com.microsoft:FusedGemm",
        "com.microsoft:MatMulNBits", "com.microsoft:MatMulBnb4",
    ),
    "matmul_packed": (
        "com.microsoft:QGemm", "com.microsoft:DynamicQuantizeMatMul", "com.microsoft:MatMulIntegerToFloat",
        "com.microsoft:MatMulInteger16", "com.microsoft:GemmFastGelu", "com.microsoft:GemmFloat8",
        "com.microsoft:QOrderedMatMul", "com.microsoft:MatMulFpQ4", "Det",
    ),
    "einsum": ("Einsum",),
    "recurrent": ("RNN", "GRU", "LSTM", "com.microsoft:DynamicQuantizeLSTM"),
    "attention": ("Attention", "RotaryEmbedding", "LinearAttention", "ai.onnx.preview:FlexAttention"),
    "attention_fused": (
        "com.microsoft:Attention", "com.microsoft:QAttention", "com.microsoft:MultiHeadAttention",
        "com.microsoft:GroupQueryAttention", "com.microsoft:RotaryEmbedding",
    ),
    "activation_fused": (
        "com.microsoft:Gelu", "com.microsoft:BiasGelu", "com.microsoft:FastGelu", "com.microsoft:QuickGelu",
        "com.microsoft:BiasSplitGelu", "com.microsoft:BiasAdd", "com.microsoft:BiasSoftmax",
        "com.microsoft:ComplexMul", "com.microsoft:ComplexMulConj",
    ),
    "quantized": (
        "com.microsoft:QLinearAdd", "com.microsoft:QLinearMul", "com.microsoft:QLinearSigmoid",
        "com.microsoft:QLinearLeakyRelu", "com.microsoft:QLinearSoftmax", "com.microsoft:QLinearReduceMean",
        "com.microsoft:ReduceSumInteger", "com.microsoft:QLinearConcat", "com.microsoft:QLinearWhere",
    ),
    "reduce": (
        "ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
        "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp", "ArgMax", "ArgMin", "CumSum", "CumProd",
    ),
    "image": ("Resize", "Upsample", "GridSample", "AffineGrid", "ImageDecoder", "com.microsoft:GridSample"),
    "signal": ("DFT", "STFT", "MelWeightMatrix"),
    "detection": ("MaxRoiPool", "RoiAlign", "com.microsoft:CropAndResize", "NonMaxSuppression"),
    "stateful": ("CausalConvWithState", "com.microsoft:CausalConvWithState"),
    "control": ("If", "Loop", "Scan", "SequenceMap"),
    "experts": ("com.microsoft:MoE",),
    "contrib": (
        "com.microsoft:QuantizeLinear", "com.microsoft:DequantizeLinear", "com.microsoft:GatherND",
        "com.microsoft:Pad", "com.microsoft:Trilu", "com.microsoft:GatherBlockQuantized",
        "com.microsoft.nchwc:Conv", "com.microsoft.nchwc:ReorderInput", "com.microsoft.nchwc:ReorderOutput",
        "com.microsoft.nchwc:Upsample",
    ),
}
# fmt: on
"""Operators by family (a module of `convcost.ops`). `domain:Name` for operators outside of the ONNX domain."""

ALIASES = {"ai.onnx": ""}
"""Other spellings of a domain."""
