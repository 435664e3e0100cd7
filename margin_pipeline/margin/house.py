"""House requirements: the least fraction of notional that the house itself asks for a symbol or an asset class.

Belongs here: which house rate a position has. Not here: how it meets the rule (`models.overlay`, structures), reading the file.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

Array = np.ndarray

RATES = ("initial_rate", "maintenance_rate")


def house_rates(house_margins: pd.DataFrame | None, symbol: pd.Series, asset_class: pd.Series) -> tuple[Array, Array]:
    """House rates of each instrument: the greatest over all rows that name its symbol or its asset class.

    Parameters
    ----------
    house_margins : columns symbol, asset_class (one of them given), initial_rate, maintenance_rate (fractions of notional); None: the
        house asks nothing.
    symbol, asset_class : (n,) of the instruments.

    Returns
    -------
    Initial and maintenance rate, (n,) fractions each; 0 where the house asks nothing.
    """
    keys = {"symbol": symbol, "asset_class": asset_class}
    initial, maintenance = (np.zeros(len(symbol)) for _ in RATES)
    if house_margins is None or house_margins.empty:
        return initial, maintenance
    for column, key in keys.items():
        greatest = house_margins.dropna(subset=[column]).groupby(column)[list(RATES)].max()
        at = pd.Index(greatest.index, dtype=object).get_indexer(pd.Index(key, dtype=object))
        for rates, name in zip((initial, maintenance), RATES, strict=True):
            found = np.append(greatest[name].to_numpy(dtype=np.float64), 0.0)[at]
            np.maximum(rates, found, out=rates)
    return initial, maintenance
