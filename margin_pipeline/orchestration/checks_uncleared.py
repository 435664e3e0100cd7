"""Blocking checks and figures of margin calls of uncleared derivatives.

Belongs here: what must hold of the table before it is written. Not here: that margin or inputs are missing, which are results.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.orchestration.checks import Frames, Outcome

TABLE = "uncleared_margin_calls"


def every_netting_set_has_calls(frames: Frames) -> Outcome:
    """Every uncleared netting set has both kinds of margin on both sides, and no cleared one has any."""
    sets = frames["netting_sets"]
    cleared = sets["is_cleared"].astype("boolean").fillna(False).astype(bool)
    expected = set(sets["netting_set_id"][~cleared])
    rows = frames[TABLE][frames[TABLE]["netting_set_id"] != ""]
    counts = rows.groupby("netting_set_id").size()
    lost = sorted(expected - set(counts.index[counts == 4]))
    extra = sorted(set(counts.index) - expected)
    return Outcome(not lost and not extra, {"without_calls": lost[:20], "unexpected": extra[:20], "netting_sets": len(expected)})


def nothing_lacking_is_left_below_the_minimum_only(frames: Frames) -> Outcome:
    """In scope, what is held and delivered now reaches the requirement, but for less than the minimum transfer amount."""
    rows = frames[TABLE][(frames[TABLE]["netting_set_id"] != "") & frames[TABLE]["delivery_amount"].notna()]
    required, least, held = (
        rows[name].fillna(0.0).to_numpy(float) for name in ("requirement_after_threshold", "minimum_transfer_amount", "held")
    )
    left = required - held - rows["delivery_amount"].to_numpy(float)
    wrong = int((left > least + 1e-9 * (required + held + 1.0)).sum())
    return Outcome(wrong == 0, {"short_of_more_than_the_minimum": wrong, "rows": len(rows)})


def variation_margin_moves_one_way(frames: Frames) -> Outcome:
    """No netting set delivers variation margin both ways."""
    rows = frames[TABLE]
    rows = rows[(rows["kind"] == "variation") & (rows["netting_set_id"] != "")]
    both = rows.assign(moves=rows["delivery_amount"] > 0).groupby("netting_set_id")["moves"].sum() > 1
    return Outcome(not both.any(), {"both_ways": sorted(both.index[both])[:20]})


def counterparties_add_up(frames: Frames) -> Outcome:
    """Deliveries of a counterparty are those of its netting sets, to 1e-9, and unknown where one is."""
    rows = frames[TABLE][frames[TABLE]["counterparty"] != ""]
    key = ["portfolio_id", "counterparty", "regime", "kind", "side"]
    parts = rows[rows["netting_set_id"] != ""].groupby(key)["delivery_amount"].agg(_sum)
    whole = rows[rows["netting_set_id"] == ""].set_index(key)["delivery_amount"].reindex(parts.index)
    same = np.isclose(whole.to_numpy(float), parts.to_numpy(float), rtol=1e-9, atol=1e-9, equal_nan=True)
    return Outcome(bool(same.all()), {"wrong": int((~same).sum()), "counterparties": len(parts)})


def figures(frames: Frames) -> dict[str, float]:
    """Numbers to plot over time: calls to issue, and calls that cannot be told."""
    rows = frames[TABLE][frames[TABLE]["netting_set_id"] != ""]
    return {
        "calls_to_issue": int(((rows["side"] == "call") & (rows["delivery_amount"] > 0)).sum()),
        "undetermined": int(rows["delivery_amount"].isna().sum()),
    }


def _sum(amounts: pd.Series) -> float:
    return float(amounts.sum(skipna=False))
