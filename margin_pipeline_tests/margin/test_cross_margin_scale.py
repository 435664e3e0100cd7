"""Cross margin of many positions: what is proven is true, and large books obey the rules of small ones. Not here: closed forms."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_array

from margin_pipeline.margin.cross_margin import find_benefits
from margin_pipeline.margin.cross_margin_correlation import ReturnCorrelation, currency_part
from margin_pipeline.margin.cross_margin_greedy import Extra, fill
from margin_pipeline.margin.cross_margin_matching import best_matching
from margin_pipeline.margin.cross_margin_pairs import NetPositions, group_benefits, qualifying_pairs
from margin_pipeline.margin.cross_margin_prices import Prices, feasible, scarcity_prices
from margin_pipeline.margin.cross_margin_rates import ROUNDING, SavingRates
from margin_pipeline.parameters.cross_margin import cross_margin_rules
from margin_pipeline.parameters.reader import ParameterError

AS_OF = dt.date(2022, 12, 28)
RULES = cross_margin_rules(AS_OF)
BY_PRICES = dataclasses.replace(RULES, all_pairs_up_to=20, proven_share=0.0)
SECTORS = 4


def market(random: np.random.Generator, n: int, inverse: float = 0.0) -> np.ndarray:
    """Correlation of n symbols with one factor; a part of them moves against it."""
    loading = random.uniform(0.2, 0.98, n) * random.choice([1.0, -1.0], n, p=[1 - inverse, inverse])
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1.0)
    return correlation.astype(np.float32).astype(np.float64)


def portfolio(seed: int, n: int, inverse: float = 0.0, long: float = 0.5) -> tuple:
    """Arguments of `best_matching` but the rules: stocks of a few sectors, some bonds."""
    random = np.random.default_rng(seed)
    capacity = np.exp(random.normal(5, 1.5, n))
    held = NetPositions(
        sign=random.choice([1.0, -1.0], n, p=[long, 1 - long]),
        capacity=capacity,
        margin=capacity * random.uniform(0.1, 0.6, n),
        group=random.integers(0, SECTORS + 1, n),
        duration=random.uniform(1, 9, n),
    )
    sectors = [*(f"sector {k}" for k in range(SECTORS)), None]
    table = group_benefits([*["equity"] * SECTORS, "bond"], sectors, RULES.class_benefits)
    return held, ReturnCorrelation(market(random, n, inverse), random.permutation(n)), table


def best_over_all_pairs(held: NetPositions, correlation: ReturnCorrelation, table: np.ndarray) -> float:
    """Optimum of the program over every pair that qualifies."""
    first, second = np.triu_indices(len(held.sign), 1)
    pairs, _ = qualifying_pairs(held, correlation, table, RULES, first, second)
    if not len(pairs):
        return 0.0
    column = np.tile(np.arange(len(pairs)), 2)
    used = coo_array((np.ones(2 * len(pairs)), (np.concatenate([pairs.first, pairs.second]), column)), shape=(len(held.sign), len(pairs)))
    return -linprog(-pairs.saving_rate, A_ub=used, b_ub=held.capacity, method="highs").fun


def stock_book(seed: int, n: int, inverse: float = 0.0) -> dict:
    """Arguments of `find_benefits`."""
    random = np.random.default_rng(seed)
    symbols = [f"S{i:04d}" for i in range(n)]
    notional = random.uniform(10, 1000, n) * random.choice([-1, 1], n)
    key = {"portfolio_id": "P", "strategy": "T", "symbol": pd.Series(symbols, dtype="str")}
    none = pd.Series([None] * n, dtype="str")
    sector = pd.Series([f"s{i % SECTORS}" for i in range(n)], dtype="str")
    instruments = pd.DataFrame({"symbol": key["symbol"], "asset_class": "equity", "sector": sector, "underlying": none})
    return {
        "positions": pd.DataFrame({**key, "currency": "USD", "asset_class": "equity", "isolated_wallet": np.nan, "notional": notional}),
        "position_margins": pd.DataFrame({**key, "maintenance_margin": 0.25 * np.abs(notional)}),
        "instruments": instruments.assign(contract_type=none, modified_duration=np.nan),
        "symbol_risk": pd.DataFrame({"symbol": key["symbol"], "volatility": 0.2, "beta": random.uniform(0.5, 1.5, n)}),
        "symbols": symbols,
        "correlation": market(random, n, inverse),
        "as_of": AS_OF,
    }


BOOKS = st.tuples(st.integers(0, 10_000), st.integers(8, 60), st.sampled_from([0.0, 0.1, 0.5]), st.sampled_from([0.1, 0.5, 1.0]))


@settings(max_examples=40, deadline=None)
@given(BOOKS)
def test_the_bound_of_prices_is_never_below_the_optimum_over_all_pairs(book):
    arguments = portfolio(*book)
    found, best = best_matching(*arguments, BY_PRICES), best_over_all_pairs(*arguments)
    assert found.saving <= best * (1 + 1e-9) + 1e-9
    assert found.bound >= best * (1 - 1e-9) - 1e-9


@settings(max_examples=15, deadline=None)
@given(BOOKS)
def test_programs_close_the_gap_that_prices_leave(book):
    arguments = portfolio(*book)
    found = best_matching(*arguments, dataclasses.replace(RULES, all_pairs_up_to=20, proven_share=0.999))
    assert found.saving >= 0.99 * best_over_all_pairs(*arguments)


@settings(max_examples=40, deadline=None)
@given(BOOKS)
def test_no_position_is_used_beyond_its_capacity_and_only_pairs_that_qualify_are_matched(book):
    held, correlation, table = portfolio(*book)
    found = best_matching(held, correlation, table, BY_PRICES)
    pairs = found.pairs
    used = np.bincount(pairs.first, found.matched, len(held.sign)) + np.bincount(pairs.second, found.matched, len(held.sign))
    assert (used <= held.capacity * (1 + 1e-12)).all()
    assert (pairs.s >= RULES.class_threshold).all()
    assert (pairs.first < pairs.second).all()
    again, _ = qualifying_pairs(held, correlation, table, RULES, pairs.first, pairs.second)
    np.testing.assert_array_equal(again.saving_rate, pairs.saving_rate)


@pytest.mark.parametrize(("inverse", "long"), [(0.0, 0.5), (0.3, 0.5), (0.5, 1.0), (0.0, 0.2)])
def test_prices_come_close_to_the_optimum_of_a_large_portfolio(inverse, long):
    arguments = portfolio(7, 400, inverse, long)
    best = best_over_all_pairs(*arguments)
    found = best_matching(*arguments, RULES)
    assert 0.98 * best <= found.saving <= best * (1 + 1e-9)
    assert found.proven_share >= RULES.proven_share


@pytest.mark.parametrize("inverse", [0.0, 0.4])
def test_neither_order_nor_a_second_run_changes_a_large_book(inverse):
    book = stock_book(3, 150, inverse)
    first = find_benefits(**book)
    pd.testing.assert_frame_equal(find_benefits(**book), first)
    order = np.random.default_rng(1).permutation(150)
    shuffled = {name: book[name].iloc[order[:: 1 if k % 2 else -1]] for k, name in enumerate(book) if isinstance(book[name], pd.DataFrame)}
    matrix = np.asfortranarray(book["correlation"][np.ix_(order, order)])
    again = find_benefits(**{**book, **shuffled, "symbols": [book["symbols"][i] for i in order], "correlation": matrix})
    pd.testing.assert_frame_equal(again, first)
    assert RULES.proven_share <= json.loads(first["explanation"][0])["proven_share"] <= 1


def test_a_large_book_does_not_reward_added_risk():
    """Stocks that all move together, all long: nothing offsets; with the signs of the market turned round everything does."""
    book = stock_book(5, 200)
    book["positions"]["notional"] = book["positions"]["notional"].abs()
    assert find_benefits(**book).empty
    book["correlation"] = np.where(np.eye(200, dtype=bool), 1.0, -book["correlation"])
    found = find_benefits(**book)
    assert len(found) > 50
    assert set(found["kind"]) <= {"diversification", "equity_sector"}


def test_single_precision_gives_the_same_saving():
    book = stock_book(3, 200)
    double = find_benefits(**book)["saving"].sum()
    single = find_benefits(**{**book, "correlation": book["correlation"].astype(np.float32)})["saving"].sum()
    assert single == pytest.approx(double, rel=2e-3)


def test_positions_without_any_instrument_take_no_part():
    book = stock_book(2, 12)
    assert find_benefits(**{**book, "instruments": book["instruments"].iloc[:0]}).empty


def test_a_small_book_is_proven_to_be_at_its_optimum():
    found = find_benefits(**stock_book(2, 12))
    assert json.loads(found["explanation"][0])["proven_share"] == 1.0


@settings(max_examples=30, deadline=None)
@given(BOOKS)
def test_rates_of_tiles_are_never_below_the_exact_ones(book):
    held, correlation, table = portfolio(*book)
    order = np.argsort(held.group, kind="stable")
    rates = SavingRates(held, correlation, table, RULES).block(order, order)
    row, column = np.triu_indices(len(order), 1)
    low, high = np.minimum(order[row], order[column]), np.maximum(order[row], order[column])
    pairs, qualifies = qualifying_pairs(held, correlation, table, RULES, low, high)
    exact = np.zeros(len(row))
    exact[qualifies] = pairs.saving_rate
    found = rates[row, column]
    assert (found >= exact * (1 - ROUNDING)).all()
    # A class benefit of the smaller margin depends on which is smaller: otherwise both agree to single precision.
    assert found == pytest.approx(exact, rel=1e-5)
    np.testing.assert_array_equal(rates, rates.T)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 30))
def test_feasible_prices_cover_every_pair(seed, n, m):
    random = np.random.default_rng(seed)
    rates = (random.uniform(0, 1, (n, m)) * (random.uniform(size=(n, m)) < 0.5)).astype(np.float32)
    given_prices = Prices(random.uniform(0, 1, n).astype(np.float32), random.uniform(0, 1, m).astype(np.float32), 0.0)
    rows, columns = feasible(rates, given_prices)
    assert (rows >= 0).all()
    assert (columns >= 0).all()
    assert (rates <= rows[:, None] + columns[None, :] + 1e-6).all()


def test_prices_of_no_pairs_are_nothing():
    prices = scarcity_prices(np.zeros((3, 2), dtype=np.float32), np.ones(3), np.ones(2))
    assert not prices.rows.any()
    assert not prices.columns.any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 90), st.integers(1, 90))
def test_filling_leaves_no_pair_with_capacity_on_both_sides(seed, n, m):
    random = np.random.default_rng(seed)
    score = np.where(random.uniform(size=(n, m)) < 0.3, random.normal(size=(n, m)), -np.inf).astype(np.float32)
    capacity = random.uniform(1, 9, n + m)
    rows, columns = np.arange(n), np.arange(n, n + m)
    none = np.zeros(0, dtype=np.int64)
    first, second, matched = fill(score, rows, columns, capacity, Extra(none, none, np.zeros(0)))
    used = np.bincount(first, matched, n + m) + np.bincount(second, matched, n + m)
    assert (used <= capacity * (1 + 1e-12)).all()
    left = used < capacity * (1 - 1e-12)
    assert not ((score > -np.inf) & left[rows][:, None] & left[columns][None, :]).any()


def test_the_best_score_is_taken_first():
    score = np.array([[1.0, 3.0], [2.0, 2.5]], dtype=np.float32)
    none = np.zeros(0, dtype=np.int64)
    first, second, matched = fill(score, np.arange(2), np.arange(2, 4), np.array([5.0, 5.0, 5.0, 2.0]), Extra(none, none, np.zeros(0)))
    assert list(zip(first.tolist(), second.tolist(), matched.tolist(), strict=True)) == [(0, 3, 2.0), (1, 2, 5.0)]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_tiles_and_entries_of_base_currency_returns_are_those_of_their_loadings(seed):
    random = np.random.default_rng(seed)
    n, factors = 6, 8
    loadings = random.normal(size=(factors, 12))
    covariance = loadings @ loadings.T
    matrix = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    volatility = random.uniform(0.1, 0.5, factors)
    factor, kind = random.permutation(6)[:n], random.integers(0, 3, n)
    currencies = np.zeros((3, factors))
    currencies[1, [6, 7]], currencies[2, 7] = (1.0, -1.0), -1.0  # a currency against the base, the dollar against the base
    held = np.eye(factors)[factor] + currencies[kind]
    expected = held @ (matrix * np.outer(volatility, volatility)) @ held.T
    expected /= np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    found = ReturnCorrelation(matrix, factor, currency_part(matrix, volatility, factor, kind, currencies))
    every = np.arange(n)
    assert found.tile(every, every[::-1]) == pytest.approx(expected[:, ::-1])
    assert found.entries(every, every[::-1]) == pytest.approx(expected[every, every[::-1]])


def test_memory_beyond_the_correlation_is_a_few_tables_of_long_with_short():
    book = stock_book(1, 1600)
    book["correlation"] = book["correlation"].astype(np.float32)
    find_benefits(**book)
    tracemalloc.start()
    find_benefits(**book)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    table = 4 * 800 * 800  # bytes, single precision
    assert peak < 4 * table + 12e6


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_proven_share_that_is_no_fraction_is_refused(share):
    with pytest.raises(ParameterError, match="proven_share"):
        dataclasses.replace(RULES, proven_share=share)
