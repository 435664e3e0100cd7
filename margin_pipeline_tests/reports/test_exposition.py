"""Metrics as text: the format that Prometheus reads. Not here: what is measured (test_operations)."""

from __future__ import annotations

import datetime as dt
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.reports.exposition import dagster_samples, exposition
from margin_pipeline.storage.dagster_state import Daemon, DagsterState, Ticker
from margin_pipeline.storage.operations import Sample

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
VALUE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\["\\n])*)"')


def gauge(name, value, **labels):
    return Sample(name, "gauge", "Help.", labels, value)


def read(text):
    """Read values back: (metric, labels) to number."""
    unescaped = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    found = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            name, labels, value = VALUE.fullmatch(line).groups()
            pairs = [(key, re.sub(r"\\.", lambda m: unescaped[m[0]], text)) for key, text in LABEL.findall(labels or "")]
            found[name, tuple(pairs)] = float(value)
    return found


def test_a_page_is_what_the_format_prescribes():
    histogram = [
        Sample("seconds", "histogram", "Took\nthat \\ long.", labels, value)
        for labels, value in [({"le": "1"}, 2), ({"le": "+Inf"}, 3), ({"part": "sum"}, 4.5), ({"part": "count"}, 3)]
    ]
    assert exposition([gauge("up", 1.0), *histogram]) == (
        "# HELP margin_pipeline_up Help.\n"
        "# TYPE margin_pipeline_up gauge\n"
        "margin_pipeline_up 1\n"
        "# HELP margin_pipeline_seconds Took\\nthat \\\\ long.\n"
        "# TYPE margin_pipeline_seconds histogram\n"
        'margin_pipeline_seconds_bucket{le="1"} 2\n'
        'margin_pipeline_seconds_bucket{le="+Inf"} 3\n'
        "margin_pipeline_seconds_sum 4.5\n"
        "margin_pipeline_seconds_count 3\n"
    )


@given(st.dictionaries(st.sampled_from(["a", "b", "portfolio"]), st.text(st.characters(exclude_categories=["Cs"])), max_size=3))
def test_any_label_can_be_read_back(labels):
    assert read(exposition([gauge("x", 0.25, **labels)])) == {("margin_pipeline_x", tuple(sorted(labels.items()))): 0.25}


@given(st.floats())
def test_any_number_can_be_read_back(value):
    (found,) = read(exposition([gauge("x", value)])).values()
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_lags_are_of_sensors_that_are_on_and_have_ticked():
    tickers = [
        Ticker("live_margins", "sensor", True, NOW - dt.timedelta(seconds=7), True, "no database"),
        Ticker("off", "sensor", False, NOW, False, None),
        Ticker("never", "sensor", True, None, None, None),
        Ticker("after_the_close", "schedule", True, NOW - dt.timedelta(days=1), False, None),
    ]
    state = DagsterState(None, [Daemon("SENSOR", NOW - dt.timedelta(seconds=3), None)], tickers)
    found = {(s.metric, *s.labels.values()): s.value for s in dagster_samples(state, NOW.timestamp())}
    assert found == {
        ("sensor_lag_seconds", "live_margins"): pytest.approx(7),
        ("sensor_failing", "live_margins"): 1.0,
        ("daemon_heartbeat_age_seconds", "SENSOR"): pytest.approx(3),
    }
    assert dagster_samples(DagsterState("not there"), NOW.timestamp()) == []
