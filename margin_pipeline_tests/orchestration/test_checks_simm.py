"""Checks of SIMM and listed sensitivities: what they let pass and what they stop."""

import pandas as pd
import pytest

from margin_pipeline.orchestration import checks_simm
from margin_pipeline_tests.regulation.simm.random_crif import given, random_rows

pytest.importorskip("ORE")
CHECKS = (
    checks_simm.every_agreed_set_has_a_margin_or_a_reason,
    checks_simm.product_classes_add_up,
    checks_simm.the_winner_asks_most,
)


@pytest.fixture(scope="module")
def frames():
    sets = pd.DataFrame({"netting_set_id": ["NS", "NONE", "CLEARED", "PLAIN"], "im_model": ["simm", "simm", "simm", "schedule"]})
    return {
        "netting_sets": sets.assign(is_cleared=[None, False, True, None]),
        "simm_results": given(random_rows(4, 60), sets=(("P", "NS"), ("P", "NONE"))),
    }


def spoiled(frames, change):
    return {**frames, "simm_results": change(frames["simm_results"].copy())}


def test_margins_and_reasons_pass(frames):
    assert all(check(frames).passed for check in CHECKS)
    assert CHECKS[0](frames).metadata["netting_sets"] == 2


def test_a_set_without_an_answer_is_stopped(frames):
    lost = spoiled(frames, lambda rows: rows[rows["netting_set_id"] != "NONE"])
    assert not CHECKS[0](lost).passed


def test_totals_that_are_not_their_parts_are_stopped(frames):
    def change(rows):
        hit = (rows["product_class"] == "Equity") & (rows["risk_class"] == "All") & (rows["margin_type"] == "All")
        return rows.assign(initial_margin=rows["initial_margin"].where(~hit, rows["initial_margin"] * 1.01))

    assert not CHECKS[1](spoiled(frames, change)).passed


def test_a_winner_that_asks_less_is_stopped(frames):
    def change(rows):
        other = rows.assign(regulation="ESA", is_winning=False, initial_margin=rows["initial_margin"] * 2)
        return pd.concat([rows, other], ignore_index=True)

    assert not CHECKS[2](spoiled(frames, change)).passed


def test_sensitivities_without_a_word_and_portfolios_without_any_are_stopped():
    rows = pd.DataFrame({"portfolio_id": ["P", "P"], "amount": [1.0, None], "amount_usd": [1.0, None], "missing": [None, "no price"]})
    positions = pd.DataFrame({"portfolio_id": ["P", "Q"], "quantity": [1.0, 0.0]})
    check = checks_simm.every_sensitivity_has_an_amount_or_a_reason
    assert check({"listed_sensitivities": rows, "positions": positions}).passed
    assert not check({"listed_sensitivities": rows.assign(missing=None), "positions": positions}).passed
    assert not check({"listed_sensitivities": rows, "positions": positions.assign(quantity=1.0)}).passed
