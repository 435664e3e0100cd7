"""Profit of every strategy in every scenario, options revalued in full.

Belongs here: values of positions in scenarios. Not here: where scenarios come from (`scenarios`), statistics of the profits.

An instrument in currency C of a portfolio in base currency B earns, in B, (value after − value before) at the scenario's exchange
rate, plus the change of the exchange rate on the value held. Options are revalued at their own implied volatility, at the rate,
yield and time to expiry of the date: scenarios are moves at an instant, time does not pass in them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.market.option_pricing import discounted_legs, option_sign, value_of_discounted
from margin_pipeline.risk.book import Book, CurrencyGroup

Floats = npt.NDArray[Any]

CELLS_A_CHUNK = 250_000
"""Option values computed at a time: temporaries then stay in the processor's cache."""
CELLS_A_CHUNK_ON_DEVICE = 4_000_000


def profits(book: Book, returns: Floats, backend: Backend = NUMPY) -> Floats:
    """Profit of each strategy in each scenario.

    Parameters
    ----------
    book : positions as matrices.
    returns : (scenarios, factors of the book) simple returns; NaN counts as no move (such scenarios are left out by who asks).
    backend : where option values are computed; sums over positions are float64 on the CPU.

    Returns
    -------
    (strategies, scenarios) base currency.
    """
    moves = np.ascontiguousarray(np.nan_to_num(returns, nan=0.0).T)
    changes = option_value_changes(book.option_series, book.factors, moves, backend)
    total = np.zeros((len(book.strategies), moves.shape[1]))
    for group in book.currency_groups:
        relative = _exchange_rate_change(group, book.factors, moves)
        price_result = group.exposure @ moves + group.option_size @ changes
        total += price_result * (1 + relative) + np.outer(group.held_value, relative)
    return total


def _exchange_rate_change(group: CurrencyGroup, factors: pd.Index, moves: Floats) -> Floats:
    """Relative change of base currency for one unit of instrument currency, by scenario."""
    currency, base = (1 + moves[factors.get_loc(f)] if f else np.ones(moves.shape[1]) for f in (group.currency_factor, group.base_factor))
    return currency / base - 1


def option_value_changes(series: pd.DataFrame, factors: pd.Index, moves: Floats, backend: Backend = NUMPY) -> Floats:
    """Change of the model value of each option series in each scenario.

    Parameters
    ----------
    series : pricing inputs, columns of `exposures.risk_positions`, one row a series.
    factors : names of the rows of `moves`.
    moves : (factors, scenarios) simple returns.
    backend : array library and device; its widest precision is used.

    Returns
    -------
    (series, scenarios) instrument currency per unit of multiplier. Each series is valued once, however many positions hold it.
    """
    result = np.zeros((len(series), moves.shape[1]))
    if not result.size:
        return result
    column = factors.get_indexer(pd.Index(series["risk_factor"].astype(object)))
    terms = _terms(series)
    cells = CELLS_A_CHUNK if backend.name == NUMPY.name else CELLS_A_CHUNK_ON_DEVICE
    rows = max(1, cells // moves.shape[1])
    for first in range(0, len(series), rows):
        part = slice(first, first + rows)
        result[part] = _changes({name: value[part] for name, value in terms.items()}, moves[column[part]], backend)
    return result


def _terms(series: pd.DataFrame) -> dict[str, Floats]:
    inputs = [series[c].to_numpy(float) for c in ("spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility")]
    discounted_spot, discounted_strike, total_volatility = discounted_legs(*inputs)
    return {
        "spot": inputs[0],
        "strike": inputs[1],
        "discounted_spot": discounted_spot,
        "discounted_strike": discounted_strike,
        "total_volatility": total_volatility,
        "sign": option_sign(series["is_call"].to_numpy(bool)),
        "floored": series["is_american"].to_numpy(float),
    }


def _changes(terms: dict[str, Floats], moves: Floats, backend: Backend) -> Floats:
    with backend.on_device():
        given = {name: backend.array(value[:, None], backend.widest_dtype) for name, value in terms.items()}
        factor = backend.array(1 + moves, backend.widest_dtype)
        after = _values(given, factor, backend)
        before = _values(given, backend.array(np.ones((len(moves), 1)), backend.widest_dtype), backend)
        return np.asarray(backend.to_numpy(after - before), dtype=np.float64)


def _values(given: dict[str, Any], factor: Any, backend: Backend) -> Any:
    spot = given["discounted_spot"] * factor
    value = value_of_discounted(spot, given["discounted_strike"], given["total_volatility"], given["sign"], backend)
    # 0 for European options: a value is never below it anyway.
    return backend.maximum(value, given["floored"] * given["sign"] * (given["spot"] * factor - given["strike"]))
