"""The report as types: the JSON report, its schema, and every other output are made from these records.

Counts are exact integers; None (`null`) means not known, 0 means known to be zero. Times are nanoseconds, sizes bytes.
Struct field order is the order of the JSON keys.
"""

from convcost.record.comparisons import Alternative, Comparison, Ratio, Skipped
from convcost.record.cost import COUNTED, FIELDS, Cost, Record
from convcost.record.diffs import Change, CoverageDiff, Delta, Diff, LayerDiff, Rename, Side
from convcost.record.explanations import CELLS, Drawing, DrawnRow, Equation, Explanation, Section, Sentence, Term
from convcost.record.files import Written
from convcost.record.fleet import Fleet, FleetEntry
from convcost.record.layers import AlgorithmCost, AxisField, Layer, LayerTiming, ReceptiveField, Share
from convcost.record.models import Coverage, Figure, Model, ModelTiming, Output, UnknownNode, Verification
from convcost.record.reports import (
    CONVENTION,
    SCHEMA_VERSION,
    Check,
    CheckedLayer,
    Diagnostic,
    Environment,
    Location,
    Report,
    Tool,
    decode,
    encode,
)
from convcost.record.rewrites import CostRatio, IdeaTotal, Replaced, Rewrite, Saving
from convcost.record.separations import RankCost, Separation, Separations, Split, SplitModel, Unfolding

__all__ = [
    "CELLS",
    "CONVENTION",
    "COUNTED",
    "FIELDS",
    "SCHEMA_VERSION",
    "AlgorithmCost",
    "Alternative",
    "AxisField",
    "Change",
    "Check",
    "CheckedLayer",
    "Comparison",
    "Cost",
    "CostRatio",
    "Coverage",
    "CoverageDiff",
    "Delta",
    "Diagnostic",
    "Diff",
    "Drawing",
    "DrawnRow",
    "Environment",
    "Equation",
    "Explanation",
    "Figure",
    "Fleet",
    "FleetEntry",
    "IdeaTotal",
    "Layer",
    "LayerDiff",
    "LayerTiming",
    "Location",
    "Model",
    "ModelTiming",
    "Output",
    "RankCost",
    "Ratio",
    "ReceptiveField",
    "Record",
    "Rename",
    "Replaced",
    "Report",
    "Rewrite",
    "Saving",
    "Section",
    "Sentence",
    "Separation",
    "Separations",
    "Share",
    "Side",
    "Skipped",
    "Split",
    "SplitModel",
    "Term",
    "Tool",
    "Unfolding",
    "UnknownNode",
    "Verification",
    "Written",
    "decode",
    "encode",
]
