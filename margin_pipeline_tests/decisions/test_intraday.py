"""Margin at live marks is the margin that the stages compute at these closes. Not here: the sensor, the tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.intraday import live_symbols, published_book, revalue, shelves
from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.margin.valuation import value_positions
from margin_pipeline.parameters.stress import stress_rules
from margin_pipeline_tests.decisions import stress_book
from margin_pipeline_tests.decisions.stress_book import AS_OF, CLOSES, RECORDS, THRESHOLDS

RULES = stress_rules(AS_OF)
FIGURES = ["maintenance_margin", "margin_equity", "equity", "utilization"]
LIVE = {
    "A": 91.0, "B": 44.0, "C90": 6.1, "C100": 2.2, "C110": 0.7, "P100": 10.9, "P90": 4.4, "P80": 1.3, "LEAP": 9.5, "FUT": 3950.0,
    "LINEAR": 18_400.0, "INVERSE": 21_000.0, "BOND": 94.0, "EUR_STOCK": 9.0, "M": 3930.0,
}  # fmt: skip
EMPTY_CORRELATION = pd.DataFrame({"symbols": [[]], "triangle": [b""], "minimum_eigenvalue": [1.0], "repaired": [False]})


def frames(held, **options):
    return stress_book.book(held, **options)


def at(tables, rules=RULES, **options):
    names = ("positions", "instruments", "portfolios", "prices", "fx_rates")
    groups = group_positions(*(tables[name] for name in names), AS_OF, tables["house_margins"]).groups
    given = ("futures_margins", "margin_schedules", "margin_rates", "house_margins", "symbol_risk")
    more = [stress_book.empty_table(name) for name in ("risk_arrays", "span_parameters")]
    inputs = MarginInputs(
        *(tables[name] for name in names), *(tables[name] for name in given), groups, tables["rejected_rows"], tables["rates"],
        tables["dividends"], *more, (), np.zeros((0, 0)),
    )  # fmt: skip
    return published_book(inputs, rules, AS_OF, models={}, **options)


def live(tables, marks, **options):
    """Rows by portfolio at live marks."""
    return revalue(at(tables, **options), pd.Series(marks, dtype=float), THRESHOLDS)


def closed_at(tables, marks, gain):
    """Governing row of a run on a date that closes at the marks, with equity that has gained as much."""
    prices = tables["prices"].assign(close=tables["prices"]["symbol"].map(marks).fillna(tables["prices"]["close"]))
    records = tables["positions"][RECORDS].assign(price=np.nan)
    owners = tables["portfolios"].assign(equity=tables["portfolios"]["equity"] + gain)
    more = {name: stress_book.empty_table(name) for name in ("risk_arrays", "span_parameters")}
    found = recalculate(
        {**tables, "prices": prices, "correlation_matrices": EMPTY_CORRELATION, **more},
        records,
        owners,
        Setting(AS_OF, THRESHOLDS, models={}),
    ).portfolio_margins
    return found[found["is_governing"]].iloc[0]


BOOKS = {
    "stock_and_spreads": ("reg_t", [("a", "A", 300), ("a", "C100", -3), ("a", "P90", -2), ("b", "P80", 2), ("b", "B", -200)]),
    "long_dated": ("reg_t", [("a", "LEAP", 5), ("a", "B", 100)]),
    "cash": ("cash", [("a", "A", 100), ("a", "C110", -1), ("a", "P90", -1)]),
    "by_scenarios": ("portfolio_margin", [("a", "A", 500), ("a", "P100", 5), ("a", "C110", -5)]),
    "futures": ("futures", [("a", "FUT", -3)]),
    "coins": ("crypto_cross", [("a", "LINEAR", 4), ("a", "INVERSE", -30)]),
    "foreign": ("reg_t", [("a", "EUR_STOCK", 1000)]),
}


@pytest.mark.parametrize("name", BOOKS)
def test_live_marks_give_what_a_date_that_closes_there_would_publish(name):
    account, held = BOOKS[name]
    tables = frames(held, account=account)
    found = live(tables, LIVE)
    row = found.margins.iloc[0]
    gain = found.positions["pnl"].sum()
    expected = closed_at(tables, LIVE, gain)
    assert gain != 0
    assert row["method"] == expected["method"]
    assert row[FIGURES].to_numpy(float) == pytest.approx(expected[FIGURES].to_numpy(float), rel=1e-12)
    assert row["status"] == expected["status"]
    assert set(row["mark_sources"]) == {"live"}


def test_equity_moves_by_quantity_multiplier_change_and_exchange_rate():
    held = [("a", "A", 300), ("a", "C100", -3), ("a", "FUT", 2), ("a", "INVERSE", 10), ("a", "LINEAR", -2), ("a", "EUR_STOCK", 100)]
    found = live(frames(held), LIVE)
    by_hand = (
        300 * (91 - 100) - 300 * (2.2 - 6) + 2 * 50 * (3950 - 4010) + 10 * 100 * (21_000 - 20_000) / 18_000 - 2 * (18_400 - 20_000)
        + 100 * (9 - 10) * 1.06
    )  # fmt: skip
    assert found.margins["equity"][0] == pytest.approx(100_000 + by_hand)


def test_without_live_marks_everything_is_as_published():
    tables = frames(BOOKS["stock_and_spreads"][1])
    row = live(tables, {}).margins.iloc[0]
    assert row[FIGURES].to_numpy(float) == pytest.approx(closed_at(tables, {}, 0.0)[FIGURES].to_numpy(float), rel=1e-12)
    assert row["mark_sources"] == {"published": 5}


def test_a_mark_given_with_the_position_is_what_gains_are_counted_from():
    found = live(frames([("a", "A", 100)], marks={"A": 98.0}), {"A": 91.0})
    assert found.positions["pnl"].sum() == pytest.approx(100 * (91 - 98))
    assert found.margins["maintenance_margin"][0] == pytest.approx(0.25 * 9100)


def test_options_without_a_mark_are_valued_at_their_implied_volatility_and_futures_follow_what_they_are_on():
    found = live(frames([("a", "C100", 1), ("a", "P100", 1), ("a", "FUT", 1), ("a", "B", 1)]), {"A": 105.0, "M": 4100.0})
    rows = found.positions.set_index("symbol")
    assert dict(rows["mark_source"]) == {"C100": "implied_volatility", "P100": "implied_volatility", "FUT": "underlying", "B": "published"}
    assert rows["price"]["FUT"] == pytest.approx(4010 * 4100 / 4000)
    # Put-call parity: prices of a call and a put of one strike move apart by what the stock moves; their volatilities differ a little here.
    apart = (rows["price"]["C100"] - 6.0) - (rows["price"]["P100"] - 5.5)
    assert apart == pytest.approx(5.0, abs=0.05)
    assert rows["price"]["C100"] > 8.0


def test_the_mark_of_an_option_itself_goes_before_the_model():
    rows = live(frames([("a", "C100", 1)]), {"A": 105.0, "C100": 9.25}).positions
    assert list(rows[["price", "mark_source"]].iloc[0]) == [9.25, "live"]


def test_a_position_that_had_no_mark_leaves_the_portfolio_undetermined_and_is_named():
    tables = frames([("a", "A", 100), ("a", "B", 100)])
    prices = tables["prices"][tables["prices"]["symbol"] != "B"]
    records = tables["positions"][RECORDS].assign(price=np.nan)
    positions = value_positions(records, tables["instruments"], tables["portfolios"], prices, tables["fx_rates"], AS_OF)
    row = live({**tables, "prices": prices, "positions": positions}, {"B": 41.0, "A": 99.0}).margins.iloc[0]
    assert (row["status"], np.isnan(row["utilization"]), np.isnan(row["equity"])) == ("undetermined", True, True)
    assert "B" in row["missing"]


def test_groups_of_large_portfolios_are_kept_and_need_at_least_what_the_best_ones_would():
    tables = frames(BOOKS["stock_and_spreads"][1])
    kept = live(tables, LIVE, rules=replace(RULES, regroup_legs_up_to=0)).margins.iloc[0]
    best = live(tables, LIVE).margins.iloc[0]
    assert (kept["grouping"], best["grouping"]) == ("kept", "optimal")
    assert kept["maintenance_margin"] >= best["maintenance_margin"] - 1e-9
    assert live(frames([("a", "FUT", 1)], account="futures"), LIVE).margins["grouping"].isna().all()


MARKS = st.dictionaries(st.sampled_from(sorted(LIVE)), st.floats(0.5, 1.8), max_size=6)


@settings(max_examples=3)
@given(MARKS, st.integers(0, 1000))
def test_portfolios_and_rows_do_not_change_each_other(moves, seed):
    marks = {name: CLOSES[name] * move for name, move in moves.items()}
    held = [("a", "A", 300, "P"), ("a", "C100", -3, "P"), ("b", "P90", 2, "Q"), ("b", "B", -50, "Q"), ("a", "A", -10, "Q")]
    together = live(frames(held), marks).margins.set_index("portfolio_id")[FIGURES]
    shuffled = frames(held)
    shuffled["positions"] = shuffled["positions"].sample(frac=1, random_state=seed)
    alone = {name: live(frames([row for row in held if row[3] == name]), marks).margins[FIGURES].iloc[0] for name in "PQ"}
    pd.testing.assert_frame_equal(live(shuffled, marks).margins.set_index("portfolio_id")[FIGURES], together)
    for name, row in alone.items():
        assert row.to_numpy(float) == pytest.approx(together.loc[name].to_numpy(float), rel=1e-12)


def test_a_portfolio_depends_on_what_it_holds_and_on_what_that_is_on():
    tables = frames([("a", "C100", 1), ("a", "FUT", 1), ("b", "B", 0)])
    assert set(live_symbols(tables["positions"], tables["instruments"])["symbol"]) == {"C100", "A", "FUT", "M"}


def test_large_portfolios_are_computed_alone_and_small_ones_together():
    sizes = pd.Series({"big": 500, "c": 10, "a": 60, "b": 40})
    apart = pd.Series({"a": False, "b": False, "big": False, "c": False, "scan": True})
    assert shelves(sizes, apart, 500, 100) == [["a", "b"], ["big"], ["c"], ["scan"]]
