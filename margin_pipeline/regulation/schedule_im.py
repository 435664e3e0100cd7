"""Standardised initial margin schedule of uncleared derivatives, for both sides of every netting set.

Belongs here: gross margin by class and maturity, net-to-gross ratio, the formula. Not here: the percentages (`parameters`), thresholds,
minimum transfer amounts, who is in scope.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion, usd_rates
from margin_pipeline.parameters.schedule_im import ScheduleRules, schedule_rules

COLUMNS = [
    "portfolio_id", "netting_set_id", "model", "side", "gross_margin", "net_to_gross_ratio", "initial_margin", "missing", "explanation",
]  # fmt: skip
SIDES = {"call": 1.0, "post": -1.0}
"""Sign of a market value to us, seen from the side that collects."""
REASONS_SHOWN = 5


def schedule_margins(
    netting_sets: pd.DataFrame, otc_trades: pd.DataFrame, fx_rates: pd.DataFrame, portfolios: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Initial margin of every netting set: what is called from the counterparty and what is posted to it.

    Parameters
    ----------
    netting_sets : columns netting_set_id, portfolio_id, im_model; no model agreed means the schedule.
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
    (five) years is still in the shorter bucket; a trade past its maturity is charged in the shortest one.
    """
    rules = schedule_rules(as_of)
    sets = netting_sets.sort_values(["portfolio_id", "netting_set_id"], kind="stable").reset_index(drop=True)
    base = portfolios.set_index("portfolio_id")["base_currency"]
    sets["base_currency"] = sets["portfolio_id"].map(base)
    sets["model"] = sets["im_model"].where(sets["im_model"].notna(), "schedule").astype(str)
    trades = _charged_trades(otc_trades, sets, usd_rates(fx_rates, as_of), rules, as_of)
    totals = _totals(trades, len(sets))
    rows = [_row(sets, position, totals, side, rules) for position in range(len(sets)) for side in SIDES]
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"gross_margin": float, "net_to_gross_ratio": float, "initial_margin": float, "missing": "str"}
    )


def product_classes(otc_trades: pd.DataFrame, rules: ScheduleRules) -> pd.Series:
    """Product class of each trade: its asset class, or cross_currency where instrument type or a second currency says so."""
    kind = otc_trades["instrument_type"].astype("str").str.lower()
    two_currencies = otc_trades["second_currency"].notna() & (otc_trades["second_currency"] != otc_trades["currency"])
    swapped = kind.isin(sorted(rules.cross_currency_types)) | ((otc_trades["asset_class"] == "interest_rate") & two_currencies)
    named = otc_trades["asset_class"].where(otc_trades["asset_class"].isin(list(rules.rates)), "other")
    return named.where(~swapped, "cross_currency")


def maturity_buckets(maturity: pd.Series, rules: ScheduleRules, as_of: dt.date) -> np.ndarray:
    """Index of the bucket of remaining maturity of each trade; upper ends are included."""
    ends = np.array([pd.Timestamp(as_of) + pd.DateOffset(years=years) for years in rules.maturity_years], dtype="datetime64[ns]")
    return np.searchsorted(ends, pd.to_datetime(maturity).to_numpy().astype("datetime64[ns]"), side="left")


def _charged_trades(
    otc_trades: pd.DataFrame, sets: pd.DataFrame, rates: Mapping[str, float], rules: ScheduleRules, as_of: dt.date
) -> pd.DataFrame:
    """Each trade of a known set with its gross margin and market value in base currency, in a fixed order."""
    numbers = pd.Series(np.arange(len(sets)), index=sets["netting_set_id"])
    trades = otc_trades[otc_trades["netting_set_id"].isin(numbers.index)].sort_values("trade_id", kind="stable").reset_index(drop=True)
    trades["set"] = trades["netting_set_id"].map(numbers).astype("int64")
    base = sets["base_currency"].reindex(trades["set"]).reset_index(drop=True)
    trades["fx_rate"] = conversion(trades["currency"], base, rates)
    trades["base_currency"] = base
    trades["product_class"] = product_classes(trades, rules)
    table = np.array([rules.rates[name] for name in rules.rates])
    row = trades["product_class"].map({name: i for i, name in enumerate(rules.rates)}).to_numpy(dtype=np.int64)
    rate = table[row, maturity_buckets(trades["maturity"], rules, as_of)]
    trades["gross"] = trades["notional"].abs() * rate * trades["fx_rate"]
    trades["value"] = trades["market_value"] * trades["fx_rate"]
    trades["matured"] = pd.to_datetime(trades["maturity"]) < pd.Timestamp(as_of)
    return trades


