"""Whole strategies against a broker's figures and the rule formula beside them, and books that matchers take apart wrongly."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from margin_pipeline.margin.strategy_based import group_positions

CASES = Path(__file__).parent / "cases"
BROKER = pd.read_csv(CASES / "option_structures_broker.csv", dtype={"ib_maintenance": str})
BOOKS = json.loads((CASES / "option_structure_recognition.json").read_text())["cases"]

OTHER_RULE = {
    "CoveredPut": (12300.0, "the formula takes 25 % for short stock; FINRA 4210(c)(2) says 30 %, as the broker's 12,000 does"),
}
"""Rows whose formula is not the rule: our figure, and why."""

NAMES = {
    "BearPutSpread": "bear_put_spread", "BullPutSpread": "bull_put_spread", "NakedCall": "naked_call", "CoveredCall": "covered_call",
    "CoveredPut": "covered_put", "ProtectiveCollar": "collar", "ReverseConversion": "reverse_conversion", "ShortStraddle": "short_straddle",
    "ShortStrangle": "short_strangle", "ShortButterflyCall": "short_call_butterfly", "ShortButterflyPut": "short_put_butterfly",
    "ShortIronButterfly": "short_iron_butterfly", "ShortIronCondor": "short_iron_condor", "ShortBoxSpread": "short_box",
    "ShortJellyRoll": "short_jelly_roll", "BullCallLadder": "bull_call_ladder", "BullPutLadder": "bull_put_ladder",
}  # fmt: skip
"""Our names of the broker's strategies; a short calendar spread is none to the rule: its short stays naked."""


def legs_of(row):
    """Legs of a text like `C300@2023-05-19 qty=-1 px=112; STK qty=100 px=410`."""
    texts = [text.split() for text in row["legs"].split("; ")]
    dates = sorted({text[0].split("@")[1] for text in texts if "@" in text[0]})
    legs = []
    for head, quantity, price in texts:
        leg = {"quantity": float(quantity.split("=")[1]), "price": float(price.split("=")[1]), "type": "stock"}
        if head != "STK":
            right, strike, date = re.fullmatch(r"([CP])([\d.]+)@(.*)", head).groups()
            leg |= {"type": "option", "right": {"C": "call", "P": "put"}[right], "strike": float(strike), "expiry_index": dates.index(date)}
        legs.append(leg)
    return legs


@pytest.mark.parametrize("row", BROKER.to_dict("records"), ids=BROKER["strategy"])
def test_maintenance_is_the_rule_formula_and_near_the_brokers(row, option_book):
    groups = group_positions(*option_book(legs_of(row), row["underlying_price"])).groups
    expected, _ = OTHER_RULE.get(row["strategy"], (row["formula_maintenance"], ""))
    assert groups["maintenance_margin"].sum() == pytest.approx(expected, abs=1.0)
    broker = float(row["ib_maintenance"].rstrip("m"))
    assert groups["maintenance_margin"].sum() == pytest.approx(broker, rel=0.2)
    if row["strategy"] in NAMES:
        assert groups["structure"].tolist() == [NAMES[row["strategy"]]]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book["id"])
def test_books_that_matchers_take_apart_wrongly(book, option_book):
    legs = [{"type": "option", "price": 1.0, **leg} for leg in book["positions"]]
    expected = book["expect"]
    groups = group_positions(*option_book(legs, expected.get("underlying_price", 600.0))).groups
    naked = groups["structure"].str.startswith("naked").sum()
    if "groups" in expected:
        ours = {"ButterflyCall": "long_call_butterfly", "BullCallLadder": "bull_call_ladder"}
        assert groups["structure"].tolist() == [ours[name] for name in expected["groups"]]
    elif "groups_count" in expected:
        # Wholly covered either way: two spreads of 10 and 10, or of 15 and 5.
        assert (len(groups), naked, groups["maintenance_margin"].sum()) == (expected["groups_count"], 0, 2000.0)
        assert set(groups["structure"]) == {"bear_call_spread"}
    elif "uncovered_short" in expected:
        assert naked == expected["uncovered_short"]
    else:
        # A debit spread over one that is held: nothing beyond the premium is asked.
        more = [
            {"type": "option", "right": "call", "strike": k, "quantity": q, "price": p} for k, q, p in ((600, 1, 6.72), (605, -1, 3.77))
        ]
        after = group_positions(*option_book([*legs, *more], expected["underlying_price"])).groups
        assert groups["maintenance_margin"].sum() == after["maintenance_margin"].sum() == 0.0
        assert after["net_call"].sum() - groups["net_call"].sum() == pytest.approx(expected["net_debit"])
