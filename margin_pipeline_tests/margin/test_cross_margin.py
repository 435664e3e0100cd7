"""Cross margin: closed forms, an independently written program, what must never be rewarded, and properties."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from margin_pipeline.margin.cross_margin import find_benefits
from margin_pipeline.parameters.cross_margin import cross_margin_rules
from margin_pipeline.parameters.reader import ParameterError

AS_OF = dt.date(2022, 12, 28)
RULES = cross_margin_rules(AS_OF)


def benefits(book, correlation, rules=None, betas=None, volatilities=None, base_currency=None, factors=None):
    """Offsets of a book given as rows (symbol, notional, margin, and optional columns of the tables as a dict)."""
    rows = [(*row, {}) if len(row) == 3 else row for row in book]
    extra = [row[3] for row in rows]
    defaults = {
        "portfolio_id": "P", "strategy": "T", "currency": "USD", "asset_class": "equity", "isolated_wallet": np.nan, "underlying": None,
        "sector": "tech", "modified_duration": np.nan, "contract_type": None,
    }  # fmt: skip
    frame = pd.DataFrame([{**defaults, **e} for e in extra]) if rows else pd.DataFrame(columns=list(defaults))
    frame["symbol"] = [row[0] for row in rows]
    frame["notional"] = [float(row[1]) for row in rows]
    frame["maintenance_margin"] = [float(row[2]) for row in rows]
    for name in ("portfolio_id", "strategy", "currency", "asset_class", "underlying", "sector", "contract_type", "symbol"):
        frame[name] = frame[name].astype("str")
    names = factors or sorted(set(frame["symbol"]))
    risk = pd.DataFrame({"symbol": names})
    risk["beta"] = [1.0] * len(names) if betas is None else betas
    risk["volatility"] = [0.2] * len(names) if volatilities is None else volatilities
    portfolios = None
    if base_currency is not None:
        portfolios = pd.DataFrame({"portfolio_id": ["P"], "account_type": ["reg_t"], "base_currency": [base_currency]})
    instruments = frame[["symbol", "asset_class", "underlying", "sector", "modified_duration", "contract_type"]].drop_duplicates("symbol")
    return find_benefits(frame, frame, instruments, risk, names, np.array(correlation, dtype=float), AS_OF, portfolios, rules)


def pair(rho):
    return [[1, rho], [rho, 1]]


def random_book(random, count):
    """A book of `count` symbols with a one-factor correlation matrix."""
    loading = random.uniform(-0.3, 0.98, count)
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1)
    notional = random.uniform(10, 1000, count) * random.choice([-1, 1], count)
    book = [(f"S{i:03d}", n, 0.25 * abs(n), {"sector": f"s{i % 3}"}) for i, n in enumerate(notional)]
    return book, correlation, random.uniform(0.5, 1.5, count)


def test_a_matched_hedge_needs_the_margin_of_two_correlated_losses():
    found = benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9)).iloc[0]
    combined = np.sqrt(25**2 + 30**2 - 2 * 0.9 * 25 * 30)  # variance of a difference, in margins
    assert found["kind"] == "hedge"
    assert found["combined_margin"] == pytest.approx(combined)
    assert found["saving"] == pytest.approx(55 - combined)
    assert found["hedge_ratio"] == pytest.approx(1)


def test_equal_long_legs_with_negative_correlation_need_the_square_root_of_half_of_one_plus_rho():
    found = benefits([("A", 100, 25), ("B", 100, 25)], pair(-0.9)).iloc[0]
    assert found["kind"] == "diversification"
    assert found["combined_margin"] / found["standalone_margin"] == pytest.approx(np.sqrt((1 - 0.9) / 2))
    assert found["correlation"] == pytest.approx(-0.9)


@pytest.mark.parametrize(("second", "rho"), [(-100, -0.9), (100, 0.9), (-100, 0.19), (100, -0.19)])
def test_what_adds_risk_or_hardly_hedges_gets_no_relief(second, rho):
    other_sector = {"sector": "energy"}
    assert benefits([("A", 100, 25), ("B", second, 25, other_sector)], pair(rho)).empty


@pytest.mark.parametrize(("rho", "granted"), [(0.5, 1), (0.4999, 0)])
def test_an_offset_by_correlation_starts_at_one_half(rho, granted):
    assert len(benefits([("A", 100, 25), ("B", -100, 25)], pair(rho))) == granted


def test_the_smaller_beta_adjusted_exposure_is_matched_and_reported():
    found = benefits([("A", 100, 25), ("B", -300, 90)], pair(0.8), betas=[1.5, 1.0]).iloc[0]
    a, b = 25, 90 * 150 / 300  # all of A against 150 of B
    assert found["standalone_margin"] == pytest.approx(a + b)
    assert found["saving"] == pytest.approx(a + b - np.sqrt(a * a + b * b - 2 * 0.8 * a * b))
    assert found["hedge_ratio"] == pytest.approx(150 / 300)


def test_a_negative_beta_scales_exposure_by_its_size():
    found = benefits([("A", 100, 25), ("B", 100, 25)], pair(-0.8), betas=[1.0, -0.5]).iloc[0]
    assert found["hedge_ratio"] == pytest.approx(0.5)


def test_no_unit_of_exposure_backs_two_offsets():
    book = [(f"L{i}", 100, 25) for i in range(3)] + [(f"S{i}", -100, 30) for i in range(3)]
    correlation = np.full((6, 6), 0.9) + 0.1 * np.eye(6)
    found = benefits(book, correlation)
    assert found["standalone_margin"].sum() == pytest.approx(3 * 25 + 3 * 30)
    assert found["saving"].sum() == pytest.approx(3 * (55 - np.sqrt(25**2 + 30**2 - 1.8 * 25 * 30)))


def test_equities_of_different_sectors_save_a_quarter_of_both_margins():
    found = benefits([("A", 100, 25), ("B", -100, 30, {"sector": "energy"})], pair(0.4)).iloc[0]
    assert found["kind"] == "equity_sector"
    assert found["saving"] == pytest.approx(0.25 * 55)


@pytest.mark.parametrize("sector", ["tech", None])
def test_the_same_or_an_unknown_sector_earns_no_class_benefit(sector):
    assert benefits([("A", 100, 25), ("B", -100, 25, {"sector": sector})], pair(0.4)).empty


def test_a_class_benefit_never_saves_more_than_the_correlation_shows():
    found = benefits([("A", 100, 1), ("B", -100, 90, {"sector": "energy"})], pair(0.2)).iloc[0]
    assert found["saving"] == pytest.approx(91 - np.sqrt(1 + 90**2 - 2 * 0.2 * 90))
    assert found["saving"] < 0.25 * 91


@pytest.mark.parametrize(("duration", "granted"), [(5.9, 1), (6.1, 0), (None, 0)])
def test_bonds_offset_when_their_durations_match(duration, granted):
    bond = {"asset_class": "bond", "sector": None}
    found = benefits(
        [("A", 100, 10, {**bond, "modified_duration": 5.0}), ("B", -100, 10, {**bond, "modified_duration": duration})], pair(0.4)
    )
    assert len(found) == granted
    assert (found["kind"] == "bond_duration").all()


@pytest.mark.parametrize(
    ("classes", "kind", "saving"),
    [
        (("fx", "fx"), "fx_pair", 0.3 * 50),
        (("equity", "bond"), "equity_bond", 0.1 * 20),
        (("commodity", "etf"), "equity_commodity", 0.05 * 20),
    ],
)
def test_other_class_benefits_take_their_rate_of_their_basis(classes, kind, saving):
    found = benefits([("A", 100, 20, {"asset_class": classes[0]}), ("B", -100, 30, {"asset_class": classes[1]})], pair(0.3)).iloc[0]
    assert found["kind"] == kind
    assert found["saving"] == pytest.approx(saving)


def test_strategies_net_before_matching_and_the_boxed_part_keeps_its_margin():
    book = [("A", 100, 25, {"strategy": "one"}), ("A", -40, 12, {"strategy": "two"}), ("B", -60, 18)]
    found = benefits(book, pair(0.9)).iloc[0]
    a = 25 * 60 / 100
    assert found["standalone_margin"] == pytest.approx(a + 18)


@pytest.mark.parametrize(
    "gap",
    [("B", -100, np.nan), ("B", np.nan, 30), ("B", -100, 0), ("B", 0, 30), ("B", -100, 30, {"isolated_wallet": 5.0}),
     ("B", -100, 30, {"asset_class": "equity_option"}), ("B", -100, 30, {"contract_type": "inverse", "asset_class": "crypto"})],
)  # fmt: skip
def test_a_position_with_a_gap_or_outside_the_method_takes_no_part(gap):
    assert benefits([("A", 100, 25), gap], pair(0.9)).empty


def test_one_strategy_with_a_gap_keeps_the_whole_symbol_out():
    book = [("A", 100, 25), ("B", -100, 30, {"strategy": "one"}), ("B", -100, np.nan, {"strategy": "two"})]
    assert benefits(book, pair(0.9)).empty


def test_a_symbol_without_correlation_or_beta_takes_no_part():
    assert benefits([("A", 100, 25), ("B", -100, 30)], [[1.0]], factors=["A"]).empty
    assert benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9), betas=[1.0, np.nan]).empty
    assert benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9), betas=[1.0, 0.0]).empty


def test_without_a_benchmark_exposure_is_scaled_by_volatility():
    found = benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9), betas=[np.nan, np.nan], volatilities=[0.1, 0.4]).iloc[0]
    assert found["hedge_ratio"] == pytest.approx(0.25)
    assert json.loads(found["explanation"])["exposure_measure"] == "volatility"


def test_a_future_takes_the_correlation_of_its_underlying():
    future = {"asset_class": "future", "underlying": "INDEX"}
    found = benefits([("A", 100, 25), ("F", -100, 5, future)], pair(0.9), factors=["A", "INDEX"]).iloc[0]
    assert (found["symbol_1"], found["symbol_2"]) == ("A", "F")
    assert found["correlation"] == pytest.approx(0.9)


def test_returns_are_correlated_in_the_base_currency_of_the_portfolio():
    volatility = np.array([0.2, 0.3, 0.1])
    correlation = np.array([[1, 0.6, 0.1], [0.6, 1, -0.2], [0.1, -0.2, 1]])
    factors = ["A", "B", "fx:EUR"]
    found = benefits([("A", 100, 25), ("B", -100, 30)], correlation, volatilities=volatility, factors=factors, base_currency="EUR")
    covariance = correlation * np.outer(volatility, volatility)
    a, b = np.array([1, 0, -1]), np.array([0, 1, -1])
    expected = a @ covariance @ b / np.sqrt((a @ covariance @ a) * (b @ covariance @ b))
    assert found["correlation"].iloc[0] == pytest.approx(expected)


def test_a_foreign_position_without_a_currency_estimate_takes_no_part():
    assert benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9), base_currency="EUR").empty


def test_only_the_account_types_of_the_method_get_offsets():
    assert len(benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9), base_currency="USD")) == 1
    cash_only = dataclasses.replace(RULES, account_types=frozenset({"futures"}))
    assert benefits([("A", 100, 25), ("B", -100, 30)], pair(0.9), base_currency="USD", rules=cash_only).empty


def test_the_floor_limits_the_savings_and_says_that_it_binds():
    floored = dataclasses.replace(RULES, net_floor=0.8)
    found = benefits([("A", 100, 25), ("B", -100, 30)], pair(0.95), rules=floored).iloc[0]
    assert found["saving"] == pytest.approx(0.2 * 55)
    assert found["combined_margin"] == pytest.approx(0.8 * 55)
    assert json.loads(found["explanation"])["floor_binds"] is True
    assert json.loads(found["explanation"])["saving_before_floor"] > found["saving"]


def test_a_hedge_ratio_tolerance_is_a_condition_only_when_it_is_set():
    book = [("A", 100, 25), ("B", -200, 60)]
    assert len(benefits(book, pair(0.9))) == 1
    assert benefits(book, pair(0.9), rules=dataclasses.replace(RULES, hedge_ratio_tolerance=0.3)).empty
    assert len(benefits(book, pair(0.9), rules=dataclasses.replace(RULES, hedge_ratio_tolerance=0.5))) == 1


def test_rules_that_would_reward_added_risk_are_refused():
    with pytest.raises(ParameterError, match="thresholds"):
        dataclasses.replace(RULES, class_threshold=-0.1)


def test_an_empty_book_has_no_offsets_but_all_columns():
    found = benefits([], np.zeros((0, 0)))
    assert list(found.columns)[:5] == ["portfolio_id", "benefit_id", "kind", "symbol_1", "symbol_2"]
    assert found.empty


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_saving_is_the_optimum_of_an_independently_written_program(seed):
    book, correlation, betas = random_book(np.random.default_rng(seed), 7)
    found = benefits(book, correlation, betas=betas)
    capacity = np.array([abs(row[1]) * beta for row, beta in zip(book, betas, strict=True)])
    unit = np.array([row[2] for row in book]) / capacity
    gains, columns = [], []
    for i in range(7):
        for j in range(i + 1, 7):
            s = -np.sign(book[i][1] * book[j][1]) * correlation[i][j]
            joint = unit[i] + unit[j] - np.sqrt(unit[i] ** 2 + unit[j] ** 2 - 2 * s * unit[i] * unit[j])
            by_class = 0.25 * (unit[i] + unit[j]) if book[i][3] != book[j][3] and s >= 0.2 else 0.0
            gains.append(joint if s >= 0.5 else min(by_class, joint))
            columns.append([1.0 if k in (i, j) else 0.0 for k in range(7)])
    best = linprog(-np.array(gains), A_ub=np.array(columns).T, b_ub=capacity)
    assert found["saving"].sum() == pytest.approx(-best.fun, rel=1e-6, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 25))
def test_row_order_and_splitting_positions_change_nothing_and_capacity_is_never_exceeded(seed, count):
    random = np.random.default_rng(seed)
    book, correlation, betas = random_book(random, count)
    first = benefits(book, correlation, betas=betas)
    shuffled = [book[i] for i in random.permutation(count)]
    pd.testing.assert_frame_equal(benefits(shuffled, correlation, betas=betas), first)
    split = [(s, n * part, m * part, {**e, "strategy": str(part)}) for s, n, m, e in book for part in (0.25, 0.75)]
    assert benefits(split, correlation, betas=betas)["saving"].sum() == pytest.approx(first["saving"].sum())
    explained = [json.loads(e) for e in first["explanation"]]
    parts = pd.concat([pd.DataFrame({"symbol": first[f"symbol_{k}"], "used": [e[f"margin_{k}"] for e in explained]}) for k in (1, 2)])
    margin = pd.Series({row[0]: row[2] for row in book})
    used = parts.groupby("symbol")["used"].sum()
    assert (used <= margin.reindex(used.index) * (1 + 1e-12)).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_few_likely_partners_come_close_to_the_optimum_over_all_pairs(seed):
    book, correlation, betas = random_book(np.random.default_rng(seed), 160)
    every = benefits(book, correlation, betas=betas, rules=dataclasses.replace(RULES, all_pairs_up_to=10**6))["saving"].sum()
    few = benefits(book, correlation, betas=betas, rules=dataclasses.replace(RULES, all_pairs_up_to=300))["saving"].sum()
    assert 0.95 * every < few <= every * (1 + 1e-9)
