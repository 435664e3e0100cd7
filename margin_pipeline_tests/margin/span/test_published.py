"""Scenario margin against published figures.

Belongs here: McMillan's arrays and portfolios. Not here: what holds of any book.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from margin_pipeline.margin.span import span_margins
from margin_pipeline.margin.span.arrays import future_arrays
from margin_pipeline_tests.margin.span.span_book import (
    AS_OF,
    NO_CLOSES,
    NO_PARAMETERS,
    RATES,
    arrays,
    future,
    instruments,
    option,
    portfolios,
    positions,
)  # fmt: skip

CASE = Path(__file__).resolve().parents[4] / "shared" / "cases" / "span.json"
# McMillan, Options as a Strategic Investment, ch. 34: gains of one long future and of one long December 410 call.
FUTURE = [0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670, 10000, 10000, -10000, -10000, 7000, -7000]
CALL = [460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380, -3990, 3130, -1500]
BOOK = instruments(future("F"), option("C", "F", "call", 410.0))


def margin_of(*held, given=None, parameters=NO_PARAMETERS):
    rows = positions(*held)
    found = arrays({"F": FUTURE, "C": CALL} if given is None else given)
    return span_margins(rows, BOOK, portfolios(rows), NO_CLOSES, RATES, found, parameters, AS_OF)


@pytest.mark.parametrize(
    ("symbol", "risk", "worst"), [("F", 10000.0, [13, 14]), ("C", 3990.0, [14])], ids=["long future", "long December 410 call"]
)
def test_scan_risk_of_a_single_contract(symbol, risk, worst):
    margins = margin_of(("P", symbol, 1)).margins
    assert margins["scan_risk"].tolist() == [risk]
    assert margins["maintenance_margin"].tolist() == margins["initial_margin"].tolist() == [risk]
    assert margins["worst_scenario"].tolist() == worst[:1]
    assert json.loads(margins["explanation"].iloc[0])["worst_scenarios"] == worst


def test_every_portfolio_of_the_case():
    if not CASE.is_file():
        pytest.skip("the shared cases are not there")
    case = json.loads(CASE.read_text())
    given = {"F": case["risk_array_long_future"], "C": case["risk_array_long_dec410_call"]}
    assert given == {"F": FUTURE, "C": CALL}
    symbols = {"future": "F", "dec410_call": "C"}
    held = [(p["id"], symbols[name], quantity) for p in case["portfolios"] for name, quantity in p["positions"].items()]
    margins = margin_of(*held, given=given).margins.set_index("portfolio_id")
    for portfolio in case["portfolios"]:
        row = margins.loc[portfolio["id"]]
        assert row["scan_risk"] == portfolio["scan_risk"]
        assert json.loads(row["explanation"])["worst_scenarios"] == portfolio["worst_scenarios"]


def test_losses_are_what_arrays_lose():
    losses = margin_of(("P", "C", -2)).scenario_losses
    assert losses["loss"].tolist() == [2.0 * value for value in CALL]
    assert losses["scenario"].tolist() == list(range(1, 17))
    assert losses["price_move"].iloc[[2, 9, 14, 15]].tolist() == pytest.approx([1 / 3, -2 / 3, 2, -2])
    assert losses["volatility_move"].iloc[:3].tolist() == [1, -1, 1]


def test_the_array_of_the_future_follows_from_its_range():
    """The book prints thirds as 3330 and 6670, so an exact third is within ten dollars."""
    computed = future_arrays(np.array([10000.0]), np.array([2.0]), np.array([0.35]))[0]
    assert np.abs(computed - FUTURE).max() <= 3.34
    assert computed[10:].tolist() == FUTURE[10:]
