"""Alerts about what is held: concentration in one name, marks that are not of the day.

Belongs here: their conditions and messages. Not here: margin (`margin`), stress and regulation (`results`), limits (`parameters`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from margin_pipeline.decisions.alerts.judgement import Condition, Judgement, always, below
from margin_pipeline.parameters.alerts import AlertRules

CONCENTRATION, STALE_MARK = "concentration", "stale_mark"
NAMES_SHOWN = 5
KEY = ["portfolio_id", "strategy", "symbol"]


def concentration(
    positions: pd.DataFrame, position_greeks: pd.DataFrame, portfolios: pd.DataFrame, rules: AlertRules, as_of: dt.date
) -> Iterator[Judgement]:
    """Net exposure to one underlying against equity.

    Parameters
    ----------
    positions : table of this name: portfolio_id, strategy, symbol, underlying, asset_class.
    position_greeks : table of this name: portfolio_id, strategy, symbol, dollar_delta (base currency), so that options count by delta.
    portfolios : portfolio_id, equity (base currency).
    rules : limits in force, fractions of equity.

    Notes
    -----
    A portfolio with an exposure that is not known is not judged. Without equity any exposure is beyond every limit. Classes of assets
    that `rules` leaves out (a broad index, a currency) are no single name.
    """
    equity = portfolios.set_index("portfolio_id")["equity"].astype(float)
    counted = positions[~positions["asset_class"].isin(sorted(rules.concentration_exempt_classes))]
    name = counted["underlying"].where(counted["underlying"].notna(), counted["symbol"])
    held = counted.assign(name=name).merge(position_greeks[[*KEY, "dollar_delta"]], on=KEY, how="left")
    unknown = set(held.loc[held["dollar_delta"].isna(), "portfolio_id"])
    net = held.groupby(["portfolio_id", "name"])["dollar_delta"].sum().reset_index()
    by_portfolio = {str(p): rows for p, rows in net.groupby("portfolio_id")}
    for portfolio_id in sorted(set(equity.index) - unknown):
        rows = by_portfolio.get(portfolio_id, net.iloc[:0])
        own = float(equity[portfolio_id])
        share = {
            str(n): (abs(float(x)) / own if own > 0 else np.inf if x != 0 else 0.0)
            for n, x in rows[["name", "dollar_delta"]].itertuples(index=False)
        }
        found = tuple(
            Condition(limit, severity, value, _concentration_message(portfolio_id, symbol, value, limit, as_of), symbol)
            for symbol, value in sorted(share.items())
            for severity, limit in rules.concentration.items()
            if value >= limit
        )
        yield Judgement(portfolio_id, CONCENTRATION, found, below(share, rules.concentration_hysteresis))


def stale_marks(positions: pd.DataFrame, portfolios: pd.DataFrame, rules: AlertRules, as_of: dt.date) -> Iterator[Judgement]:
    """Marks older than the date by more than is allowed; observed is the age of the oldest one in calendar days."""
    age = (pd.Timestamp(as_of) - pd.to_datetime(positions["price_date"])).dt.days
    old = positions.assign(age=age)[(age > rules.oldest_mark_days).to_numpy()]
    for portfolio_id in sorted(portfolios["portfolio_id"].astype(str)):
        own = old[old["portfolio_id"] == portfolio_id].sort_values(["age", "symbol"], ascending=[False, True], kind="stable")
        found: tuple[Condition, ...] = ()
        if len(own):
            symbols = list(dict.fromkeys(own["symbol"].astype(str)))
            more = f" and {len(symbols) - NAMES_SHOWN} more" if len(symbols) > NAMES_SHOWN else ""
            message = (
                f"{portfolio_id}: marks of {', '.join(symbols[:NAMES_SHOWN])}{more} are older than {as_of}, the oldest by"
                f" {int(own['age'].iloc[0])} days; see price_date in margin.positions"
            )
            found = (Condition(float(rules.oldest_mark_days), "warning", float(own["age"].iloc[0]), message),)
        yield Judgement(portfolio_id, STALE_MARK, found, always(not found))


def _concentration_message(portfolio_id: str, symbol: str, value: float, limit: float, as_of: dt.date) -> str:
    shown = f"{value:.0%} of equity" if np.isfinite(value) else "exposed without equity"
    return f"{portfolio_id}: net exposure to {symbol} is {shown} on {as_of}, at or above {limit:.0%}; see margin.position_greeks"
