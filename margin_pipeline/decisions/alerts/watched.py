"""All kinds of alerts besides margin, from the published tables of a date.

Belongs here: which figures are watched. Not here: their conditions (`book`, `results`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from margin_pipeline.decisions.alerts.book import concentration, stale_marks
from margin_pipeline.decisions.alerts.judgement import Judgement
from margin_pipeline.decisions.alerts.results import broken_limits, failed_stress, likely_breaches
from margin_pipeline.parameters.alerts import alert_rules


@dataclass(frozen=True)
class Watched:
    """Frames of the published tables of these names; None: not published, so not judged."""

    portfolios: pd.DataFrame
    positions: pd.DataFrame
    position_greeks: pd.DataFrame
    stress_results: pd.DataFrame | None = None
    regulatory_lines: pd.DataFrame | None = None
    margin_forecasts: pd.DataFrame | None = None


def judgements(watched: Watched, as_of: dt.date) -> list[Judgement]:
    """Judgements on every kind that the tables show, ordered by kind and portfolio."""
    rules = alert_rules(as_of)
    found = [
        *concentration(watched.positions, watched.position_greeks, watched.portfolios, rules, as_of),
        *stale_marks(watched.positions, watched.portfolios, rules, as_of),
    ]
    if watched.stress_results is not None:
        found += failed_stress(watched.stress_results, as_of)
    if watched.regulatory_lines is not None:
        found += broken_limits(watched.regulatory_lines, watched.portfolios, as_of)
    if watched.margin_forecasts is not None:
        found += likely_breaches(watched.margin_forecasts, rules)
    return found
