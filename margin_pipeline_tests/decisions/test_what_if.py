"""What trades do to margin, on small books. Not here: that it is what the chain publishes (cli/test_published_book)."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.what_if import Setting, TradeError, what_if
from margin_pipeline_tests.decisions.stress_book import empty_table

AS_OF = dt.date(2022, 12, 28)
THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
CLOSES = {"S": 100.0, "C105": 2.0, "C115": 0.5, "P95": 1.5, "P80": 0.2, "F": 50.0}
TERMS = {
    "C105": {"option_type": "call", "strike": 105.0},
    "C115": {"option_type": "call", "strike": 115.0},
    "P95": {"option_type": "put", "strike": 95.0},
    "P80": {"option_type": "put", "strike": 80.0},
}
TEXTS = (
    "underlying",
    "option_type",
    "exercise",
    "settlement",
    "sector",
    "breadth",
    "root",
    "margin_schedule",
    "margin_model",
    "contract_type",
    "class_group",
    "product_group",
)
NUMBERS = ("strike", "deliverable_units", "conversion_ratio", "modified_duration", "index_ratio", "margin_leverage", "margin_per_unit")
RECORDS = ["portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet"]


def instruments():
    """A stock S with four options on it, a stock F, and a stock without a price."""
    blank = {**dict.fromkeys(TEXTS), **dict.fromkeys(NUMBERS, np.nan), "expiry": None, "currency": "USD"}
    blank |= {"leverage_factor": 1.0, "is_inverse": False}
    rows = [
        {
            **blank,
            "symbol": symbol,
            "asset_class": "equity_option" if symbol in TERMS else "equity",
            "multiplier": 100.0 if symbol in TERMS else 1.0,
            **({"underlying": "S", "expiry": "2023-03-17", **TERMS[symbol]} if symbol in TERMS else {}),
        }
        for symbol in (*CLOSES, "UNPRICED")
    ]
    frame = pd.DataFrame(rows).astype(
        {**dict.fromkeys((*TEXTS, "symbol", "asset_class", "currency"), "str"), **dict.fromkeys(NUMBERS, float)}
    )
    return frame.assign(expiry=pd.to_datetime(frame["expiry"]))


def tables(book, account="reg_t", equity=100_000.0):
    """Tables of portfolio P, which holds {(strategy, symbol): quantity}."""
    rows = [("P", *key, float(quantity), np.nan, np.nan, np.nan) for key, quantity in book.items()]
    texts = dict.fromkeys(RECORDS[:3], "str")
    numbers = dict.fromkeys(RECORDS[3:], "float64")

    def empty(*columns):
        return pd.DataFrame({name: pd.Series(dtype="datetime64[us]" if name in ("date", "effective_date") else "str") for name in columns})

    exchange = ("initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday")
    rates = ("initial_rate", "maintenance_rate")
    return {
        "portfolios": pd.DataFrame({"portfolio_id": ["P"], "account_type": [account], "equity": [equity], "base_currency": ["USD"]}),
        "position_records": pd.DataFrame(rows, columns=RECORDS).astype(texts | numbers),
        "rejected_rows": empty("source", "row_number", "reason", "portfolio_id", "raw"),
        "instruments": instruments(),
        "prices": pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": list(CLOSES), "close": list(CLOSES.values())}),
        "fx_rates": empty("date", "currency").assign(usd_rate=pd.Series(dtype=float)),
        "rates": empty("date", "currency").assign(rate=pd.Series(dtype=float)),
        "dividends": empty("symbol").assign(dividend_yield=pd.Series(dtype=float)),
        "risk_arrays": empty_table("risk_arrays"),
        "span_parameters": empty_table("span_parameters"),
        "futures_margins": empty("root", "effective_date").assign(**{name: pd.Series(dtype=float) for name in exchange}),
        "margin_schedules": empty("schedule", "mode", "currency", "effective_date").assign(
            **{name: pd.Series(dtype=float) for name in ("threshold", *rates)}
        ),
        "margin_rates": empty("asset_class", "effective_date").assign(**{name: pd.Series(dtype=float) for name in rates}),
        "symbol_risk": pd.DataFrame({"symbol": ["S", "F"], "volatility": [0.3, 0.2], "beta": [1.0, 0.8]}),
        "correlation_matrices": pd.DataFrame(
            {
                "symbols": [["F", "S"]],
                "triangle": [np.array([0.9], dtype="<f4").tobytes()],
                "minimum_eigenvalue": [0.1],
                "repaired": [False],
            }
        ),
    }


def thought(book, trades, account="reg_t", **options):
    return what_if(tables(book, account), "P", list(trades), Setting(AS_OF, THRESHOLDS), **options)


def figures(found, side):
    """Margins of one side by method."""
    names = [f"{name}_{side}" for name in ("initial_margin", "maintenance_margin", "margin_equity", "excess", "utilization")]
    return found.margins.set_index("method")[names].set_axis([name.removesuffix(f"_{side}") for name in names], axis=1).sort_index()


CONDOR = {("a", "C105"): -2, ("a", "C115"): 2, ("a", "P95"): -2, ("a", "P80"): 2}


def test_a_narrower_put_wing_leaves_the_call_wing_to_count():
    """Puts 95 / 80: 15 x 100 a unit; calls 105 / 115: 10 x 100. Without the puts 2 x 500 less is needed."""
    row = thought(CONDOR, [("P95", 2), ("P80", -2)]).margins.set_index("method").loc["strategy_based"]
    assert (row["maintenance_margin_before"], row["maintenance_margin_after"]) == (3_000.0, 2_000.0)


def test_selling_a_wing_leaves_the_short_naked():
    """Cboe margin manual, short call: premium + max(20 % S - out-of-the-money amount, 10 % S), a contract 200 + 1,500."""
    found = thought({("a", "C105"): -2, ("a", "C115"): 2}, [("C115", -2)])
    assert figures(found, "after").loc["strategy_based", "maintenance_margin"] == pytest.approx(2 * (200 + 1_500))
    groups = found.groups.set_index("structure")
    assert dict(groups["units_change"]) == {"bear_call_spread": -2.0, "naked_call": 2.0}


BOOKS = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(CLOSES))), st.integers(-5, 5).filter(bool), max_size=5)
QUANTITIES = st.integers(-6, 6).filter(bool)
SYMBOLS = st.sampled_from(sorted(CLOSES))


# A book costs half a second of small frames, whatever is in it.
FEW = settings(max_examples=4)


@pytest.mark.slow
@FEW
@given(BOOKS, SYMBOLS, QUANTITIES, QUANTITIES)
def test_a_trade_in_two_parts_is_one_trade_and_moves_no_equity(book, symbol, first, second):
    whole = first + second or first
    one = thought(book, [(symbol, whole)], fee=7.0)
    two = thought(book, [(symbol, first), (symbol, whole - first)], fee=7.0)
    pd.testing.assert_frame_equal(figures(one, "after"), figures(two, "after"), check_exact=True)
    assert set(one.margins["equity_change"]) == {-7.0}
    for side in ("before", "after"):
        rest = one.margins[f"margin_equity_{side}"] - one.margins[f"maintenance_margin_{side}"]
        pd.testing.assert_series_equal(one.margins[f"excess_{side}"], rest, check_names=False)


@pytest.mark.slow
@FEW
@given(BOOKS, SYMBOLS, QUANTITIES)
def test_after_is_before_of_the_book_that_the_trade_leaves_whoever_trades(book, symbol, quantity):
    """Series are net over strategies under `strategy_based`, so that it does not matter there which of them trades."""
    after = figures(thought(book, [(symbol, quantity)], strategy="a"), "after")
    left = {**book, ("a", symbol): book.get(("a", symbol), 0) + quantity}
    again = figures(thought({key: value for key, value in left.items() if value}, [("F", 1)]), "before")
    pd.testing.assert_frame_equal(after, again, check_exact=True)
    closed_first = figures(thought(book, [(symbol, quantity)]), "after")
    pd.testing.assert_series_equal(closed_first.loc["strategy_based"], after.loc["strategy_based"], rtol=1e-12)


def test_closing_a_stock_frees_its_margin_under_methods_without_netting_too():
    margins = thought({("a", "S"): 300}, [("S", -300)]).margins.set_index("method")
    assert dict(margins["maintenance_margin_after"]) == dict.fromkeys(("strategy_based", "reg_t", "portfolio_margin", "cross_margin"), 0.0)


def test_a_hedge_is_worth_something_where_correlation_counts():
    """Long 75 of margin, short 1,000 x 50 x 30 %: opposite signs at a correlation of 0.9 share their matched exposure."""
    margins = thought({("a", "S"): 500}, [("F", -1_000)]).margins.set_index("method")
    assert margins.loc["cross_margin", "maintenance_margin_after"] < margins.loc["reg_t", "maintenance_margin_after"]
    assert margins.loc["reg_t", "maintenance_margin_change"] == pytest.approx(0.30 * 50_000)


def test_a_cash_account_becomes_undetermined_by_what_it_does_not_admit_and_says_so():
    (row,) = thought({("a", "S"): 100}, [("C105", -2)], account="cash").margins.to_dict("records")
    assert (row["status_before"], row["status_after"]) == ("safe", "undetermined")
    assert any("C105" in reason for reason in row["missing_after"])
    assert math.isnan(row["maintenance_margin_change"])


def test_scenario_margin_of_stock_follows_the_trade():
    """FINRA 4210(g): 15 % of stock; a protective put leaves the $37.50 of its contract, or what stock and put lose together."""
    margins = thought({("a", "S"): 100}, [("S", 100)], account="portfolio_margin").margins
    row = margins[margins["is_governing"]].iloc[0]
    assert (row["method"], row["status_before"], row["status_after"]) == ("portfolio_margin", "safe", "safe")
    assert (row["maintenance_margin_before"], row["maintenance_margin_after"]) == pytest.approx((1_500.0, 3_000.0))
    protected = thought({("a", "S"): 100}, [("P95", 1)], account="portfolio_margin").margins.set_index("method").loc["portfolio_margin"]
    assert 37.5 <= protected["maintenance_margin_after"] < 700.0
    assert margins.set_index("method").loc["reg_t", "maintenance_margin_change"] == pytest.approx(0.25 * 10_000)


def test_a_missing_price_of_the_book_undetermines_both_sides_and_selling_it_cannot_be_thought_through():
    row = thought({("a", "UNPRICED"): 1}, [("S", 1)]).margins.iloc[0]
    assert row["missing_before"] == row["missing_after"] == ["price of UNPRICED 2022-12-28"]
    with pytest.raises(TradeError, match="no mark"):
        thought({("a", "UNPRICED"): 1}, [("UNPRICED", -1)])


@pytest.mark.parametrize(
    ("portfolio_id", "account", "fee", "said"),
    [("Q", "reg_t", 0.0, "known are P"), ("P", "otc", 0.0, "otc"), ("P", "reg_t", math.nan, "fee")],
)
def test_what_cannot_be_thought_through_is_told(portfolio_id, account, fee, said):
    with pytest.raises(TradeError, match=said):
        what_if(tables({}, account), portfolio_id, [("S", 1.0)], Setting(AS_OF, THRESHOLDS), fee=fee)
