"""Delta-gamma figures of a whole book from the stored estimates.

Belongs here: joining the book with estimates, portfolio by portfolio. Not here: the forms (`delta_gamma`), their tails (`quadratic`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import map_chunks
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.curvature import book_curvature
from margin_pipeline.risk.delta_gamma import PortfolioForms, derivatives, portfolio_forms
from margin_pipeline.risk.estimates import FactorEstimates
from margin_pipeline.risk.figures import PORTFOLIO_FIGURES, STRATEGY_FIGURES, Gaps, RiskFigures, find_gaps
from margin_pipeline.risk.quadratic import Quadratics, Tail, contours, tails

Floats = npt.NDArray[Any]
METHOD = "delta_gamma"
UNKNOWN_TAIL = "the tail of its quadratic profit cannot be computed to a millionth"
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

    def fill(row: int) -> None:
        rows = book.strategies_of(row)
        if rows.start == rows.stop:
            return
        forms = portfolio_forms(delta[rows], gamma[rows], delta_covariance[rows], covariance, settings.delta_gamma_variables)
        annual[row] = np.sqrt((forms.linear_variance[0] + forms.curved_variance[0]) * settings.trading_days)
        for horizon in settings.horizons_days:
            found = horizon_figures(forms, settings.confidences, horizon)
            for confidence, (of_portfolio, of_strategies) in zip(settings.confidences, found, strict=True):
                for name, value in of_portfolio.items():
                    portfolio[confidence, horizon][name][row] = value
                for name, values in of_strategies.items():
                    strategy[confidence, horizon][name][rows] = values

    map_chunks(fill, range(len(book.portfolios)), workers=threads)
    no_count = np.full(len(book.portfolios), np.nan)
    return [
        RiskFigures(METHOD, *pair, portfolio[pair], strategy[pair], no_count, _with_unknown_tails(gaps, portfolio[pair]["var"]), annual)
        for pair in pairs
    ]


def _with_unknown_tails(gaps: Gaps, value_at_risk: Floats) -> Gaps:
    unknown = np.isnan(value_at_risk)
    reasons = (found or (UNKNOWN_TAIL,) if nowhere else found for found, nowhere in zip(gaps.portfolio, unknown, strict=True))
    return Gaps(tuple(reasons), gaps.strategy_is_complete)


def horizon_figures(
    forms: PortfolioForms, confidences: tuple[float, ...], horizon_days: int
) -> list[tuple[dict[str, float], dict[str, Floats]]]:
    """Figures of a portfolio and of its strategies at each confidence, by name.

    Parameters
    ----------
    forms : of the portfolio.
    confidences : fractions.
    horizon_days : horizon.
    """
    books = forms.over(horizon_days)
    random = books.variance > 0
    # A book without any variance has its mean for certain, which is 0 without gamma.
    certain = -horizon_days * forms.part_mean + 0.0
    if not random.any():
        return [_named(-books.mean + 0.0, -books.mean + 0.0, (certain, certain)) for _ in confidences]
    chosen = Quadratics(*(getattr(books, name)[random] for name in ("mean", "variance", "curvature", "slope")))
    results: dict[float, tuple[dict[str, float], dict[str, Floats]]] = {}
    made_for = 0.0
    for confidence in sorted(confidences, reverse=True):
        if not results or 1 - confidence > _WIDER_TAILS * made_for:
            made_for = 1 - confidence
            contour = contours(chosen, made_for)
            change = derivatives(forms, horizon_days, contour.theta[0]) if random[0] else None
        tail = tails(chosen, contour, 1 - confidence)
        if tail.contour is not contour and random[0]:
            contour, made_for = tail.contour, 1 - confidence
            change = derivatives(forms, horizon_days, contour.theta[0])
        value_at_risk, shortfall = -books.mean + 0.0, -books.mean + 0.0
        value_at_risk[random], shortfall[random] = -tail.quantile, -tail.mean_below
        parts = (certain, certain) if change is None else _components(tail, change)
        results[confidence] = _named(value_at_risk, shortfall, parts)
    return [results[confidence] for confidence in confidences]


def _components(tail: Tail, change: npt.NDArray[np.complex128]) -> tuple[Floats, Floats]:
    return -(change @ tail.at_quantile[0]).real, -(change @ tail.below[0]).real


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
