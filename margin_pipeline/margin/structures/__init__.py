"""Structures of stock and options that margin rules know: what they are, where a book holds them, what they require.

Belongs here: the declared structures, their requirements, finding every place where one fits. Not here: choosing among them (grouping).
"""

from margin_pipeline.margin.structures.candidates import Candidates, find_candidates
from margin_pipeline.margin.structures.catalogue import COMPOSITES, SINGLES, STRUCTURES, UNIVERSAL_SPREAD, Leg, Structure
from margin_pipeline.margin.structures.leg_table import LegTable
from margin_pipeline.margin.structures.requirements import Amounts, requirement_of, single_amounts, universal_amounts, universal_loss

__all__ = [
    "COMPOSITES",
    "SINGLES",
    "STRUCTURES",
    "UNIVERSAL_SPREAD",
    "Amounts",
    "Candidates",
    "Leg",
    "LegTable",
    "Structure",
    "find_candidates",
    "requirement_of",
    "single_amounts",
    "universal_amounts",
    "universal_loss",
]
