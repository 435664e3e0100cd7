"""Market risk of listed positions: hand-computed capital of each risk class, the duration ladder, options, and what is missing."""

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters.basel_market_risk import market_risk_rules
from margin_pipeline.regulation.basel.interest_rate_risk import general_capital
from margin_pipeline.regulation.basel.market_positions import pair
from margin_pipeline_tests.regulation.basel_bank import BEFORE_2023, IN_2023, assets_of, greeks, instruments, lines_of, positions

LADDER = market_risk_rules(IN_2023).ladder
EQUITY = {"asset_class": "equity"}
REFERENCE = [
    {"symbol": "AAA", **EQUITY, "exchange": "XNYS"},
    {"symbol": "BBB", **EQUITY, "exchange": "XNAS"},
    {"symbol": "CCC", **EQUITY, "exchange": "XLON", "currency": "GBP"},
    {"symbol": "INDEX", "asset_class": "index", "exchange": "XNYS", "breadth": "broad_high_cap"},
    {"symbol": "NARROW", "asset_class": "index", "exchange": "XNYS", "breadth": "narrow"},
    {"symbol": "FUND", "asset_class": "etf", "exchange": "ARCX", "leverage_factor": 2.0, "is_inverse": True},
    {"symbol": "FUTURE", "asset_class": "future", "underlying": "INDEX"},
    {"symbol": "CALL", "asset_class": "equity_option", "underlying": "AAA"},
    {"symbol": "ON_FUTURE", "asset_class": "future_option", "underlying": "FUTURE"},
    {"symbol": "ORPHAN", "asset_class": "future"},
    {"symbol": "BUND", "asset_class": "bond", "currency": "EUR", "modified_duration": 8.4, "rating": "AAA", "sector": "government"},
    {"symbol": "SHORT", "asset_class": "bond", "modified_duration": 0.4, "rating": "BBB", "expiry": "2023-11-30"},
    {"symbol": "LONG", "asset_class": "bond", "modified_duration": 8.0, "rating": "A", "expiry": "2033-06-30"},
    {"symbol": "JUNK", "asset_class": "bond", "modified_duration": 3.0, "rating": "B"},
    {"symbol": "DATELESS", "asset_class": "bond", "modified_duration": 3.0, "rating": "A"},
    {"symbol": "TIMELESS", "asset_class": "bond"},
    {"symbol": "WTI", "asset_class": "commodity"},
    {"symbol": "WTI_FUTURE", "asset_class": "future", "underlying": "WTI"},
    {"symbol": "EURUSD", "asset_class": "fx"},
    {"symbol": "EURGBP", "asset_class": "fx", "currency": "GBP"},
    {"symbol": "MONEY", "asset_class": "fx"},
    {"symbol": "COIN", "asset_class": "crypto"},
    {"symbol": "BOTH", "asset_class": "convertible"},
]
KINDS = {row["symbol"]: row["asset_class"] for row in REFERENCE}
CURRENCY = {row["symbol"]: row.get("currency", "USD") for row in REFERENCE}


def market(held, as_of=IN_2023, sensitivities=(), **columns):
    """Rows of market risk by item; `held`: market value by symbol."""
    rows = [
        {"symbol": s, "market_value": v, "asset_class": KINDS[s], "currency": CURRENCY[s], **columns.get(s, {})} for s, v in held.items()
    ]
    found = assets_of(as_of, positions=positions(rows), instruments=instruments(REFERENCE), position_greeks=greeks(sensitivities))
    return found[found["risk_type"] == "market"].set_index("item")


def capital(rows, item):
    return json.loads(rows.loc[item, "explanation"])["capital"]


def test_shares_need_specific_capital_on_the_gross_and_general_capital_on_the_net_of_a_market():
    """8 % x (100 + 40) + 8 % x (100 - 40), scaled by 3.5 from 2023 (MAR40.2)."""
    rows = market({"AAA": 100.0, "BBB": -40.0})
    assert rows.index.tolist() == ["equity US"]
    assert capital(rows, "equity US") == pytest.approx(0.08 * 140 + 0.08 * 60)
    assert rows.loc["equity US", "risk_weighted_assets"] == pytest.approx(12.5 * 3.5 * (0.08 * 140 + 0.08 * 60))
    early = market({"AAA": 100.0, "BBB": -40.0}, BEFORE_2023)
    assert early.loc["equity US", "risk_weighted_assets"] == pytest.approx(12.5 * (0.08 * 140 + 0.08 * 60))


