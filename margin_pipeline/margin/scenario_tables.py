"""Tables of scenario margin, and what each position carries of it.

Belongs here: the frames that later stages take together, shares of positions. Not here: how requirements come about (`scenario`, `span`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

POSITION_KEY = ["portfolio_id", "strategy", "symbol"]
SHARE_COLUMNS = [*POSITION_KEY, "method", "initial_margin", "maintenance_margin", "missing"]
METHODS = ("portfolio_margin", "futures")
"""Methods under which positions may be margined by scenarios."""


@dataclass(frozen=True)
class ScenarioTables:
    """Frames of the tables of scenario margin.

    Attributes
    ----------
    classes, groups, positions : `portfolio_margin_classes`, `portfolio_margin_groups`, `portfolio_margin_positions`.
    span_margins, span_positions : the tables of these names.
    """

    classes: pd.DataFrame
    groups: pd.DataFrame
    positions: pd.DataFrame
    span_margins: pd.DataFrame
    span_positions: pd.DataFrame

    def covered(self, method: str) -> pd.DataFrame:
        """Positions that a method margins by scenarios: portfolio, strategy, symbol."""
        return {"portfolio_margin": self.positions, "futures": self.span_positions}.get(method, self.positions.iloc[:0])[POSITION_KEY]


def scenario_shares(tables: ScenarioTables) -> pd.DataFrame:
    """What every covered position carries of the margin of its product group or class group.

    Returns
    -------
    Frame with `SHARE_COLUMNS`, base currency; amounts are empty where the group's margin is missing, and say why. They add up to the
    margin of the group.

    Notes
    -----
    `portfolio_margin`: the loss at the point that decides (see `scenario.requirement`). `futures`: the loss in the first worst scenario,
    which adds up to the scan risk; charges, credits and what the short option minimum adds go pro rata to the size of these losses, or
    evenly where nothing is lost. Initial margin in the same proportion.
    """
    return pd.concat([_of_portfolio_margin(tables), _of_span(tables)], ignore_index=True)


def _of_portfolio_margin(tables: ScenarioTables) -> pd.DataFrame:
    reasons = tables.groups[["portfolio_id", "product_group", "missing"]]
    rows = tables.positions.merge(reasons, on=["portfolio_id", "product_group"], how="left", validate="many_to_one")
    return rows.assign(method="portfolio_margin", initial_margin=rows["maintenance_margin"])[SHARE_COLUMNS]


def _of_span(tables: ScenarioTables) -> pd.DataFrame:
    key = ["portfolio_id", "class_group"]
    margins = tables.span_margins[[*key, "scan_risk", "initial_margin", "maintenance_margin", "missing"]]
    rows = tables.span_positions[[*POSITION_KEY, "class_group", "loss"]].merge(margins, on=key, how="left", validate="many_to_one")
    size = rows["loss"].abs()
    group = [rows[name] for name in key]
    whole, count = size.groupby(group).transform("sum"), size.groupby(group).transform("size")
    part = np.where(whole > 0, size / whole.where(whole > 0), 1.0 / count)
    maintenance, initial = (rows[name].to_numpy(np.float64) for name in ("maintenance_margin", "initial_margin"))
    carried = rows["loss"].to_numpy(np.float64) + (maintenance - rows["scan_risk"].to_numpy(np.float64)) * part
    ratio = np.divide(initial, maintenance, out=np.ones(len(rows)), where=maintenance > 0)
    return rows.assign(method="futures", maintenance_margin=carried, initial_margin=carried * ratio)[SHARE_COLUMNS]
