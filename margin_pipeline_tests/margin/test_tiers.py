"""Margin schedules: the published one, then both readings against sums over slices."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.tiers import build_schedule, schedules_in_force

PUBLISHED = (np.array([0.0, 100_000, 500_000, 1_000_000]), np.array([0.01, 0.02, 0.05, 0.10]))
DAY = dt.date(2020, 1, 2)


def schedule(mode, threshold, rate):
    return build_schedule("S", mode, "USD", DAY, threshold, rate, rate / 2)


@pytest.mark.parametrize(
    ("mode", "notional", "margin"),
    [
        ("marginal", 750_000, 21_500),
        ("bracket", 750_000, 37_500),
        ("bracket", 99_999, 999.99),
        ("bracket", 100_000, 2_000),
        ("marginal", 100_000, 1_000),
        ("marginal", 0, 0),
        ("bracket", 2e6, 200_000),
        ("marginal", 2e6, 134_000),
    ],
)
def test_published_schedule_by_slices_and_by_bracket(mode, notional, margin):
    initial, maintenance = schedule(mode, *PUBLISHED).margin(np.array([float(notional)]))
    assert initial[0] == pytest.approx(margin)
    assert maintenance[0] == pytest.approx(margin / 2)


tiers = st.lists(st.tuples(st.floats(1, 1e7), st.floats(0, 1)), max_size=6, unique_by=lambda t: t[0])


@settings(max_examples=80)
@given(tiers, st.floats(0, 1), st.floats(0, 2e7))
def test_marginal_reading_is_the_sum_of_its_slices_in_any_order_of_tiers(more, first_rate, notional):
    rows = sorted([(0.0, first_rate), *more])
    ends = [t for t, _ in rows[1:]] + [np.inf]
    slices = sum(rate * max(min(notional, end) - start, 0.0) for (start, rate), end in zip(rows, ends, strict=True))
    shuffled = schedule("marginal", *(np.array(column) for column in zip(*reversed(rows), strict=True)))
    assert shuffled.margin(np.array([notional]))[0][0] == pytest.approx(slices, abs=1e-6 * max(notional, 1))


@settings(max_examples=40)
@given(tiers, st.floats(0, 2e7), st.floats(1, 2))
def test_marginal_margin_never_falls_when_notional_grows(more, notional, growth):
    rows = sorted([(0.0, 0.01), *more])
    found = schedule("marginal", *(np.array(c) for c in zip(*rows, strict=True))).margin(np.array([notional, notional * growth]))[0]
    assert found[1] >= found[0] - 1e-6


def test_notional_below_the_first_tier_has_no_margin_rather_than_the_lowest_rate():
    for mode in ("bracket", "marginal"):
        initial, maintenance = schedule(mode, np.array([1_000.0]), np.array([0.1])).margin(np.array([999.0]))
        assert np.isnan(initial[0])
        assert np.isnan(maintenance[0])


def test_schedule_in_force_is_the_newest_whole_and_a_contradictory_one_is_none():
    rows = [
        ("S", "bracket", 0, 0.1, 0.05, "USD", "2020-01-02"),
        ("S", "bracket", 10, 0.2, 0.10, "USD", "2020-01-02"),
        ("S", "marginal", 0, 0.3, 0.15, "USD", "2022-01-03"),
        ("S", "marginal", 0, 0.9, 0.9, "USD", "2023-01-03"),
        ("T", "marginal", 0, 0.3, 0.15, "USD", "2022-01-03"),
        ("T", "bracket", 5, 0.3, 0.15, "USD", "2022-01-03"),
    ]
    frame = pd.DataFrame(rows, columns=["schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"])
    found = schedules_in_force(frame, dt.date(2022, 12, 28))
    assert list(found) == ["S"]
    assert (found["S"].mode, found["S"].initial_rate.tolist()) == ("marginal", [0.3])
    assert schedules_in_force(frame, dt.date(2021, 1, 4))["S"].initial_rate.tolist() == [0.1, 0.2]
    with pytest.raises(ValueError, match="different thresholds"):
        schedule("bracket", np.array([0.0, 0.0]), np.array([0.1, 0.2]))
