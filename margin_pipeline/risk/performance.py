"""What strategies earn: Sharpe ratio and return on margin, and the table that joins them with risk and margin.

Belongs here: performance figures, the strategy table. Not here: risk figures (`attribution`), how margin is allotted (`margin`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

TRADING_DAYS = 252
_STRATEGY = ["portfolio_id", "strategy"]


def strategy_performance(strategy_returns: pd.DataFrame) -> pd.DataFrame:
    """Sharpe ratio and mean daily profit of each strategy over the returns given.

    Parameters
    ----------
    strategy_returns : frame of that table, one row a date, portfolio and strategy.

    Returns
    -------
    Frame portfolio_id, strategy, sharpe_ratio, mean_daily_profit (base currency). The ratio is √252 · mean / standard deviation
    (n − 1) of daily_return (Sharpe 1994; the returns are taken as they are), NaN with fewer than two returns or without any
    deviation; the profit NaN without data.
    """
    ordered = strategy_returns.sort_values([*_STRATEGY, "date"], kind="stable")
    grouped = ordered.groupby(_STRATEGY, sort=True)
    mean, deviation = grouped["daily_return"].mean(), grouped["daily_return"].std(ddof=1)
    constant = grouped["daily_return"].max() == grouped["daily_return"].min()
    ratio = np.sqrt(TRADING_DAYS) * mean / deviation.mask(constant | (deviation == 0))
    return pd.DataFrame({"sharpe_ratio": ratio, "mean_daily_profit": grouped["pnl"].mean()}).astype("float64").reset_index()


def strategy_table(components: pd.DataFrame, margin_attribution: pd.DataFrame, strategy_returns: pd.DataFrame) -> pd.DataFrame:
    """Risk, margin and performance of every strategy.

    Parameters
    ----------
    components : `RiskResult.strategy_risk_components`.
    margin_attribution : frame portfolio_id, strategy, margin_contribution (base currency), margin_share.
    strategy_returns : frame of that table, up to the date.

    Returns
    -------
    Frame of table strategy_risk. return_on_margin = 252 x mean daily profit / margin_contribution; NaN without data and where
    nothing is contributed.
    """
    margin = margin_attribution[[*_STRATEGY, "margin_contribution", "margin_share"]]
    table = components.merge(margin, on=_STRATEGY, how="left", validate="many_to_one")
    table = table.merge(strategy_performance(strategy_returns), on=_STRATEGY, how="left", validate="many_to_one")
    contribution = table["margin_contribution"].astype("float64")
    table["return_on_margin"] = TRADING_DAYS * table["mean_daily_profit"] / contribution.mask(contribution == 0)
    return table.drop(columns="mean_daily_profit")
