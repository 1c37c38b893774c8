"""Folds the operator table over a graph: rows, totals, memory."""

from convcost.analysis.count import Counted, count, total_cost
from convcost.analysis.layers import outputs_of

__all__ = ["Counted", "count", "outputs_of", "total_cost"]
