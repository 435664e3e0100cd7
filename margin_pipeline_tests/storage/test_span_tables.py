"""Scenario margin of futures in the database: its tables take what is computed, and terms stay until a newer folder brings them.

Belongs here: tables of migration 0010. Not here: the margin.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from margin_pipeline import storage
from margin_pipeline.margin.span import span_margins
from margin_pipeline_tests.margin.span.span_book import AS_OF, RATES, arrays, closes, parameters, portfolios, positions
from margin_pipeline_tests.margin.span.test_margin import BOOK, CHARGES, DELIVERY, MINIMUM, RANGE, TIERS, VOLATILITY

COLUMNS = [
    "class_group", "effective_date", "term", "tier_1", "tier_2", "delta_1", "delta_2", "side_1", "side_2", "class_group_2", "priority",
    "expiry_from", "expiry_to", "contract_multiplier", "value", "currency",
]  # fmt: skip


def landed(*rows):
    return parameters(*rows)[COLUMNS]


def test_tables_take_what_is_computed(calculate, empty_tables):
    held = positions(("A", "H", 2), ("A", "C", -3, 8.0), ("A", "X", 1), ("B", "M", 1))
    terms = landed(RANGE, VOLATILITY, *TIERS, *CHARGES, *DELIVERY, MINIMUM)
    given = arrays({"X": [0.0] * 16, "M": [-10.0] * 16}, {"M": 1.0})
    found = span_margins(held, BOOK, portfolios(held), closes(H=400.0), RATES, given, terms, AS_OF)
    unknown = landed({"class_group": "YY", "term": "unknown"})
    tables = {"risk_arrays": given, "span_parameters": pd.concat([terms, unknown])}
    tables |= {"span_margins": found.margins, "span_positions": found.covered}
    calculation_id = calculate("run", tables)
    stored = storage.read_query(
        empty_tables, f"select * from margin_data.span_margins where calculation_id = {calculation_id} order by 3, 4"
    )
    assert stored["maintenance_margin"].tolist() == found.margins["maintenance_margin"].tolist()
    assert len(stored["losses"].iloc[0]) == 16


def test_a_folder_that_brings_a_class_group_brings_all_of_its_terms(calculate, publish, empty_tables):
    other = {**RANGE, "class_group": "NQ"}
    publish("first", {"span_parameters": landed(RANGE, VOLATILITY, {"class_group": "SP", "term": "unknown"}, other)})
    later = AS_OF + dt.timedelta(1)
    second = calculate("second", {"span_parameters": landed({**RANGE, "value": 12000.0})}, as_of=later, content="others")
    history = storage.read_history(empty_tables, second, later, "span_parameters", date_column=None)
    assert history[["class_group", "term", "value"]].to_numpy().tolist() == [
        ["NQ", "price_scan_range", 10000.0],
        ["SP", "price_scan_range", 12000.0],
    ]