def test_markets_of_two_countries_do_not_offset():
    rows = market({"AAA": 100.0, "CCC": -100.0})
    assert capital(rows, "equity US") == pytest.approx(16)
    assert capital(rows, "equity GB") == pytest.approx(16)


def test_a_well_diversified_index_needs_two_percent_of_specific_capital_and_a_narrow_one_eight():
    assert capital(market({"INDEX": 100.0}), "equity US") == pytest.approx(2 + 8)
    assert capital(market({"NARROW": 100.0}), "equity US") == pytest.approx(8 + 8)


def test_futures_count_by_notional_on_what_they_end_on():
    rows = market({"FUTURE": 0.5}, FUTURE={"notional": -200.0})
    assert capital(rows, "equity US") == pytest.approx(0.02 * 200 + 0.08 * 200)
    hedged = market({"FUTURE": 0.0, "INDEX": 200.0}, FUTURE={"notional": -200.0})
    assert capital(hedged, "equity US") == pytest.approx(0)


def test_a_fund_counts_times_its_leverage_and_against_its_sign_where_it_is_inverse():
    rows = market({"FUND": 50.0, "AAA": 100.0})
    assert capital(rows, "equity US") == pytest.approx(0.08 * 200)  # -100 against 100 of the same market


def test_options_need_delta_gamma_and_vega():
    """Delta-plus: delta in the risk class, half x gamma x (8 %)^2 where negative, and a change of volatility by a quarter of itself."""
    sensitivity = {
        "symbol": "CALL", "is_option": True, "implied_volatility": 0.2, "dollar_delta": -60.0, "dollar_gamma": -500.0, "dollar_vega": -3.0,
    }  # fmt: skip
    rows = market({"CALL": -5.0}, sensitivities=[sensitivity], CALL={"notional": -100.0})
    assert capital(rows, "equity US") == pytest.approx(0.16 * 60)
    assert capital(rows, "equity options") == pytest.approx(0.5 * 500 * 0.08**2 + 3 * 100 * 0.25 * 0.2)
    assert rows.loc["equity options", "risk_weighted_assets"] == pytest.approx(12.5 * 3.5 * capital(rows, "equity options"))


def test_gamma_that_is_owned_needs_no_capital_and_vega_nets_on_one_end():
    bought = {"is_option": True, "implied_volatility": 0.2, "dollar_delta": 0.0, "dollar_gamma": 500.0, "dollar_vega": 3.0}
    assert capital(market({"CALL": 5.0}, sensitivities=[{"symbol": "CALL", **bought}]), "equity options") == pytest.approx(15)
    rows = assets_of(
        positions=positions([{"symbol": "CALL", "strategy": s, "market_value": 1.0, "asset_class": "equity_option"} for s in "ab"]),
        instruments=instruments(REFERENCE),
        position_greeks=greeks(
            [{"symbol": "CALL", "strategy": "a", **bought},
             {"symbol": "CALL", "strategy": "b", **bought, "dollar_gamma": -400.0, "dollar_vega": -3.0}]
        ),
    )  # fmt: skip
    assert capital(rows.set_index("item"), "equity options") == pytest.approx(0)


def test_options_on_futures_end_on_the_index():
    sensitivity = {
        "symbol": "ON_FUTURE", "is_option": True, "implied_volatility": 0.2, "dollar_delta": 50.0, "dollar_gamma": 0.0, "dollar_vega": 0.0,
    }  # fmt: skip
    rows = market({"ON_FUTURE": 5.0}, sensitivities=[sensitivity])
    assert capital(rows, "equity US") == pytest.approx(0.1 * 50)


def test_commodities_need_fifteen_percent_of_the_net_and_three_of_the_gross():
    rows = market({"WTI": 100.0, "WTI_FUTURE": 0.0}, WTI_FUTURE={"notional": -60.0})
    assert capital(rows, "commodity WTI") == pytest.approx(0.15 * 40 + 0.03 * 160)
    assert rows.loc["commodity WTI", "risk_weighted_assets"] == pytest.approx(12.5 * 1.9 * (6 + 4.8))


