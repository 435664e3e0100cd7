"""Positions that margins only add up, added up before: what is composed stays the same, in a fraction of the rows.

Belongs here: which positions may stand together. Not here: margins, composition.

Positions of a portfolio may be one row where composition treats them alike and never nets them: securities or contracts of one class,
model and side, in symbols that the portfolio holds on one side only, complete, and not long-dated options (whose value depends on their
group).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.components import STOCK_STRUCTURES
from margin_pipeline.margin.margin_equity import LOAN_VALUE_STRUCTURES, security_values
from margin_pipeline.parameters.option_rates import option_rates

Array = np.ndarray
AMOUNTS = ["initial_margin", "maintenance_margin"]


@dataclass(frozen=True)
class Bundles:
    """Which of n positions stand together.

    Attributes
    ----------
    pair : (n,) number of portfolio and symbol.
    apart : (n,) whether a position stays a row of its own whatever its margin is.
    code : (n,) number of what may be one row, the model apart.
    has_long_dated : whether groups of long options must keep their legs.
    """

    pair: Array
    apart: Array
    code: Array
    has_long_dated: bool

    @classmethod
    def of(
        cls,
        positions: pd.DataFrame,
        instruments: pd.DataFrame,
        portfolios: pd.DataFrame,
        rejected_rows: pd.DataFrame,
        by_scenarios: Collection[str],
        as_of: dt.date,
    ) -> Bundles:
        """Bundles of the positions of a date.

        Parameters
        ----------
        positions, instruments, portfolios, rejected_rows : frames of the tables of these names.
        by_scenarios : portfolios whose scenario margin names positions, so that all of theirs stay.
        as_of : business date.
        """
        owner, symbol = (pd.factorize(positions[name])[0] for name in ("portfolio_id", "symbol"))
        pair = pd.factorize(owner.astype(np.int64) * (int(symbol.max(initial=0)) + 1) + symbol)[0]
        side = np.sign(positions["quantity"].to_numpy(float)).astype(np.int64)
        held = [np.bincount(pair[side == s], minlength=len(positions) + 1) > 0 for s in (1, -1)]
        values = security_values(positions, instruments, portfolios, option_rates(as_of), as_of)
        dated = np.zeros(len(positions), dtype=bool)
        dated[positions.index.get_indexer(values.index[values["long_dated"]])] = True
        otc = positions["portfolio_id"].isin(portfolios.loc[portfolios["account_type"] == "otc", "portfolio_id"]).to_numpy()
        named = positions["portfolio_id"].isin(list(by_scenarios)).to_numpy()
        apart = (held[0] & held[1])[pair] | dated | otc | named | (side == 0)
        if rejected_rows["source"].astype(str).str.startswith("house_margins").any():
            # A rejected house rate concerns whoever holds the symbol that it names.
            apart[:] = True
        contract = instruments.set_index("symbol")["contract_type"].notna().reindex(positions["symbol"]).to_numpy(bool)
        kind = pd.factorize(positions["asset_class"])[0]
        code = ((owner.astype(np.int64) * 1000 + kind) * 2 + contract) * 2 + (side > 0)
        return cls(pair, apart, code, bool(dated.any()))

    def bundled(self, positions: pd.DataFrame, margins: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Positions and their margins with bundles in place of what they hold.

        Parameters
        ----------
        positions, margins : n rows each, in the order of the bundles: frames of the tables positions and position_margins.

        Returns
        -------
        The two frames, rows matching; a bundle is named after its first position.
        """
        gap = margins["missing"].notna().to_numpy() | positions[["market_value", "price"]].isna().any(axis=1).to_numpy()
        apart = self.apart | (np.bincount(self.pair, gap, minlength=len(positions) + 1) > 0)[self.pair]
        together = np.flatnonzero(~apart)
        model = pd.factorize(margins["model"])[0][together]
        _, first, number = np.unique(self.code[together] * 1000 + model, return_index=True, return_inverse=True)
        rows = np.concatenate([np.flatnonzero(apart), together[first]])
        single = int(apart.sum())

        def summed(values: pd.Series) -> Array:
            own = values.to_numpy(float)
            sums = np.bincount(number.reshape(-1), own[together], minlength=len(first))
            return np.concatenate([own[rows[:single]], sums])

        held, needed = positions.take(rows).reset_index(drop=True), margins.take(rows).reset_index(drop=True)
        added = {name: summed(positions[name]) for name in ("quantity", "market_value", "notional")}
        return held.assign(**added), needed.assign(**{name: summed(margins[name]) for name in AMOUNTS})

    def groups(self, strategy_groups: pd.DataFrame) -> pd.DataFrame:
        """Groups added up by portfolio, whether they are stock alone, and reason; those whose legs decide margin equity as they are."""
        named = strategy_groups["structure"]
        whole = named.isin(LOAN_VALUE_STRUCTURES).to_numpy() if self.has_long_dated else np.zeros(len(named), dtype=bool)
        whole = whole | strategy_groups["missing"].notna().to_numpy()
        columns = ["portfolio_id", "structure", "legs", "missing", *AMOUNTS]
        rest = strategy_groups[~whole]
        kind = pd.Series(np.where(rest["structure"].isin(STOCK_STRUCTURES), STOCK_STRUCTURES[0], "added_up"), index=rest.index)
        sums = rest.groupby([rest["portfolio_id"], kind.rename("structure")], sort=True)[AMOUNTS].sum().reset_index()
        return pd.concat([strategy_groups.loc[whole, columns], sums.assign(legs="[]", missing=None)[columns]], ignore_index=True)
