"""Model `volatility_scaled`: value times the move of ten days at three standard deviations.

Belongs here: the rule. Not here: where the volatility comes from.
"""

import numpy as np
import pandas as pd

DEVIATIONS = 3.0
DAYS = 10
LEAST_RATE = 0.15


def volatility_scaled(positions: pd.DataFrame) -> pd.DataFrame:
    """Requirement of each position, in the order and under the index of the frame that it is given.

    Parameters
    ----------
    positions : columns instrument_notional (instrument currency), fx_rate, volatility (annualised fraction) and symbol, among others.

    Returns
    -------
    Frame initial_margin, maintenance_margin (base currency), missing (text, where there is no margin) and explanation (mappings).
    """
    rate = np.clip(DEVIATIONS * positions["volatility"] * np.sqrt(DAYS / 252), LEAST_RATE, 1.0)
    value = positions["instrument_notional"].abs() * positions["fx_rate"]
    gap = positions["volatility"].isna()
    return pd.DataFrame(
        {
            "initial_margin": rate * value,
            "maintenance_margin": rate * value,
            "missing": ("volatility of " + positions["symbol"].astype(object)).where(gap, None),
            "explanation": [{"rule": "3 standard deviations of 10 days", "rate": None if np.isnan(r) else float(r)} for r in rate],
        },
        index=positions.index,
    )
