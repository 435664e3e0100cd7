"""Reverse stress of every portfolio: the table `reverse_stress`.

Belongs here: books of portfolios on risk factors, their covariance, rows of the table. Not here: the search (`reverse_stress`), margin.

What is to be lost is the excess: margin equity less the maintenance margin of the governing method, the requirement held at today's
amount (what an option gains or loses counts in full; the premium in a requirement and in margin equity moves with it). The value held in
another currency moves with its exchange rate, to first order.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from margin_pipeline.market.option_scenarios import OptionTerms
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.reverse_stress import MOST_DEVIATIONS, FactorBook, NearestShock, market_move, nearest_shock
from margin_pipeline.risk.risk_factors import currency_factor

Floats = npt.NDArray[Any]
COLUMNS = [
    "portfolio_id", "method", "excess", "loss", "distance", "probability", "probability_within", "horizon_days", "market_move", "moves",
    "reachable", "reason", "missing",
]  # fmt: skip
_TERMS = ("spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility")


@dataclass(frozen=True)
class _Market:
    """Estimates by factor: annual volatility and beta, and where a factor stands in the correlation."""

    volatility: pd.Series
    beta: pd.Series
    place: pd.Index
    correlation: Floats
    years: float

    def lacking(self, factors: pd.Index) -> list[str]:
        known = self.volatility.reindex(factors).notna().to_numpy() & (self.place.get_indexer(factors) >= 0)
        return [f"{name}: no estimate of its volatility and correlation" for name in factors[~known]]

    def covariance(self, factors: pd.Index) -> Floats:
        """(n, n) of simple returns over the horizon."""
        at = self.place.get_indexer(factors)
        deviation = self.volatility.reindex(factors).to_numpy(float) * np.sqrt(self.years)
        return np.asarray(deviation[:, None] * self.correlation[np.ix_(at, at)] * deviation)


def reverse_stress_table(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    symbols: Sequence[str],
    correlation: Floats,
    portfolio_margins: pd.DataFrame,
    benchmark: str,
    horizon_days: int,
    largest_moves: int,
    as_of: dt.date,
) -> pd.DataFrame:
    """The most likely shock that exhausts the excess of each portfolio under its governing method.

    Parameters
    ----------
    positions, instruments, portfolios, prices, rates, dividends, symbol_risk, portfolio_margins : frames of the tables of these names,
        histories resolved up to the date.
    symbols, correlation : (m,) risk factors and (m, m) their correlation.
    benchmark : symbol that beta is against.
    horizon_days : trading days of the covariance.
    largest_moves : moves shown.
    as_of : business date.

    Returns
    -------
    Frame of `COLUMNS`, one row a portfolio, ordered; `moves` and `missing` are JSON. probability: that the loss in that direction is
    greater at the end of the horizon, Φ(−distance), the first-order figure; probability_within: that it is at some time within it,
    2 Φ(−distance) by the reflection principle.
    """
    exposed = risk_positions(positions, instruments, portfolios, prices, rates, dividends, as_of)
    risk = symbol_risk.drop_duplicates("symbol").set_index("symbol")
    beta = risk["beta"].astype(float)
    beta.loc[benchmark] = 1.0
    years = horizon_days / risk_settings(as_of).trading_days
    market = _Market(risk["volatility"].astype(float), beta, pd.Index(list(symbols), dtype=object), np.asarray(correlation, float), years)
    governing = portfolio_margins[portfolio_margins["is_governing"]].set_index("portfolio_id")
    own = {str(name): rows for name, rows in exposed.groupby("portfolio_id", sort=True)}
    rows = []
    for portfolio_id in sorted(portfolios["portfolio_id"]):
        held = own.get(str(portfolio_id), exposed.iloc[:0]).reset_index(drop=True)
        if portfolio_id not in governing.index:
            rows.append({"portfolio_id": portfolio_id, "method": "", "missing": ["no governing method"]})
            continue
        rows.append(_row(str(portfolio_id), governing.loc[portfolio_id], held, market, largest_moves))
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS).assign(horizon_days=np.int64(horizon_days))
    return _typed(frame)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = ("excess", "loss", "distance", "probability", "probability_within", "market_move")
    for name in ("moves", "missing"):
        texts = [json.dumps(given) if isinstance(given, list) and given else None for given in frame[name]]
        frame[name] = pd.Series(texts, dtype="str", index=frame.index)
    frame["reachable"] = pd.array([None if pd.isna(v) else bool(v) for v in frame["reachable"]], dtype="boolean")
    return frame.astype({**dict.fromkeys(numbers, float), "portfolio_id": "str", "method": "str", "reason": "str"})


def _row(portfolio_id: str, margin: pd.Series, held: pd.DataFrame, market: _Market, largest_moves: int) -> dict[str, Any]:
    row: dict[str, Any] = {"portfolio_id": portfolio_id, "method": margin["method"]}
    reasons = set(held["missing"].dropna().astype(str))
    if margin["status"] == "undetermined":
        texts = margin["missing"]
        reasons |= set(json.loads(texts) if isinstance(texts, str) else texts or ["margin is undetermined"])
    else:
        row["excess"] = float(margin["excess"])
    if margin["method"] in ("schedule_im", "simm"):
        reasons.add("uncleared derivatives are not valued in scenarios")
    factors, book = _factor_book(held)
    reasons |= set(market.lacking(factors))
    if reasons:
        return {**row, "missing": sorted(reasons)}
    found = nearest_shock(book, market.covariance(factors), row["excess"])
    beta = market.beta.reindex(factors).to_numpy(float)
    row["market_move"] = market_move(book, beta, row["excess"]) if not np.isnan(beta).any() else np.nan
    return {**row, **_figures(found, factors, largest_moves)}


def _figures(found: NearestShock, factors: pd.Index, largest_moves: int) -> dict[str, Any]:
    if not found.is_reachable:
        text = f"the book loses at most {found.loss:,.2f} in the directions looked at, up to {MOST_DEVIATIONS:g} standard deviations"
        return {"reachable": False, "reason": text if found.loss > 0 else "nothing is held that could lose"}
    order = np.argsort(-np.abs(found.moves), kind="stable")[:largest_moves]
    moves = [{"factor": str(factors[i]), "move": float(found.moves[i])} for i in order if found.moves[i] != 0]
    tail = float(ndtr(-found.distance))
    exhausted = found.distance == 0
    return {
        "loss": found.loss,
        "distance": found.distance,
        "probability": 1.0 if exhausted else tail,
        "probability_within": min(1.0, 2.0 * tail),
        "moves": moves,
        "reachable": True,
        "reason": "nothing is left to lose" if exhausted else None,
    }


def _factor_book(held: pd.DataFrame) -> tuple[pd.Index, FactorBook]:
    """Risk factors of a portfolio, ascending, and its book on them; positions without an exposure are left out (they are named)."""
    known = held[held["missing"].isna()]
    own = known["risk_factor"].astype(object)
    foreign, base = (currency_factor(known[name]).astype(object) for name in ("currency", "base_currency"))
    value = known["currency_exposure"].to_numpy(float)
    moved = value != 0
    factors = pd.Index(sorted({*own, *foreign[moved].dropna(), *base[moved].dropna()}), dtype=object)
    option = known["is_option"].to_numpy(bool)
    delta = np.zeros(len(factors))
    entries = (
        (own[~option], known["delta_exposure"].to_numpy(float)[~option]),
        (foreign[moved], value[moved]),
        (base[moved], -value[moved]),
    )
    for names, amounts in entries:
        at = factors.get_indexer(pd.Index(names))
        delta += np.bincount(at[at >= 0], amounts[at >= 0], minlength=len(factors))
    series = known[option].drop_duplicates("option_series").sort_values("option_series")
    place = pd.Index(series["option_series"]).get_indexer(pd.Index(known.loc[option, "option_series"]))
    spot, strike, years, rate, dividend_yield, volatility = (series[name].to_numpy(float) for name in _TERMS)
    kinds = (series["is_call"].to_numpy(bool), series["is_american"].to_numpy(bool))
    return factors, FactorBook(
        delta=delta,
        terms=OptionTerms(spot, strike, years, rate, dividend_yield, volatility, *kinds),
        factor=np.asarray(factors.get_indexer(pd.Index(series["risk_factor"].astype(object))), dtype=np.int64),
        size=np.bincount(place, known.loc[option, "unit_value"].to_numpy(float), minlength=len(series)),
    )
