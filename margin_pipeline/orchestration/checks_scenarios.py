"""Blocking checks of scenario margin.

Belongs here: what must hold of class groups, product groups and positions. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome

GROUP = ["portfolio_id", "product_group"]
TOLERANCE = 1e-9


def requirement_is_the_greatest_loss(frames: Frames) -> Outcome:
    """Each product group needs the greatest loss over the points after offsets, or its minimum, found again from the stored losses."""
    classes, groups = frames["portfolio_margin_classes"], frames["portfolio_margin_groups"].set_index(GROUP)
    known = classes[classes["missing"].isna() & classes.set_index(GROUP).index.isin(groups.index[groups["missing"].isna()])]
    if known.empty:
        return Outcome(True, {"product_groups": 0})
    owner = known.set_index(GROUP).index
    offset = groups["gain_offset"].reindex(owner).to_numpy(np.float64)[:, None]
    loss = np.stack(known["losses"].to_list())
    counted = np.maximum(loss, 0.0) - offset * np.maximum(-loss, 0.0)
    code, keys = owner.factorize()
    total = np.stack([np.bincount(code, counted[:, point]) for point in range(loss.shape[1])], axis=1).max(axis=1)
    minimum = np.bincount(code, known["contract_minimum"].to_numpy(np.float64))
    required = groups["maintenance_margin"].reindex(keys).to_numpy(np.float64)
    wrong = np.abs(np.maximum(np.maximum(total, minimum), 0.0) - required) > TOLERANCE * np.maximum(np.abs(required), 1.0)
    return Outcome(not wrong.any(), {"wrong": [" ".join(key) for key in keys[wrong]], "product_groups": len(keys)})


def groups_need_no_more_than_their_classes(frames: Frames) -> Outcome:
    """No product group needs more than its class groups on their own: an offset only relieves."""
    groups = frames["portfolio_margin_groups"]
    groups = groups[groups["missing"].isna()]
    over = groups["maintenance_margin"] - groups["class_margin"]
    wrong = groups[over > TOLERANCE * groups["class_margin"].abs().clip(lower=1)]
    return Outcome(wrong.empty, {"wrong": list(wrong["portfolio_id"] + " " + wrong["product_group"])})


def positions_carry_the_requirement(frames: Frames) -> Outcome:
    """What positions carry adds up to the requirement of their product group."""
    groups = frames["portfolio_margin_groups"].set_index(GROUP)["maintenance_margin"].dropna()
    carried = frames["portfolio_margin_positions"].groupby(GROUP)["maintenance_margin"].sum().reindex(groups.index)
    scale = frames["portfolio_margin_positions"].assign(loss=lambda f: f["loss"].abs()).groupby(GROUP)["loss"].sum().reindex(groups.index)
    wrong = ~((carried - groups).abs() <= TOLERANCE * np.maximum(scale, 1.0))
    return Outcome(not wrong.any(), {"wrong": [" ".join(key) for key in groups.index[wrong]], "product_groups": len(groups)})
