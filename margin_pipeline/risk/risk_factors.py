"""Which risk factor an instrument maps to.

Belongs here: the mapping and the names of currency factors. Not here: exposures, histories of factors.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

FUTURES = ("future",)
NUMERAIRE = "USD"
_LONGEST_CHAIN = 3
"""An option on a future on an index is two steps from its factor; the third only ends a circle in the data."""


def currency_factor(currencies: pd.Series) -> pd.Series:
    """Names of currency factors: `fx:EUR`; missing for the US dollar, in which exchange rates are quoted."""
    return ("fx:" + currencies).mask(currencies == NUMERAIRE)


def close_counts(prices: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """Closes of each symbol up to a date, by symbol."""
    return prices.loc[prices["date"] <= pd.Timestamp(as_of), "symbol"].value_counts()


def risk_factor_of(instruments: pd.DataFrame, counts: pd.Series, min_observations: int) -> pd.Series:
    """Risk factor of each instrument, by symbol.

    Parameters
    ----------
    instruments : frame of that table.
    counts : closes of each symbol, by symbol.
    min_observations : daily returns without which a future does not map to its underlying.

    Returns
    -------
    Factor symbols, indexed by symbol. An option without an underlying maps to itself.
    """
    by_symbol = instruments.set_index("symbol")
    underlying = by_symbol["underlying"]
    enough = underlying.map(counts).fillna(0).to_numpy(float) > min_observations
    is_option = by_symbol["option_type"].notna().to_numpy()
    maps_on = underlying.notna().to_numpy() & (is_option | (by_symbol["asset_class"].isin(FUTURES).to_numpy() & enough))
    own = pd.Series(by_symbol.index, index=by_symbol.index)
    step = own.where(~maps_on, underlying)
    factor = step
    for _ in range(_LONGEST_CHAIN - 1):
        # A symbol without an instrument record (an index that is only a price series) is where the chain ends.
        following = factor.map(step)
        factor = following.where(following.notna(), factor)
    return pd.Series(np.asarray(factor, dtype=object), index=by_symbol.index, dtype="str")
