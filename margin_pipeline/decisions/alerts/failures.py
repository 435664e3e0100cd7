"""Alerts about runs that failed: a blocking check that did not pass, or a step that broke.

Belongs here: their conditions. Not here: noticing a failed run (`orchestration.sensors`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from margin_pipeline.decisions.alerts.evaluation import compare
from margin_pipeline.decisions.alerts.judgement import EVERY_PORTFOLIO, Condition, Judgement, always

FAILED_CHECK = "failed_check"


def failed_checks(
    open_alerts: pd.DataFrame, last_episodes: pd.DataFrame, failed: Sequence[str], message: str, as_of: dt.date
) -> pd.DataFrame:
    """Alerts to raise for the failed checks of a run of a date, one a check; what stands already is not raised again.

    Parameters
    ----------
    open_alerts, last_episodes : as `evaluate` takes them.
    failed : names of checks (`table/check`) or steps.
    message : why, on one line.
    as_of : date that the run was of.

    Returns
    -------
    Frame as `AlertChanges.raised`. They end when the date, or a later one, is published.
    """
    text = f"{as_of} is not published: {{}} failed: {message}"
    conditions = tuple(Condition(0.0, "critical", None, text.format(name), name) for name in sorted(set(failed)))
    judgement = Judgement(EVERY_PORTFOLIO, FAILED_CHECK, conditions, always(False))
    return compare([judgement], open_alerts, last_episodes, as_of, None).raised
