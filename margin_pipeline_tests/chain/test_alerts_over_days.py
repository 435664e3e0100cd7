"""Alerts of the sample over its five days, and what older dates and repetitions do. Not here: the rules (decisions)."""

import pytest

from margin_pipeline import storage
from margin_pipeline.sample import SAMPLE_DATES

pytestmark = pytest.mark.slow

DATES = [date.isoformat() for date in SAMPLE_DATES]
ALERTS = "select portfolio_id, kind, subject, threshold, episode, severity, as_of, cleared_as_of from margin.alerts order by alert_id"


def test_alerts_are_raised_and_escalated_once_over_the_days(published_sample, run_chain, sample_folder):
    urls = published_sample(*DATES)
    alerts = storage.read_query(urls, ALERTS)
    thresholds = alerts[alerts["kind"] == "utilization"].groupby("portfolio_id")["threshold"].agg(sorted)
    assert any(found[:2] == [0.8, 0.9] for found in thresholds)
    assert not alerts.duplicated(["portfolio_id", "kind", "subject", "threshold", "episode"]).any()
    run_chain(urls, sample_folder, DATES[-1])
    assert storage.read_query(urls, ALERTS).equals(alerts)


def test_dates_before_the_newest_published_one_change_no_alert(published_sample, run_chain, sample_folder):
    urls = published_sample(*DATES[:2])
    alerts = storage.read_query(urls, ALERTS)
    run_chain(urls, sample_folder, DATES[0])
    assert storage.read_query(urls, ALERTS).equals(alerts)
