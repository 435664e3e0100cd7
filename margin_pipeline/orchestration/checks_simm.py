"""Blocking checks of SIMM and of the sensitivities of listed positions.

Belongs here: what must hold of their tables before any is written. Not here: the margins (`regulation`).
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome

ALL = "All"
LEVELS = ["product_class", "risk_class", "margin_type", "bucket"]
SET = ["portfolio_id", "netting_set_id", "side"]


def every_agreed_set_has_a_margin_or_a_reason(frames: Frames) -> Outcome:
    """Each uncleared netting set under SIMM has one winning total a side, or says what is missing."""
    sets = frames["netting_sets"]
    cleared = sets["is_cleared"].astype("boolean").fillna(False).astype(bool)
    agreed = sets.loc[(sets["im_model"] == "simm") & ~cleared, "netting_set_id"]
    rows = frames["simm_results"]
    totals = rows[(rows[LEVELS] == ALL).all(axis=1) & (rows["is_winning"] | rows["missing"].notna())]
    found = totals.groupby(["netting_set_id", "side"]).size()
    expected = {(str(name), side) for name in agreed for side in ("call", "post")}
    wrong = sorted(str(key) for key in expected if found.get(key, 0) != 1)
    return Outcome(not wrong, {"without_one_answer": wrong[:10], "netting_sets": len(agreed)})


def product_classes_add_up(frames: Frames) -> Outcome:
    """The total of a side and regulation is the sum of its product classes and add-ons, to 1e-9 of it."""
    rows = frames["simm_results"]
    level = rows[(rows["risk_class"] == ALL) & (rows["margin_type"] == ALL) & (rows["bucket"] == ALL) & rows["missing"].isna()]
    key = [*SET, "regulation"]
    total = level[level["product_class"] == ALL].set_index(key)["initial_margin"]
    parts = level[level["product_class"] != ALL].groupby(key)["initial_margin"].sum().reindex(total.index).fillna(0.0)
    gap = (parts - total).abs() / np.maximum(total, 1.0)
    wrong = int((~(gap <= 1e-9)).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "totals": len(total)})


def the_winner_asks_most(frames: Frames) -> Outcome:
    """No regulation of a netting set and side asks more than the winning one."""
    rows = frames["simm_results"]
    totals = rows[(rows[LEVELS] == ALL).all(axis=1) & rows["initial_margin"].notna()]
    most = totals.groupby(SET)["initial_margin"].max()
    won = totals[totals["is_winning"]].set_index(SET)["initial_margin"].reindex(most.index)
    wrong = int((~(won >= most)).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "netting_sets_and_sides": len(most)})


def every_sensitivity_has_an_amount_or_a_reason(frames: Frames) -> Outcome:
    """A sensitivity without an amount says what is missing, and every portfolio with positions has some."""
    rows, positions = frames["listed_sensitivities"], frames["positions"]
    silent = int((rows[["amount", "amount_usd"]].isna().any(axis=1) & rows["missing"].isna()).sum())
    held = set(positions.loc[positions["quantity"] != 0, "portfolio_id"])
    lost = sorted(held - set(rows["portfolio_id"]))
    return Outcome(silent == 0 and not lost, {"without_reason": silent, "portfolios_without_any": lost[:10]})
