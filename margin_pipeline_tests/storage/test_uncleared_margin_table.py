"""Margin calls in the database: their table takes what is computed, and refuses a call without its inputs.

Belongs here: the table of migration 0015. Not here: the calls.
"""

from __future__ import annotations

import numpy as np
import pytest

from margin_pipeline import storage
from margin_pipeline.regulation.uncleared.calls import uncleared_margin_calls
from margin_pipeline_tests.regulation.uncleared.uncleared_book import AS_OF, MILLION, frames

TABLE = "uncleared_margin_calls"


@pytest.fixture(scope="module")
def rows():
    sets = [
        {"call": 60 * MILLION, "value": 5.0},
        {"counterparty": "Other", "call": np.nan},
        {"counterparty_type": "sovereign", "counterparty": "S"},
    ]
    return uncleared_margin_calls(**frames(*sets, {"counterparty": None}, {"regime": "hkma"}), as_of=AS_OF)


def test_the_table_takes_what_is_computed(calculate, empty_tables, rows):
    calculation_id = calculate("run", {TABLE: rows})
    stored = storage.read_query(
        empty_tables,
        f"select * from margin_data.{TABLE} where calculation_id = {calculation_id} "
        "order by portfolio_id, counterparty, regime, netting_set_id, kind, side",
    )
    assert len(stored) == len(rows)
    assert int(stored["delivery_amount"].isna().sum()) == int(rows["delivery_amount"].isna().sum()) > 0
    assert stored["delivery_amount"].sum() == rows["delivery_amount"].sum()


@pytest.mark.parametrize(
    "forged",
    [
        lambda rows: rows.assign(delivery_amount=rows["delivery_amount"].fillna(0.0)),
        lambda rows: rows.assign(missing=None),
        lambda rows: rows.assign(scope_reason=None),
        lambda rows: rows.assign(delivery_amount=rows["delivery_amount"] + 1.0),
        lambda rows: rows.assign(return_amount=-1.0),
    ],
    ids=["a call without inputs", "no reason", "no reason of scope", "more than is lacking", "negative"],
)
def test_a_call_that_contradicts_itself_is_refused(calculate, rows, forged):
    with pytest.raises(storage.StorageError):
        calculate("forged", {TABLE: forged(rows)})
