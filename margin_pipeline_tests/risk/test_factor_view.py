"""Risk by kind of factor and what diversification gains: a split by hand, sums in both directions, gaps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from margin_pipeline.risk import assess

GAUSSIAN = ("gaussian",)
KEY = ["portfolio_id", "confidence", "horizon_days"]


SECTORS = {"BBB": "bank", "CCC": "bank", "DAX": "index"}


def with_market(market, beta=(1.0, 0.8, 1.2, 0.5, np.nan)):
    """Market of the fixtures with betas against AAA, and sectors."""
    risk = market["symbol_risk"].assign(beta=list(beta))
    instruments = market["instruments"].assign(sector=market["instruments"]["symbol"].map(SECTORS))
    chosen = replace(market["settings"], methods=GAUSSIAN)
    return market | {"symbol_risk": risk, "instruments": instruments, "settings": chosen}


def test_two_stocks_of_one_sector_by_hand(build, market):
    given_market = with_market(market)
    held = build.positions(("P", "s", "BBB", 10, 100.0), ("P", "t", "CCC", -5, 100.0))
    result = assess(held, portfolios=build.portfolios(("P", "USD")), **given_market, benchmark="AAA")
    rows = result.portfolio_risk_factors.query("confidence == 0.95 and horizon_days == 1 and strategy == ''").set_index("factor_kind")
    sigma = given_market["symbol_risk"]["volatility"].to_numpy()[:3] / np.sqrt(252)
    covariance = given_market["correlation"][:3, :3] * np.outer(sigma, sigma)
    w, beta = np.array([0, 1000.0, -500]), np.array([1.0, 0.8, 1.2])
    factor = norm.ppf(0.95) / np.sqrt(w @ covariance @ w)
    assert rows.loc["market", "exposure"] == pytest.approx(w @ beta)
    assert rows.loc["market", "component_var"] == pytest.approx((w @ beta) * (w @ covariance[:, 0]) * factor)
    residual = covariance[1, 2] - beta[1] * covariance[0, 2] - beta[2] * covariance[0, 1] + beta[1] * beta[2] * covariance[0, 0]
    assert rows.loc["sector", "factor"] == "bank"
    assert rows.loc["sector", "component_var"] == pytest.approx(2 * w[1] * w[2] * residual * factor)
    assert rows["component_var"].sum() == pytest.approx(w @ covariance @ w * factor)
    assert rows["var_share"].sum() == pytest.approx(1)


def test_a_stock_in_euro_has_a_row_of_its_currency(build, market):
    held = build.positions(("P", "s", "DAX", 100, 90.0), fx={"EUR": 1.05}, currency={"DAX": "EUR"})
    found = assess(held, portfolios=build.portfolios(("P", "USD")), **with_market(market), benchmark="AAA").portfolio_risk_factors
    currency = found.query("factor_kind == 'currency' and strategy == ''")
    assert set(currency["factor"]) == {"fx:EUR"}
    assert currency["exposure"].to_numpy() == pytest.approx(9450)


def test_the_rows_add_up_to_the_portfolio_and_to_each_strategy(book, market):
    result = assess(book[0], portfolios=book[1], **with_market(market), benchmark="AAA")
    rows = result.portfolio_risk_factors
    of_portfolio = rows[rows["strategy"] == ""].groupby(KEY)[["component_var", "var_share"]].sum()
    total = result.portfolio_risk.set_index(KEY)["var"]
    assert of_portfolio["component_var"].to_numpy() == pytest.approx(total.reindex(of_portfolio.index).to_numpy(), rel=1e-9)
    assert of_portfolio["var_share"].to_numpy() == pytest.approx(1, rel=1e-9)
    of_strategy = rows[rows["strategy"] != ""].groupby([*KEY, "strategy"])["component_var"].sum()
    components = result.strategy_risk_components.set_index([*KEY, "strategy"])["component_var"]
    assert of_strategy.to_numpy() == pytest.approx(components.reindex(of_strategy.index).to_numpy(), rel=1e-8, abs=1e-6)
    kinds = rows[rows["strategy"] != ""].groupby([*KEY, "factor_kind", "factor"])["component_var"].sum()
    whole = rows[rows["strategy"] == ""].set_index([*KEY, "factor_kind", "factor"])["component_var"]
    assert kinds.to_numpy() == pytest.approx(whole.reindex(kinds.index).to_numpy(), rel=1e-9, abs=1e-6)


def test_a_missing_beta_or_benchmark_leaves_no_split_and_says_so(build, market):
    held, books = build.positions(("P", "s", "CCC", 1, 100.0)), build.portfolios(("P", "USD"))
    without_beta = with_market(market, (1.0, 0.8, np.nan, 0.5, np.nan))
    for given_market, benchmark, reason in (
        (without_beta, "AAA", "CCC: no beta"),
        (with_market(market), "NOWHERE", "NOWHERE: no estimate of the benchmark's volatility and correlation"),
    ):
        result = assess(held, portfolios=books, **given_market, benchmark=benchmark)
        rows = result.portfolio_risk_factors
        assert list(rows["missing"]) == [[reason]] * 4
        assert rows[["exposure", "component_var", "var_share"]].isna().all(axis=None)
        assert result.portfolio_risk["var"].notna().all()


def test_a_hedged_portfolio_has_parts_of_nothing(build, market):
    held = build.positions(("P", "a", "BBB", 10, 100.0), ("P", "b", "BBB", -10, 100.0))
    result = assess(held, portfolios=build.portfolios(("P", "USD")), **with_market(market), benchmark="AAA")
    assert (result.portfolio_risk_factors["component_var"] == 0).all()
    assert result.portfolio_risk_factors["var_share"].isna().all()


@given(st.integers(0, 500))
@settings(max_examples=10)
def test_parts_add_up_whatever_the_betas(build, market, seed):
    random = np.random.default_rng(seed)
    held = build.positions(*((f"P{n % 2}", f"s{n % 3}", s, random.normal() * 100, 100.0) for n, s in enumerate(["AAA", "BBB", "CCC"] * 2)))
    held = held.drop_duplicates(["portfolio_id", "strategy", "symbol"])
    given_market = with_market(market, random.normal(1, 3, 5))
    result = assess(held, portfolios=build.portfolios(("P0", "USD"), ("P1", "USD")), **given_market, benchmark="AAA")
    sums = result.portfolio_risk_factors.query("strategy == ''").groupby(KEY)["component_var"].sum()
    assert sums.to_numpy() == pytest.approx(result.portfolio_risk.set_index(KEY)["var"].reindex(sums.index).to_numpy(), rel=1e-9)


def test_the_summary_says_what_diversification_gains(book, market):
    result = assess(book[0], portfolios=book[1], **market)
    key = ["portfolio_id", "method", "confidence", "horizon_days"]
    summary, risk = result.risk_summaries.set_index(key), result.portfolio_risk.set_index(key)
    alone = result.strategy_risk_components.groupby(key)["var"].sum(min_count=1)
    known = summary["stand_alone_var"].notna()
    assert known[known.index.get_level_values("method") != "cornish_fisher"].all()
    assert summary.loc[known, "stand_alone_var"].to_numpy() == pytest.approx(alone.reindex(summary.index)[known].to_numpy())
    benefit = summary["stand_alone_var"] - risk["var"].reindex(summary.index)
    assert summary.loc[known, "diversification_benefit"].to_numpy() == pytest.approx(benefit[known].to_numpy())
    gaussian = summary.xs("gaussian", level="method")
    assert gaussian["diversification_ratio"].between(0, 1, inclusive="right").all()
    volatility = risk["var"].xs(("gaussian", 0.95, 1), level=("method", "confidence", "horizon_days")) / norm.ppf(0.95) * np.sqrt(252)
    for horizon in (1, 10):
        found = gaussian["portfolio_volatility"].xs((0.95, horizon), level=("confidence", "horizon_days"))
        pd.testing.assert_series_equal(found, volatility, check_names=False)


def test_an_incomplete_portfolio_has_no_summary(book, market):
    held = book[0].copy()
    held.loc[held["symbol"] == "PUT", ["price", "market_value"]] = np.nan
    summary = assess(held, portfolios=book[1], **market).risk_summaries.set_index("portfolio_id")
    figures = ["stand_alone_var", "diversification_benefit", "diversification_ratio", "portfolio_volatility"]
    assert summary.loc["MIXED", figures].isna().all(axis=None)
    assert summary.loc["EURO", "portfolio_volatility"].notna().all()
