"""The table of risk-weighted assets of all banks.

Belongs here: which kinds of risk there are and which rows they take. Not here: their formulas (a module each), ratios (`capital`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion, usd_rates
from margin_pipeline.parameters.basel import basel_rules
from margin_pipeline.parameters.basel_cva import cva_rules
from margin_pipeline.parameters.basel_market_risk import market_risk_rules
from margin_pipeline.regulation.basel.counterparty_risk import counterparty_rows, with_exposures
from margin_pipeline.regulation.basel.credit_risk import credit_rows
from margin_pipeline.regulation.basel.cva import cva_rows
from margin_pipeline.regulation.basel.market_positions import market_positions
from margin_pipeline.regulation.basel.market_risk import market_rows
from margin_pipeline.regulation.basel.rows import frame_of, gathered, row

GIVEN: Mapping[str, str] = {
    "credit_risk_rwa_other": "credit",
    "market_risk_rwa_other": "market",
    "operational_risk_rwa": "operational",
}
"""Risk type by entity figure that is taken as it is given."""
BANK = "bank"


def risk_weighted_assets(
    portfolios: pd.DataFrame,
    entity_figures: pd.DataFrame,
    exposures: pd.DataFrame,
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    sa_ccr_netting_sets: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_greeks: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Risk-weighted assets of every bank, a row an exposure, netting set, risk class or given figure.

    Parameters
    ----------
    portfolios, entity_figures, exposures, netting_sets, otc_trades, sa_ccr_netting_sets, positions, instruments, position_greeks : frames
        of those tables.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.risk_weighted_assets, base currency, ordered by its key; without rows before Basel II and for other entities. A
    bank without credit exposures has a row that says so.
    """
    rules = basel_rules(as_of)
    banks = portfolios[(portfolios["entity_type"].astype("str") == BANK).fillna(False)]
    base = {str(p): str(c) for p, c in zip(banks["portfolio_id"], banks["base_currency"], strict=True)}
    if rules.risk_weights is None or not base:
        return gathered([])
    rates = usd_rates(fx_rates, as_of)
    frames = [_given(_of(entity_figures, base), base, rates)]
    own = _of(exposures, base)
    if len(own):
        frames.append(credit_rows(own, own["portfolio_id"].map(base).astype("str"), rates, rules))
    without = sorted(set(base) - set(own["portfolio_id"]))
    frames.append(frame_of([row(p, "credit", "exposures", np.nan, np.nan, {}, "credit exposures: none given") for p in without]))
    sets = with_exposures(_of(netting_sets, base), sa_ccr_netting_sets)
    if len(sets):
        base_of_set = {str(s): base[str(p)] for s, p in zip(sets["netting_set_id"], sets["portfolio_id"], strict=True)}
        frames.append(counterparty_rows(sets, rules))
        frames.append(cva_rows(sets, otc_trades, base_of_set, rates, cva_rules(as_of), as_of))
    listed = _of(positions, base)
    held = market_positions(listed, instruments, position_greeks) if len(listed) else listed
    for portfolio_id, rows in held.groupby("portfolio_id", sort=True):
        frames.append(market_rows(rows, base[str(portfolio_id)], pd.Timestamp(as_of), market_risk_rules(as_of)))
    return gathered(frames)


def _of(frame: pd.DataFrame, base: Mapping[str, str]) -> pd.DataFrame:
    return frame[frame["portfolio_id"].isin(set(base))].reset_index(drop=True)


def _given(entity_figures: pd.DataFrame, base: Mapping[str, str], rates: Mapping[str, float]) -> pd.DataFrame:
    """Rows of figures that the bank gives itself."""
    figures = entity_figures[entity_figures["figure"].isin(set(GIVEN))].sort_values(["portfolio_id", "figure"], kind="stable")
    into = figures["portfolio_id"].map(dict(base)).astype("str")
    amount = figures["value"].to_numpy(dtype=float) * conversion(figures["currency"], into, rates)
    found = []
    for p, name, value, currency, target in zip(figures["portfolio_id"], figures["figure"], amount, figures["currency"], into, strict=True):
        reason = f"exchange rate of {currency} to {target}" if np.isnan(value) else None
        if value < 0:
            reason = f"entity figure {name}: it is below zero"
        found.append(row(str(p), GIVEN[str(name)], f"entity figure {name}", np.nan, value, {"figure": str(name)}, reason))
    return frame_of(found)
