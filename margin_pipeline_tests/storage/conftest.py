"""Fixtures of the storage tests. Not here: assertions."""

import datetime as dt

import pandas as pd
import pytest

from margin_pipeline import storage

DATE = dt.date(2022, 12, 28)


@pytest.fixture
def prices():
    """Make a frame for the table prices: one symbol, closes by day."""

    def make(closes, symbol="AAPL"):
        days = pd.to_datetime(list(closes))
        return pd.DataFrame({"date": days, "symbol": symbol, "close": list(closes.values()), "adjusted_close": float("nan")}).astype(
            {"symbol": "str"}
        )

    return make


@pytest.fixture
def portfolios():
    """Make a frame for the table portfolios: one portfolio with an equity."""

    def make(equity):
        columns = {"portfolio_id": ["P"], "account_type": ["reg_t"], "equity": [equity], "base_currency": ["USD"], "jurisdiction": [None]}
        return pd.DataFrame(columns | {"entity_type": [None]})

    return make


@pytest.fixture
def calculate(empty_tables):
    """Begin a calculation of a date by a run and write tables; gives its id."""

    def make(run_id, tables, as_of=DATE, content="files", code_version="1", settings=None):
        calculation_id = storage.begin(empty_tables, as_of, run_id, code_version, settings or {"compute": "numpy"})
        for table, frame in tables.items():
            storage.write_table(empty_tables, calculation_id, as_of, table, frame)
        if content:
            storage.record_content(empty_tables, calculation_id, content)
        return calculation_id

    return make


@pytest.fixture
def publish(empty_tables, calculate):
    """Calculate and publish; gives the publication."""

    def make(run_id, tables, as_of=DATE, scope="chain", expected=(), downstream=None, **how):
        calculation_id = calculate(run_id, tables, as_of, **how)
        seen = storage.input_hash(empty_tables, calculation_id, as_of)
        return storage.publish(
            empty_tables, calculation_id, input_hash=seen, scope=scope, expected_tables=expected, downstream=downstream or {}
        )

    return make
