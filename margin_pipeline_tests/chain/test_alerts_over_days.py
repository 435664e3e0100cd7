"""Alerts of the sample over its five days, and what older dates and repetitions do. Not here: the rules (decisions)."""

import pytest

from margin_pipeline import storage
from margin_pipeline.sample import SAMPLE_DATES, write_sample

DATES = [date.isoformat() for date in SAMPLE_DATES]
ALERTS = "select portfolio_id, kind, subject, threshold, episode, severity, as_of, cleared_as_of from margin.alerts order by alert_id"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.mark.slow
def test_alerts_are_raised_and_escalated_once_over_the_days(fresh_database, run_chain, sample):
    for date in DATES:
        run_chain(fresh_database, sample, date)
    alerts = storage.read_query(fresh_database, ALERTS)
    thresholds = alerts[alerts["kind"] == "utilization"].groupby("portfolio_id")["threshold"].agg(sorted)
    assert any(found[:2] == [0.8, 0.9] for found in thresholds)
    assert not alerts.duplicated(["portfolio_id", "kind", "subject", "threshold", "episode"]).any()
    run_chain(fresh_database, sample, DATES[-1])
    assert storage.read_query(fresh_database, ALERTS).equals(alerts)


def test_dates_before_the_newest_published_one_change_no_alert(fresh_database, run_chain, sample):
    run_chain(fresh_database, sample, DATES[1])
    alerts = storage.read_query(fresh_database, ALERTS)
    run_chain(fresh_database, sample, DATES[0])
    assert storage.read_query(fresh_database, ALERTS).equals(alerts)
