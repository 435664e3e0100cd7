"""Settings of scenario margin of futures in force on a date, as a frozen record.

Belongs here: reading and checking span.yaml. Not here: the exchange's terms (`span_parameters`), computing margin (`margin.span`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force

COUNTS = ("both", "greater")


@dataclass(frozen=True)
class SpanSettings:
    """Settings in force on one date; meanings stand in span.yaml.

    Attributes
    ----------
    label : file and version.
    initial_to_maintenance : initial over maintenance margin, >= 1.
    extreme_multiple : extreme move, price scan ranges.
    extreme_fraction : part of its loss that counts, fraction.
    short_option_count : "both" or "greater".
    delta_weights : four weights that add up to 1 when those but the first count twice.
    asset_classes : what falls under scenario margin.
    """

    label: str
    initial_to_maintenance: float
    extreme_multiple: float
    extreme_fraction: float
    short_option_count: str
    delta_weights: tuple[float, float, float, float]
    asset_classes: frozenset[str]

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        if self.initial_to_maintenance < 1 or self.extreme_multiple <= 0 or not 0 < self.extreme_fraction <= 1:
            raise ParameterError(f"{self.label}: the ratio must be at least 1, the multiple above 0, the fraction in (0, 1]")
        if self.short_option_count not in COUNTS:
            raise ParameterError(f"{self.label}: short_option_count is none of {', '.join(COUNTS)}")


def span_settings(as_of: dt.date) -> SpanSettings:
    """Settings of scenario margin in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("span", as_of)
    v = found.values
    first, third, two_thirds, full = (float(weight) for weight in v["delta_weights"])
    total = first + 2 * (third + two_thirds + full)
    return SpanSettings(
        label=found.label,
        initial_to_maintenance=float(v["initial_to_maintenance"]),
        extreme_multiple=float(v["extreme_multiple"]),
        extreme_fraction=float(v["extreme_fraction"]),
        short_option_count=str(v["short_option_count"]),
        delta_weights=(first / total, third / total, two_thirds / total, full / total),
        asset_classes=frozenset(v["asset_classes"]),
    )
