"""What today's book would have earned on past days.

Belongs here: profits of portfolios over the price history. Not here: value at risk and tests of it (`backtest_series`, `backtest_tests`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.parameters.backtest import BacktestSettings
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.revaluation import profits
from margin_pipeline.risk.scenarios import FactorHistory, horizon_returns

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class PastProfits:
    """What today's book would have earned, base currency, oldest first; NaN where a factor of the portfolio had no return yet.

    Attributes
    ----------
    sessions : (t,) datetime64, days on which the returns end.
    daily : (portfolios, t) options revalued in full.
    delta : (portfolios, t) at the deltas of today, log returns, as the estimates of volatility take them.
    period : (portfolios, periods) over the margin period, options revalued in full; the newest periods tested, overlapping.
    gross_exposure : (portfolios,) sum over strategies of what is known.
    unusable : reason by name of a factor that has too short a history.
    """

    sessions: npt.NDArray[np.datetime64]
    daily: Floats
    delta: Floats
    period: Floats
    gross_exposure: Floats
    unusable: dict[str, str]


def past_profits(
    book: Book, history: FactorHistory, risk: RiskSettings, settings: BacktestSettings, backend: Backend = NUMPY
) -> PastProfits:
    """Profits of today's book on past days.

    Parameters
    ----------
    book : the book.
    history : daily returns of its factors.
    risk : least returns of a factor.
    settings : days, margin period.
    backend : where options are revalued.
    """
    place = history.factors.get_indexer(book.factors)
    count = np.where(place >= 0, np.append(history.observations, 0)[place], 0)
    usable = count >= risk.min_observations
    unusable = {
        name: f"{name}: only {n} daily returns, {risk.min_observations} needed"
        for name, n in zip(book.factors[~usable], count[~usable], strict=True)
    }
    logs = _of_book(history.log_returns, place, usable)
    daily = _of_book(horizon_returns(history, 1, len(logs)), place, usable)
    period = _of_book(horizon_returns(history, settings.margin_period_days, settings.days), place, usable)
    to_portfolio = _portfolio_matrix(book)
    return PastProfits(
        sessions=history.sessions,
        daily=_known(book.held, to_portfolio, daily, profits(book, daily, backend)),
        delta=_known(book.held, to_portfolio, logs, book.delta_exposure @ np.nan_to_num(logs).T),
        period=_known(book.held, to_portfolio, period, profits(book, period, backend)),
        gross_exposure=to_portfolio @ np.nan_to_num(book.gross_exposure),
        unusable=unusable,
    )


def _of_book(returns: Floats, place: npt.NDArray[np.int64], usable: npt.NDArray[np.bool_]) -> Floats:
    """Columns of the factors of the book; 0 for those that cannot be used, since their portfolios have no figure anyway."""
    found = np.hstack([returns, np.zeros((len(returns), 1))])[:, place]
    return np.where(usable, found, 0.0)


def _portfolio_matrix(book: Book) -> Any:
    """(portfolios, strategies) sparse, adds strategies up to portfolios."""
    count = len(book.strategies)
    return sparse.coo_array((np.ones(count), (book.portfolio_of, np.arange(count))), shape=(len(book.portfolios), count)).tocsr()


def _known(held: Any, to_portfolio: Any, returns: Floats, strategy_profit: Floats) -> Floats:
    """(portfolios, t) profits where every factor that the portfolio holds had a return."""
    unknown = to_portfolio @ (held.astype(float) @ np.isnan(returns).T.astype(float))
    return np.where(unknown > 0, np.nan, to_portfolio @ strategy_profit)
