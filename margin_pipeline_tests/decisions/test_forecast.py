"""Sensitivities against margins computed again in full, and forecasts of books under every method."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.decisions.alerts.results import likely_breaches
from margin_pipeline.parameters.alerts import alert_rules
from margin_pipeline_tests.decisions.forecast_book import (
    CLOSE,
    CORRELATION,
    FACTORS,
    SETTINGS,
    all_margins_at,
    forecasts,
    margins_at,
    slopes,
)
from margin_pipeline_tests.decisions.stress_book import AS_OF, CLOSES, book

OPTIONS = [("s", "A", 100), ("s", "B", -50), ("s", "P90", -3), ("s", "C110", 2), ("s", "BOND", 10), ("s", "EUR_STOCK", 100)]
BOOKS = {
    "reg_t": OPTIONS,
    "portfolio_margin": [*OPTIONS, ("s", "FUT", 1)],
    "cash": [("s", "A", 100), ("s", "C110", -1), ("s", "B", 10)],
    "futures": [("s", "FUT", 1)],
    "crypto_cross": [("s", "LINEAR", 4), ("s", "INVERSE", -2)],
}
OF_A = [name for name in CLOSES if name.startswith(("C9", "C1", "P9", "P8", "P1", "LEAP"))]


def moved(factor, by):
    """Moves of a factor and of what is on it."""
    names = {"A": ["A", *OF_A], "M": ["M", "FUT"]}.get(factor, [factor])
    return dict.fromkeys(names, by)


@pytest.mark.parametrize("account", BOOKS)
def test_slopes_are_those_of_margins_computed_again_one_factor_at_a_time(account):
    frames = book(BOOKS[account], account=account, equity=60_000.0)
    found, lacking = slopes(frames)
    assert lacking == {}
    b, factors = SETTINGS.bump, found.index.get_level_values("risk_factor")
    shocks = [({}, {"EUR": by}) if f == "fx:EUR" else (moved(f, by), {}) for f in factors for by in (b, -b)]
    still, *after = (rows.loc["P"] for rows in all_margins_at(frames, ({}, {}), *shocks))
    for number, factor in enumerate(factors):
        row = found.loc[("P", factor)]
        up, down = after[2 * number : 2 * number + 2]
        for name, column in (("equity", "margin_equity"), ("maintenance", "maintenance_margin")):
            slope = (up[column] - down[column]) / (2 * b)
            curvature = (up[column] - 2 * still[column] + down[column]) / b**2
            assert row[f"{name}_slope"] == pytest.approx(slope, rel=1e-6, abs=1e-4), (factor, name)
            assert row[f"{name}_curvature"] == pytest.approx(curvature, rel=1e-4, abs=0.5), (factor, name)


def test_delta_gamma_is_near_full_revaluation_of_a_short_option_book():
    frames = book([("s", "P100", -5), ("s", "C100", -5)], account="portfolio_margin", equity=40_000.0)
    row = slopes(frames)[0].loc[("P", "A")]
    assert row["equity_curvature"] < 0
    moves = (-0.03, -0.005, 0.005, 0.03)
    still, *ends = (rows.loc["P"] for rows in all_margins_at(frames, ({}, {}), *((moved("A", move), {}) for move in moves)))
    for move, after in zip(moves, ends, strict=True):
        expected = row["equity_slope"] * move + row["equity_curvature"] * move**2 / 2
        assert after["margin_equity"] - still["margin_equity"] == pytest.approx(expected, rel=0.02, abs=5.0)
        if abs(move) <= SETTINGS.bump:
            # Maintenance bends where the deciding point changes sides: within the bump it is between its ends.
            expected = row["maintenance_slope"] * move + row["maintenance_curvature"] * move**2 / 2
            assert after["maintenance_margin"] - still["maintenance_margin"] == pytest.approx(expected, abs=200.0)


def simulated_breaches(frames, still, thresholds, steps=24, paths=6_000):
    """Share of simulated paths of a session on which utilization, from slopes and curvatures, reaches each threshold."""
    found = slopes(frames)[0].loc["P"]
    place = [FACTORS.index(name) for name in found.index]
    covariance = CORRELATION[np.ix_(place, place)] * 0.3**2 / 252 / steps
    random = np.random.default_rng(8)
    returns = np.cumsum(random.multivariate_normal(np.zeros(len(place)), covariance, (paths, steps)), axis=1)
    # Curvature without drift: what it costs on average is earned back by time.
    mean_square = np.arange(1, steps + 1)[:, None] * np.diag(covariance)
    equity, maintenance = (
        start + returns @ found[f"{name}_slope"].to_numpy() + (returns**2 - mean_square) @ found[f"{name}_curvature"].to_numpy() / 2
        for name, start in (("equity", still["margin_equity"]), ("maintenance", still["maintenance_margin"]))
    )
    return [float((threshold * equity <= maintenance).any(axis=1).mean()) for threshold in thresholds]


@pytest.mark.parametrize(
    ("held", "account", "equity"),
    [
        ([("s", "A", 300), ("s", "B", -400)], "reg_t", 15_500.0),
        ([("s", "A", 100), ("s", "C110", 4), ("s", "P90", -2)], "portfolio_margin", 4_700.0),
        ([("s", "P90", -6)], "reg_t", 8_500.0),
    ],
)
def test_probabilities_are_near_those_of_simulated_paths(held, account, equity):
    frames = book(held, account=account, equity=equity)
    margins = margins_at(frames, {})
    rows = forecasts(frames, margins).forecasts
    seen, thresholds = [], (0.8, 0.9, 1.0)
    for threshold, simulated in zip(thresholds, simulated_breaches(frames, margins.loc["P"], thresholds), strict=True):
        row = rows[(rows["threshold"] == threshold) & (rows["horizon_minutes"] == 390)].iloc[0]
        # Paths are looked at 24 times: between two looks some 5 % of a deviation goes unseen.
        assert row["breach_probability"] == pytest.approx(simulated, abs=0.10)
        seen.append(row["breach_probability"])
    assert max(seen) > 0.01
    assert seen == sorted(seen, reverse=True)


def test_currencies_are_factors_of_value_and_margin():
    found = slopes(book([("s", "EUR_STOCK", 100)]))[0]
    assert found.loc[("P", "fx:EUR"), "equity_slope"] == pytest.approx(1_060.0)
    assert found.loc[("P", "fx:EUR"), "maintenance_slope"] == pytest.approx(265.0)


def test_what_cannot_be_forecast_says_why():
    frames = book([("s", "A", 100)])
    margins = margins_at(frames, {})
    lost = forecasts(frames, margins.assign(status="undetermined", missing='["price of X"]', maintenance_margin=np.nan)).forecasts
    assert set(lost["missing"]) == {'["price of X"]'}
    assert lost["breach_probability"].isna().all()
    frames["portfolios"]["account_type"] = "otc"
    rows = forecasts({**frames, "positions": frames["positions"].iloc[:0]}, margins.assign(method="simm")).forecasts
    assert rows["missing"].str.contains("uncleared").all()
    risky = book([("s", "A", 100)])
    none = forecasts(risky, margins.iloc[:0]).forecasts
    assert set(none["missing"]) == {'["no governing method"]'}


def test_position_without_a_price_leaves_its_portfolio_without_a_forecast_and_no_other():
    frames = book([("s", "A", 100), ("s", "A", 100, "Q"), ("s", "B", 10, "Q")])
    margins = margins_at(frames, {})
    frames["positions"].loc[frames["positions"]["symbol"] == "B", ["price", "market_value"]] = np.nan
    rows = forecasts(frames, margins).forecasts.set_index("portfolio_id")
    assert rows.loc["Q", "breach_probability"].isna().all()
    assert rows.loc["Q", "missing"].str.contains("B").all()
    assert rows.loc["P", "missing"].isna().all()


def test_forecast_does_not_depend_on_row_order_and_begins_at_the_instant_given():
    frames = book([*OPTIONS, *((*row, "Q") for row in OPTIONS)])
    margins = margins_at(frames, {})
    mixed = {**frames, "positions": frames["positions"].sample(frac=1, random_state=3).reset_index(drop=True)}
    found, again = forecasts(frames, margins), forecasts(mixed, margins.iloc[::-1])
    pd.testing.assert_frame_equal(found.forecasts, again.forecasts, check_exact=True)
    pd.testing.assert_frame_equal(found.calibration, again.calibration, check_exact=True)
    assert set(found.forecasts["calculated_at"]) == {pd.Timestamp(CLOSE)}


def test_alerts_read_the_table():
    frames = book([("s", "A", 300), ("s", "A", 200, "Q")], equity=8_000.0)
    judgements = {j.portfolio_id: j for j in likely_breaches(forecasts(frames).forecasts, alert_rules(AS_OF))}
    # 7,500 of 8,000: 95 % is 100 away, which an hour uses up as likely as not; what is used already is no forecast.
    assert [(c.subject, c.severity) for c in judgements["P"].conditions] == [("0.95", "warning"), ("0.95", "critical")]
    assert judgements["Q"].conditions == ()
