"""What each account type is governed by, what it admits, and which methods it has.

Belongs here: one table of account types. Not here: figures of the methods (the other tests of portfolios).
"""

import json

import numpy as np
import pytest

from margin_pipeline.landing.contracts.books import ACCOUNT_TYPES
from margin_pipeline.margin.methods import COMPUTED, GOVERNING, METHODS
from margin_pipeline_tests.margin.accounts import composition, tables

COMPUTED_METHODS = {
    "cash": ["strategy_based"],
    "reg_t": ["cross_margin", "reg_t", "strategy_based"],
    "portfolio_margin": ["cross_margin", "portfolio_margin", "reg_t", "strategy_based"],
    "futures": ["cross_margin", "futures"],
    "crypto_cross": ["cross_margin", "tiered"],
    "crypto_isolated": ["tiered"],
    "otc": ["schedule_im"],
}
GOVERNED_BY = {
    "cash": "strategy_based",
    "reg_t": "strategy_based",
    "portfolio_margin": "portfolio_margin",
    "futures": "futures",
    "crypto_cross": "tiered",
    "crypto_isolated": "tiered",
    "otc": "schedule_im",
}
LONG_STOCK, SHORT_STOCK = [("s", "A", 100)], [("s", "A", -100)]
SHORT_CALL, SHORT_PUT, COVERED = [("s", "C110", -1)], [("s", "P90", -1)], [("s", "A", 100), ("s", "C110", -1)]
FUTURE, PERPETUAL = [("s", "ES", 1)], [("s", "BTC", 1)]
ADMITTED = [
    ("cash", LONG_STOCK, 0),
    ("cash", COVERED, 0),
    ("cash", SHORT_PUT, 9_000),
    ("cash", [("s", "C100", 1)], 0),
    ("reg_t", LONG_STOCK, 2_500),
    ("reg_t", SHORT_STOCK, 3_000),
    ("reg_t", SHORT_CALL, 1_200),
    ("reg_t", COVERED, 2_500),
    ("reg_t", FUTURE, 12_000),
    ("futures", FUTURE, 12_000),
    ("futures", [("s", "ES", -3)], 36_000),
    ("crypto_cross", PERPETUAL, 1_000),
    ("crypto_isolated", PERPETUAL, 1_000),
    ("reg_t", PERPETUAL, 1_000),
    ("futures", LONG_STOCK, 2_500),
    ("crypto_cross", LONG_STOCK, 2_500),
]
CASH = "is not admissible in a cash account"
NOT_ADMITTED = [
    ("cash", SHORT_STOCK, f"A: a short security {CASH}"),
    ("cash", SHORT_CALL, f"C110: a short call without cover {CASH}"),
    ("cash", [("s", "A", 50), ("s", "C110", -1)], f"C110: a short call without cover {CASH}"),
    ("cash", FUTURE, f"ES: a future {CASH}"),
    ("cash", PERPETUAL, f"BTC: a leveraged contract {CASH}"),
    ("otc", LONG_STOCK, "A: a position is not admissible in an otc account, which holds netting sets only"),
]


def composed(held, account):
    margins = composition(tables(held, account=account, equity=50_000.0))
    return margins, margins.portfolio_margins[margins.portfolio_margins["is_governing"]].iloc[0]


def test_the_tables_are_about_every_account_type_and_method():
    assert set(COMPUTED_METHODS) == set(GOVERNED_BY) == set(ACCOUNT_TYPES) == set(GOVERNING) == set(COMPUTED)
    assert {method for methods in COMPUTED.values() for method in methods} | {"portfolio_margin", "simm"} == set(METHODS)


@pytest.mark.parametrize("account", ACCOUNT_TYPES)
def test_account_is_governed_by_its_method_and_says_why_others_do_not_apply(account):
    margins, row = composed([], account)
    assert row["method"] == GOVERNED_BY[account]
    assert margins.portfolio_margins["method"].tolist() == COMPUTED_METHODS[account]
    reasons = margins.notes.set_index("method")["reason"]
    assert sorted(reasons.index) == sorted(set(METHODS) - set(COMPUTED_METHODS[account]))
    assert reasons.str.len().gt(0).all()


@pytest.mark.parametrize(("account", "held", "maintenance"), ADMITTED)
def test_admitted_position_needs_what_its_governing_method_asks(account, held, maintenance):
    _, row = composed(held, account)
    assert (row["maintenance_margin"], row["status"]) == (maintenance, "safe")


@pytest.mark.parametrize(("account", "held", "reason"), NOT_ADMITTED)
def test_position_that_an_account_does_not_admit_leaves_it_undetermined_with_the_reason(account, held, reason):
    _, row = composed(held, account)
    assert (row["status"], np.isnan(row["maintenance_margin"])) == ("undetermined", True)
    assert json.loads(row["missing"]) == [reason]


@pytest.mark.parametrize("held", [LONG_STOCK, FUTURE, PERPETUAL, []])
def test_account_whose_governing_method_is_not_computed_is_never_safe(held):
    _, row = composed(held, "portfolio_margin")
    assert (row["method"], row["status"]) == ("portfolio_margin", "undetermined")
