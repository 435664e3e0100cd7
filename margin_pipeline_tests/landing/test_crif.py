"""Tests of CRIFs: how they may be spelt, what is rejected with which reason, and that rows are never lost.

Belongs here: the file. Not here: the margin that is computed from it.
"""

from __future__ import annotations

import json

import pandas as pd
import pytest

SETS = "netting_set_id,portfolio_id,im_model\nNS,P1,simm\n"
HEADER = (
    "TradeID", "PortfolioID", "ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "AmountCurrency", "Amount",
    "AmountUSD", "IMModel", "CollectRegulations", "PostRegulations", "EndDate",
)  # fmt: skip
RIGHT = {
    "TradeID": "T1", "PortfolioID": "NS", "ProductClass": "RatesFX", "RiskType": "Risk_IRCurve", "Qualifier": "USD", "Bucket": "1",
    "Label1": "5y", "Label2": "Libor3m", "AmountCurrency": "EUR", "Amount": "100", "AmountUSD": "110", "IMModel": "SIMM",
}  # fmt: skip
EQUITY = {"ProductClass": "Equity", "RiskType": "Risk_Equity", "Qualifier": "MSFT", "Bucket": "8", "Label1": "", "Label2": ""}
SCHEDULE = {"RiskType": "Notional", "ProductClass": "Rates", "IMModel": "Schedule", "EndDate": "2030-01-02"}


def text(*rows, separator="\t", header=HEADER):
    lines = [separator.join(header)]
    lines += [separator.join({**RIGHT, **row}.get(name, "") for name in HEADER) for row in rows]
    return "\n".join(lines) + "\n"


def landed_crif(land, *rows, **how):
    return land({"netting_sets.csv": SETS, "crif.csv": text(*rows, **how)})


def rejections(landed):
    rows = landed.tables["rejected_rows"]
    rows = rows[rows["source"] == "crif.csv"]
    return list(rows[["row_number", "column_name", "reason", "portfolio_id"]].itertuples(index=False, name=None))


def test_a_row_lands_in_the_columns_of_the_table(land):
    row = landed_crif(land, {}).tables["crif"].iloc[0]
    assert row.dropna().to_dict() == {
        "crif_row": 2, "trade_id": "T1", "netting_set_id": "NS", "product_class": "RatesFX", "risk_type": "Risk_IRCurve",
        "qualifier": "USD", "bucket": "1", "label1": "5y", "label2": "Libor3m", "amount_currency": "EUR", "amount": 100.0,
        "amount_usd": 110.0, "im_model": "SIMM",
    }  # fmt: skip


def test_tabs_and_commas_give_the_same_rows(land):
    rows = [{}, {"Qualifier": "EUR", "Label1": "10y"}, EQUITY]
    tabs, commas = (landed_crif(land, *rows, separator=mark).tables["crif"] for mark in ("\t", ","))
    pd.testing.assert_frame_equal(tabs, commas)
    assert len(tabs) == 3