def test_currencies_need_eight_percent_of_the_greater_of_longs_and_shorts():
    """Long 110 of shares in pounds and 30 euros against dollars, short 50 pounds against euros."""
    rows = market({"CCC": 110.0, "EURUSD": 30.0, "EURGBP": -50.0})
    positions_of = json.loads(rows.loc["foreign exchange", "explanation"])["positions"]
    assert positions_of == pytest.approx({"EUR": 30 - 50, "GBP": 110 + 50})
    assert capital(rows, "foreign exchange") == pytest.approx(0.08 * 160)
    assert rows.loc["foreign exchange", "risk_weighted_assets"] == pytest.approx(12.5 * 1.2 * 0.08 * 160)


@pytest.mark.parametrize(
    ("symbol", "quote", "found"),
    [("EURUSD", "USD", ("EUR", "USD")), ("EUR/USD", "USD", ("EUR", "USD")), ("EUR", "USD", ("EUR", "USD")), ("EURUSD", "GBP", None),
     ("eurusd", "USD", None), ("EURO", "USD", None)],
)  # fmt: skip
def test_a_pair_says_its_currencies_or_has_none(symbol, quote, found):
    assert pair(symbol, quote) == found


def test_bonds_need_capital_for_their_issuer_and_for_rates():
    """Specific: government rated AAA 0, investment grade 0.25 % to six months and 1.6 % over two years, below 8 or 12 %."""
    bund = market({"BUND": 1000.0})
    assert json.loads(bund.loc["interest rate EUR", "explanation"])["specific"] == 0
    assert capital(bund, "interest rate EUR") == pytest.approx(1000 * 8.4 * 0.006)
    short = json.loads(market({"SHORT": 1000.0}).loc["interest rate USD", "explanation"])
    assert short["specific"] == pytest.approx(2.5)
    assert short["general"] == pytest.approx(1000 * 0.4 * 0.01)
    long = json.loads(market({"LONG": -1000.0}).loc["interest rate USD", "explanation"])
    assert (long["specific"], long["general"]) == pytest.approx((16, 1000 * 8 * 0.006))
    junk = json.loads(market({"JUNK": 1000.0}).loc["interest rate USD", "explanation"])
    assert (junk["specific"], junk["general"]) == pytest.approx((120, 1000 * 3 * 0.0075))


def ladder(*bonds):
    amount, duration = np.array(bonds, dtype=float).T
    return general_capital(amount, duration, LADDER)


def test_offsets_on_the_ladder_are_disallowed_in_part():
    """Weighted positions worked by hand: 5 % within a band, 40/30/30 % within zones, 40 % between neighbours, 100 % between 1 and 3."""
    assert ladder((1000, 0.2), (-1000, 0.2)) == pytest.approx(0.05 * 2)  # same band of zone 1: 1000 x 0.2 x 1 %
    assert ladder((1000, 0.2), (-1000, 0.8)) == pytest.approx(0.4 * 2 + 6)  # 2 long, 8 short in zone 1
    assert ladder((1000, 1.5), (-1000, 2.0)) == pytest.approx(0.3 * 13.5 + (16 - 13.5))  # zone 2: 0.9 % and 0.8 %
    assert ladder((1000, 5.0), (-1000, 10.0)) == pytest.approx(0.3 * 35 + (60 - 35))  # zone 3: 0.7 % and 0.6 %
    assert ladder((1000, 0.8), (-1000, 1.5)) == pytest.approx(0.4 * 8 + (13.5 - 8))  # zones 1 and 2
    assert ladder((1000, 0.8), (-1000, 5.0)) == pytest.approx(1.0 * 8 + (35 - 8))  # zones 1 and 3
    # 8 long in zone 1, 13.5 short in zone 2, 35 long in zone 3: 8 and 5.5 match at 40 %, 29.5 are left
    assert ladder((1000, 0.8), (-1000, 1.5), (1000, 5.0)) == pytest.approx(0.4 * 8 + 0.4 * 5.5 + 29.5)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 30)), min_size=1, max_size=10))
