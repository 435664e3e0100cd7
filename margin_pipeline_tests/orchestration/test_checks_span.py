"""Checks of scenario margin of futures: a right table passes, a spoilt one does not.

Belongs here: the checks. Not here: the margin.
"""

from __future__ import annotations

import numpy as np
import pytest

from margin_pipeline.margin.span import span_margins
from margin_pipeline.orchestration import checks_span as checks
from margin_pipeline_tests.margin.span.span_book import AS_OF, NO_ARRAYS, RATES, closes, portfolios, positions
from margin_pipeline_tests.margin.span.test_margin import BOOK, CHARGES, CREDIT, DELIVERY, OTHER_RANGE, RANGE, TIERS, parameters

HELD = positions(("A", "H", 5), ("A", "M", -2), ("A", "NQ", -4), ("B", "H", -1), ("B", "X", 1))
CHECKS = (
    checks.scan_risk_is_the_greatest_loss,
    checks.positions_lose_the_scan_risk,
    checks.parts_add_up_to_the_margin,
    checks.no_credit_exceeds_its_scan_risk,
    checks.each_delta_is_credited_once,
    checks.every_class_group_has_a_margin_or_a_reason,
)


@pytest.fixture
def frames():
    terms = parameters(RANGE, OTHER_RANGE, *TIERS, *CHARGES, *DELIVERY, CREDIT, {"class_group": "XX", "term": "unknown"})
    found = span_margins(HELD, BOOK, portfolios(HELD), closes(H=400), RATES, NO_ARRAYS, terms, AS_OF)
    return {"span_margins": found.margins, "span_positions": found.covered}


@pytest.mark.parametrize("check", CHECKS)
def test_a_right_table_passes_and_so_does_an_empty_one(frames, check):
    assert frames["span_margins"]["missing"].notna().any()
    assert (frames["span_margins"]["inter_commodity_credit"] > 0).any()
    assert check(frames).passed
    assert check({name: frame.iloc[:0] for name, frame in frames.items()}).passed


@pytest.mark.parametrize(
    ("check", "table", "column", "value"),
    [
        (checks.scan_risk_is_the_greatest_loss, "span_margins", "scan_risk", 1.0),
        (checks.positions_lose_the_scan_risk, "span_positions", "loss", 7.0),
        (checks.parts_add_up_to_the_margin, "span_margins", "maintenance_margin", 1.0),
        (checks.no_credit_exceeds_its_scan_risk, "span_margins", "inter_commodity_credit", 1e7),
        (checks.each_delta_is_credited_once, "span_margins", "credited_delta", 99.0),
        (checks.every_class_group_has_a_margin_or_a_reason, "span_margins", "maintenance_margin", np.nan),
    ],
)
def test_a_spoilt_table_is_found(frames, check, table, column, value):
    frames[table].loc[0, column] = value
    assert not check(frames).passed
