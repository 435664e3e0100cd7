"""Dated rule data: rates, percentages, thresholds and schedules as files, with source and version.

Belongs here: the files, their one reader, frozen records of their values. Not here: computing with them.
"""

from margin_pipeline.parameters.reader import ParameterError, ParameterSet, in_force

__all__ = ["ParameterError", "ParameterSet", "in_force"]
