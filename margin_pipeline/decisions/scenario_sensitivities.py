"""Scenario margin of a portfolio when one of its class groups moves and the others stay.

Belongs here: what a class group brings within its product group, or after credits. Not here: losses at the moves (`shocked_scenarios`).

From the losses of all class groups at all points, before and after a move of every one, follows exactly what the requirement of the product
group is when a single one has moved: its counted losses are exchanged, and the greatest sum over the points is taken again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.decisions.shocked_tables import portfolio_and_scenario
from margin_pipeline.margin.scenario_tables import ScenarioTables

Floats = npt.NDArray[Any]
COLUMNS = ["portfolio_id", "class_group", "still", "up", "down", "carried"]
_KEY = ["portfolio_id", "class_group"]


def class_margins(tables: ScenarioTables) -> pd.DataFrame:
    """Requirement of the product group of each class group, no move, and the class group alone up and down.

    Parameters
    ----------
    tables : scenario margin at no move (scenario 0), up (1) and down (2), portfolios by the name of `in_scenario`.

    Returns
    -------
    Frame of `COLUMNS`, base currency; carried: what the positions of the class group carry of the requirement today. NaN where a class
    group of the product group lacks something.
    """
    classes = by_scenario(tables.classes)
    if classes.empty:
        return pd.DataFrame(columns=COLUMNS)
    groups = by_scenario(tables.groups)
    offset = groups[groups["scenario"] == 0].set_index(["portfolio_id", "product_group"])["gain_offset"]
    still = classes[classes["scenario"] == 0].reset_index(drop=True)
    place = pd.MultiIndex.from_frame(still[_KEY])
    group = still.groupby(["portfolio_id", "product_group"], sort=True).ngroup().to_numpy()
    weight = offset.reindex(pd.MultiIndex.from_frame(still[["portfolio_id", "product_group"]])).to_numpy(float)[:, None]
    points = max((len(losses) for losses in classes["losses"] if isinstance(losses, list | np.ndarray)), default=1)
    counted, minimum = [], []
    for number in range(3):
        rows = classes[classes["scenario"] == number].set_index(_KEY).reindex(place)
        losses = np.array([given if isinstance(given, list | np.ndarray) else np.full(points, np.nan) for given in rows["losses"]], float)
        counted.append(np.maximum(losses, 0.0) - weight * np.maximum(-losses, 0.0))
        minimum.append(rows["contract_minimum"].to_numpy(float))
    found = {
        name: _required(counted[0], minimum[0], counted[number], minimum[number], group)
        for number, name in enumerate(("still", "up", "down"))
    }
    shares = by_scenario(tables.positions)
    carried = shares[shares["scenario"] == 0].groupby(_KEY)["maintenance_margin"].sum(min_count=1).reindex(place)
    return still[_KEY].assign(**found, carried=carried.to_numpy(float))[COLUMNS]


def _required(counted: Floats, minimum: Floats, own_counted: Floats, own_minimum: Floats, group: npt.NDArray[Any]) -> Floats:
    """(n,) requirement of the product group of each class group, with its own losses exchanged."""
    count = int(group.max(initial=-1)) + 1
    sums = np.column_stack([np.bincount(group, counted[:, point], minlength=count) for point in range(counted.shape[1])])
    floor = np.bincount(group, minimum, minlength=count)
    losses = sums[group] - counted + own_counted
    return np.asarray(np.maximum(np.maximum(losses.max(axis=1), floor[group] - minimum + own_minimum), 0.0))


def futures_margins(tables: ScenarioTables) -> pd.DataFrame:
    """Maintenance margin of class groups of futures after charges and credits, at no move, up and down; frame of `COLUMNS`."""
    margins = by_scenario(tables.span_margins)
    if margins.empty:
        return pd.DataFrame(columns=COLUMNS)
    wide = margins.pivot(index=_KEY, columns="scenario", values="maintenance_margin").astype(float)
    return wide.set_axis(["still", "up", "down"], axis=1).assign(carried=wide[0]).reset_index()[COLUMNS]


def by_scenario(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with portfolio and scenario apart, and class and product groups without the number of the scenario."""
    owner, scenario = portfolio_and_scenario(frame["portfolio_id"])
    plain = {n: frame[n].astype("str").str.replace(r"\x1f\d+", "", regex=True) for n in ("class_group", "product_group") if n in frame}
    return frame.assign(portfolio_id=owner, scenario=scenario, **plain)
