"""How often today's margin would have covered the loss of the margin period.

Belongs here: margin against past losses. Not here: margin requirements (`margin`), how the losses come about (`backtest`).

What a requirement is measured against is `margin_equity`, which under `strategy_based` and `reg_t` leaves the value of paid options
out. An account that just meets its maintenance margin therefore has an equity of maintenance margin + (equity − margin equity):
this is what a loss eats up, and what it is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.parameters.backtest import BacktestSettings
from margin_pipeline.risk.backtest_series import exceptions

Floats = npt.NDArray[Any]
FIGURES = ("maintenance_margin", "required_equity", "coverage", "largest_loss", "largest_shortfall")


def coverage_rows(
    portfolios: pd.Index,
    portfolio_margins: pd.DataFrame,
    period_profit: Floats,
    gross_exposure: Floats,
    reasons: Sequence[tuple[str, ...]],
    otc: Collection[str],
    settings: BacktestSettings,
) -> pd.DataFrame:
    """Frame of table margin_coverage: every portfolio under every method of its margins.

    Parameters
    ----------
    portfolios : portfolio_id of each row of the arrays.
    portfolio_margins : frame of that table.
    period_profit : (portfolios, periods) over the margin period, base currency; NaN: none.
    gross_exposure : (portfolios,) base currency.
    reasons : what each portfolio lacks for its losses.
    otc : portfolios of type otc.
    settings : margin period and target.

    Returns
    -------
    Frame; coverage = 1 − exceptions / observations, passed where it is at least the target. Largest loss and shortfall are 0 where
    nothing is lost, and where the margin covers it. No figures where a loss or the margin is missing.

    Notes
    -----
    Commission Delegated Regulation (EU) No 153/2013: margin covers 99.5 % (OTC derivatives) or 99 % of movements (article 24(1)) over a
    liquidation period of five or two days (article 26(1)). Overlapping periods: those exceeded tend to come in pairs.
    """
    margins = portfolio_margins[portfolio_margins["portfolio_id"].isin(portfolios)]
    margins = margins.sort_values(["portfolio_id", "method"], kind="stable").reset_index(drop=True)
    row = portfolios.get_indexer(pd.Index(margins["portfolio_id"].astype(object)))
    maintenance, equity, margin_equity = (margins[c].to_numpy(float) for c in ("maintenance_margin", "equity", "margin_equity"))
    required = maintenance + (equity - margin_equity)
    given = zip(row.tolist(), margins["method"], margins["missing"], required.tolist(), strict=True)
    found = [_missing(reasons[r], method, text, number) for r, method, text, number in given]
    complete = np.array([not lacks for lacks in found], dtype=bool)
    profit = period_profit[row]
    is_otc = margins["portfolio_id"].isin(list(otc)).to_numpy()
    figures = _figures(profit, required, gross_exposure[row], np.where(is_otc, settings.otc_coverage_target, settings.coverage_target))
    frame = (
        margins[["portfolio_id", "method"]]
        .astype("str")
        .assign(
            is_governing=margins["is_governing"].astype(bool),
            horizon_days=np.where(is_otc, settings.otc_margin_period_days, settings.margin_period_days).astype(np.int64),
            maintenance_margin=maintenance,
            required_equity=required,
            **figures,
            missing=pd.Series([lacks or None for lacks in found], dtype=object),
        )
    )
    frame.loc[~complete, list(FIGURES)] = np.nan
    frame.loc[~complete, ["observations", "exceptions", "passed"]] = pd.NA
    return frame


def _figures(profit: Floats, required: Floats, gross_exposure: Floats, target: Floats) -> dict[str, Any]:
    """Columns that say how many periods there are, how many the margin did not cover, and by how much."""
    count = (~np.isnan(profit)).sum(axis=1)
    failed = exceptions(profit, np.broadcast_to(required[:, None], profit.shape), gross_exposure).sum(axis=1)
    loss = np.max(-profit, axis=1, initial=0.0, where=~np.isnan(profit))
    coverage = np.divide(count - failed, count, out=np.zeros(len(profit)), where=count > 0)
    return {
        "observations": pd.array(count, dtype="Int64"),
        "exceptions": pd.array(failed, dtype="Int64"),
        "coverage": coverage,
        "target": target,
        "largest_loss": loss,
        "largest_shortfall": np.maximum(loss - required, 0.0),
        "passed": pd.array(coverage >= target, dtype="boolean"),
    }


def _missing(losses: Sequence[str], method: str, margin: Any, required: float) -> list[str]:
    """What a row lacks: that of the portfolio's losses, then that of its margin."""
    of_margin = json.loads(margin) if isinstance(margin, str) else (margin if isinstance(margin, list) else [])
    lacks = [*losses, *(f"{method}: {text}" for text in of_margin)]
    return lacks if lacks or not np.isnan(required) else [f"{method}: no maintenance margin, equity or margin equity"]
