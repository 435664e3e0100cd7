"""Sentences about a broker's margin that differs from ours.

Belongs here: what a hypothesis means, in words. Not here: amounts, choosing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

MEANINGS = {
    "our_maintenance_margin": "states our maintenance margin as its initial one",
    "our_initial_margin": "states our initial margin as its maintenance one",
    "minimum_equity_in_maintenance": "counts the minimum equity in the maintenance margin, too",
    "greedy_grouping": "groups options greedily instead of at the least margin",
    "premium_left_out": "leaves the premium of short options out of the requirement",
    "short_stock_with_proceeds": "counts short stock with 100 % of its proceeds",
    "in_the_money_left_out": "leaves out what covered calls are in the money",
    "gross_of_the_manual": "counts groups as the margin manual prints them, proceeds and long premiums included",
    "net_call_of_the_manual": "counts the net call of the margin manual",
    "other_reading_of_the_schedule": "reads the margin schedule the other way (bracket or marginal)",
    "stand_alone": "margins the symbol on its own, without its groups",
    "without_house_rates": "margins the symbol on its own without house rates",
    "whole_groups_at_this_leg": "shows the whole margin of the groups at this leg",
    "everything_on_the_underlying": "shows everything on the underlying at this symbol",
    "nothing_for_the_symbol": "asks nothing for the symbol: it is not held there, or margined elsewhere",
}
"""What the broker does if a hypothesis holds; those with a name behind a colon are below."""

WITH_NAME = {
    "method": "margins by method {}",
    "without_component": "leaves out component {}",
    "structure_not_recognised": "margins group {} leg by leg",
    "position_left_out": "does not margin {}",
}


def meaning(hypothesis: str) -> str:
    """What the broker does if the hypothesis holds."""
    if hypothesis in MEANINGS:
        return MEANINGS[hypothesis]
    parts = [part.split(":", 1) for part in hypothesis.split(",without_component:")]
    kind, name = parts[0]
    more = f" and leaves out its component {parts[1][0]}" if len(parts) > 1 else ""
    return WITH_NAME[kind].format(name) + more


def sentence(row: Mapping[Hashable, Any]) -> str:
    """One row of the table in words: columns ours, broker, difference, status, hypothesis, residual, missing."""
    if row["status"] == "missing":
        return f"Not comparable: {row['missing']}."
    sides = f"{row['broker']:,.2f} against our {row['ours']:,.2f}"
    if row["status"] == "match":
        return f"Broker and we agree: {sides}."
    more = "more" if row["difference"] > 0 else "less"
    asked = f"The broker asks {abs(row['difference']):,.2f} {more} than we do ({sides})"
    if row["status"] == "unexplained":
        return f"{asked}; none of the hypotheses explains half of it."
    left = "nothing stays unexplained" if row["status"] == "explained" else f"{row['residual']:,.2f} stays unexplained"
    return f"{asked}, as if it {meaning(str(row['hypothesis']))}; {left}."
