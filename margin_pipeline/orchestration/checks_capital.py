"""Blocking checks of risk-weighted assets.

Belongs here: what must hold of the table before it is written. Not here: that capital falls short of it, which is a result.
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome


def every_exposure_and_netting_set_is_weighted(frames: Frames) -> Outcome:
    """Each exposure and netting set of a bank that has rows at all has a row of its own."""
    rows = frames["risk_weighted_assets"]
    banks = set(rows["portfolio_id"])
    lost = {}
    for table, column, risk_type in (("exposures", "exposure_id", "credit"), ("netting_sets", "netting_set_id", "counterparty")):
        given = frames[table][frames[table]["portfolio_id"].isin(banks)]
        of_type = rows[rows["risk_type"] == risk_type]
        found = set(zip(of_type["portfolio_id"], of_type["item"], strict=True))
        lost[table] = len(set(zip(given["portfolio_id"], given[column], strict=True)) - found)
    return Outcome(sum(lost.values()) == 0, {"banks": len(banks), **lost})


def weights_times_exposures_are_the_assets(frames: Frames) -> Outcome:
    """Where a row has a weight, its assets are exposure times weight, to 1e-9 of their size; assets are never negative."""
    rows = frames["risk_weighted_assets"].dropna(subset=["risk_weighted_assets"])
    assets = rows["risk_weighted_assets"].to_numpy(float)
    product = rows["exposure"].to_numpy(float) * rows["risk_weight"].to_numpy(float)
    weighted = rows["risk_weight"].notna().to_numpy()
    wrong = int((~(np.abs(assets - product) <= 1e-9 * np.maximum(assets, 1.0)) & weighted).sum())
    negative = int((assets < 0).sum())
    return Outcome(wrong + negative == 0, {"wrong": wrong, "negative": negative, "rows": len(rows)})


def what_lacks_something_has_no_assets(frames: Frames) -> Outcome:
    """A row has assets or says what is missing, never both and never neither."""
    rows = frames["risk_weighted_assets"]
    wrong = int((rows["risk_weighted_assets"].isna() != rows["missing"].notna()).sum())
    return Outcome(wrong == 0, {"wrong": wrong})
