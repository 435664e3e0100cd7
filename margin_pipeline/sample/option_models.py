"""Model prices of the sample's options.

Belongs here: Black-Scholes-Merton and Black-76 values. Not here: anything about margin.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr


def black_76(forward, strike, years, rate, volatility, is_call):
    """Return the value of European options on a forward."""
    spread = volatility * np.sqrt(years)
    d1 = np.log(forward / strike) / spread + spread / 2
    sign = 1.0 if is_call else -1.0
    return np.exp(-rate * years) * sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - spread)))


def black_scholes_merton(spot, strike, years, rate, dividend_yield, volatility, is_call):
    """Return the value of European options on a stock or index."""
    return black_76(spot * np.exp((rate - dividend_yield) * years), strike, years, rate, volatility, is_call)
