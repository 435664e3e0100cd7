"""Returns on one calendar: values, sessions, gaps, adjusted closes, currencies.

Belongs here: market.returns. Not here: estimates from returns.
"""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.returns import log_returns

NO_RATES = pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series([], dtype="str"), "usd_rate": pd.Series([], dtype=float)})
MONDAY = dt.date(2022, 12, 5)
FAR = dt.date(2030, 1, 1)


def prices(rows):
    """Frame from (day after Monday, symbol, close[, adjusted_close])."""
    full = [(*row, np.nan)[:4] for row in rows]
    frame = pd.DataFrame(full, columns=["day", "symbol", "close", "adjusted_close"])
    frame.insert(0, "date", pd.Timestamp(MONDAY) + pd.to_timedelta(frame.pop("day"), unit="D"))
    return frame.astype({"symbol": "str", "close": float, "adjusted_close": float})


def rates(rows):
    frame = prices([(day, currency, rate) for day, currency, rate in rows])
    return frame[["date", "symbol", "close"]].set_axis(["date", "currency", "usd_rate"], axis=1)


def test_a_close_of_100_then_110_returns_ten_percent():
    found = log_returns(prices([(0, "A", 100.0), (1, "A", 110.0)]), NO_RATES, FAR)
    assert found.symbols == ("A",)
    assert found.values.tolist() == [[pytest.approx(np.log(1.1))]]
    assert found.simple.tolist() == [[pytest.approx(0.1)]]
    assert found.dates.tolist() == [np.datetime64("2022-12-06", "ns").astype(int)]


def test_weekend_closes_of_one_symbol_make_no_session_and_its_return_spans_the_weekend():
    stocks = [(day, name, 100.0 + day) for day in (0, 4, 7) for name in ("A", "B")]
    coin = [(day, "COIN", 10.0 * 2**day) for day in range(8)]
    found = log_returns(prices(stocks + coin), NO_RATES, FAR)
    assert len(found.dates) == 2
    assert found.values[:, found.symbols.index("COIN")] == pytest.approx([4 * np.log(2), 3 * np.log(2)])


def test_a_holiday_of_one_exchange_leaves_a_gap_in_its_symbols_only():
    rows = [(day, name, 100.0 + day) for day in range(4) for name in ("A", "B", "C")] + [(day, "L", 50.0 + day) for day in (0, 1, 3)]
    found = log_returns(prices(rows), NO_RATES, FAR)
    assert np.isnan(found.values[:, 3]).tolist() == [False, True, True]
    assert np.isfinite(found.values[:, :3]).all()


def test_a_symbol_listed_later_does_not_vote_before_its_first_close():
    rows = [(day, "OLD", 100.0 + day) for day in range(6)] + [(day, f"NEW{k}", 50.0 + day) for day in (4, 5) for k in range(5)]
    found = log_returns(prices(rows), NO_RATES, FAR)
    assert len(found.dates) == 5
    assert np.isfinite(found.values[:, found.symbols.index("OLD")]).all()


def test_closes_after_the_date_are_not_used():
    found = log_returns(prices([(0, "A", 100.0), (1, "A", 110.0), (2, "A", 500.0), (2, "LATER", 1.0)]), NO_RATES, dt.date(2022, 12, 6))
    assert found.values.shape == (1, 1) or np.isnan(found.values[:, found.symbols.index("LATER")]).all()
    assert found.values[0, found.symbols.index("A")] == pytest.approx(np.log(1.1))


def test_adjusted_closes_are_used_where_both_ends_have_one_and_never_mixed_with_plain_ones():
    rows = [(0, "A", 100.0, 50.0), (1, "A", 51.0, 51.0), (2, "A", 52.0), (3, "A", 53.0, 53.0)]
    found = log_returns(prices(rows), NO_RATES, FAR)
    assert found.values[:, 0] == pytest.approx(np.log([51 / 50, 52 / 51, 53 / 52]))


def test_prices_that_are_not_positive_are_missing():
    found = log_returns(prices([(0, "A", 100.0), (1, "A", 0.0), (2, "A", -5.0), *((d, "B", 1.0) for d in range(3))]), NO_RATES, FAR)
    assert np.isnan(found.values[:, 0]).all()


def test_a_currency_has_a_factor_and_the_dollar_has_none():
    rows = rates([(day, c, r) for day, r in ((0, 1.0), (1, 1.05)) for c in ("EUR", "USD")])
    found = log_returns(prices([(0, "A", 1.0), (1, "A", 1.0)]), rows, FAR)
    assert found.symbols == ("A", "fx:EUR")
    assert found.values[0].tolist() == pytest.approx([0.0, np.log(1.05)])


def test_without_prices_the_rates_make_the_calendar():
    found = log_returns(prices([]), rates([(0, "EUR", 1.0), (1, "EUR", 1.1)]), FAR)
    assert found.symbols == ("fx:EUR",)
    assert found.values.shape == (1, 1)


def test_without_anything_there_is_nothing():
    found = log_returns(prices([]), NO_RATES, FAR)
    assert found.symbols == ()
    assert found.values.shape == (0, 0)


def test_one_session_has_no_return():
    assert log_returns(prices([(0, "A", 1.0)]), NO_RATES, FAR).values.shape == (0, 1)


def test_excluded_symbols_and_those_named_like_a_currency_factor_are_left_out():
    rows = [(day, name, 1.0 + day) for day in range(2) for name in ("A", "A 250117C100", "fx:EUR")]
    assert log_returns(prices(rows), NO_RATES, FAR, exclude={"A 250117C100"}).symbols == ("A",)


def test_the_window_keeps_the_newest_returns():
    found = log_returns(prices([(day, "A", 100.0 + day) for day in range(10)]), NO_RATES, FAR, window=3)
    assert found.values[:, 0] == pytest.approx(np.log([107 / 106, 108 / 107, 109 / 108]))


def test_two_prices_of_a_symbol_on_a_date_are_refused():
    with pytest.raises(ValueError, match="A has more than one price on 2022-12-06"):
        log_returns(prices([(0, "A", 1.0), (1, "A", 2.0), (1, "A", 3.0)]), NO_RATES, FAR)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_order_of_rows_changes_nothing(data):
    cells = data.draw(st.sets(st.tuples(st.integers(0, 8), st.sampled_from("ABCD")), max_size=30))
    rows = [(day, name, 50.0 + day + ord(name)) for day, name in sorted(cells)]
    shuffled = data.draw(st.permutations(rows))
    one, other = (log_returns(prices(r), NO_RATES, FAR) for r in (rows, shuffled))
    assert one.symbols == other.symbols
    np.testing.assert_array_equal(one.dates, other.dates)
    np.testing.assert_array_equal(one.values, other.values)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.5, 500.0), min_size=2, max_size=12), st.floats(0.01, 100.0))
def test_returns_add_up_to_the_whole_and_do_not_depend_on_the_unit_of_price(closes, unit):
    found = log_returns(prices([(day, "A", close) for day, close in enumerate(closes)]), NO_RATES, FAR).values
    scaled = log_returns(prices([(day, "A", close * unit) for day, close in enumerate(closes)]), NO_RATES, FAR).values
    assert found.sum() == pytest.approx(np.log(closes[-1] / closes[0]), abs=1e-9)
    np.testing.assert_allclose(scaled, found, atol=1e-9)
