"""Risk figures of all portfolios under one method, confidence and horizon, and their tables.

Belongs here: the record that methods fill, completeness, the frames made of it. Not here: computing a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.risk.book import Book

Floats = npt.NDArray[Any]
PORTFOLIO_FIGURES = ("var", "expected_shortfall", "standard_error")
STRATEGY_FIGURES = ("var", "expected_shortfall", "component_var", "component_expected_shortfall", "incremental_var")


@dataclass(frozen=True)
class RiskFigures:
    """Figures of one method, confidence and horizon; losses positive, base currency.

    Attributes
    ----------
    method, confidence, horizon_days : what they are figures of.
    portfolio : (portfolios,) each of `PORTFOLIO_FIGURES`.
    strategy : (strategies,) each of `STRATEGY_FIGURES`.
    observations : (portfolios,) scenarios; NaN where there are none by nature.
    gaps : what is missing.
    annual_volatility : (portfolios,) standard deviation of the profit under the method, scaled to a year, base currency.
    """

    method: str
    confidence: float
    horizon_days: int
    portfolio: dict[str, Floats]
    strategy: dict[str, Floats]
    observations: Floats
    gaps: Gaps
    annual_volatility: Floats


@dataclass(frozen=True)
class Gaps:
    """What figures lack.

    Attributes
    ----------
    portfolio : reasons of each portfolio, sorted; empty: it is complete.
    strategy_is_complete : (strategies,) whether the strategy's own figures exist.
    """

    portfolio: tuple[tuple[str, ...], ...]
    strategy_is_complete: npt.NDArray[np.bool_]

    @property
    def portfolio_is_complete(self) -> npt.NDArray[np.bool_]:
        """(portfolios,) whether there are figures."""
        return np.array([not reasons for reasons in self.portfolio], dtype=bool)


def find_gaps(book: Book, factor_reasons: dict[str, str], portfolio_reasons: dict[int, str]) -> Gaps:
    """Join what positions, factors and portfolios lack.

    Parameters
    ----------
    book : the book; positions without an exposure are in its `reasons`.
    factor_reasons : reason by name of the factor that cannot be used.
    portfolio_reasons : reason by row of the portfolio that has no figure whatever it holds.
    """
    reasons: list[set[str]] = [set() for _ in book.portfolios]
    complete = np.ones(len(book.strategies), dtype=bool)
    for row, reason in zip(book.reasons["row"], book.reasons["reason"], strict=True):
        reasons[book.portfolio_of[row]].add(reason)
        complete[row] = False
    unusable = np.flatnonzero(book.factors.isin(list(factor_reasons)))
    strategy, factor = book.held[:, unusable].nonzero()
    for row, column in zip(strategy, factor, strict=True):
        reasons[book.portfolio_of[row]].add(factor_reasons[book.factors[unusable[column]]])
        complete[row] = False
    for portfolio, reason in portfolio_reasons.items():
        reasons[portfolio].add(reason)
    return Gaps(tuple(tuple(sorted(found)) for found in reasons), complete)


def portfolio_table(book: Book, figures: Sequence[RiskFigures]) -> pd.DataFrame:
    """Frame of table portfolio_risk: every portfolio under every method, confidence and horizon; no figure where something is missing."""
    parts = []
    for given in figures:
        complete = given.gaps.portfolio_is_complete
        part: dict[str, Any] = {"portfolio_id": book.portfolios.astype("str"), **_labels(given)}
        part |= {name: np.where(complete, given.portfolio[name], np.nan) for name in PORTFOLIO_FIGURES}
        part["observations"] = pd.array(np.where(complete, given.observations, np.nan), dtype="Int64")
        part["missing"] = pd.Series([list(reasons) or None for reasons in given.gaps.portfolio], dtype=object)
        parts.append(pd.DataFrame(part))
    return _ordered(parts, ["portfolio_id"])


def strategy_components(book: Book, figures: Sequence[RiskFigures]) -> pd.DataFrame:
    """Risk columns of table strategy_risk: every strategy under every method, confidence and horizon.

    What a strategy risks on its own stands where the strategy is complete; its part in the portfolio where the whole portfolio is.
    """
    parts = []
    for given in figures:
        whole = given.gaps.portfolio_is_complete[book.portfolio_of]
        part: dict[str, Any] = {"portfolio_id": book.strategies["portfolio_id"], "strategy": book.strategies["strategy"], **_labels(given)}
        for name in STRATEGY_FIGURES:
            known = given.gaps.strategy_is_complete if name in ("var", "expected_shortfall") else whole
            part[name] = np.where(known, given.strategy[name], np.nan)
        total = given.portfolio["var"][book.portfolio_of]
        component = part["component_var"]
        gross = book.gross_exposure
        part["marginal_var"] = np.divide(component, gross, out=np.full_like(component, np.nan), where=gross > 0)
        part["var_share"] = np.divide(component, total, out=np.full_like(component, np.nan), where=whole & (total != 0))
        part["gross_exposure"], part["net_exposure"] = gross, book.net_exposure
        parts.append(pd.DataFrame(part))
    return _ordered(parts, ["portfolio_id", "strategy"])


def _labels(given: RiskFigures) -> dict[str, Any]:
    return {"method": given.method, "confidence": given.confidence, "horizon_days": np.int64(given.horizon_days)}


def _ordered(parts: list[pd.DataFrame], key: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True).sort_values([*key, "method", "confidence", "horizon_days"], ignore_index=True)
