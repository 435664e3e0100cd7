"""Second-order exposure of the book to its risk factors: gamma of options.

Belongs here: gamma of series and of strategies by factor. Not here: first-order exposures (`exposures`, `book`), risk figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from margin_pipeline.market.option_pricing import discounted_legs, intrinsic_value, option_sign, value_of_discounted
from margin_pipeline.risk.book import Book

Floats = npt.NDArray[Any]


def series_curvature(series: pd.DataFrame) -> Floats:
    """Second derivative of the value of each option series in the relative move of its underlying.

    Parameters
    ----------
    series : pricing inputs, columns of `exposures.risk_positions`, one row a series.

    Returns
    -------
    (series,) instrument currency per unit of multiplier, >= 0.

    Notes
    -----
    Gamma times spot²: S·exp(−qT)·φ(d₁)/(σ√T) (Hull, section 19.6 and table 19.6). 0 without time value, and where an American option
    stands at its intrinsic floor, as in `option_pricing.option_delta`.
    """
    inputs = [series[c].to_numpy(float) for c in ("spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility")]
    discounted_spot, discounted_strike, total = discounted_legs(*inputs)
    is_call = series["is_call"].to_numpy(bool)
    spread = np.where(total > 0, total, 1.0)
    with np.errstate(divide="ignore"):
        d1 = np.log(discounted_spot / discounted_strike) / spread + spread / 2
    curvature = discounted_spot * np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi) / spread
    european = np.asarray(value_of_discounted(discounted_spot, discounted_strike, total, option_sign(is_call)))
    exercised = series["is_american"].to_numpy(bool) & (intrinsic_value(inputs[0], inputs[1], is_call) > european)
    return np.where((total > 0) & ~exercised, curvature, 0.0)


def book_curvature(book: Book) -> Any:
    """(strategies, factors) sparse, base currency for a squared relative move of 1: profit is ½ of it times the squared move."""
    series = book.option_series
    column = book.factors.get_indexer(pd.Index(series["risk_factor"].astype(object)))
    shape = (len(series), len(book.factors))
    by_factor = sparse.coo_array((series_curvature(series), (np.arange(len(series)), column)), shape=shape).tocsr()
    total = sparse.csr_array((len(book.strategies), len(book.factors)))
    for group in book.currency_groups:
        total = total + group.option_size @ by_factor
    return total