@dataclass(frozen=True)
class _Totals:
    """Sums of each netting set, in base currency: arrays by number of the set, maps where most sets have nothing."""

    gross: np.ndarray
    value: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    trades: np.ndarray
    matured: np.ndarray
    by_class: Mapping[int, Mapping[str, float | None]]
    reasons: Mapping[int, str]


def _totals(trades: pd.DataFrame, count: int) -> _Totals:
    where = trades["set"].to_numpy()

    def add(values: np.ndarray) -> np.ndarray:
        return np.bincount(where, weights=values, minlength=count)

    value = trades["value"].to_numpy(dtype=float)
    by_class: dict[int, dict[str, float | None]] = {}
    grouped = trades.groupby(["set", "product_class"], sort=True)["gross"].agg(lambda gross: gross.sum(skipna=False)).reset_index()
    for number, name, gross in grouped.itertuples(index=False, name=None):
        by_class.setdefault(int(number), {})[str(name)] = _number(gross)
    return _Totals(
        gross=add(trades["gross"].to_numpy(dtype=float)),
        value=add(value),
        positive=add(np.maximum(value, 0.0)),
        negative=add(np.maximum(-value, 0.0)),
        trades=np.bincount(where, minlength=count),
        matured=add(trades["matured"].to_numpy(dtype=float)),
        by_class=by_class,
        reasons=_reasons(trades),
    )


def _reasons(trades: pd.DataFrame) -> dict[int, str]:
    """What is missing, by netting set: exchange rates first, then market values."""
    reasons: dict[int, list[str]] = {}
    pairs = trades[trades["fx_rate"].isna()][["set", "currency", "base_currency"]].drop_duplicates()
    for number, currency, base in sorted((int(n), str(c), str(b)) for n, c, b in pairs.itertuples(index=False, name=None)):
        reasons.setdefault(number, []).append(f"exchange rate of {currency} to {base}")
    for number, trade in trades[trades["market_value"].isna()][["set", "trade_id"]].itertuples(index=False, name=None):
        reasons.setdefault(int(number), []).append(f"market value of trade {trade}")
    return {number: _shortened(found) for number, found in reasons.items()}


def _shortened(found: list[str]) -> str:
    more = len(found) - REASONS_SHOWN
    return "; ".join(found[:REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _row(sets: pd.DataFrame, position: int, totals: _Totals, side: str, rules: ScheduleRules) -> tuple:
    """One row of the table: a netting set, seen from one side."""
    portfolio, name, model = (str(sets[c].iat[position]) for c in ("portfolio_id", "netting_set_id", "model"))
    if model != "schedule":
        reason = f"model {model} of netting set {name} is not computed; only the schedule is"
        return portfolio, name, model, side, None, None, None, reason, json.dumps({"rule": rules.simm_reference})
    value = SIDES[side] * totals.value[position]
    gross_cost = (totals.positive if side == "call" else totals.negative)[position]
    net_cost = max(value, 0.0)
    gross = totals.gross[position]
    missing = totals.reasons.get(position)
    ratio = rules.ratio_without_gross_cost if gross_cost == 0 else net_cost / gross_cost
    margin = rules.gross_weight * gross + rules.net_to_gross_weight * ratio * gross
    explanation = {
        "rule": rules.reference,
        "parameter_set": rules.version.label,
        "trades": int(totals.trades[position]),
        "matured_trades_in_shortest_bucket": int(totals.matured[position]),
        "gross_margin_by_class": totals.by_class.get(position, {}),
        "net_replacement_cost": _number(net_cost),
        "gross_replacement_cost": _number(gross_cost),
    }
    figures = (_number(gross), None, None) if missing else (gross, ratio, margin)
    return portfolio, name, model, side, *figures, missing, json.dumps(explanation, allow_nan=False)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
