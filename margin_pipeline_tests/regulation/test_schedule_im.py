"""Schedule initial margin against published cases, an independent formula and its properties."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters.schedule_im import schedule_rules
from margin_pipeline.regulation.schedule_im import schedule_margins
from margin_pipeline.regulation.schedule_trades import class_numbers, maturity_buckets

VALUATION = dt.date(2018, 2, 1)
CLASSES = {"Rates": "interest_rate", "FX": "fx", "Credit": "credit", "Equity": "equity"}

# Published by the AcadiaSoft SIMM library (schedule tests): class, notional, present value, maturity.
WITH_PRESENT_VALUES = [
    ("Rates", 100_000, 500, "2019-02-01"),
    ("FX", -50_000, -100, "2019-02-01"),
    ("Rates", 200_000, -25, "2019-02-01"),
    ("Credit", 300_000, 20, "2019-02-01"),
]
EXTRA_NOTIONALS = [
    ("Rates", 250_000, 850, "2019-02-01"),
    ("FX", -500_000, 120, "2019-02-01"),
    ("Rates", -200_000, -45, "2019-02-01"),
    ("Credit", 30_000, -200, "2019-02-01"),
    ("Equity", 120_000, 0, "2022-02-01"),
    ("Credit", -40_000, 0, "2030-02-01"),
]


def trades_of(rows, netting_set="NS1", currency="USD"):
    """Frame of trades from (class, notional, market value, maturity)."""
    return pd.DataFrame(
        {
            "trade_id": [f"{netting_set}-{i}" for i in range(len(rows))],
            "netting_set_id": netting_set,
            "asset_class": [CLASSES.get(r[0], r[0]) for r in rows],
            "instrument_type": pd.Series([None] * len(rows), dtype="str"),
            "notional": [float(r[1]) for r in rows],
            "currency": currency,
            "second_currency": pd.Series([None] * len(rows), dtype="str"),
            "maturity": pd.to_datetime([r[3] for r in rows]),
            "market_value": [float(r[2]) if r[2] is not None else np.nan for r in rows],
        }
    )


def margins(trades, base_currency="USD", fx=(), models=("schedule",), as_of=VALUATION):
    """Margins of netting sets NS1, NS2, … of one portfolio, indexed by (netting set, side)."""
    names = [f"NS{i + 1}" for i in range(len(models))]
    sets = pd.DataFrame({"netting_set_id": names, "portfolio_id": "P", "im_model": pd.Series(list(models), dtype="str")})
    rates = pd.DataFrame(fx, columns=["date", "currency", "usd_rate"])
    rates["date"] = pd.to_datetime(rates["date"])
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "base_currency": [base_currency]})
    return schedule_margins(sets, trades, rates, portfolios, as_of).set_index(["netting_set_id", "side"])


@pytest.mark.parametrize(
    ("rows", "call", "post"), [(WITH_PRESENT_VALUES, 10_269, 4_800), (EXTRA_NOTIONALS, 48_447, 22_840)], ids=["with PV", "extra notionals"]
)
def test_both_sides_of_the_published_cases_agree_to_the_dollar(rows, call, post):
    found = margins(trades_of(rows))["initial_margin"]
    assert found["NS1", "call"] == pytest.approx(call, abs=1)
    assert found["NS1", "post"] == pytest.approx(post, abs=1)


def test_a_trade_whose_present_values_net_to_zero_has_a_net_to_gross_ratio_of_one():
    found = margins(trades_of([("Rates", 1_000, 1_000 - 1_000, "2019-01-01")]))
    assert found["initial_margin"].tolist() == pytest.approx([10, 10])  # published case NettingPv
    assert found["net_to_gross_ratio"].tolist() == [1, 1]


def test_gross_margin_and_ratio_follow_the_formula_written_out():
    found = margins(trades_of(WITH_PRESENT_VALUES)).loc[("NS1", "call")]
    gross = 100_000 * 0.01 + 50_000 * 0.06 + 200_000 * 0.01 + 300_000 * 0.02
    ratio = (500 - 100 - 25 + 20) / (500 + 20)
    assert found["gross_margin"] == pytest.approx(gross)
    assert found["net_to_gross_ratio"] == pytest.approx(ratio)
    assert found["initial_margin"] == pytest.approx(0.4 * gross + 0.6 * ratio * gross)


@pytest.mark.parametrize(
    ("maturity", "bucket"),
    [("2017-12-31", 0), ("2018-02-01", 0), ("2020-02-01", 0), ("2020-02-02", 1), ("2023-02-01", 1), ("2023-02-02", 2), ("2048-01-01", 2)],
)
def test_a_maturity_of_exactly_two_or_five_years_is_in_the_shorter_bucket(maturity, bucket):
    assert maturity_buckets(pd.Series([pd.Timestamp(maturity)]), schedule_rules(VALUATION), VALUATION).tolist() == [bucket]


def test_a_rates_trade_in_two_currencies_is_a_cross_currency_swap():
    trades = trades_of([("Rates", 1, 0, "2019-01-01"), ("FX", 1, 0, "2019-01-01"), ("FX", 1, 0, "2019-01-01")])
    trades["second_currency"] = ["EUR", "EUR", "EUR"]
    trades["instrument_type"] = ["swap", "forward", "xccy_swap"]
    rules = schedule_rules(VALUATION)
    assert [list(rules.rates)[n] for n in class_numbers(trades, rules)] == ["cross_currency", "fx", "cross_currency"]


def test_a_missing_market_value_leaves_no_margin_and_names_the_trade():
    found = margins(trades_of([("Rates", 1_000, None, "2019-01-01"), ("Rates", 1_000, 5, "2019-01-01")]))
    assert found["initial_margin"].isna().all()
    assert found["net_to_gross_ratio"].isna().all()
    assert found["missing"].tolist() == ["market value of trade NS1-0"] * 2
    assert found["gross_margin"].tolist() == [20, 20]


def test_amounts_convert_to_the_base_currency_of_the_portfolio():
    fx = [("2018-01-31", "EUR", 1.25), ("2018-02-02", "EUR", 9.9), ("2018-01-31", "GBP", 1.5)]
    found = margins(trades_of(EXTRA_NOTIONALS, currency="GBP"), base_currency="EUR", fx=fx)["initial_margin"]
    assert found["NS1", "call"] == pytest.approx(48_446.7 * 1.5 / 1.25, abs=1)


def test_an_exchange_rate_older_than_a_week_is_missing():
    found = margins(trades_of(EXTRA_NOTIONALS, currency="GBP"), fx=[("2018-01-24", "GBP", 1.5)])
    assert found["initial_margin"].isna().all()
    assert found["missing"].iloc[0] == "exchange rate of GBP to USD"


def test_a_set_under_another_model_has_no_margin_and_says_so():
    both = pd.concat([trades_of(WITH_PRESENT_VALUES), trades_of(WITH_PRESENT_VALUES, "NS2")])
    found = margins(both, models=("simm", None))
    assert found.loc["NS1", "initial_margin"].isna().all()
    assert found.loc["NS1", "missing"].str.contains("simm").all()
    assert found.loc[("NS2", "call"), "initial_margin"] == pytest.approx(10_269, abs=1)
    assert found.loc["NS2", "model"].tolist() == ["schedule", "schedule"]


def test_a_set_without_trades_needs_nothing():
    found = margins(trades_of([]))
    assert found["initial_margin"].tolist() == [0, 0]


def test_no_netting_sets_give_an_empty_table_with_all_columns():
    found = margins(trades_of([]), models=())
    assert found.empty
    assert list(found.reset_index().columns) == [
        "netting_set_id", "side", "portfolio_id", "model", "gross_margin", "net_to_gross_ratio", "initial_margin", "missing", "explanation",
    ]  # fmt: skip


def test_the_explanation_is_json_with_the_gross_margin_of_each_class():
    explanation = json.loads(margins(trades_of(WITH_PRESENT_VALUES))["explanation"].iloc[0])
    assert explanation["gross_margin_by_class"] == {"credit": 6000, "fx": 3000, "interest_rate": 3000}
    assert explanation["trades"] == 4


BOOKS = st.lists(
    st.tuples(
        st.sampled_from(["Rates", "FX", "Credit", "Equity", "commodity"]),
        st.integers(-1_000_000, 1_000_000),
        st.integers(-10_000, 10_000),
        st.sampled_from(["2018-06-01", "2021-06-01", "2030-06-01"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(BOOKS)
def test_margin_lies_between_forty_percent_of_gross_and_gross(rows):
    found = margins(trades_of(rows))
    assert (found["initial_margin"] >= 0.4 * found["gross_margin"] - 1e-9).all()
    assert (found["initial_margin"] <= found["gross_margin"] + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(BOOKS)
def test_row_order_changes_nothing_and_mirrored_values_swap_the_sides(rows):
    trades = trades_of(rows)
    first = margins(trades)["initial_margin"]
    assert margins(trades.iloc[::-1])["initial_margin"].equals(first)
    mirrored = margins(trades.assign(market_value=-trades["market_value"]))["initial_margin"]
    assert mirrored["NS1", "call"] == pytest.approx(first["NS1", "post"])
    assert mirrored["NS1", "post"] == pytest.approx(first["NS1", "call"])


def fx_trades(**columns):
    """A charged rates trade and an exchange-rate trade with these columns."""
    trades = trades_of([("Rates", 1_000, 100, "2019-01-01"), ("FX", 50_000, -400, "2019-01-01")])
    given = {"instrument_type": "forward", "settlement": "physical", "option_type": None, **columns}
    for name, value in given.items():
        trades[name] = pd.Series([None, value], dtype="str")
    return trades


@pytest.mark.parametrize("kind", ["forward", "swap", "FX_Forward"])
def test_a_physically_settled_forward_or_swap_bears_no_margin_and_does_not_net(kind):
    alone = margins(trades_of([("Rates", 1_000, 100, "2019-01-01")]))
    found = margins(fx_trades(instrument_type=kind))
    assert found["initial_margin"].tolist() == alone["initial_margin"].tolist() == [10, 10]
    assert json.loads(found["explanation"].iloc[0])["exempt_physically_settled_trades"] == 1
    assert json.loads(found["explanation"].iloc[0])["trades"] == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"settlement": "cash"},
        {"settlement": None},
        {"instrument_type": "option"},
        {"option_type": "call"},
        {"instrument_type": None},
        {"instrument_type": "xccy_swap"},
    ],
)
def test_cash_settlement_options_and_cross_currency_swaps_are_not_exempt(columns):
    found = margins(fx_trades(**columns))
    rate = 0.01 if columns.get("instrument_type") == "xccy_swap" else 0.06
    assert found.loc[("NS1", "call"), "gross_margin"] == pytest.approx(10 + rate * 50_000)


def test_an_exempt_trade_without_a_market_value_is_not_missed():
    trades = fx_trades()
    trades.loc[1, "market_value"] = np.nan
    assert margins(trades)["initial_margin"].tolist() == [10, 10]


def test_a_cleared_netting_set_has_no_schedule_margin():
    sets = pd.DataFrame(
        {"netting_set_id": ["NS1", "NS2"], "portfolio_id": "P", "im_model": pd.Series([None, None], dtype="str"),
         "is_cleared": pd.array([True, None], dtype="boolean")}
    )  # fmt: skip
    both = pd.concat([trades_of(WITH_PRESENT_VALUES), trades_of(WITH_PRESENT_VALUES, "NS2")])
    rates = pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series([], dtype="str"), "usd_rate": pd.Series([], dtype=float)})
    found = schedule_margins(sets, both, rates, pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]}), VALUATION)
    assert found["netting_set_id"].tolist() == ["NS2", "NS2"]


@settings(max_examples=30, deadline=None)
@given(BOOKS)
def test_replacing_a_trade_by_its_halves_changes_nothing(rows):
    halves = [(name, notional / 2, value / 2, maturity) for name, notional, value, maturity in rows for _ in range(2)]
    assert margins(trades_of(halves))["initial_margin"].tolist() == pytest.approx(margins(trades_of(rows))["initial_margin"].tolist())


@settings(max_examples=30, deadline=None)
@given(BOOKS, st.sampled_from([0.5, 2.0, 1024.0]))
def test_margin_scales_with_the_book(rows, factor):
    trades = trades_of(rows)
    scaled = trades.assign(notional=trades["notional"] * factor, market_value=trades["market_value"] * factor)
    assert margins(scaled)["initial_margin"].tolist() == pytest.approx((factor * margins(trades)["initial_margin"]).tolist())
