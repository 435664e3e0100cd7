"""SA-CCR against the published examples, to their last digit, and published deltas."""

import datetime as dt
import json
from pathlib import Path

import pytest

from margin_pipeline.landing import read_date
from margin_pipeline.regulation.sa_ccr.tables import sa_ccr_tables
from margin_pipeline_tests.regulation.sa_ccr_book import (
    AS_OF,
    EXAMPLE_1,
    EXAMPLE_2,
    EXAMPLE_3,
    MARGINED_EXAMPLE,
    one_set,
    one_trade,
    sets_frame,
    tables,
    trades_frame,
)

CASES = json.loads((Path(__file__).parent / "cases" / "sa_ccr.json").read_text())
PUBLISHED = {case["id"]: case["expected"] for case in CASES["bcbs279_annex4a"]["cases"]}


def parts(hedging_sets):
    """Effective notional and add-on of every part, by its name."""
    found = [part for details in hedging_sets["details"] for part in json.loads(details)["parts"]]
    return {part["part"]: part for part in found}


def test_example_1_interest_rates():
    expected = PUBLISHED["BCBS279_Annex4a_ex1_IR"]
    trades, hedging_sets, netting_sets = tables(EXAMPLE_1)
    assert trades["adjusted_notional"].round().tolist() == expected["adjusted_notional"]
    assert trades["supervisory_delta"].round(2).tolist() == expected["delta"]
    assert hedging_sets.set_index("hedging_set")["effective_notional"].round().to_dict() == {
        "EUR": expected["effective_notional_EUR"],
        "USD": expected["effective_notional_USD"],
    }
    row = netting_sets.iloc[0]
    assert row["replacement_cost"] == expected["RC"]
    assert round(row["add_on_interest_rate"]) == expected["addon_IR"]
    assert row["multiplier"] == expected["multiplier"]
    assert round(row["potential_future_exposure"]) == expected["PFE"]
    assert round(row["exposure_at_default"]) == expected["EAD"]


def test_example_2_credit():
    expected = PUBLISHED["BCBS279_Annex4a_ex2_credit"]
    trades, hedging_sets, netting_sets = tables(EXAMPLE_2)
    assert trades["adjusted_notional"].round().tolist() == expected["adjusted_notional"]
    add_ons = parts(hedging_sets)
    assert [round(add_ons[name]["add_on"]) for name in ("Firm A", "Firm B", "CDX.IG")] == expected["entity_addon"]
    row = netting_sets.iloc[0]
    assert row["replacement_cost"] == expected["RC"]
    assert round(row["add_on_credit"]) == expected["addon_credit"]
    assert round(row["multiplier"], 3) == expected["multiplier"]
    assert round(row["potential_future_exposure"]) == expected["PFE"]
    assert round(row["exposure_at_default"]) == expected["EAD"]


def test_example_3_commodities():
    expected = PUBLISHED["BCBS279_Annex4a_ex3_commodity"]
    _, hedging_sets, netting_sets = tables(EXAMPLE_3)
    assert round(parts(hedging_sets)["crude oil"]["effective_notional"]) == expected["effective_notional_crude"]
    assert hedging_sets.set_index("hedging_set")["add_on"].round().to_dict() == {
        "energy": expected["addon_energy"],
        "metals": expected["addon_metals"],
    }
    row = netting_sets.iloc[0]
    assert (row["replacement_cost"], round(row["add_on"]), row["multiplier"]) == (expected["RC"], expected["addon"], expected["multiplier"])
    assert round(row["exposure_at_default"]) == expected["EAD"]


def test_example_4_interest_rates_and_credit_in_one_netting_set():
    row = one_set(EXAMPLE_1 + EXAMPLE_2)
    assert row["replacement_cost"] == 40
    assert round(row["add_on"]) == 629  # 347 + 282
    assert round(row["exposure_at_default"]) == 936


def test_example_5_interest_rates_and_commodities_under_a_margin_agreement():
    row = one_set(EXAMPLE_1 + EXAMPLE_3, MARGINED_EXAMPLE)
    assert (row["value"], row["collateral"], row["replacement_cost"]) == (80, 200, 0)
    assert round(row["add_on_interest_rate"]) == 123
    assert round(row["add_on_commodity"]) == 1278
    assert round(row["multiplier"], 3) == 0.958
    assert round(row["exposure_at_default"]) == 1879


EXAMPLES = {"1": EXAMPLE_1, "2": EXAMPLE_2, "3": EXAMPLE_3, "4": EXAMPLE_1 + EXAMPLE_2, "5": EXAMPLE_1 + EXAMPLE_3}
BOOK = {
    "portfolios.csv": "portfolio_id,account_type,equity,entity_type\nP,otc,1000000,bank\n",
    "instruments.csv": "symbol,asset_class\nA,equity\n",
    "positions.csv": "portfolio_id,strategy,symbol,quantity\nP,core,A,1\n",
    "prices.csv": f"date,symbol,close\n{AS_OF},A,10\n",
    "fx_rates.csv": f"date,currency,usd_rate\n{AS_OF},EUR,1\n",
}


def test_the_published_examples_come_out_of_landed_files_too(tmp_path):
    trades = trades_frame([{**trade, "netting_set_id": name} for name, example in EXAMPLES.items() for trade in example])
    sets = sets_frame([{"netting_set_id": name, **(MARGINED_EXAMPLE if name == "5" else {})} for name in EXAMPLES])
    for name, text in {**BOOK, "netting_sets.csv": sets.to_csv(index=False), "otc_trades.csv": trades.to_csv(index=False)}.items():
        (tmp_path / name).write_text(text)
    landed = read_date(tmp_path, AS_OF).tables
    assert len(landed["otc_trades"]) == len(trades) == 21
    found = sa_ccr_tables(landed["netting_sets"], landed["otc_trades"], landed["portfolios"], landed["fx_rates"], AS_OF)[2]
    assert found.set_index("netting_set_id")["exposure_at_default"].round().to_dict() == {
        "1": 569,
        "2": 381,
        "3": 5406,
        "4": 936,
        "5": 1879,
    }


@pytest.mark.parametrize("case", CASES["supervisory_option_delta"]["cases"], ids=lambda case: case["id"])
def test_published_option_deltas(case):
    option = {
        "asset_class": "fx", "instrument_type": "option", "notional": 1_000_000, "currency": "EUR", "second_currency": "USD",
        "option_type": case["right"], "option_position": "bought" if case["position"] == "long" else "sold", "strike": case["K"],
        "underlying_price": case["P"], "exercise_date": AS_OF + dt.timedelta(days=round(case["T"] * 365.25)),
        "maturity": AS_OF + dt.timedelta(days=round(case["T"] * 365.25)),
    }  # fmt: skip
    row = one_trade(option)
    assert row["exercise_years"] == pytest.approx(case["T"], abs=0.005)
    assert row["supervisory_delta"] == pytest.approx(case["expected_delta"], abs=case["abs_tol"])
