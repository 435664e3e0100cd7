"""The whole backtest from tables to tables: profits by hand, gaps that close, order that does not matter, margin coverage."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from margin_pipeline.market.weights import exponential_weights
from margin_pipeline.orchestration import checks_backtest
from margin_pipeline.parameters.backtest import backtest_settings
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk import assess
from margin_pipeline.risk.backtest import backtest
from margin_pipeline.risk.exposures import risk_positions

KEY = ["portfolio_id", "method", "confidence"]
HISTORIES = ("prices", "fx_rates")


@pytest.fixture(scope="module")
def market(build):
    """Arguments of backtest without positions and portfolios: stocks (one in EUR), an option, a stock with a short history."""
    closes = build.walk(["AAA", "BBB", "DAX", "YOUNG"], days=760, seed=17)
    closes.loc[closes.index[:-130], "YOUNG"] = np.nan
    option = {"symbol": "PUT", "underlying": "AAA", "option_type": "put", "strike": 100, "expiry": "2023-03-17"}
    return {
        "instruments": build.instruments(
            *({"symbol": s, "currency": "EUR" if s == "DAX" else "USD"} for s in ("AAA", "BBB", "DAX", "YOUNG")),
            option | {"multiplier": 100, "asset_class": "equity_option"},
        ),
        "prices": build.prices(closes),
        "fx_rates": build.fx_rates(build.walk(["EUR"], days=760, seed=19, level=1.05)),
        "rates": build.rates(USD=0.04),
        "dividends": build.dividends(),
        "risk": risk_settings(build.as_of),
        "estimation": estimation_settings(build.as_of),
        "settings": backtest_settings(build.as_of),
        "as_of": build.as_of,
    }


@pytest.fixture(scope="module")
def book(build):
    held = build.positions(
        ("MIXED", "long", "AAA", 100, 120.0),
        ("MIXED", "long", "DAX", 50, 90.0),
        ("MIXED", "hedge", "PUT", 3, 9.0),
        ("PLAIN", "long", "AAA", 100, 120.0),
        ("NEW", "long", "YOUNG", 100, 80.0),
        ("GAP", "long", "BBB", 100, 110.0),
        ("GAP", "long", "UNKNOWN", 10, 10.0),
        fx={"EUR": 1.05},
        currency={"DAX": "EUR"},
    )
    held.loc[held["symbol"] == "PUT", "market_value"] *= 100
    rows = (("MIXED", "USD"), ("PLAIN", "USD"), ("NEW", "USD"), ("GAP", "USD"), ("EMPTY", "USD"), ("TRADES", "USD", "otc"))
    return {"positions": held, "portfolios": build.portfolios(*rows)}


def margins(*rows):
    """Frame of portfolio_margins from (portfolio, method, maintenance margin, equity, margin equity, missing)."""
    frame = pd.DataFrame(rows, columns=["portfolio_id", "method", "maintenance_margin", "equity", "margin_equity", "missing"])
    return frame.assign(is_governing=True, missing=frame["missing"].map(lambda m: json.dumps(m) if m else None).astype("str"))


@pytest.fixture(scope="module")
def portfolio_margins():
    return margins(
        ("MIXED", "strategy_based", 1000.0, 20_000.0, 17_300.0, None),
        ("PLAIN", "reg_t", 3000.0, 10_000.0, 10_000.0, None),
        ("NEW", "reg_t", 2000.0, 10_000.0, 10_000.0, None),
        ("GAP", "reg_t", np.nan, 10_000.0, np.nan, ["UNKNOWN: no instrument"]),
        ("TRADES", "schedule_im", 500.0, 10_000.0, 10_000.0, None),
    )


@pytest.fixture(scope="module")
def result(market, book, portfolio_margins):
    return backtest(**market, **book, portfolio_margins=portfolio_margins)


def test_the_profit_of_a_stock_is_its_return_of_the_day_on_what_is_held_today(result, market):
    days = result.days.query("portfolio_id == 'PLAIN' and method == 'historical' and confidence == 0.99").set_index("session")
    closes = market["prices"].query("symbol == 'AAA'").set_index("date")["close"]
    returns = closes.pct_change()
    assert len(days) == 250
    assert days.index[-1] == closes.index[-1]
    assert days["profit"].to_numpy() == pytest.approx(12_000 * returns[days.index].to_numpy())
    day = returns.index.get_loc(days.index[0])
    assert days["var"].iloc[0] == pytest.approx(-np.sort(12_000 * returns.to_numpy()[day - 500 : day])[4])


def test_both_methods_are_held_against_the_same_profits_with_options_revalued(result):
    wide = result.days.query("portfolio_id == 'MIXED'").pivot_table(index="session", columns=["method", "confidence"], values="profit")
    assert (wide.nunique(axis=1) == 1).all()


def test_tables_count_what_the_days_show(result, book, portfolio_margins):
    frames = {
        "backtest_results": result.results, "backtest_days": result.days, "margin_coverage": result.margin_coverage,
        "portfolio_margins": portfolio_margins, **book,
    }  # fmt: skip
    for name in (
        "exceptions_are_the_flagged_days",
        "p_values_are_probabilities",
        "every_portfolio_is_tested_or_named",
        "coverage_is_of_every_margin",
    ):
        outcome = getattr(checks_backtest, name)(frames)
        assert outcome.passed, (name, outcome.metadata)
    broken = frames | {"backtest_days": result.days.assign(is_exception=True)}
    assert not checks_backtest.exceptions_are_the_flagged_days(broken).passed
    assert not checks_backtest.p_values_are_probabilities(frames | {"backtest_results": result.results.assign(kupiec_p_value=1.5)}).passed
    assert not checks_backtest.every_portfolio_is_tested_or_named(frames | {"backtest_results": result.results.iloc[1:]}).passed
    assert not checks_backtest.coverage_is_of_every_margin(frames | {"margin_coverage": result.margin_coverage.assign(coverage=0.5)}).passed


def test_what_cannot_be_tested_has_rows_without_figures_that_say_why(result):
    reasons = result.results.drop_duplicates("portfolio_id").set_index("portfolio_id")["missing"]
    assert reasons["NEW"] == ["only 129 of the 200 daily profits that are needed"]
    assert reasons["GAP"] == ["UNKNOWN: unknown instrument"]
    assert reasons["EMPTY"] == ["no position: nothing to test"]
    assert "netting sets" in reasons["TRADES"][0]
    lacking = result.results[result.results["missing"].notna()]
    assert set(lacking["portfolio_id"]) == {"NEW", "GAP", "EMPTY", "TRADES"}
    assert len(lacking) == 16
    assert lacking.drop(columns=[*KEY, "missing"]).isna().all(axis=None)
    assert set(result.days["portfolio_id"]) == {"MIXED", "PLAIN"}


def test_margin_is_held_against_the_equity_at_which_it_is_just_met(result, market):
    rows = result.margin_coverage.set_index("portfolio_id")
    assert rows.loc["MIXED", "required_equity"] == 1000.0 + 2700.0  # the paid put is behind the account too
    closes = market["prices"].query("symbol == 'AAA'").set_index("date")["close"]
    loss = -12_000 * (closes / closes.shift(2) - 1).to_numpy()[-250:]
    plain = rows.loc["PLAIN"]
    assert (plain["horizon_days"], plain["target"], plain["observations"]) == (2, 0.99, 250)
    assert plain["exceptions"] == (loss > 3000).sum()
    assert plain["largest_loss"] == pytest.approx(loss.max())
    assert plain["largest_shortfall"] == pytest.approx(max(loss.max() - 3000, 0))


def test_a_margin_that_is_too_small_fails_its_target(market, book):
    given = margins(("PLAIN", "reg_t", 300.0, 10_000.0, 10_000.0, None), ("PLAIN", "cross_margin", 3000.0, 10_000.0, 10_000.0, None))
    table = backtest(**market, **book, portfolio_margins=given).margin_coverage.set_index("method")
    assert not table.loc["reg_t", "passed"]
    assert table.loc["cross_margin", "passed"]
    assert table.loc["reg_t", "coverage"] == (250 - table.loc["reg_t", "exceptions"]) / 250 < 0.99
    assert table.loc["reg_t", "largest_shortfall"] == pytest.approx(table.loc["reg_t", "largest_loss"] - 300.0)


def test_coverage_closes_where_a_margin_or_a_loss_is_missing(result):
    rows = result.margin_coverage.set_index("portfolio_id")
    assert rows.loc["GAP", "missing"] == ["UNKNOWN: unknown instrument", "reg_t: UNKNOWN: no instrument"]
    assert (rows.loc["TRADES", "horizon_days"], rows.loc["TRADES", "target"]) == (5, 0.995)
    # 129 returns of a day are 128 of two days: enough for the margin, not for a value at risk.
    assert rows.loc["NEW", "observations"] == 128
    assert rows.loc["NEW", "missing"] is None
    figures = [
        "maintenance_margin",
        "required_equity",
        "observations",
        "exceptions",
        "coverage",
        "largest_loss",
        "largest_shortfall",
        "passed",
    ]
    assert rows.loc[["GAP", "TRADES"], figures].isna().all(axis=None)


def test_the_order_of_the_rows_changes_nothing(market, book, portfolio_margins, result):
    frames = {name: value for name, value in market.items() if isinstance(value, pd.DataFrame)} | book
    shuffled = {name: frame.sample(frac=1, random_state=5).reset_index(drop=True) for name, frame in frames.items()}
    other = backtest(**market | shuffled, portfolio_margins=portfolio_margins.iloc[::-1])
    for name in ("results", "days", "margin_coverage"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(result, name), check_exact=True)


def test_no_close_of_the_last_days_changes_a_value_at_risk_before_them(market, book, portfolio_margins, result):
    cut = pd.Timestamp(market["as_of"]) - pd.offsets.BDay(20)
    changed = {name: market[name].copy() for name in HISTORIES}
    late = changed["prices"]["date"] > cut
    changed["prices"].loc[late, "close"] *= np.random.default_rng(8).uniform(0.8, 1.2, late.sum())
    # Exposures and option inputs follow the newest close, so only stocks, which are held at their marks, can be compared.
    columns = ["session", "var"]
    found = [
        r.days.loc[(r.days["portfolio_id"] == "PLAIN") & (r.days["session"] <= cut), [*KEY, *columns]].reset_index(drop=True)
        for r in (result, backtest(**market | changed, **book, portfolio_margins=portfolio_margins))
    ]
    pd.testing.assert_frame_equal(*found, check_exact=True)
    assert len(found[0]) == 4 * 230


def test_the_newest_value_at_risk_is_that_of_the_assessment_of_the_day_before(market, book, portfolio_margins, result):
    prices = market["prices"]
    eve = prices.loc[prices["date"] < pd.Timestamp(market["as_of"])]
    given = {name: market[name] for name in ("instruments", "fx_rates", "rates", "dividends")}
    stocks = {name: frame[frame["portfolio_id"] == "PLAIN"] for name, frame in book.items()}
    nothing = pd.DataFrame({"symbol": pd.Series(dtype="str"), "volatility": pd.Series(dtype=float)})
    before = assess(
        **given, **stocks, prices=eve, symbols=(), correlation=np.zeros((0, 0)), symbol_risk=nothing, settings=market["risk"],
        as_of=(pd.Timestamp(market["as_of"]) - pd.Timedelta(days=1)).date(),
    )  # fmt: skip
    expected = before.portfolio_risk.query("method == 'historical' and horizon_days == 1").set_index("confidence")["var"]
    newest = result.days.query("portfolio_id == 'PLAIN' and method == 'historical'").groupby("confidence")["var"].last()
    assert newest.to_numpy() == pytest.approx(expected.to_numpy())


def test_without_prices_nothing_is_tested(market, book, portfolio_margins):
    empty = {name: market[name].iloc[:0] for name in HISTORIES}
    found = backtest(**market | empty, **book, portfolio_margins=portfolio_margins)
    assert found.days.empty
    assert found.results["missing"].notna().all()
    assert found.margin_coverage["coverage"].isna().all()


def test_a_longer_margin_period_loses_more(market, book, portfolio_margins, result):
    longer = replace(market["settings"], margin_period_days=10)
    table = backtest(**market | {"settings": longer}, **book, portfolio_margins=portfolio_margins).margin_coverage.set_index("portfolio_id")
    assert table.loc["PLAIN", "horizon_days"] == 10
    assert table.loc["PLAIN", "largest_loss"] > result.margin_coverage.set_index("portfolio_id").loc["PLAIN", "largest_loss"]


def test_the_gaussian_value_at_risk_leaves_the_curvature_of_options_out(market, book, result):
    named = {n: market[n] for n in ("instruments", "prices", "rates", "dividends", "as_of")}
    held = risk_positions(book["positions"], portfolios=book["portfolios"], **named).query("portfolio_id == 'MIXED'")
    exposure = held.groupby("risk_factor")["delta_exposure"].sum()
    closes = market["prices"].pivot_table(index="date", columns="symbol", values="close")[["AAA", "DAX"]]
    returns = np.log(closes).diff().assign(euro=np.log(market["fx_rates"].set_index("date")["usd_rate"]).diff())
    currency = held.loc[held["symbol"] == "DAX", "currency_exposure"].sum()
    profit = (returns * [exposure["AAA"], exposure["DAX"], currency]).sum(axis=1).iloc[-751:-1]
    weights = exponential_weights(750, market["estimation"].half_life)
    deviation = np.sqrt(np.cov(profit.to_numpy(), aweights=weights))
    newest = result.days.query("portfolio_id == 'MIXED' and method == 'gaussian' and confidence == 0.99")["var"].iloc[-1]
    assert newest == pytest.approx(norm.ppf(0.99) * deviation, rel=1e-6)
