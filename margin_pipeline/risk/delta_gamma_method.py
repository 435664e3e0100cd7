"""Delta-gamma figures of a whole book from the stored estimates.

Belongs here: joining the book with estimates, portfolio by portfolio. Not here: the forms (`delta_gamma`), their tails (`quadratic`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import map_chunks, pinned_threads
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.curvature import book_curvature
from margin_pipeline.risk.delta_gamma import PortfolioForms, derivatives, portfolio_forms
from margin_pipeline.risk.estimates import FactorEstimates
from margin_pipeline.risk.figures import PORTFOLIO_FIGURES, STRATEGY_FIGURES, Gaps, RiskFigures, find_gaps
from margin_pipeline.risk.quadratic import Quadratics, contours, tails, together

Floats = npt.NDArray[Any]
METHOD = "delta_gamma"
UNKNOWN_TAIL = "the tail of its quadratic profit cannot be computed to a millionth"
BOOKS_A_GROUP = 64
"""Books whose tails are computed together."""
_WIDER_TAILS = 6.0
"""A curve through the saddlepoint of one tail is good for tails up to as many times as likely."""


def delta_gamma_figures(
    book: Book, estimates: FactorEstimates, settings: RiskSettings, portfolio_reasons: dict[int, str], threads: int = 1
) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings.

    Parameters
    ----------
    book : the book.
    estimates : volatilities and correlations of its factors.
    settings : confidences, horizons, most variables.
    portfolio_reasons : portfolios that have no figure, by row.
    threads : portfolios at once; the result does not depend on it.
    """
    gaps = find_gaps(book, estimates.lacking, portfolio_reasons)
    pairs = [(confidence, horizon) for confidence in settings.confidences for horizon in settings.horizons_days]
    portfolio = {pair: {name: np.zeros(len(book.portfolios)) for name in PORTFOLIO_FIGURES} for pair in pairs}
    strategy = {pair: {name: np.zeros(len(book.strategies)) for name in STRATEGY_FIGURES} for pair in pairs}
    annual = np.zeros(len(book.portfolios))
    delta, gamma = book.delta_exposure[:, estimates.columns].toarray(), book_curvature(book)[:, estimates.columns].toarray()
    covariance = estimates.covariance
    delta_covariance = delta @ covariance

    exposures = (delta, gamma, delta_covariance, covariance)
    reduced = partial(_reduced, exposures, settings.delta_gamma_variables)

    # Many small factorisations at once are faster than each of them on many threads.
    with pinned_threads(1):
        parts = [book.strategies_of(row) for row in range(len(book.portfolios))]
        found = map_chunks(reduced, parts, workers=threads, anywhere=True)
        rows = [row for row, forms in enumerate(found) if forms is not None]
        held = [forms for forms in found if forms is not None]
        for horizon in settings.horizons_days if held else ():
            by_portfolio = horizon_figures(held, settings.confidences, horizon, threads)
            for row, by_confidence in zip(rows, by_portfolio, strict=True):
                for confidence, (of_portfolio, of_strategies) in by_confidence.items():
                    for name, value in of_portfolio.items():
                        portfolio[confidence, horizon][name][row] = value
                    for name, values in of_strategies.items():
                        strategy[confidence, horizon][name][book.strategies_of(row)] = values
    for row, forms in zip(rows, held, strict=True):
        annual[row] = np.sqrt((forms.linear_variance[0] + forms.curved_variance[0]) * settings.trading_days)
    no_count = np.full(len(book.portfolios), np.nan)
    return [
        RiskFigures(METHOD, *pair, portfolio[pair], strategy[pair], no_count, _with_unknown_tails(gaps, portfolio[pair]["var"]), annual)
        for pair in pairs
    ]


def _with_unknown_tails(gaps: Gaps, value_at_risk: Floats) -> Gaps:
    unknown = np.isnan(value_at_risk)
    reasons = (found or (UNKNOWN_TAIL,) if nowhere else found for found, nowhere in zip(gaps.portfolio, unknown, strict=True))
    return Gaps(tuple(reasons), gaps.strategy_is_complete)


Figures = tuple[dict[str, float], dict[str, Floats]]


