"""Checks of margin calls of uncleared derivatives: what they let pass and what they stop."""

import numpy as np
import pytest

from margin_pipeline.orchestration import checks_uncleared as checks
from margin_pipeline.regulation.uncleared.calls import uncleared_margin_calls
from margin_pipeline_tests.regulation.uncleared.uncleared_book import AS_OF, MILLION, frames

CHECKS = (
    checks.every_netting_set_has_calls,
    checks.nothing_lacking_is_left_below_the_minimum_only,
    checks.variation_margin_moves_one_way,
    checks.counterparties_add_up,
)


@pytest.fixture(scope="module")
def tables():
    short = {"call": 50.2 * MILLION, "minimum_transfer_amount": 0.5 * MILLION}
    sets = [{"call": 60 * MILLION, "value": 5.0}, short, {"call": np.nan, "counterparty": "Other"}, {"is_cleared": True}]
    given = frames(*sets)
    return {**given, checks.TABLE: uncleared_margin_calls(**given, as_of=AS_OF)}


def changed(tables, **columns):
    return {**tables, checks.TABLE: tables[checks.TABLE].assign(**columns)}


def test_calls_that_are_missing_or_below_the_minimum_are_results_and_pass(tables):
    assert tables[checks.TABLE]["delivery_amount"].isna().any()
    assert all(check(tables).passed for check in CHECKS)
    assert checks.figures(tables) == {"calls_to_issue": 3, "undetermined": 1}


def test_each_check_stops_what_it_is_about(tables):
    rows = tables[checks.TABLE]
    assert not CHECKS[0]({**tables, checks.TABLE: rows[rows["netting_set_id"] != "NS1"]}).passed
    assert not CHECKS[0]({**tables, "netting_sets": tables["netting_sets"].assign(is_cleared=True)}).passed
    assert not CHECKS[1](changed(tables, delivery_amount=rows["delivery_amount"] * 0.0)).passed
    assert not CHECKS[2](changed(tables, delivery_amount=1.0)).passed
    assert not CHECKS[3](changed(tables, delivery_amount=rows["delivery_amount"].where(rows["netting_set_id"] != "", 1.0))).passed
