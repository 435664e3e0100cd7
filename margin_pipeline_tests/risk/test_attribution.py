"""The whole assessment: figures by hand, components that add up, gaps that close, order that does not matter."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from margin_pipeline.compute import NUMPY, BackendError
from margin_pipeline.market.option_pricing import black_scholes_merton
from margin_pipeline.risk import assess, strategy_table

KEY = ["portfolio_id", "method", "confidence", "horizon_days"]
STOCKS = ["AAA", "BBB", "CCC", "DAX"]
PARTS = {"var": "component_var", "expected_shortfall": "component_expected_shortfall"}


def figures(result, portfolio, method, confidence=0.95, horizon=1):
    table = result.portfolio_risk.set_index(KEY)
    return table.loc[(portfolio, method, confidence, horizon)]


def test_one_stock_has_the_gaussian_and_the_historical_risk_computed_by_hand(build, market):
    result = assess(build.positions(("P", "s", "AAA", 100, 120.0)), portfolios=build.portfolios(("P", "USD")), **market)
    daily = market["symbol_risk"]["volatility"].iloc[0] / np.sqrt(252)
    gaussian = figures(result, "P", "gaussian", 0.99, 10)
    assert gaussian["var"] == pytest.approx(12_000 * daily * norm.ppf(0.99) * np.sqrt(10))
    assert gaussian["expected_shortfall"] == pytest.approx(12_000 * daily * norm.pdf(norm.ppf(0.99)) / 0.01 * np.sqrt(10))
    closes = market["prices"].query("symbol == 'AAA'").set_index("date")["close"]
    profit = np.sort((12_000 * (closes / closes.shift(10) - 1)).to_numpy()[-500:])
    historical = figures(result, "P", "historical", 0.99, 10)
    assert historical["var"] == pytest.approx(-profit[4])
    assert historical["expected_shortfall"] == pytest.approx(-profit[:5].mean())
    assert historical["observations"] == 500
    assert historical["standard_error"] > 0


def test_a_stock_in_euro_has_the_history_of_its_value_in_dollars(build, market):
    held = build.positions(("P", "s", "DAX", 100, 90.0), fx={"EUR": 1.05}, currency={"DAX": "EUR"})
    result = assess(held, portfolios=build.portfolios(("P", "USD")), **market)
    wide = market["prices"].pivot(index="date", columns="symbol", values="close")["DAX"]
    fx = market["fx_rates"].set_index("date")["usd_rate"]
    profit = np.sort((9450 * ((wide * fx) / (wide * fx).shift() - 1)).to_numpy()[-500:])
    assert figures(result, "P", "historical")["var"] == pytest.approx(-profit[24])
    share, rate = (market["symbol_risk"].set_index("symbol")["volatility"][name] for name in ("DAX", "fx:EUR"))
    rho = market["correlation"][3, 4]
    daily = np.sqrt((share**2 + rate**2 + 2 * rho * share * rate) / 252)
    assert figures(result, "P", "gaussian")["var"] == pytest.approx(9450 * daily * norm.ppf(0.95))


def test_a_dollar_stock_of_a_euro_portfolio_gains_when_the_euro_falls(build, market):
    held = build.positions(("P", "s", "AAA", 100, 105.0), fx={"USD": 1 / 1.05})
    result = assess(held, portfolios=build.portfolios(("P", "EUR")), **market)
    share, rate = (market["symbol_risk"].set_index("symbol")["volatility"][name] for name in ("AAA", "fx:EUR"))
    daily = np.sqrt((share**2 + rate**2 - 2 * market["correlation"][0, 4] * share * rate) / 252)
    assert figures(result, "P", "gaussian")["var"] == pytest.approx(10_000 * daily * norm.ppf(0.95))
    wide = market["prices"].pivot(index="date", columns="symbol", values="close")["AAA"]
    value = wide / market["fx_rates"].set_index("date")["usd_rate"]
    profit = np.sort((10_000 * (value / value.shift() - 1)).to_numpy()[-500:])
    assert figures(result, "P", "historical")["var"] == pytest.approx(-profit[24])


def test_the_historical_risk_of_an_option_is_of_its_full_revaluation(build, market):
    closes = market["prices"].query("symbol == 'AAA'").set_index("date")["close"]
    spot, years = closes.iloc[-1], 79 / 365
    price = float(black_scholes_merton(spot, 100, years, 0.04, 0, 0.4, True))
    result = assess(build.positions(("P", "s", "CALL", -5, price)), portfolios=build.portfolios(("P", "USD")), **market)
    after = black_scholes_merton(spot * (closes / closes.shift()).to_numpy()[-500:], 100, years, 0.04, 0, 0.4, True)
    assert figures(result, "P", "historical")["var"] == pytest.approx(-np.sort(-500 * (after - price))[24])


def test_components_and_shares_add_up_to_the_portfolio(book, market):
    result = assess(book[0], portfolios=book[1], **market)
    totals = result.portfolio_risk.set_index(KEY)
    assert totals["var"].notna().all()
    sums = result.strategy_risk_components.groupby(KEY)[[*PARTS.values(), "var_share"]].sum()
    for total, part in PARTS.items():
        assert sums[part].to_numpy() == pytest.approx(totals[total].reindex(sums.index).to_numpy(), rel=1e-9)
    assert sums["var_share"].to_numpy() == pytest.approx(1)


def test_marginal_incremental_and_stand_alone_figures_are_different_things(build, book, market):
    result = assess(book[0], portfolios=book[1], **market)
    rows = result.strategy_risk_components.query("portfolio_id == 'MIXED' and confidence == 0.95 and horizon_days == 1")
    rows = rows.set_index(["strategy", "method"])
    for method in ("gaussian", "historical"):
        for strategy in ("long", "hedge"):
            found = rows.loc[(strategy, method)]
            of_strategy = book[0][(book[0]["portfolio_id"] == "MIXED") & (book[0]["strategy"] == strategy)]
            alone = assess(of_strategy, portfolios=book[1], **market)
            without = assess(book[0].drop(of_strategy.index), portfolios=book[1], **market)
            assert found["var"] == pytest.approx(figures(alone, "MIXED", method)["var"])
            assert found["expected_shortfall"] == pytest.approx(figures(alone, "MIXED", method)["expected_shortfall"])
            total = figures(result, "MIXED", method)["var"]
            assert found["incremental_var"] == pytest.approx(total - figures(without, "MIXED", method)["var"])
            assert found["marginal_var"] == pytest.approx(found["component_var"] / found["gross_exposure"])
    assert rows.loc[("hedge", "gaussian"), "component_var"] < 0 < rows.loc[("hedge", "gaussian"), "var"]


def test_the_component_is_the_derivative_of_the_risk_in_the_size_of_the_strategy(book, market):
    held, portfolios = book
    step = 1e-4
    larger, smaller = held.copy(), held.copy()
    of_strategy = (held["strategy"] == "short").to_numpy()
    for frame, factor in ((larger, 1 + step), (smaller, 1 - step)):
        frame.loc[of_strategy, ["quantity", "market_value"]] *= factor
    up, down = (figures(assess(f, portfolios=portfolios, **market), "MIXED", "gaussian")["var"] for f in (larger, smaller))
    components = assess(held, portfolios=portfolios, **market).strategy_risk_components
    found = components.query("strategy == 'short' and method == 'gaussian' and confidence == 0.95 and horizon_days == 1")
    assert found["component_var"].item() == pytest.approx((up - down) / (2 * step), rel=1e-5)


@given(st.integers(0, 1000))
@settings(max_examples=8)
def test_the_order_of_rows_changes_not_a_single_bit(build, market, seed):
    held = build.positions(*((f"P{i % 2}", f"s{i % 3}", STOCKS[i % 3], 10.0 * (i - 4), 100.0 + i) for i in range(9)))
    books = build.portfolios(("P0", "USD"), ("P1", "USD"))
    turned = {k: v.sample(frac=1, random_state=seed) if isinstance(v, pd.DataFrame) else v for k, v in market.items()}
    straight = assess(held, portfolios=books, **market)
    shuffled = assess(held.sample(frac=1, random_state=seed), portfolios=books.sample(frac=1, random_state=seed), **turned)
    pd.testing.assert_frame_equal(straight.portfolio_risk, shuffled.portfolio_risk, check_exact=True)
    pd.testing.assert_frame_equal(straight.strategy_risk_components, shuffled.strategy_risk_components, check_exact=True)


@given(st.floats(0.1, 50))
@settings(max_examples=8)
def test_risk_scales_with_the_book(build, market, factor):
    held = build.positions(("P", "a", "AAA", 30, 100.0), ("P", "b", "BBB", -10, 100.0), ("P", "b", "FUT", 1, 100.0))
    books = build.portfolios(("P", "USD"))
    scaled = held.assign(quantity=held["quantity"] * factor, market_value=held["market_value"] * factor)
    once, more = (assess(h, portfolios=books, **market).portfolio_risk for h in (held, scaled))
    for column in ("var", "expected_shortfall", "standard_error"):
        assert more[column].to_numpy() == pytest.approx(factor * once[column].to_numpy(), rel=1e-9, nan_ok=True)


def test_other_confidences_and_horizons_are_settings(build, market):
    chosen = replace(market["settings"], confidences=(0.9, 0.975, 0.999), horizons_days=(5,))
    held = build.positions(("P", "s", "AAA", 1, 100.0))
    table = assess(held, portfolios=build.portfolios(("P", "USD")), **market | {"settings": chosen}).portfolio_risk
    assert sorted(set(zip(table["confidence"], table["horizon_days"], strict=True))) == [(0.9, 5), (0.975, 5), (0.999, 5)]
    assert all(part["var"].is_monotonic_increasing for _, part in table.groupby("method"))


def test_a_position_without_a_price_leaves_its_portfolio_without_figures_and_says_so(book, market):
    held = book[0].copy()
    held.loc[held["symbol"] == "PUT", ["price", "market_value"]] = np.nan
    result = assess(held, portfolios=book[1], **market)
    mixed = result.portfolio_risk[result.portfolio_risk["portfolio_id"] == "MIXED"]
    assert mixed[["var", "expected_shortfall", "standard_error", "observations"]].isna().all(axis=None)
    assert all(reasons == ["PUT: no price"] for reasons in mixed["missing"])
    other = result.portfolio_risk[result.portfolio_risk["portfolio_id"] == "EURO"]
    assert other["var"].notna().all()
    assert other["missing"].isna().all()
    strategies = result.strategy_risk_components[result.strategy_risk_components["portfolio_id"] == "MIXED"].set_index("strategy")
    parts = ["component_var", "component_expected_shortfall", "incremental_var", "marginal_var", "var_share"]
    assert strategies[parts].isna().all(axis=None)
    assert strategies.loc["hedge", ["var", "gross_exposure", "net_exposure"]].isna().all(axis=None)
    assert strategies.loc["long", ["var", "expected_shortfall", "gross_exposure"]].notna().all(axis=None)


def test_a_factor_with_too_short_a_history_leaves_no_figure(build, market):
    result = assess(build.positions(("P", "s", "YOUNG", 1, 100.0)), portfolios=build.portfolios(("P", "USD")), **market)
    assert result.portfolio_risk["var"].isna().all()
    assert figures(result, "P", "gaussian")["missing"] == ["YOUNG: no estimate of its volatility and correlation"]
    assert figures(result, "P", "historical")["missing"] == ["YOUNG: only 11 daily returns, 20 needed"]


def test_scenarios_begin_when_every_held_factor_has_a_history(build, market):
    prices = market["prices"]
    late = prices[(prices["symbol"] != "CCC") | (prices["date"] >= prices["date"].unique()[-101])]
    held = build.positions(("P", "a", "AAA", 1, 100.0), ("P", "b", "CCC", 1, 100.0), ("Q", "a", "AAA", 1, 100.0))
    result = assess(held, portfolios=build.portfolios(("P", "USD"), ("Q", "USD")), **market | {"prices": late})
    assert [figures(result, p, "historical", horizon=h)["observations"] for p in ("P", "Q") for h in (1, 10)] == [100, 91, 500, 500]


def test_too_few_long_scenarios_leave_no_figure_of_that_horizon_alone(build, market):
    prices = market["prices"]
    late = prices[(prices["symbol"] != "CCC") | (prices["date"] >= prices["date"].unique()[-26])]
    result = assess(build.positions(("P", "a", "CCC", 1, 100.0)), portfolios=build.portfolios(("P", "USD")), **market | {"prices": late})
    assert figures(result, "P", "historical")["observations"] == 25
    assert figures(result, "P", "historical", horizon=10)["missing"] == ["only 16 scenarios of 10 days, 20 needed"]
    alone = result.strategy_risk_components.set_index(["method", "horizon_days"])["var"]
    assert alone.loc[("historical", 10)].isna().all()
    assert alone.loc[("historical", 1)].notna().all()


def test_a_portfolio_without_positions_risks_nothing_and_one_of_otc_trades_is_not_known(build, market):
    books = build.portfolios(("EMPTY", "USD"), ("DEALER", "USD", "otc"), ("P", "USD"))
    result = assess(build.positions(("P", "s", "AAA", 0, 100.0)), portfolios=books, **market).portfolio_risk.set_index("portfolio_id")
    assert (result.loc["EMPTY", "var"] == 0).all()
    assert (result.loc["P", "var"] == 0).all()
    assert result.loc["DEALER", "var"].isna().all()
    assert all("netting sets" in reasons[0] for reasons in result.loc["DEALER", "missing"])


def test_a_hedged_portfolio_has_no_risk_and_no_shares(build, market):
    held = build.positions(("P", "a", "AAA", 10, 100.0), ("P", "b", "AAA", -10, 100.0))
    result = assess(held, portfolios=build.portfolios(("P", "USD")), **market)
    assert (result.portfolio_risk["var"] == 0).all()
    assert result.strategy_risk_components["var_share"].isna().all()
    assert (result.strategy_risk_components["var"] > 0).all()


def test_without_any_market_data_nothing_is_claimed(build, market):
    empty = {k: v.iloc[:0] for k, v in market.items() if k in ("prices", "fx_rates", "rates", "dividends", "symbol_risk")}
    bare = market | empty | {"symbols": (), "correlation": np.zeros((0, 0))}
    result = assess(build.positions(("P", "s", "AAA", 1, 100.0)), portfolios=build.portfolios(("P", "USD")), **bare)
    assert result.portfolio_risk["var"].isna().all()
    assert result.portfolio_risk["missing"].notna().all()


def test_without_any_position_the_tables_are_right_and_empty(build, market):
    held = build.positions(("P", "s", "AAA", 1, 100.0)).iloc[:0]
    result = assess(held, portfolios=build.portfolios(("P", "USD")), **market)
    assert len(result.strategy_risk_components) == 0
    assert (result.portfolio_risk["var"] == 0).all()


def test_a_failing_device_leaves_the_revaluation_to_numpy_and_is_reported(build, book, market):
    def fails(*_):
        raise BackendError("out of memory")

    broken = replace(NUMPY, name="broken", device="a device that fails", normal_cdf=fails)
    result = assess(book[0], portfolios=book[1], **market, backend=broken)
    assert (result.report.backend, result.report.fell_back) == ("numpy", True)
    pd.testing.assert_frame_equal(result.portfolio_risk, assess(book[0], portfolios=book[1], **market).portfolio_risk)


def test_the_strategy_table_has_the_columns_of_its_sql_table(book, market):
    margin = pd.DataFrame({"portfolio_id": ["MIXED"], "strategy": ["long"], "margin_contribution": [1000.0], "margin_share": [1.0]})
    returns = pd.DataFrame({"date": pd.to_datetime([]), "portfolio_id": [], "strategy": [], "daily_return": [], "pnl": []})
    returns = returns.astype({"portfolio_id": "str", "strategy": "str", "daily_return": float, "pnl": float})
    table = strategy_table(assess(book[0], portfolios=book[1], **market).strategy_risk_components, margin, returns)
    assert set(table.columns) == {
        "portfolio_id", "strategy", "method", "confidence", "horizon_days", "var", "expected_shortfall", "component_var",
        "component_expected_shortfall", "marginal_var", "incremental_var", "var_share", "gross_exposure", "net_exposure",
        "margin_contribution", "margin_share", "sharpe_ratio", "return_on_margin",
    }  # fmt: skip
    assert len(table) == 7 * 20
    assert not table.duplicated(["strategy", *KEY]).any()