def test_the_ladder_asks_no_less_than_the_net_and_no_more_than_twice_the_gross(bonds):
    amount, duration = np.array(bonds).T
    change = np.array(LADDER.yield_change)[np.searchsorted(np.array(LADDER.greatest), duration, side="left")]
    weighted = amount * duration * change
    found = general_capital(amount, duration, LADDER)
    assert found >= abs(weighted.sum()) * (1 - 1e-9) - 1e-6
    assert found <= 2 * np.abs(weighted).sum() + 1e-6
    assert general_capital(-amount, duration, LADDER) == pytest.approx(found, rel=1e-9, abs=1e-6)


def test_cryptoassets_weigh_1250_percent_of_the_greater_side_from_2026():
    rows = market({"COIN": -100.0}, dt.date(2026, 1, 2))
    assert rows.loc["crypto COIN", "risk_weighted_assets"] == pytest.approx(1250)
    early = market({"COIN": 100.0})
    assert "SCO60" in early.loc["position trading:COIN", "missing"]


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("ORPHAN", "underlying of ORPHAN, which says its risk class"),
        ("BOTH", "BOTH: the simple method of market risk does not cover convertible positions"),
        ("TIMELESS", "modified_duration of TIMELESS"),
        ("DATELESS", "expiry of DATELESS"),
        ("MONEY", "currencies of MONEY"),
        ("CALL", "Greeks of CALL"),
    ],
)
def test_what_the_method_cannot_weigh_is_named_and_leaves_market_risk_undetermined(symbol, reason):
    rows = market({symbol: 100.0, "AAA": 100.0})
    assert rows.loc[f"position trading:{symbol}", "missing"] == reason
    assert rows.loc["equity US", "risk_weighted_assets"] > 0
    held = positions([{"symbol": symbol, "market_value": 100.0, "asset_class": KINDS[symbol]}])
    found = lines_of(IN_2023, positions=held, instruments=instruments(REFERENCE))
    assert (found.loc[["market_risk_weighted_assets", "total_risk_weighted_assets", "cet1_ratio"], "status"] == "undetermined").all()


def test_a_position_without_value_and_an_option_without_greeks_say_why():
    assert market({"AAA": np.nan}).loc["position trading:AAA", "missing"] == "value of AAA"
    lacking = {"symbol": "CALL", "is_option": True, "missing": "CALL: no implied volatility (expired)"}
    assert market({"CALL": 1.0}, sensitivities=[lacking]).loc["position trading:CALL", "missing"] == lacking["missing"]


def test_a_bank_without_positions_has_no_market_risk_and_says_what_it_covers():
    line = lines_of(IN_2023).loc["market_risk_weighted_assets"]
    assert (line["value"], line["status"]) == (0, "information")
    assert "not of over-the-counter trades" in json.loads(line["inputs"])["covers"]


SYMBOLS = ["AAA", "BBB", "CCC", "INDEX", "FUND", "BUND", "LONG", "JUNK", "WTI", "EURUSD"]
BOOKS = st.dictionaries(st.sampled_from(SYMBOLS), st.floats(-1e6, 1e6).filter(lambda v: abs(v) > 1), min_size=1)


@settings(max_examples=6, deadline=None)
@given(BOOKS, st.floats(0.1, 100))
def test_assets_scale_with_the_book_and_do_not_depend_on_its_sign_or_order(book, scale):
    first = market(book)["risk_weighted_assets"]
    assert market({s: v * scale for s, v in reversed(book.items())})["risk_weighted_assets"].to_numpy() == pytest.approx(
        (first * scale).to_numpy(), abs=1e-6
    )
    assert market({s: -v for s, v in book.items()})["risk_weighted_assets"].to_numpy() == pytest.approx(first.to_numpy(), abs=1e-6)


def test_quantities_of_zero_are_no_positions():
    held = positions([{"symbol": "BOTH", "market_value": 0.0, "quantity": 0.0, "asset_class": "convertible"}])
    found = assets_of(positions=held, instruments=instruments(REFERENCE))
    assert "market" not in set(found["risk_type"])
