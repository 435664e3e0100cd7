"""The listed book as a CRIF: what the query gives, written as CSV, is a file that the landing zone takes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from margin_pipeline import storage
from margin_pipeline.landing.contracts import CONTRACTS
from margin_pipeline.landing.crif_rules import crif_rejections
from margin_pipeline.landing.records import read_csv
from margin_pipeline.landing.validation import validate

QUERY = (Path(__file__).parents[2] / "sql" / "queries" / "crif_of_listed_book.sql").read_text().rstrip().rstrip(";")
AS_OF = dt.date(2022, 12, 28)


def sensitivities() -> pd.DataFrame:
    rows = [
        ("HELD", "Equity", "Risk_Equity", "MSFT", "8", "", ""), ("HELD", "Equity", "Risk_EquityVol", "MSFT", "8", "6m", ""),
        ("HELD", "RatesFX", "Risk_IRCurve", "EUR", "", "5y", "OIS"), ("HELD", "RatesFX", "Risk_FX", "EUR", "", "", ""),
        ("GAP", "Equity", "Risk_Equity", "KO", "5", "", ""), ("GAP", "Equity", "Risk_Equity", "PG", "5", "", ""),
        ("BAD", "Equity", "Risk_Equity", "KO", "5", "", ""),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["portfolio_id", "product_class", "risk_type", "qualifier", "bucket", "label1", "label2"])
    amount = pd.Series([1234.5678901234, -3.0, -450.0, 1e6, np.nan, 7.0, 7.0])
    return frame.assign(
        amount_currency="USD", amount=amount, amount_usd=amount, missing=amount.isna().map({True: "KO: no price", False: None})
    )


def published(urls: storage.DatabaseUrls) -> None:
    calculation = storage.begin(urls, AS_OF, "export", "test", {})
    names = pd.DataFrame({"portfolio_id": ["HELD", "GAP", "BAD"], "account_type": "reg_t", "equity": 1.0, "base_currency": "USD"})
    margins = pd.DataFrame({"portfolio_id": ["HELD", "GAP", "BAD"], "method": "strategy_based", "equity": 1.0, "status": "undetermined"})
    rejected = pd.DataFrame(
        {"source": ["positions.csv"], "row_number": [3], "column_name": ["quantity"], "reason": ["none"], "raw": ["{}"]}
    )
    tables = {
        "portfolios": names,
        "portfolio_margins": margins.assign(is_governing=True, missing='["x"]'),
        "rejected_rows": rejected.assign(portfolio_id="BAD"),
        "listed_sensitivities": sensitivities(),
    }
    for name, frame in tables.items():
        for column in storage.columns(urls, name).columns:
            if column.name not in ("as_of", "calculation_id", *frame.columns):
                frame[column.name] = pd.Series(np.nan if column.type == "double precision" else None, frame.index, dtype=object)
        storage.write_table(urls, calculation, AS_OF, name, frame)
    storage.publish(urls, calculation, input_hash="export", scope="chain", expected_tables=list(tables), content_hash="export")


def test_the_export_is_a_crif_of_the_portfolios_that_lack_nothing(database: storage.DatabaseUrls):
    published(database)
    text = storage.read_query(database, QUERY).to_csv(index=False)
    contract = CONTRACTS["crif"]
    file = validate(read_csv("crif.csv", text.encode(), contract.columns, contract.separators, contract.column_name), contract)
    assert file.rejections == []
    assert crif_rejections(file.accepted, pd.DataFrame({"netting_set_id": ["HELD"]})) == []
    wanted = sensitivities().query("portfolio_id == 'HELD'").set_index(["risk_type"])["amount"]
    assert file.accepted.set_index("risk_type")["amount_usd"].to_dict() == wanted.to_dict()
    assert set(file.accepted["netting_set_id"]) == {"HELD"}
