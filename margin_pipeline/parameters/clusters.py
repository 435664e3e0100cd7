"""Settings of correlation clusters in force on a date, as a frozen record.

Belongs here: reading and checking clusters.yaml. Not here: clustering (`market.clusters`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force


@dataclass(frozen=True)
class ClusterSettings:
    """Settings of correlation clusters; meanings stand in clusters.yaml.

    Attributes
    ----------
    label : file and version.
    least_correlation : correlation at whose distance the tree is cut, in (-1, 1).
    most_symbols : risk factors that are clustered at most.
    """

    label: str
    least_correlation: float
    most_symbols: int

    def __post_init__(self) -> None:
        """Refuse settings that no clusters can be made with."""
        if not -1 < self.least_correlation < 1:
            raise ParameterError(f"{self.label}: least_correlation must lie between -1 and 1")
        if self.most_symbols < 2:
            raise ParameterError(f"{self.label}: most_symbols must be at least 2")


def cluster_settings(as_of: dt.date) -> ClusterSettings:
    """Settings of correlation clusters in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("clusters", as_of)
    return ClusterSettings(found.label, float(found.values["least_correlation"]), int(found.values["most_symbols"]))
