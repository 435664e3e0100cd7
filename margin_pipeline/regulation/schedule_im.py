"""Standardised initial margin schedule of uncleared derivatives, for both sides of every netting set.

Belongs here: net-to-gross ratio, the formula, the rows. Not here: what is charged (`schedule_trades`), the percentages (`parameters`),
thresholds, minimum transfer amounts and who is in scope (`uncleared`).
"""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.schedule_im import ScheduleRules, schedule_rules
from margin_pipeline.regulation.schedule_trades import ScheduleTotals, schedule_totals

COLUMNS = [
    "portfolio_id", "netting_set_id", "model", "side", "gross_margin", "net_to_gross_ratio", "initial_margin", "missing", "explanation",
]  # fmt: skip
SIDES = {"call": 1.0, "post": -1.0}
"""Sign of a market value to us, seen from the side that collects."""


def schedule_margins(
    netting_sets: pd.DataFrame, otc_trades: pd.DataFrame, fx_rates: pd.DataFrame, portfolios: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Initial margin of every netting set: what is called from the counterparty and what is posted to it.

    Parameters
    ----------
    netting_sets : columns netting_set_id, portfolio_id, im_model; no model agreed means the schedule. With is_cleared: cleared ones are
        left out.
    otc_trades : trades with notional and market value to us, in the currency of the row.
    fx_rates : columns date, currency, usd_rate.
    portfolios : columns portfolio_id, base_currency.
    as_of : valuation date.

    Returns
    -------
    Frame as margin_data.netting_set_margins, amounts in base currency. A set whose agreed model is another one has rows without a margin
    and with the reason, so that nothing adds up to a total without it.

    Notes
    -----
    BCBS/IOSCO requirement 3 and Appendix A: margin = 0.4 G + 0.6 NGR G, with G the sum of |notional| times the percentage of class and
    remaining maturity, NGR = net over gross replacement cost of the side that collects. The ratio is 1 where the gross cost is zero
    (12 CFR 45 Appendix A, note 1). A missing market value or exchange rate leaves the set without a margin. A maturity of exactly two
    (five) years is still in the shorter bucket; a trade past its maturity is charged in the shortest one. Physically settled exchange-rate
    forwards and swaps are exempt (requirement 1) and take no part; the exchange of principal of a cross-currency swap is exempt, and what
    is left of it is charged at the percentages of interest rates.
    """
    rules = schedule_rules(as_of)
    uncleared = netting_sets
    if "is_cleared" in netting_sets:
        uncleared = netting_sets[~netting_sets["is_cleared"].astype("boolean").fillna(False).astype(bool)]
    sets = uncleared.sort_values(["portfolio_id", "netting_set_id"], kind="stable").reset_index(drop=True)
    sets["base_currency"] = sets["portfolio_id"].map(portfolios.set_index("portfolio_id")["base_currency"])
    model = sets["im_model"].where(sets["im_model"].notna(), "schedule").astype(str).tolist()
    totals = schedule_totals(otc_trades, sets, usd_rates(fx_rates, as_of), rules, as_of)
    names = zip(sets["portfolio_id"].astype(str), sets["netting_set_id"].astype(str), model, strict=True)
    rows = [_row(number, name, totals, side, rules) for number, name in enumerate(names) for side in SIDES]
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"gross_margin": float, "net_to_gross_ratio": float, "initial_margin": float, "missing": "str"}
    )


def _row(number: int, names: tuple[str, str, str], totals: ScheduleTotals, side: str, rules: ScheduleRules) -> tuple:
    """One row of the table: a netting set, seen from one side."""
    portfolio, name, model = names
    if model != "schedule":
        reason = f"model {model} of netting set {name} is not computed; only the schedule is"
        return portfolio, name, model, side, None, None, None, reason, json.dumps({"rule": rules.simm_reference})
    value = SIDES[side] * (totals.positive[number] - totals.negative[number])
    gross_cost = (totals.positive if side == "call" else totals.negative)[number]
    net_cost = max(value, 0.0)
    gross = totals.gross[number]
    missing = totals.reasons.get(number)
    ratio = rules.ratio_without_gross_cost if gross_cost == 0 else net_cost / gross_cost
    margin = rules.gross_weight * gross + rules.net_to_gross_weight * ratio * gross
    explanation = {
        "rule": rules.reference,
        "parameter_set": rules.version.label,
        "trades": int(totals.trades[number]),
        "matured_trades_in_shortest_bucket": int(totals.matured[number]),
        "exempt_physically_settled_trades": int(totals.exempt[number]),
        "gross_margin_by_class": totals.by_class[number],
        "net_replacement_cost": _number(net_cost),
        "gross_replacement_cost": _number(gross_cost),
    }
    figures = (_number(gross), None, None) if missing else (gross, ratio, margin)
    return portfolio, name, model, side, *figures, missing, json.dumps(explanation, allow_nan=False)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
