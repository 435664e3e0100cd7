"""The book as matrices: which strategy holds how much of which risk factor.

Belongs here: indices and sparse matrices of exposures. Not here: where exposures come from (`exposures`), what they risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from margin_pipeline.risk.risk_factors import currency_factor

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class CurrencyGroup:
    """Positions whose value converts from one currency to another.

    Attributes
    ----------
    currency_factor, base_factor : names of the two currency factors; "" for the US dollar and where both currencies are the same.
    exposure : (strategies, factors) sparse, delta exposure of what is linear, base currency.
    option_size : (strategies, option series) sparse, base currency for a unit of instrument currency of price.
    held_value : (strategies,) market value that moves with the exchange rate, base currency.
    """

    currency_factor: str
    base_factor: str
    exposure: Any
    option_size: Any
    held_value: Floats


@dataclass(frozen=True)
class Book:
    """All strategies of all portfolios.

    Attributes
    ----------
    portfolios : portfolio_id, ascending.
    strategies : frame portfolio_id, strategy, one row a strategy, ordered; grouped by portfolio.
    portfolio_of : (strategies,) row of the portfolio.
    factors : names of all held risk factors, currency factors included, ascending.
    delta_exposure : (strategies, factors) sparse, base currency for a relative move of 1, currency factors included.
    held : (strategies, factors) sparse booleans, whether a strategy holds a factor, even net of nothing.
    currency_groups : what is revalued, by pair of currencies.
    option_series : one row for each series of `exposures.risk_positions`, with its pricing inputs.
    gross_exposure, net_exposure : (strategies,) base currency; NaN where a position has no exposure.
    reasons : frame of two columns: row of the strategy, and reason for a position to have no exposure.
    """

    portfolios: pd.Index
    strategies: pd.DataFrame
    portfolio_of: Integers
    factors: pd.Index
    delta_exposure: Any
    held: Any
    currency_groups: tuple[CurrencyGroup, ...]
    option_series: pd.DataFrame
    gross_exposure: Floats
    net_exposure: Floats
    reasons: pd.DataFrame

    def strategies_of(self, portfolio: int) -> slice:
        """Rows of the strategies of a portfolio."""
        first, last = np.searchsorted(self.portfolio_of, [portfolio, portfolio + 1])
        return slice(int(first), int(last))


def build_book(risk_positions: pd.DataFrame, positions: pd.DataFrame, portfolios: pd.DataFrame) -> Book:
    """Book of the positions whose exposure is known; the others are named in `reasons`.

    Parameters
    ----------
    risk_positions : frame of `exposures.risk_positions`.
    positions : frame of that table, for strategies whose quantities are all 0.
    portfolios : frame of that table; a portfolio without positions is one without strategies.
    """
    names = pd.Index(sorted(portfolios["portfolio_id"].unique()), dtype=object)
    strategies = positions[["portfolio_id", "strategy"]].drop_duplicates()
    strategies = strategies[strategies["portfolio_id"].isin(names)].sort_values(["portfolio_id", "strategy"]).reset_index(drop=True)
    # Positions arrive ordered by portfolio, strategy and symbol, so sums are taken in one order whatever that of the input.
    row = pd.MultiIndex.from_frame(strategies).get_indexer(pd.MultiIndex.from_frame(risk_positions[["portfolio_id", "strategy"]]))
    complete = risk_positions["missing"].isna().to_numpy() & (row >= 0)
    known, row_known = risk_positions[complete].reset_index(drop=True), row[complete]
    own, foreign, base = known["risk_factor"].astype(object), *_currency_factors(known)
    factors = pd.Index(sorted({*own, *foreign, *base} - {""}), dtype=object)
    shape = (len(strategies), len(factors))
    value = known["currency_exposure"].to_numpy(float)
    entries = ((own, known["delta_exposure"].to_numpy(float)), (foreign, value), (base, -value))
    lacks = ~complete & (row >= 0)
    return Book(
        portfolios=names,
        strategies=strategies,
        portfolio_of=np.asarray(names.get_indexer(strategies["portfolio_id"]), dtype=np.int64),
        factors=factors,
        delta_exposure=_matrix([(row_known, factors.get_indexer(name), amount) for name, amount in entries], shape),
        held=_matrix([(row_known, factors.get_indexer(name), np.ones(len(known))) for name, _ in entries], shape) > 0,
        currency_groups=_currency_groups(known, row_known, foreign, base, factors, len(strategies)),
        option_series=known[known["is_option"]].drop_duplicates("option_series").sort_values("option_series").reset_index(drop=True),
        gross_exposure=_sums(risk_positions["delta_exposure"].abs(), row, lacks, len(strategies)),
        net_exposure=_sums(risk_positions["delta_exposure"], row, lacks, len(strategies)),
        reasons=pd.DataFrame({"row": row[lacks], "reason": risk_positions.loc[lacks, "missing"].to_numpy(object)}).drop_duplicates(),
    )


def _currency_factors(known: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Factors of instrument and base currency; "" for the dollar and where they are the same, since the two cancel."""
    same = known["currency"] == known["base_currency"]
    foreign, base = currency_factor(known["currency"]), currency_factor(known["base_currency"])
    return foreign.mask(same).fillna("").astype(object), base.mask(same).fillna("").astype(object)


def _currency_groups(
    known: pd.DataFrame, row: Integers, foreign: pd.Series, base: pd.Series, factors: pd.Index, strategies: int
) -> tuple[CurrencyGroup, ...]:
    series = pd.Index(np.sort(known.loc[known["is_option"], "option_series"].unique()))
    is_option = known["is_option"].to_numpy(bool)
    column = factors.get_indexer(pd.Index(known["risk_factor"].astype(object)))
    groups = []
    for first, second in sorted(set(zip(foreign, base, strict=True))):
        within = (foreign == first).to_numpy() & (base == second).to_numpy()
        linear, options = within & ~is_option, within & is_option
        exposure = [(row[linear], column[linear], known["delta_exposure"].to_numpy(float)[linear])]
        series_column = series.get_indexer(pd.Index(known["option_series"][options]))
        sizes = [(row[options], series_column, known["unit_value"].to_numpy(float)[options])]
        groups.append(
            CurrencyGroup(
                currency_factor=first,
                base_factor=second,
                exposure=_matrix(exposure, (strategies, len(factors))),
                option_size=_matrix(sizes, (strategies, len(series))),
                held_value=np.bincount(row[within], weights=known["currency_exposure"].to_numpy(float)[within], minlength=strategies),
            )
        )
    return tuple(groups)


def _matrix(entries: list[tuple[Any, Any, Floats]], shape: tuple[int, int]) -> Any:
    """Sparse sum of the entries whose column exists."""
    row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    there = column >= 0
    return sparse.coo_array((value[there], (row[there], column[there])), shape=shape).tocsr()


def _sums(values: pd.Series, row: Integers, lacks: npt.NDArray[np.bool_], count: int) -> Floats:
    """Sum a strategy; NaN where a position of it is not known."""
    there = row >= 0
    sums = np.bincount(row[there], weights=np.where(lacks, 0.0, values.to_numpy(float))[there], minlength=count)
    gaps = np.bincount(row[lacks], minlength=count) > 0
    return np.where(gaps, np.nan, sums)
