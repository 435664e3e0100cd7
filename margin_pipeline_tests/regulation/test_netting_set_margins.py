"""Margins of netting sets under both models in one table."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.regulation.initial_margin import lines
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.netting_set_margins import netting_set_margins
from margin_pipeline.regulation.schedule_im import schedule_margins
from margin_pipeline_tests.regulation.simm.random_crif import given, row

pytest.importorskip("ORE")
AS_OF = dt.date(2022, 12, 28)
SETS = pd.DataFrame({"netting_set_id": ["AGREED", "PLAIN"], "portfolio_id": "P", "im_model": ["simm", None]})
TRADES = pd.DataFrame(
    {
        "trade_id": ["T"], "netting_set_id": ["PLAIN"], "asset_class": ["fx"], "instrument_type": ["option"], "notional": [1e6],
        "currency": ["USD"], "second_currency": [None], "market_value": [5_000.0], "maturity": pd.to_datetime(["2024-01-02"]),
    }
)  # fmt: skip
PORTFOLIOS = pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]})
RATES = pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series(dtype=str), "usd_rate": pd.Series(dtype=float)})
ROWS = [
    row("Risk_FX", "EUR", netting_set_id="AGREED"), row("Risk_Equity", "A", "1", netting_set_id="AGREED"),
    row("Param_AddOnFixedAmount", amount=500.0, netting_set_id="AGREED"),
]  # fmt: skip


def margins(rows, **more):
    results = given(rows, sets=(("P", "AGREED"),), as_of=AS_OF, **more)
    return netting_set_margins(SETS, TRADES, results, RATES, PORTFOLIOS, AS_OF)


def test_each_set_has_the_margin_of_its_model_on_both_sides():
    found = margins(ROWS)
    assert found[["netting_set_id", "model", "side"]].values.tolist() == [
        ["AGREED", "simm", "call"], ["AGREED", "simm", "post"], ["PLAIN", "schedule", "call"], ["PLAIN", "schedule", "post"],
    ]  # fmt: skip
    assert found["initial_margin"].tolist() == pytest.approx([37_900.0, 37_900.0, 60_000.0, 60_000.0])
    simm = found[found["model"] == "simm"]
    assert simm[["gross_margin", "net_to_gross_ratio", "missing"]].isna().all(axis=None)
    alone = schedule_margins(SETS, TRADES, RATES, PORTFOLIOS, AS_OF)
    columns = ["gross_margin", "net_to_gross_ratio", "initial_margin", "explanation"]
    assert found[found["model"] == "schedule"][columns].values.tolist() == alone[alone["model"] == "schedule"][columns].values.tolist()
    assert found.dtypes.equals(alone.dtypes)


def test_the_explanation_has_versions_and_parts_that_make_up_the_margin():
    explanation = json.loads(margins(ROWS)["explanation"].iloc[0])
    assert (explanation["simm_version"], explanation["computed_version"]) == ("2.5", "2.6")
    assert explanation["note"] == "version 2.5 is in force, but the engine does not have it: computed with version 2.6"
    parts = explanation["margin_by_product_class"]
    assert parts == pytest.approx({"AddOnFixedAmount": 500.0, "Equity": 30_000.0, "RatesFX": 7_400.0})
    assert explanation["margin_by_product_and_risk_class"] == pytest.approx({"Equity Equity": 30_000.0, "RatesFX FX": 7_400.0})
    assert explanation["winning_regulation"] == "Unspecified"


def test_set_without_sensitivities_has_no_margin_and_the_others_keep_theirs():
    found = margins([]).set_index(["netting_set_id", "side"])
    assert found.loc["AGREED", "missing"].tolist() == ["no CRIF rows of netting set AGREED"] * 2
    assert found.loc["AGREED", "initial_margin"].isna().all()
    assert found.loc["PLAIN", "initial_margin"].notna().all()


def test_lines_name_the_version_of_simm_in_force():
    portfolios = PORTFOLIOS.assign(jurisdiction="EU")
    found = {
        (line.netting_set_id, line.side): line
        for line in lines(RegulatoryInputs(AS_OF, {"portfolios": portfolios, "netting_set_margins": margins(ROWS)}, RATES))
    }
    line = found["AGREED", "post"]
    assert (line.regime, line.status, line.value) == ("simm", "information", pytest.approx(37_900.0))
    assert line.reference.startswith("ISDA SIMM methodology, version 2.5;")
    assert (line.version.label, line.version.effective_date) == ("simm:2.5", dt.date(2022, 12, 2))
    assert line.inputs["explanation"]["computed_version"] == "2.6"
    assert found["PLAIN", "post"].regime == "schedule_im"
    lacking = lines(RegulatoryInputs(AS_OF, {"portfolios": portfolios, "netting_set_margins": margins([])}, RATES))
    assert [(line.status, line.value) for line in lacking if line.regime == "simm"] == [("undetermined", None)] * 2
    assert np.isfinite([line.value for line in lacking if line.regime != "simm"]).all()
