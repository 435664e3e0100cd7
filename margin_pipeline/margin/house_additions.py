"""What house rates add to the margin that the rules alone would ask.

Belongs here: the table `house_additions`. Not here: house rates (`house`), how they meet a rule (`models.overlay`, `structures`).

Of single positions the addition stands in their explanation. Of groups it is the difference to a grouping without house rates, for these
may make another partition the cheapest one: additions of single components may then be negative, the maintenance of all is not.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.margin.components import GROUPED_CLASSES, component_of, group_contributions, uncovered, under
from margin_pipeline.margin.house import house_rates
from margin_pipeline.margin.models.overlay import EXEMPT_ACCOUNTS
from margin_pipeline.margin.scenario_tables import ScenarioTables
from margin_pipeline.margin.strategy_based import group_positions

POSITION_KEY = ["portfolio_id", "strategy", "symbol"]
KEY = ["portfolio_id", "method", "component"]
AMOUNTS = ["initial_margin", "maintenance_margin"]
ROUNDING = 1e-6
"""Money; sums of the same margins in another order differ by less."""

POSITION_METHODS = ("reg_t", "cross_margin", "tiered")


def house_additions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    house_margins: pd.DataFrame,
    as_of: dt.date,
    scenarios: ScenarioTables | None = None,
    *,
    threads: int = 1,
) -> pd.DataFrame:
    """What house rates add, by portfolio, method and component.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates, position_margins, strategy_groups, house_margins : frames of the tables of these
        names.
    as_of : business date.
    scenarios : tables of scenario margin, whose class groups house rates widen; SPAN-style margin does not know them. None: no position is
        margined by scenarios.
    threads : underlyings that are solved at once; the result does not depend on it.

    Returns
    -------
    Frame as margin_data.house_additions, base currency, ordered; only rows that are more than rounding. Portfolios with an undetermined
    group have none under `strategy_based`.
    """
    account = portfolios.set_index("portfolio_id")["account_type"]
    own = _of_positions(position_margins, positions)
    parts = [under(own, method, account) for method in POSITION_METHODS]
    parts.append(under(own[~own["asset_class"].isin(GROUPED_CLASSES)], "strategy_based", account))
    for method in ("portfolio_margin", "futures"):
        beside = position_margins if scenarios is None else uncovered(position_margins, scenarios.covered(method))
        parts.append(under(_of_positions(beside, positions), method, account))
    if scenarios is not None:
        parts.append(under(_of_scenarios(scenarios.groups), "portfolio_margin", account))
    held = _held_under_house_rates(positions, account, house_margins)
    if held:
        frames = (frame[frame["portfolio_id"].isin(held)] for frame in (positions, portfolios))
        positions_there, portfolios_there = frames
        ruled = group_positions(positions_there, instruments, portfolios_there, prices, fx_rates, as_of, threads=threads).groups
        parts.append(under(_of_groups(strategy_groups[strategy_groups["portfolio_id"].isin(held)], ruled), "strategy_based", account))
    added = pd.concat(parts, ignore_index=True).groupby(KEY, sort=True)[AMOUNTS].sum().reset_index()
    return added[(added[AMOUNTS].abs() > ROUNDING).any(axis=1)].astype(dict.fromkeys(KEY, "str")).reset_index(drop=True)


def rule_amounts(position_margins: pd.DataFrame) -> pd.DataFrame:
    """Initial and maintenance margin of every position by its rule alone, as its explanation says where the house binds."""
    binds = position_margins["explanation"].str.contains('"house_binds": true', regex=False).to_numpy(dtype=bool)
    found = position_margins[AMOUNTS].astype(np.float64)
    explained = position_margins.loc[binds, "explanation"]
    for name, field in (("initial_margin", "rule_initial"), ("maintenance_margin", "rule_maintenance")):
        found.loc[binds, name] = explained.str.extract(rf'"{field}": ([^,}}]+)', expand=False).astype(np.float64)
    return found


def _of_positions(position_margins: pd.DataFrame, positions: pd.DataFrame) -> pd.DataFrame:
    """What the house adds to each position that it binds."""
    known = position_margins[position_margins["missing"].isna()]
    added = (known[AMOUNTS].astype(np.float64) - rule_amounts(known)).assign(**known[[*POSITION_KEY, "model"]])
    added = added[(added[AMOUNTS] != 0).any(axis=1)]
    rows = added.merge(positions[[*POSITION_KEY, "asset_class"]], on=POSITION_KEY, how="left", validate="one_to_one")
    return rows.assign(component=component_of(rows["asset_class"], rows["model"]), missing=None)


def _of_scenarios(groups: pd.DataFrame) -> pd.DataFrame:
    """What wider ranges add to each product group."""
    added = groups["maintenance_margin"] - groups["rule_margin"]
    known = groups.loc[added.notna(), ["portfolio_id"]]
    return known.assign(component="scenarios", initial_margin=added, maintenance_margin=added, missing=None)


def _held_under_house_rates(positions: pd.DataFrame, account: pd.Series, house_margins: pd.DataFrame) -> list[str]:
    """Portfolios with groups that a house rate may concern."""
    grouped = positions["asset_class"].isin(GROUPED_CLASSES) & ~positions["portfolio_id"].map(account).isin(EXEMPT_ACCOUNTS)
    held = positions[grouped & (positions["quantity"] != 0)]
    initial, maintenance = house_rates(house_margins, held["symbol"], held["asset_class"])
    return sorted(held.loc[(initial > 0) | (maintenance > 0), "portfolio_id"].unique())


def _of_groups(strategy_groups: pd.DataFrame, ruled: pd.DataFrame) -> pd.DataFrame:
    """What the house adds to the groups of each portfolio, by component."""
    both = [group_contributions(groups) for groups in (strategy_groups, ruled)]
    unknown = {portfolio for rows in both for portfolio in rows.loc[rows["missing"].notna(), "portfolio_id"]}
    signed = pd.concat([both[0], both[1].assign(**-both[1][AMOUNTS])], ignore_index=True)
    return signed[~signed["portfolio_id"].isin(unknown)]
