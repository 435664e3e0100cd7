"""Blocking checks of exposures to counterparties by SA-CCR.

Belongs here: what must hold of the three tables. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from margin_pipeline.orchestration.checks import Frames, Outcome

TOLERANCE = 1e-9
SET = ["portfolio_id", "netting_set_id"]
HEDGING_SET = [*SET, "asset_class", "hedging_set"]


def _outcome(names: pd.Series, wrong: np.ndarray, rows: int) -> Outcome:
    found = names[wrong].tolist()
    return Outcome(not found, {"wrong": found[:20], "rows": rows})


def effective_notional_is_its_product(frames: Frames) -> Outcome:
    """Effective notional is adjusted notional x delta x maturity factor, or less for digital options; without one the row says why."""
    rows = frames["sa_ccr_trades"]
    product = (rows["adjusted_notional"] * rows["supervisory_delta"] * rows["maturity_factor"]).to_numpy(float)
    notional = rows["effective_notional"].to_numpy(float)
    slack = TOLERANCE * np.maximum(np.abs(product), 1.0)
    is_beyond = np.abs(notional) > np.abs(product) + slack
    differs = (np.abs(notional - product) > slack) & ~rows["is_option"].to_numpy(bool)
    silent = (np.isnan(notional) | rows["market_value"].isna().to_numpy()) & rows["missing"].isna().to_numpy()
    return _outcome(rows["trade_id"], is_beyond | differs | silent, len(rows))


def no_hedging_set_exceeds_its_gross(frames: Frames) -> Outcome:
    """The add-on of a hedging set is at most the sum of supervisory factor x |effective notional| of its trades."""
    rows, trades = frames["sa_ccr_hedging_sets"], frames["sa_ccr_trades"]
    gross = trades.assign(gross=(trades["effective_notional"] * trades["supervisory_factor"]).abs()).groupby(HEDGING_SET)["gross"].sum()
    limit = gross.reindex(pd.MultiIndex.from_frame(rows[HEDGING_SET])).to_numpy(float)
    add_on = rows["add_on"].to_numpy(float)
    wrong = (add_on > limit * (1 + TOLERANCE) + TOLERANCE) | (~np.isnan(add_on) & np.isnan(limit))
    return _outcome(rows["netting_set_id"] + " " + rows["hedging_set"], wrong, len(rows))


def exposure_is_made_of_its_parts(frames: Frames) -> Outcome:
    """Add-ons of hedging sets add up to the netting set's, and exposure is alpha x (cost + multiplier x add-on), or the unmargined one."""
    rows, hedging_sets = frames["sa_ccr_netting_sets"], frames["sa_ccr_hedging_sets"]
    summed = hedging_sets.groupby(SET)["add_on"].agg(lambda parts: parts.sum(skipna=False))
    expected = summed.reindex(pd.MultiIndex.from_frame(rows[SET]), fill_value=0.0).to_numpy(float)
    add_on, at_default = rows["add_on"].to_numpy(float), rows["exposure_at_default"].to_numpy(float)
    slack = TOLERANCE * np.maximum(np.abs(expected), 1.0)
    wrong = ~(np.abs(add_on - expected) <= slack) & ~(np.isnan(add_on) & np.isnan(expected))
    alpha = rows["explanation"].map(lambda text: json.loads(text)["alpha"]).to_numpy(float)
    whole = alpha * (rows["replacement_cost"] + rows["multiplier"] * rows["add_on"]).to_numpy(float)
    capped = np.where(rows["is_margined"].to_numpy(bool), np.minimum(whole, rows["unmargined_exposure_at_default"].to_numpy(float)), whole)
    wrong |= ~(np.abs(at_default - capped) <= TOLERANCE * np.maximum(np.abs(capped), 1.0)) & ~(np.isnan(at_default) & np.isnan(capped))
    wrong |= np.isnan(at_default) != rows["missing"].notna().to_numpy()
    return _outcome(rows["netting_set_id"], wrong, len(rows))


def every_netting_set_is_there_or_the_rule_is_not(frames: Frames) -> Outcome:
    """All netting sets have a row, and all their trades, or none has since the approach is not in force."""
    rows, sets = frames["sa_ccr_netting_sets"], frames["netting_sets"]
    lost = sorted(set(sets["netting_set_id"]) - set(rows["netting_set_id"])) if len(rows) else []
    known = int(frames["otc_trades"]["netting_set_id"].isin(set(rows["netting_set_id"])).sum())
    counted, kept = int(rows["trades"].sum()), len(frames["sa_ccr_trades"])
    return Outcome(not lost and counted == known == kept, {"lost": lost[:20], "trades": known, "counted": counted, "kept": kept})
