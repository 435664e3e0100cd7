"""Risk-weighted assets of credit valuation adjustment.

Belongs here: the basic approach without hedges, and the standardised charge of 2010 before it, which have one form. Not here: weights.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion
from margin_pipeline.parameters.basel_cva import CvaRules
from margin_pipeline.regulation.basel.ratings import INVESTMENT_GRADE, UNRATED, names, rating_buckets
from margin_pipeline.regulation.basel.rows import CAPITAL_TO_ASSETS, explained, gathered, rows_of

DAYS_A_YEAR = 365.0


def diversified(amount: np.ndarray, correlation: float) -> float:
    """Capital of counterparties together: root of ((correlation x sum)^2 + (1 - correlation^2) x sum of squares).

    Parameters
    ----------
    amount : (n,) stand-alone capital of each counterparty, >= 0.
    correlation : between their credit spreads, 0 to 1.

    Returns
    -------
    At most the sum of `amount`, at least the root of the sum of squares. MAR50.14.
    """
    return float(np.sqrt((correlation * amount.sum()) ** 2 + (1 - correlation**2) * (amount**2).sum()))


def discount_factor(years: np.ndarray, rate: float) -> np.ndarray:
    """Supervisory discount factor (1 - exp(-rate x M)) / (rate x M) of an exposure over M years, M > 0. MAR50.15."""
    return -np.expm1(-rate * years) / (rate * years)


def effective_maturities(otc_trades: pd.DataFrame, base: Mapping[str, str], rates: Mapping[str, float], as_of: dt.date) -> pd.DataFrame:
    """Notional-weighted remaining maturity of each netting set, without floor.

    Parameters
    ----------
    otc_trades : columns trade_id, netting_set_id, notional, currency, maturity; matured trades are left out.
    base : base currency by netting set; trades of others are left out.
    rates : US dollars by currency.
    as_of : business date.

    Returns
    -------
    Frame by netting_set_id with years (NaN where it lacks something) and missing. CRE32.46-32.54 without the cap of five years.
    """
    trades = otc_trades[otc_trades["netting_set_id"].isin(set(base)) & (otc_trades["maturity"] >= pd.Timestamp(as_of))]
    trades = trades.sort_values(["netting_set_id", "trade_id"], kind="stable")
    into = trades["netting_set_id"].map(dict(base)).astype("str")
    notional = trades["notional"].to_numpy(dtype=float) * conversion(trades["currency"], into, rates)
    years = (trades["maturity"] - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=float) / DAYS_A_YEAR
    order = pd.Index(sorted(base), dtype=object)
    number = order.get_indexer(pd.Index(trades["netting_set_id"], dtype=object))
    total, weighted = (np.bincount(number, weights=amounts, minlength=len(order)) for amounts in (notional, notional * years))
    found = pd.DataFrame({"years": np.where(total > 0, weighted / np.where(total > 0, total, 1.0), np.nan)}, index=order)
    found["missing"] = np.where(np.bincount(number, minlength=len(order)) == 0, "trades that are not matured", "notional of its trades")
    found["missing"] = found["missing"].astype(object).where(found["years"].isna(), None)
    reasons = found["missing"].to_numpy(object).copy()
    unconverted = pd.DataFrame({"number": number, "from": trades["currency"].to_numpy(object), "into": into.to_numpy(object)})
    for i, rows in unconverted[np.isnan(notional)].groupby("number"):
        rates_of = sorted({f"exchange rate of {a} to {b}" for a, b in zip(rows["from"], rows["into"], strict=True)})
        reasons[int(str(i))] = "; ".join(rates_of)
    return found.assign(missing=reasons)


def cva_rows(
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    base: Mapping[str, str],
    rates: Mapping[str, float],
    rules: CvaRules,
    as_of: dt.date,
) -> pd.DataFrame:
    """Risk-weighted assets of credit valuation adjustment, given to netting sets by their contribution.

    Parameters
    ----------
    netting_sets : result of `counterparty_risk.with_exposures`; sets with a central counterparty are left out (MAR50.5).
    otc_trades : rows of that table.
    base : base currency by netting set.
    rates : US dollars by currency.
    rules, as_of : rules in force, business date.

    Returns
    -------
    Frame of `rows.COLUMNS`; the rows of a portfolio add up to 12.5 x scalar x K. A netting set without exposure needs nothing else; any
    that lacks something leaves all of its portfolio without assets, since contributions depend on each other.
    """
    own = netting_sets[~netting_sets["is_cleared"].fillna(False).astype(bool)].reset_index(drop=True)
    if rules.weights_by is None or own.empty:
        return gathered([])
    maturity = effective_maturities(otc_trades, base, rates, as_of).reindex(own["netting_set_id"])
    years = np.maximum(maturity["years"].to_numpy(dtype=float), rules.maturity_floor_years)
    weight, lacking = _weights(own, rules)
    exposure = own["exposure_at_default"].to_numpy(dtype=float)
    alone = weight / rules.alpha * years * exposure * discount_factor(years, rules.discount_rate)
    alone = np.where(exposure == 0, 0.0, alone)
    reasons = [
        None if e == 0 else "; ".join(str(text) for text in (a, b and f"effective maturity of netting set {s}: {b}", c) if text) or None
        for e, s, a, b, c in zip(exposure, own["netting_set_id"], own["missing"], maturity["missing"], lacking, strict=True)
    ]
    frames = []
    for portfolio_id, index in own.groupby("portfolio_id", sort=True).groups.items():
        at = index.to_numpy()
        names_of = _counterparties(own.loc[at])
        frames.append(
            _portfolio_rows(
                str(portfolio_id), own.loc[at, "netting_set_id"].to_numpy(object), names_of, alone[at], [reasons[i] for i in at],
                exposure[at], weight[at], years[at], rules,
            )
        )  # fmt: skip
    return gathered(frames)


def _portfolio_rows(
    portfolio_id: str,
    item: np.ndarray,
    counterparty: np.ndarray,
    alone: np.ndarray,
    reasons: list[str | None],
    exposure: np.ndarray,
    weight: np.ndarray,
    years: np.ndarray,
    rules: CvaRules,
) -> pd.DataFrame:
    """Euler contributions: the derivative of K to the amount of a counterparty, times the amount of each netting set with it."""
    _, number = np.unique(counterparty.astype(str), return_inverse=True)
    together = np.bincount(number, weights=alone)
    capital = diversified(together, rules.correlation)
    slope = rules.correlation**2 * together.sum() + (1 - rules.correlation**2) * together[number]
    share = alone * slope / capital if capital > 0 else alone  # NaN where anything is missing; all zero where K is
    incomplete = any(reason is not None for reason in reasons)
    missing = [reason or ("the capital of other netting sets of the portfolio" if incomplete else None) for reason in reasons]
    texts = [
        explained({"counterparty": str(c), "weight": float(w), "effective_maturity_years": float(m), "stand_alone_capital": float(s)})
        for c, w, m, s in zip(counterparty, weight, years, alone, strict=True)
    ]
    assets = CAPITAL_TO_ASSETS * rules.scalar * share
    none = np.full(len(item), np.nan)
    return rows_of([portfolio_id] * len(item), "cva", item, exposure, none, assets, np.array(missing, dtype=object), texts)


def _counterparties(netting_sets: pd.DataFrame) -> np.ndarray:
    """Name of the counterparty; a netting set without one is a counterparty of its own."""
    given = netting_sets["counterparty"].astype("str").fillna("").str.strip()
    return np.where(given == "", "netting set " + netting_sets["netting_set_id"].astype("str"), given).astype(object)


def _weights(netting_sets: pd.DataFrame, rules: CvaRules) -> tuple[np.ndarray, list[str | None]]:
    """Risk weight of the counterparty of each netting set, and why there is none."""
    bucket = rating_buckets(netting_sets["counterparty_rating"])
    sector = names(netting_sets["counterparty_sector"])
    weight, lacking = np.full(len(netting_sets), np.nan), []
    for i, (item, b, s, rating) in enumerate(
        zip(netting_sets["netting_set_id"], bucket, sector, netting_sets["counterparty_rating"], strict=True)
    ):
        reason = None
        if pd.isna(b):
            reason = f"counterparty_rating of netting set {item}: {rating} is on no scale"
        elif rules.weights_by == "rating" and b in UNRATED:
            reason = f"counterparty_rating of netting set {item}"
        elif rules.weights_by == "rating":
            weight[i] = rules.rating_weights[b]
        elif s not in rules.sector_of:
            reason = f"counterparty_sector of netting set {item}" + (f": {s} is none of MAR50.16" if s else "")
        else:
            weight[i] = rules.sector_weights[rules.sector_of[s]]["investment_grade" if b in INVESTMENT_GRADE else "other"]
        lacking.append(reason)
    return weight, lacking
