"""All lines of a date: margin accounts, applicability, uncleared margin."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.lines import regulatory_lines
from margin_pipeline.regulation.sa_ccr.tables import FIGURES as SA_CCR_FIGURES
from margin_pipeline.regulation.uncleared import calls as uncleared_calls

AS_OF = dt.date(2022, 12, 28)
KEY = ["portfolio_id", "scope", "regime", "line_item", "netting_set_id", "side"]
NO_FIGURES = pd.DataFrame(columns=["portfolio_id", "figure", "value", "currency"]).astype({"value": float})
NO_EXPOSURES = pd.DataFrame(columns=["portfolio_id", "exposure_id", "exposure_class", "rating", "amount", "currency"]).astype(
    {"amount": float}
)
NO_SETS = pd.DataFrame(
    columns=[
        "portfolio_id",
        "netting_set_id",
        "model",
        "side",
        "gross_margin",
        "net_to_gross_ratio",
        "initial_margin",
        "missing",
        "explanation",
    ]
)
EMPTY = {
    "netting_sets": ["portfolio_id", "netting_set_id", "counterparty", "regime", "is_cleared", "im_model"],
    "otc_trades": ["trade_id", "netting_set_id", "asset_class", "notional", "currency", "is_hedge", "market_value"],
    "uncleared_margin_calls": uncleared_calls.COLUMNS,
    "sa_ccr_hedging_sets": ["portfolio_id", "netting_set_id", "asset_class", "add_on"],
    "sa_ccr_netting_sets": ["portfolio_id", "netting_set_id", *SA_CCR_FIGURES, "missing"],
    "risk_weighted_assets": ["portfolio_id", "risk_type", "item", "exposure", "risk_weight", "risk_weighted_assets", "missing"],
    "positions": ["portfolio_id", "symbol", "asset_class", "quantity", "market_value", "notional"],
    "instruments": ["symbol", "asset_class"],
    "rejected_rows": ["source", "row_number", "reason", "portfolio_id", "raw"],
}
COMPONENTS = pd.DataFrame(
    [("P", "strategy_based", "stock", 5000.0, 2500.0)],
    columns=["portfolio_id", "method", "component", "initial_margin", "maintenance_margin"],
)
FX = pd.DataFrame({"date": pd.to_datetime(["2022-12-28"]), "currency": ["EUR"], "usd_rate": [1.25]})


def inputs(portfolios, margins, netting_sets=NO_SETS, fx=FX, as_of=AS_OF):
    """Inputs with the tables that are not about the case left empty."""
    frames = {
        **{name: pd.DataFrame(columns=columns) for name, columns in EMPTY.items()},
        "portfolios": portfolios,
        "portfolio_margins": margins,
        "portfolio_margin_components": COMPONENTS,
        "netting_set_margins": netting_sets,
        "entity_figures": NO_FIGURES,
        "exposures": NO_EXPOSURES,
    }
    return RegulatoryInputs(as_of, frames, fx)


def lines(
    account="reg_t",
    equity=10_000.0,
    jurisdiction=None,
    initial=5_000.0,
    maintenance=2_500.0,
    margin_equity=9_000.0,
    base="USD",
    missing=None,
    method="strategy_based",
    netting_sets=NO_SETS,
    fx=FX,
    as_of=AS_OF,
    entity=None,
):
    """Lines of one portfolio P, indexed by regime and line item."""
    portfolios = pd.DataFrame(
        {"portfolio_id": ["P"], "account_type": [account], "equity": [equity], "base_currency": [base],
         "jurisdiction": pd.Series([jurisdiction], dtype="str"), "entity_type": pd.Series([entity], dtype="str")}
    )  # fmt: skip
    margins = pd.DataFrame(
        {"portfolio_id": ["P"], "method": [method], "initial_margin": [initial], "maintenance_margin": [maintenance],
         "margin_equity": [margin_equity], "missing": pd.Series([missing], dtype="str")}
    )  # fmt: skip
    return regulatory_lines(inputs(portfolios, margins, netting_sets, fx, as_of)).set_index(["regime", "line_item"])


@pytest.mark.parametrize(("equity", "status"), [(2_000.0, "pass"), (1_999.99, "breach")])
def test_a_margin_account_needs_two_thousand_dollars(equity, status):
    line = lines(equity=equity).loc[("finra", "minimum_equity")]
    assert (line["limit_value"], line["status"]) == (2_000, status)
    assert line["reference"] == "FINRA Rule 4210(b)(4)"


def test_an_account_that_needs_less_than_two_thousand_dollars_needs_no_more_equity():
    assert lines(equity=900.0, initial=800.0).loc[("finra", "minimum_equity"), "status"] == "pass"
    assert lines(equity=700.0, initial=800.0).loc[("finra", "minimum_equity"), "limit_value"] == 800


def test_the_amount_converts_to_the_base_currency():
    assert lines(base="EUR").loc[("finra", "minimum_equity"), "limit_value"] == pytest.approx(2_000 / 1.25)
    line = lines(base="CHF").loc[("finra", "minimum_equity")]
    assert (line["status"], line["reason"]) == ("undetermined", "exchange rate of USD to CHF")


@pytest.mark.parametrize(("margin_equity", "status"), [(2_500.0, "pass"), (2_499.0, "breach")])
def test_maintenance_compares_margin_equity_with_the_requirement_and_shows_its_components(margin_equity, status):
    line = lines(margin_equity=margin_equity).loc[("finra", "maintenance_margin")]
    assert (line["value"], line["limit_value"], line["status"]) == (margin_equity, 2_500, status)
    assert json.loads(line["inputs"])["components"] == {"stock": 2500}


def test_a_missing_margin_is_never_a_pass():
    found = lines(initial=np.nan, maintenance=np.nan, margin_equity=np.nan, missing='["price of AAPL 2022-12-28"]')
    assert found.loc[("finra", "maintenance_margin"), "status"] == "undetermined"
    assert found.loc[("finra", "maintenance_margin"), "reason"] == "price of AAPL 2022-12-28"
    assert found.loc[("finra", "initial_margin"), "status"] == "undetermined"
    assert found.loc[("finra", "minimum_equity"), "status"] == "pass"
    poor = lines(equity=100.0, initial=np.nan, maintenance=np.nan, margin_equity=np.nan, missing='["price of AAPL 2022-12-28"]')
    assert poor.loc[("finra", "minimum_equity"), "status"] == "undetermined"


@pytest.mark.parametrize(
    ("account", "jurisdiction"), [("cash", None), ("futures", "US"), ("otc", None), ("crypto_cross", None), ("reg_t", "EU")]
)
def test_other_accounts_and_jurisdictions_are_told_why_the_rule_does_not_apply(account, jurisdiction):
    found = lines(account=account, jurisdiction=jurisdiction).loc["finra"]
    assert len(found) == 4
    assert (found["status"] == "not_applicable").all()
    assert not found["applicable"].any()
    assert (found["reason"].str.len() > 0).all()


def test_portfolio_margin_accounts_follow_their_own_paragraph_and_not_regulation_t():
    found = lines(account="portfolio_margin", method="portfolio_margin")
    assert found.loc[("finra", "maintenance_margin"), "reference"] == "FINRA Rule 4210(g)"
    assert found.loc[("finra", "maintenance_margin"), "status"] == "pass"
    assert "220.1(b)(3)(i)" in found.loc[("finra", "initial_margin"), "reason"]
    undetermined = lines(account="portfolio_margin", method="reg_t")
    assert undetermined.loc[("finra", "maintenance_margin"), "reason"] == "no margin by method portfolio_margin"
    early = lines(account="portfolio_margin", method="portfolio_margin", as_of=dt.date(2005, 1, 3))
    assert early.loc[("finra", "maintenance_margin"), "status"] == "not_applicable"


def test_rules_are_named_as_they_were_on_the_date():
    early = lines(as_of=dt.date(2010, 12, 1)).loc[("finra", "minimum_equity")]
    assert (early["reference"], early["parameter_set"], early["effective_date"]) == (
        "NYSE Rule 431(b)(4)",
        "finra:1a",
        pd.Timestamp("2001-09-28"),
    )
    assert lines(as_of=dt.date(2010, 12, 2)).loc[("finra", "minimum_equity"), "parameter_set"] == "finra:2"


def netting_set(model="schedule", margin=10_269.0, missing=None):
    return pd.DataFrame(
        [("P", "NS1", model, side, 12_000.0, 0.76, margin, missing, '{"trades": 4}') for side in ("call", "post")], columns=NO_SETS.columns
    )


def test_uncleared_margin_has_a_line_for_each_netting_set_and_side():
    found = lines(account="otc", netting_sets=netting_set()).loc[("schedule_im", "initial_margin")]
    assert found["side"].tolist() == ["call", "post"]
    assert found["value"].tolist() == [10_269, 10_269]
    assert (found["status"] == "information").all()
    assert json.loads(found["inputs"].iloc[0])["gross_margin"] == 12_000


def test_uncleared_margin_that_is_missing_or_under_another_model_is_undetermined():
    found = lines(netting_sets=netting_set(margin=np.nan, missing="market value of trade T1"))
    assert (found.loc[("schedule_im", "initial_margin"), "status"] == "undetermined").all()
    assert (found.loc[("schedule_im", "initial_margin"), "reason"] == "market value of trade T1").all()
    simm = lines(netting_sets=netting_set(model="simm", margin=np.nan, missing="model simm is not computed"))
    assert (simm.loc[("simm", "initial_margin"), "status"] == "undetermined").all()


def test_uncleared_margin_does_not_apply_before_its_first_phase():
    found = lines(netting_sets=netting_set(), as_of=dt.date(2016, 8, 31))
    assert (found.loc[("schedule_im", "initial_margin"), "status"] == "not_applicable").all()


def test_a_portfolio_without_netting_sets_says_so():
    line = lines().loc[("schedule_im", "initial_margin")]
    assert (line["status"], line["reason"]) == ("not_applicable", "no netting set of uncleared derivatives")


def test_rows_fit_the_table():
    found = lines(netting_sets=netting_set(), entity="bank").reset_index()
    assert not found.duplicated(KEY).any()
    assert found["applicable"].dtype == bool
    assert found.loc[~found["applicable"], "reason"].notna().all()
    assert set(found["status"]) <= {"pass", "breach", "information", "undetermined", "not_applicable"}
    assert found[["unit", "reference", "parameter_set", "inputs", "netting_set_id", "side"]].notna().all().all()
    undetermined = found[found["status"] == "undetermined"]
    assert undetermined["reason"].notna().all()
    assert found[KEY].equals(found.sort_values(KEY)[KEY])


def test_without_portfolios_there_are_lines_of_the_firm_only():
    portfolios = pd.DataFrame(columns=["portfolio_id", "account_type", "equity", "base_currency", "jurisdiction", "entity_type"])
    margins = pd.DataFrame(columns=["portfolio_id", "method", "initial_margin", "maintenance_margin", "margin_equity", "missing"])
    found = regulatory_lines(inputs(portfolios, margins))
    assert set(found["scope"]) == {"firm"}
    assert set(found["portfolio_id"]) == {""}
    assert found.shape[1] == 16
