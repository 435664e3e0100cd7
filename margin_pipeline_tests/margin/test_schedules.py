"""Margin schedules tier by tier: cliffs, cumulative amounts, and both readings of every position."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.schedules import POSITION_COLUMNS, TIER_COLUMNS, schedule_positions, schedule_tiers
from margin_pipeline.margin.tiers import build_schedule

AS_OF = dt.date(2022, 12, 28)
PUBLISHED = ((0.0, 0.01), (100_000.0, 0.02), (500_000.0, 0.05), (1_000_000.0, 0.10))
SCHEDULE_COLUMNS = ["schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"]


def schedules(mode="bracket", tiers=PUBLISHED, currency="USD", name="S"):
    rows = [(name, mode, t, r, r / 2, currency, pd.Timestamp("2020-01-02")) for t, r in tiers]
    return pd.DataFrame(rows, columns=SCHEDULE_COLUMNS)


def rates(**usd):
    return pd.DataFrame({"date": pd.to_datetime([AS_OF] * len(usd)), "currency": list(usd), "usd_rate": list(usd.values())})


def placed(notionals, margin_schedules, *, fx_rate=1.0, currency="USD", usd=None, missing=None):
    """Positions of these notionals (base currency), each in a symbol of its own, under schedule `S`."""
    symbols = [f"X{n}" for n in range(len(notionals))]
    key = {"portfolio_id": "P", "strategy": "s", "symbol": symbols}
    positions = pd.DataFrame({**key, "notional": notionals, "currency": currency, "fx_rate": fx_rate})
    margins = pd.DataFrame({**key, "model": "tiered", "missing": pd.Series([missing] * len(symbols), dtype="str")})
    instruments = pd.DataFrame({"symbol": symbols, "margin_schedule": "S"})
    found = schedule_positions(positions, instruments, margins, margin_schedules, rates(**(usd or {})), AS_OF)
    assert list(found.columns) == POSITION_COLUMNS
    return found.set_index("symbol")


def test_published_position_is_shown_in_both_readings():
    row = placed([-750_000.0], schedules("bracket")).loc["X0"]
    assert (row["bracket_initial"], row["marginal_initial"]) == (37_500, 21_500)
    assert (row["bracket_maintenance"], row["marginal_maintenance"]) == (18_750, 10_750)
    assert (row["threshold"], row["next_threshold"], row["distance_to_next"]) == (500_000, 1_000_000, 250_000)
    assert row["move_to_next"] == pytest.approx(1 / 3)
    assert row["jump_at_next"] == pytest.approx(1_000_000 * (0.05 - 0.025))


def test_marginal_margin_of_the_published_tiers_is_rate_times_notional_less_the_cumulative_amount():
    found = schedule_tiers(schedules("marginal"), AS_OF)
    assert list(found.columns) == TIER_COLUMNS
    assert found["initial_amount"].tolist() == pytest.approx([0, 1_000, 16_000, 66_000])
    assert 0.05 * 750_000 - found["initial_amount"][2] == pytest.approx(21_500)
    assert found["maintenance_jump"].tolist()[1:] == [0, 0, 0]


def test_cliffs_of_the_published_tiers_read_as_brackets():
    found = schedule_tiers(schedules("bracket"), AS_OF).set_index("threshold")
    assert found["initial_below"].tolist()[1:] == pytest.approx([1_000, 10_000, 50_000])
    assert found["initial_at"].tolist() == pytest.approx([0, 2_000, 25_000, 100_000])
    assert found["initial_jump"].tolist()[1:] == pytest.approx([1_000, 15_000, 50_000])
    assert found.iloc[0][["initial_below", "initial_jump"]].isna().all()
    assert found["next_threshold"].tolist()[:-1] == [100_000, 500_000, 1_000_000]


TIERS = st.lists(st.tuples(st.floats(1, 1e7), st.floats(0, 1)), max_size=5, unique_by=lambda t: t[0])


@settings(max_examples=60)
@given(TIERS, st.floats(0, 1), st.sampled_from(["bracket", "marginal"]))
def test_margin_just_below_and_at_each_threshold_is_what_the_schedule_asks_there(more, first, mode):
    tiers = sorted([(0.0, first), *more])
    found = schedule_tiers(schedules(mode, tiers), AS_OF)
    threshold, rate = (np.array(column) for column in zip(*tiers, strict=True))
    schedule = build_schedule("S", mode, "USD", AS_OF, threshold, rate, rate / 2)
    at, below = (schedule.margin(x)[1] for x in (threshold, np.nextafter(threshold, -np.inf)))
    assert found["maintenance_at"].to_numpy() == pytest.approx(at, rel=1e-9, abs=1e-6)
    assert found["maintenance_below"].to_numpy()[1:] == pytest.approx(below[1:], rel=1e-9, abs=1e-6)
    assert found["maintenance_jump"].to_numpy()[1:] == pytest.approx((at - below)[1:], rel=1e-9, abs=1e-5)


@settings(max_examples=60)
@given(TIERS, st.floats(0, 1), st.lists(st.floats(0, 2e7), min_size=1, max_size=4))
def test_both_readings_meet_in_the_cumulative_amount(more, first, notionals):
    tiers = sorted([(0.0, first), *more])
    rows = placed(notionals, schedules("marginal", tiers))
    amounts = schedule_tiers(schedules("marginal", tiers), AS_OF).set_index("threshold")["initial_amount"]
    met = rows["marginal_initial"].to_numpy() + amounts.reindex(rows["threshold"]).to_numpy()
    assert met == pytest.approx(rows["bracket_initial"].to_numpy(), rel=1e-9, abs=1e-6)


def test_thresholds_are_in_schedule_currency_and_margins_in_base_currency():
    row = placed([150_000.0], schedules("bracket", currency="EUR"), fx_rate=1.0, usd={"EUR": 1.25}).loc["X0"]
    assert (row["notional"], row["threshold"], row["currency"]) == (120_000, 100_000, "EUR")
    assert row["bracket_initial"] == pytest.approx(0.02 * 150_000)
    assert row["jump_at_next"] == pytest.approx((500_000 * 0.025 - 500_000 * 0.01) * 1.25)


@pytest.mark.parametrize(
    ("margin_schedules", "missing", "reason"),
    [
        (schedules("marginal", ((1_000.0, 0.1),)), "tier of margin schedule S", "tier of margin schedule S"),
        (schedules("bracket", ((1_000.0, 0.1),)), None, "first tier of margin schedule S from 0 on, which the marginal reading needs"),
        (schedules("bracket", name="T"), "margin schedule S in force on 2022-12-28", "margin schedule S in force on 2022-12-28"),
    ],
)
def test_what_no_reading_can_say_is_named(margin_schedules, missing, reason):
    row = placed([5_000.0], margin_schedules, missing=missing).loc["X0"]
    assert row["missing"] == reason
    assert np.isnan(row["marginal_maintenance"])


def test_last_tier_has_no_next_one():
    row = placed([2e6], schedules("bracket")).loc["X0"]
    assert row[["next_threshold", "distance_to_next", "move_to_next", "jump_at_next"]].isna().all()
