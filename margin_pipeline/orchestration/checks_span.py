"""Blocking checks of scenario margin of futures.

Belongs here: what must hold of class groups. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.orchestration.checks import Frames, Outcome

GROUP = ["portfolio_id", "class_group"]
TOLERANCE = 1e-9


def _known(frames: Frames) -> pd.DataFrame:
    margins = frames["span_margins"]
    return margins[margins["missing"].isna()]


def _wrong(rows: pd.DataFrame, wrong: pd.Series) -> Outcome:
    named = rows.loc[wrong, "portfolio_id"] + " " + rows.loc[wrong, "class_group"]
    return Outcome(named.empty, {"wrong": named.tolist()[:20], "class_groups": len(rows)})


def scan_risk_is_the_greatest_loss(frames: Frames) -> Outcome:
    """Scan risk is the greatest of the sixteen stored losses, and nothing where none loses."""
    rows = _known(frames)
    losses = np.stack(rows["losses"].to_list()) if len(rows) else np.zeros((0, 16))
    greatest = np.maximum(losses.max(axis=1, initial=0.0), 0.0)
    return _wrong(rows, (rows["scan_risk"] - greatest).abs() > TOLERANCE * np.maximum(greatest, 1.0))


def positions_lose_the_scan_risk(frames: Frames) -> Outcome:
    """What positions lose in the worst scenario adds up to the scan risk of their class group."""
    rows, positions = _known(frames).reset_index(drop=True), frames["span_positions"]
    lost = positions.assign(size=positions["loss"].abs()).groupby(GROUP)[["loss", "size"]].sum()
    lost = lost.reindex(pd.MultiIndex.from_frame(rows[GROUP])).reset_index(drop=True)
    return _wrong(rows, ~((lost["loss"] - rows["scan_risk"]).abs() <= TOLERANCE * lost["size"].clip(lower=1)))


def parts_add_up_to_the_margin(frames: Frames) -> Outcome:
    """Scan risk and charges less credits are the maintenance margin, or the short option minimum is where it is greater."""
    rows = _known(frames)
    parts = rows["scan_risk"] + rows["intra_commodity_charge"] + rows["delivery_charge"] - rows["inter_commodity_credit"]
    expected = np.maximum(parts, rows["short_option_minimum"])
    return _wrong(rows, (expected - rows["maintenance_margin"]).abs() > TOLERANCE * rows["scan_risk"].clip(lower=1))


def no_credit_exceeds_its_scan_risk(frames: Frames) -> Outcome:
    """A class group gives up no more than what it risks: credits are at most the scan risk."""
    rows = _known(frames)
    return _wrong(rows, rows["inter_commodity_credit"] > rows["scan_risk"] * (1 + TOLERANCE) + TOLERANCE)


def each_delta_is_credited_once(frames: Frames) -> Outcome:
    """Deltas that earned credits are no more than the net delta of the class group."""
    rows = _known(frames)
    net = rows["net_delta"].abs().fillna(0)
    return _wrong(rows, rows["credited_delta"] > net * (1 + TOLERANCE) + TOLERANCE)


def every_class_group_has_a_margin_or_a_reason(frames: Frames) -> Outcome:
    """Each class group of a portfolio has a margin, or says what is missing for it."""
    margins = frames["span_margins"]
    return _wrong(margins, margins["maintenance_margin"].isna() != margins["missing"].notna())
