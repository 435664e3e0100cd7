"""Sensitivities of listed positions in SIMM's terms, and their way through a CRIF to a margin."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.landing.contracts import CONTRACTS
from margin_pipeline.landing.crif_rules import crif_rejections
from margin_pipeline.landing.records import read_csv
from margin_pipeline.landing.validation import validate
from margin_pipeline.regulation.listed_sensitivities import KEY, listed_sensitivities
from margin_pipeline_tests.regulation.simm.random_crif import given, part

AS_OF = dt.date(2022, 12, 28)
INSTRUMENTS = [
    # symbol, asset class, underlying, sector, currency, expiry, modified duration, root
    ("MSFT", "equity", None, "technology", "USD", None, None, None),
    ("SAP", "equity", None, "technology", "EUR", None, None, None),
    ("TATA", "equity", None, "technology", "INR", None, None, None),
    ("ODD", "equity", None, "cryptozoology", "USD", None, None, None),
    ("SPX", "index", None, None, "USD", None, None, None),
    ("VIX", "index", None, None, "USD", None, None, None),
    ("MTUM", "etf", None, None, "USD", None, None, None),
    ("MSFT_C", "equity_option", "MSFT", None, "USD", "2023-06-28", None, None),
    ("ES", "future", "SPX", None, "USD", "2023-03-17", None, "ES"),
    ("ES_P", "future_option", "ES", None, "USD", "2023-03-17", None, None),
    ("BUND", "bond", None, None, "EUR", None, 4.0, None),
    ("NODUR", "bond", None, None, "USD", None, None, None),
    ("EURUSD", "fx", None, None, "USD", None, None, None),
    ("GOLD", "commodity", None, None, "USD", None, None, "GC"),
    ("GCG3", "future", "GOLD", None, "USD", "2023-02-24", None, "GC"),
    ("BTC", "crypto", None, None, "USD", None, None, None),
]
NAMES = ["symbol", "asset_class", "underlying", "sector", "currency", "expiry", "modified_duration", "root"]


def instruments():
    frame = pd.DataFrame(INSTRUMENTS, columns=NAMES).assign(class_group=None, expiry=lambda f: pd.to_datetime(f["expiry"]))
    texts = ["symbol", "asset_class", "underlying", "sector", "currency", "root", "class_group"]
    return frame.astype(dict.fromkeys(texts, "str")).astype({"modified_duration": float})


def sensitivities(*held, base="USD", usd=(("EUR", 1.25), ("INR", 0.0125))):
    """`held`: (symbol, market value, dollar delta, dollar vega, missing) of the portfolio P."""
    terms = instruments().set_index("symbol")
    rows = pd.DataFrame([(*h, None, None)[:5] for h in held], columns=["symbol", "market_value", "dollar_delta", "dollar_vega", "missing"])
    rows = rows.assign(portfolio_id="P", strategy=[str(n) for n in range(len(rows))], quantity=1.0)
    for name in ("asset_class", "currency"):
        rows[name] = rows["symbol"].map(terms[name])
    rows["is_option"] = rows["asset_class"].str.endswith("_option")
    rows = rows.astype({"market_value": float, "dollar_delta": float, "dollar_vega": float, "missing": "str"})
    rates = pd.DataFrame({"date": pd.to_datetime([AS_OF] * len(usd)), "currency": [c for c, _ in usd], "usd_rate": [r for _, r in usd]})
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "base_currency": [base]})
    return listed_sensitivities(rows, rows, instruments(), portfolios, rates, AS_OF)


def amounts(*held, **more):
    found = sensitivities(*held, **more)
    return {tuple(text for text in key if text): amount for *key, amount in found[[*KEY[1:], "amount"]].itertuples(index=False, name=None)}


@pytest.mark.parametrize(
    ("symbol", "bucket"), [("MSFT", "8"), ("TATA", "4"), ("ODD", "Residual"), ("SPX", "11"), ("MTUM", "11"), ("VIX", "12")]
)
def test_equity_delta_is_a_rise_of_one_percent_in_the_bucket_of_its_sector_and_market(symbol, bucket):
    assert amounts((symbol, 1e6, 1e6))[("Equity", "Risk_Equity", symbol, bucket)] == pytest.approx(10_000.0)


def test_options_and_futures_count_to_what_they_are_on_in_the_end():
    found = amounts(("MSFT", 1e6, 1e6), ("MSFT_C", 1e4, -4e5, 900.0), ("ES", 0.0, 5e5), ("ES_P", 2e3, -2e5, 300.0), ("SPX", 1e5, 1e5))
    assert found["Equity", "Risk_Equity", "MSFT", "8"] == pytest.approx(6_000.0)
    assert found["Equity", "Risk_Equity", "SPX", "11"] == pytest.approx(4_000.0)


def test_vega_is_shared_between_the_vertices_around_the_expiry():
    found = amounts(("MSFT_C", 1e4, 0.0, 900.0))
    share = (182 - 91.25) / (182.5 - 91.25)
    assert found["Equity", "Risk_EquityVol", "MSFT", "8", "6m"] == pytest.approx(900.0 * share)
    assert found["Equity", "Risk_EquityVol", "MSFT", "8", "3m"] == pytest.approx(900.0 * (1 - share))


def test_bonds_lose_by_duration_and_foreign_ones_move_with_the_currency():
    found = amounts(("BUND", 1e6, 1e6))
    assert found == pytest.approx(
        {("RatesFX", "Risk_IRCurve", "EUR", "3y", "OIS"): -200.0, ("RatesFX", "Risk_IRCurve", "EUR", "5y", "OIS"): -200.0,
         ("RatesFX", "Risk_FX", "EUR"): 10_000.0}
    )  # fmt: skip


def test_currencies_other_than_the_calculation_currency_are_risk_whatever_the_base_currency_is():
    found = sensitivities(("SAP", 8e5, 8e5), base="EUR").set_index("risk_type")
    assert found.loc["Risk_FX", ["qualifier", "amount_currency", "amount", "amount_usd"]].tolist() == ["EUR", "EUR", 8_000.0, 10_000.0]
    assert found.loc["Risk_Equity", "amount_usd"] == pytest.approx(10_000.0)
    pair = amounts(("EURUSD", 5e5, 5e5))
    assert pair == pytest.approx({("RatesFX", "Risk_FX", "EUR"): 5_000.0})


def test_commodities_and_crypto_have_buckets_of_their_own():
    found = amounts(("GOLD", 1e5, 1e5), ("GCG3", 0.0, 1e5), ("BTC", 1e4, 1e4))
    assert found == pytest.approx(
        {("Commodity", "Risk_Commodity", "GOLD", "12"): 2_000.0, ("Commodity", "Risk_Commodity", "BTC", "16"): 100.0}
    )


def test_a_factor_of_which_a_part_is_missing_has_no_amount_and_says_why():
    found = sensitivities(
        ("MSFT", 1e6, 1e6), ("MSFT_C", np.nan, np.nan, np.nan, "MSFT_C: no price"), ("NODUR", 1e6, 1e6), ("SPX", 1.0, 1.0)
    )
    lacking = found[found["missing"].notna()].set_index(["risk_type", "qualifier"])["missing"]
    assert lacking["Risk_Equity", "MSFT"] == "MSFT_C: no price"
    assert (lacking["Risk_EquityVol"] == "MSFT_C: no price").all()
    assert lacking["Risk_IRCurve", "USD"] == "NODUR: no modified duration"
    assert found.loc[found["missing"].notna(), ["amount", "amount_usd"]].isna().all(axis=None)
    assert found.loc[found["qualifier"] == "SPX", "amount"].tolist() == pytest.approx([0.01])
    unconverted = sensitivities(("MSFT", 1e6, 1e6), base="CHF")
    assert unconverted["missing"].tolist() == ["exchange rate of CHF to USD"]


def test_row_order_changes_no_bit_and_scale_scales():
    held = [("MSFT", 1e6, 1e6), ("MSFT_C", 1e4, -4e5, 900.0), ("SAP", 8e5, 8e5), ("BUND", 1e6, 1e6), ("ES", 0.0, 1.1)]
    first = sensitivities(*held)
    pd.testing.assert_frame_equal(sensitivities(*held[::-1]), first, check_exact=True)
    tripled = sensitivities(*[(s, *(3 * x for x in numbers)) for s, *numbers in held])
    assert tripled["amount"].to_numpy() == pytest.approx(3 * first["amount"].to_numpy())


def test_portfolio_without_positions_has_no_rows():
    assert sensitivities().empty


def test_as_a_crif_the_landing_zone_and_the_engine_take_it():
    pytest.importorskip("ORE")
    found = sensitivities(("MSFT", 1e6, 1e6), ("MSFT_C", 1e4, -4e5, 900.0), ("SAP", 8e5, 8e5), ("BUND", 1e6, 1e6), ("GOLD", 1e5, 1e5))
    isda = dict(zip(KEY[1:], ("ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2"), strict=True))
    file = found.rename(columns={**isda, "portfolio_id": "PortfolioID", "amount_usd": "AmountUSD"}).to_csv(index=False)
    contract = CONTRACTS["crif"]
    landed = validate(read_csv("crif.csv", file.encode(), contract.columns, contract.separators, contract.column_name), contract)
    assert landed.rejections == []
    assert crif_rejections(landed.accepted, pd.DataFrame({"netting_set_id": ["P"]})) == []
    margin = given(landed.accepted, sets=(("X", "P"),), as_of=dt.date(2024, 1, 31))
    assert margin["missing"].isna().all()
    assert part(margin, product="Commodity", netting_set="P") == pytest.approx(21 * 1_000.0)
    assert part(margin, product="Equity", kind="Delta", netting_set="P") > 0