def _reduced(exposures: tuple[Floats, Floats, Floats, Floats], variables: int, rows: slice) -> PortfolioForms | None:
    """Forms of the strategies of one portfolio; None without any. Exposures: delta, gamma, delta times covariance, covariance."""
    if rows.start == rows.stop:
        return None
    delta, gamma, delta_covariance, covariance = exposures
    return portfolio_forms(delta[rows], gamma[rows], delta_covariance[rows], covariance, variables)


def horizon_figures(
    portfolios: Sequence[PortfolioForms], confidences: tuple[float, ...], horizon_days: int, threads: int = 1
) -> list[dict[float, Figures]]:
    """Figures of portfolios and of their strategies by name, at each confidence.

    Parameters
    ----------
    portfolios : at least one.
    confidences : fractions.
    horizon_days : horizon.
    threads : groups of books at once.
    """
    books = together([forms.over(horizon_days) for forms in portfolios])
    sizes = [len(forms.mean) for forms in portfolios]
    first = np.concatenate([[0], np.cumsum(sizes)])
    found = _tails_of(books, confidences, frozenset(first[:-1].tolist()), threads)
    results: list[dict[float, Figures]] = []
    for number, forms in enumerate(portfolios):
        start, end = int(first[number]), int(first[number + 1])
        # A book without any variance has its mean for certain, which is 0 without gamma.
        certain = -horizon_days * forms.part_mean + 0.0
        theta, change = np.zeros(0, complex), np.zeros((0, 0), complex)
        results.append({})
        for confidence in confidences:
            value_at_risk, shortfall, kept = found[confidence]
            parts = (certain, certain)
            if start in kept:
                curve = kept[start]
                if not np.array_equal(theta, curve.theta):
                    theta, change = curve.theta, derivatives(forms, horizon_days, curve.theta)
                parts = (-(change @ curve.at_quantile).real, -(change @ curve.below).real)
            results[-1][confidence] = _named(value_at_risk[start:end], shortfall[start:end], parts)
    return results


@dataclass(frozen=True)
class _Curve:
    """Nodes and weights of one book; see `quadratic.Tail`."""

    theta: npt.NDArray[np.complex128]
    at_quantile: npt.NDArray[np.complex128]
    below: npt.NDArray[np.complex128]


_Tails = dict[float, tuple[Floats, Floats, dict[int, _Curve]]]


def _tails_of(books: Quadratics, confidences: tuple[float, ...], keep: frozenset[int], threads: int) -> _Tails:
    """Value at risk, shortfall and, of the books to keep, curves, at each confidence."""
    results: _Tails = {c: (-books.mean + 0.0, -books.mean + 0.0, {}) for c in confidences}
    random = np.flatnonzero(books.variance > 0)
    # Books of one group share the length of their curves: those that are nearly normal need short ones.
    normal_part = np.floor(np.log2(np.maximum(books.normal_variance[random] / books.variance[random], 1e-6)))
    ordered = random[np.argsort(normal_part, kind="stable")]

    def fill(start: int) -> None:
        group = ordered[start : start + BOOKS_A_GROUP]
        forms, contour, made_for = books.rows(group), None, 0.0
        for confidence in sorted(confidences, reverse=True):
            if contour is None or 1 - confidence > _WIDER_TAILS * made_for:
                contour, made_for = contours(forms, 1 - confidence), 1 - confidence
            tail = tails(forms, contour, 1 - confidence)
            value_at_risk, shortfall, kept = results[confidence]
            value_at_risk[group], shortfall[group] = -tail.quantile, -tail.mean_below
            for place, number in enumerate(group.tolist()):
                if number in keep:
                    kept[number] = _Curve(tail.contour.theta[place], tail.at_quantile[place], tail.below[place])

    map_chunks(fill, range(0, len(ordered), BOOKS_A_GROUP), workers=threads)
    return results


def _named(value_at_risk: Floats, shortfall: Floats, parts: tuple[Floats, Floats]) -> tuple[dict[str, float], dict[str, Floats]]:
    count = len(parts[0])
    portfolio = {"var": float(value_at_risk[0]), "expected_shortfall": float(shortfall[0]), "standard_error": float("nan")}
    strategy = {
        "var": value_at_risk[1 : count + 1],
        "expected_shortfall": shortfall[1 : count + 1],
        "component_var": parts[0],
        "component_expected_shortfall": parts[1],
        "incremental_var": value_at_risk[0] - value_at_risk[count + 1 :],
    }
    return portfolio, strategy