@pytest.mark.parametrize(
    "spell", [str.lower, str.upper, lambda name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_"), "{:s} ".format]
)
def test_column_names_are_understood_as_systems_write_them(land, spell):
    expected = landed_crif(land, {}).tables["crif"]
    pd.testing.assert_frame_equal(landed_crif(land, {}, header=[spell(name) for name in HEADER]).tables["crif"], expected)
    spaced = "Trade ID,Portfolio ID,Product Class,Risk Type,Qualifier,Bucket,Label 1,Label 2,Amount Currency,Amount,Amount USD,IM Model"
    assert landed_crif(land, {}, header=[*spaced.split(","), *HEADER[12:]]).tables["crif"].equals(expected)


def test_values_are_understood_in_any_case(land):
    shouted = {
        "RiskType": "RISK_IRCURVE",
        "ProductClass": "ratesfx",
        "Qualifier": "usd",
        "Label1": "5Y",
        "Label2": "LIBOR3M",
        "IMModel": "simm",
    }
    assert landed_crif(land, shouted).tables["crif"].equals(landed_crif(land, {}).tables["crif"])
    named = landed_crif(land, {"CollectRegulations": "[sec] [CFTC]", "PostRegulations": "ESA;uk,ESA"}).tables["crif"].iloc[0]
    assert (named["collect_regulations"], named["post_regulations"]) == ("CFTC,SEC", "ESA,UK")


def test_identical_rows_are_all_kept_for_sensitivities_add_up(land):
    landed = landed_crif(land, {}, {}, {"TradeID": "T2"})
    assert landed.tables["crif"]["crif_row"].tolist() == [2, 3, 4]
    assert rejections(landed) == []


MALFORMED = [
    ({"RiskType": "Risk_Rates"}, "risk_type", '"Risk_Rates" is none of Risk_IRCurve, '),
    ({"RiskType": ""}, "risk_type", "a value is required"),
    ({"ProductClass": "Energy"}, "product_class", '"Energy" is none of RatesFX, Credit, Equity, Commodity'),
    ({"ProductClass": "Rates"}, "product_class", '"Rates" is no product class of a sensitivity: RatesFX, Credit, Equity, Commodity'),
    ({"ProductClass": ""}, "product_class", '"" is no product class of a sensitivity'),
    ({"Qualifier": ""}, "qualifier", "Risk_IRCurve needs a currency code"),
    ({"Qualifier": "DOLLAR"}, "qualifier", '"DOLLAR" is not a currency code, which Risk_IRCurve needs'),
    ({"RiskType": "Risk_FXVol", "Qualifier": "EUREUR"}, "qualifier", '"EUREUR" is not two different currency codes, such as EURUSD'),
    ({**EQUITY, "Qualifier": ""}, "qualifier", "Risk_Equity needs a name"),
    ({"RiskType": "Param_ProductClassMultiplier", "Qualifier": "FX"}, "qualifier", '"FX" is not a product class: RatesFX'),
    ({"Bucket": "4"}, "bucket", '"4" is no bucket of Risk_IRCurve: 1, 2, 3 or empty'),
    ({**EQUITY, "Bucket": "13"}, "bucket", '"13" is no bucket of Risk_Equity: 1 to 12 or Residual'),
    ({**EQUITY, "Bucket": ""}, "bucket", "a value is required: a bucket of Risk_Equity: 1 to 12 or Residual"),
    ({**EQUITY, "RiskType": "Risk_Commodity", "Bucket": "Residual"}, "bucket", '"Residual" is no bucket of Risk_Commodity: 1 to 17'),
    ({"Label1": "4y"}, "label1", '"4y" is no tenor of Risk_IRCurve: 2w, 1m, 3m'),
    ({**EQUITY, "RiskType": "Risk_CreditQ", "Label1": "6m"}, "label1", '"6m" is no tenor of Risk_CreditQ: 1y, 2y, 3y, 5y, 10y'),
    ({**EQUITY, "RiskType": "Risk_EquityVol"}, "label1", "a value is required: a tenor of Risk_EquityVol: 2w"),
    ({"Label2": "SOFR"}, "label2", '"SOFR" is no sub-curve of Risk_IRCurve: OIS, Libor1m'),
    ({"Label2": ""}, "label2", "a value is required: a sub-curve of Risk_IRCurve"),
    ({"Amount": "ten"}, "amount", '"ten" is not a number'),
    ({"AmountUSD": "1,5"}, "amount_usd", '"1,5" is not a number'),
    ({"Amount": "", "AmountUSD": ""}, "amount_usd", "AmountUSD is empty, and so is Amount: one of them is required"),
    ({"AmountUSD": "", "AmountCurrency": ""}, "amount_currency", "AmountUSD is empty, so AmountCurrency is required"),
    ({"AmountCurrency": "EURO"}, "amount_currency", '"EURO" is not a currency code'),
    ({"RiskType": "Param_ProductClassMultiplier", "Qualifier": "Equity", "Amount": "0.9"}, "amount", '"0.9" is below 1, the least'),
    ({"RiskType": "Param_AddOnNotionalFactor", "Amount": ""}, "amount", "Param_AddOnNotionalFactor needs Amount, its factor"),
    ({"RiskType": "Param_AddOnFixedAmount", "AmountUSD": "-5"}, "amount", '"-5" is below 0; Param_AddOnFixedAmount cannot lower a margin'),
    ({"IMModel": "VaR"}, "im_model", '"VaR" is none of SIMM, Schedule'),
    ({"IMModel": "Schedule", "ProductClass": "Rates"}, "im_model", "rows of IMModel Schedule are Notional and PV, not Risk_IRCurve"),
    ({**SCHEDULE, "EndDate": ""}, "end_date", "a row of IMModel Schedule needs an end date"),
    ({**SCHEDULE, "TradeID": ""}, "trade_id", "a row of IMModel Schedule needs a trade"),
    ({**SCHEDULE, "ProductClass": "RatesFX"}, "product_class", '"RatesFX" is no product class of the schedule: Rates, FX'),
    ({"PostRegulations": "ESA,FED"}, "post_regulations", '"FED" is no regulation: AMFQ, APRA'),
    ({"PortfolioID": "NS9"}, "netting_set_id", '"NS9" is not among the accepted netting sets'),
    ({"PortfolioID": ""}, "netting_set_id", "a value is required"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "column", "reason"), MALFORMED, ids=[f"{column}: {reason[:40]}" for _, column, reason in MALFORMED])
def test_a_malformed_row_is_kept_aside_with_the_column_and_what_would_do(land, cells, column, reason):
    landed = landed_crif(land, {}, cells)
    found = rejections(landed)
    assert len(found) == 1
    assert found[0][:2] == (3, column)
    assert found[0][2].startswith(reason)
    named = cells.get("PortfolioID", "NS") == "NS"
    assert (found[0][3] == "P1") if named else pd.isna(found[0][3])
    raw = json.loads(landed.tables["rejected_rows"].set_index("source").loc["crif.csv", "raw"])
    assert raw["netting_set_id"] == cells.get("PortfolioID", "NS")
    assert landed.tables["crif"]["crif_row"].tolist() == [2]
    files = landed.tables["landed_files"].set_index("source").loc["crif.csv"]
    assert (files["rows_read"], files["rows_accepted"], files["rows_rejected"]) == (2, 1, 1)


def test_line_that_is_no_row_is_kept_aside_and_told_to_its_portfolio(land):
    landed = land({"netting_sets.csv": SETS, "crif.csv": text({}) + "T1\tNS\tEquity\n"})
    assert rejections(landed) == [(3, "", "the line has 3 fields, the header 15", "P1")]


def test_rows_of_add_ons_and_schedule_trades_are_accepted(land):
    add_on = {"Bucket": "", "Label1": "", "Label2": "", "ProductClass": "", "Qualifier": ""}
    rows = [
        {**add_on, "RiskType": "Param_ProductClassMultiplier", "Qualifier": "equity", "Amount": "1.2", "AmountUSD": ""},
        {**add_on, "RiskType": "Param_AddOnNotionalFactor", "Qualifier": "X", "Amount": "5", "AmountUSD": "", "AmountCurrency": ""},
        {**add_on, "RiskType": "Notional", "Qualifier": "X"},
        {**add_on, "RiskType": "Param_AddOnFixedAmount"},
        SCHEDULE,
        {**SCHEDULE, "RiskType": "PV", "AmountUSD": "-3"},
    ]
    landed = landed_crif(land, *rows)
    assert rejections(landed) == []
    assert landed.tables["crif"]["qualifier"].iloc[0] == "Equity"
