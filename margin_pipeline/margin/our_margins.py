"""Our margins as a broker would state them: of whole portfolios, and of single symbols.

Belongs here: which figure of ours stands against a statement, and its base. Not here: statements, explaining differences.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

MEASURES = ("initial", "maintenance")
ROW = ["portfolio_id", "symbol", "measure"]
LEG = ["portfolio_id", "group_id", "symbol"]
HELD = ["portfolio_id", "strategy", "symbol"]
SYMBOL_COLUMNS = [*ROW, "base", "ours", "missing"]
NETTING_SET_METHODS = ("schedule_im", "simm")


@dataclass(frozen=True)
class OurMargins:
    """Frames of the tables of these names, and of `scenario_tables.scenario_shares`, of the portfolios that are compared."""

    portfolio_margins: pd.DataFrame
    portfolio_margin_components: pd.DataFrame
    position_margins: pd.DataFrame
    positions: pd.DataFrame
    strategy_groups: pd.DataFrame
    strategy_group_legs: pd.DataFrame
    grouping_proofs: pd.DataFrame
    margin_schedule_positions: pd.DataFrame
    scenario_shares: pd.DataFrame

    def of(self, portfolios: list[str]) -> OurMargins:
        """The rows of these portfolios."""
        kept = {}
        for name in self.__dataclass_fields__:
            frame = getattr(self, name)
            kept[name] = frame[frame["portfolio_id"].isin(portfolios)].reset_index(drop=True)
        return replace(self, **kept)

    def governing(self) -> pd.DataFrame:
        """Total of the governing method: portfolio_id, method, measure, ours (NaN: undetermined), missing."""
        rows = self.portfolio_margins[self.portfolio_margins["is_governing"]]
        texts = ["; ".join(json.loads(text)) if isinstance(text, str) else None for text in rows["missing"]]
        rows = rows.assign(missing=pd.Series(texts, index=rows.index, dtype="str"))
        return measured(rows, ["portfolio_id", "method", "missing"]).rename(columns={"amount": "ours"})

    def governed_by(self, *methods: str) -> list[str]:
        """Portfolios that one of the methods governs."""
        rows = self.portfolio_margins
        return rows.loc[rows["is_governing"] & rows["method"].isin(methods), "portfolio_id"].tolist()


def measured(
    frame: pd.DataFrame, keys: list[str], initial: str = "initial_margin", maintenance: str = "maintenance_margin"
) -> pd.DataFrame:
    """Two columns of a frame below each other: keys, measure, amount."""
    columns = zip(MEASURES, (initial, maintenance), strict=True)
    parts = [frame[keys].assign(measure=measure, amount=frame[column].astype(np.float64)) for measure, column in columns]
    return pd.concat(parts, ignore_index=True)


def added_up(frame: pd.DataFrame, keys: list[str], amount: str = "amount") -> pd.DataFrame:
    """Sums by keys, one row each; what any row lacks is missing (NaN)."""
    unknown = frame[amount].isna().groupby([frame[key] for key in keys], sort=True).any()
    return frame.groupby(keys, sort=True)[amount].sum().where(~unknown).reset_index()


def symbol_margins(margins: OurMargins) -> pd.DataFrame:
    """Our margin of each symbol of each portfolio under the governing method.

    Returns
    -------
    Frame portfolio_id, symbol, measure, base (groups, scenarios or positions), ours (base currency, NaN: undetermined), missing. Positions
    that the governing method margins by scenarios have what they carry, which may be negative. Under `strategy_based` a grouped symbol has
    its part of its groups: of maintenance margin the requirement share; of initial margin the same fraction, or pro rata to stand-alone
    initial margins where a group needs no maintenance. Netting sets hold no symbols.
    """
    by_groups = margins.governed_by("strategy_based")
    legs = margins.strategy_group_legs[margins.strategy_group_legs["portfolio_id"].isin(by_groups)]
    single = margins.position_margins[~margins.position_margins["portfolio_id"].isin(margins.governed_by(*NETTING_SET_METHODS))]
    governing = margins.portfolio_margins.loc[margins.portfolio_margins["is_governing"], ["portfolio_id", "method"]]
    shares = margins.scenario_shares.merge(governing, on=["portfolio_id", "method"])
    counted = pd.concat([legs[HELD], shares[HELD]]).drop_duplicates().assign(counted=True)
    elsewhere = single[HELD].merge(counted, on=HELD, how="left")["counted"].notna().to_numpy()
    alone = measured(single[~elsewhere], ["portfolio_id", "symbol", "missing"]).assign(base="positions")
    carried = measured(shares, ["portfolio_id", "symbol", "missing"]).assign(base="scenarios")
    parts = pd.concat([alone, _group_parts(margins, legs).assign(base="groups"), carried], ignore_index=True)
    totals = added_up(parts, [*ROW, "base"]).rename(columns={"amount": "ours"})
    reasons = parts[parts["missing"].notna()].groupby(ROW)["missing"].agg(lambda texts: "; ".join(sorted(set(texts))))
    return totals.merge(reasons.reset_index(), on=ROW, how="left")[SYMBOL_COLUMNS]


def _group_parts(margins: OurMargins, legs: pd.DataFrame) -> pd.DataFrame:
    """Part of each leg in its group: portfolio_id, symbol, missing, measure, amount."""
    group = ["portfolio_id", "group_id"]
    amounts = margins.strategy_groups[[*group, "initial_margin", "maintenance_margin", "missing"]]
    net = legs.groupby(LEG, sort=True)["quantity"].sum().reset_index()
    net["share"] = legs["requirement_share"].astype(np.float64).groupby([legs[key] for key in LEG], sort=True).sum(min_count=1).to_numpy()
    rows = net.merge(amounts, on=group, how="left", validate="many_to_one")
    alone = stand_alone(margins, rows)["initial_margin"].fillna(0.0)
    whole = alone.groupby([rows[key] for key in group]).transform("sum").to_numpy()
    legs_in_group = rows.groupby(group)["symbol"].transform("size").to_numpy()
    by_alone = np.divide(alone.to_numpy(), whole, out=1.0 / legs_in_group, where=whole > 0)
    maintenance = rows["maintenance_margin"].to_numpy(np.float64)
    fraction = np.divide(rows["share"].to_numpy(np.float64), maintenance, out=by_alone, where=maintenance > 0)
    rows = rows.assign(initial_share=rows["initial_margin"] * fraction)
    return measured(rows, ["portfolio_id", "symbol", "missing"], "initial_share", "share")


def stand_alone(margins: OurMargins, rows: pd.DataFrame) -> pd.DataFrame:
    """What signed quantities would need on their own: (n,) initial_margin and maintenance_margin, in the order of the rows.

    Parameters
    ----------
    margins : ours; a unit needs what the positions of the symbol on the same side need a unit.
    rows : columns portfolio_id, symbol, quantity.
    """
    amounts = ["initial_margin", "maintenance_margin"]
    held = margins.position_margins[[*HELD, *amounts]].merge(margins.positions[[*HELD, "quantity"]], on=HELD, validate="one_to_one")
    side = ["portfolio_id", "symbol", "side"]
    sized = held.assign(side=np.sign(held["quantity"]), size=held["quantity"].abs()).dropna(subset=amounts)
    sums = sized[sized["side"] != 0].groupby(side)[[*amounts, "size"]].sum()
    unit = sums[amounts].div(sums["size"], axis=0).reset_index()
    wanted = rows[["portfolio_id", "symbol"]].assign(side=np.sign(rows["quantity"]).to_numpy())
    found = wanted.merge(unit, on=side, how="left", validate="many_to_one")
    return found[amounts].mul(rows["quantity"].abs().to_numpy(), axis=0)
