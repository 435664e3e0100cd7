"""The rate in use is the newest of a week, and a missing one converts nothing."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.market.currencies import conversion, usd_rates

AS_OF = dt.date(2022, 12, 28)


def rates(*rows):
    frame = pd.DataFrame(list(rows), columns=["date", "currency", "usd_rate"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


@pytest.mark.parametrize(("day", "known"), [("2022-12-28", True), ("2022-12-21", True), ("2022-12-20", False), ("2022-12-29", False)])
def test_a_rate_counts_for_seven_days_and_never_before_its_date(day, known):
    assert usd_rates(rates((day, "GBP", 1.2)), AS_OF) == ({"GBP": 1.2, "USD": 1.0} if known else {"USD": 1.0})


def test_the_newest_rate_counts_in_any_order_of_rows():
    quoted = [("2022-12-27", "EUR", 1.06), ("2022-12-23", "EUR", 1.05), ("2022-12-29", "EUR", 1.07)]
    assert usd_rates(rates(*quoted), AS_OF) == usd_rates(rates(*quoted[::-1]), AS_OF) == {"EUR": 1.06, "USD": 1.0}


def test_two_rates_convert_through_the_dollar():
    found = conversion(pd.Series(["EUR", "USD", "EUR"]), pd.Series(["GBP", "EUR", "USD"]), {"EUR": 1.0, "GBP": 1.25, "USD": 1.0})
    np.testing.assert_allclose(found, [0.8, 1.0, 1.0])


def test_a_currency_is_worth_itself_without_a_rate_and_a_missing_rate_converts_nothing():
    found = conversion(pd.Series(["XXX", "XXX", None], dtype="str"), pd.Series(["XXX", "USD", "USD"], dtype="str"), {"USD": 1.0})
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan])


def test_nothing_converts_into_nothing():
    empty = pd.Series([], dtype="str")
    assert conversion(empty, empty, {"USD": 1.0}).shape == (0,)
    assert usd_rates(rates(), AS_OF) == {"USD": 1.0}
