"""Premiums of long options that are paid: initial margins hold them, and margin equity does not any more.

Belongs here: which groups hold how much of them. Not here: requirements, margin equity (`margin`).
"""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd

from margin_pipeline.margin.margin_equity import LOAN_VALUE_STRUCTURES, security_values
from margin_pipeline.parameters.option_rates import option_rates

PREMIUM_STRUCTURES = (*LOAN_VALUE_STRUCTURES, "protective_put", "protective_call", "collar", "conversion", "reverse_conversion")
"""Groups whose initial margin holds the premium of their long options, which is paid at the purchase."""


def paid_premiums(
    positions: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame, strategy_groups: pd.DataFrame, as_of: dt.date
) -> dict[str, float]:
    """Premiums of long options that initial margins of groups hold and that are paid, by portfolio, base currency; NaN where unknown.

    A long-dated option that is grouped on its own keeps its value in margin equity, and nothing of it is taken out.
    """
    values = security_values(positions, instruments, portfolios, option_rates(as_of), as_of)
    options = values[values["option"]].groupby(["portfolio_id", "symbol"])
    net = options[["quantity", "market_value"]].sum(skipna=False)
    dated = options["long_dated"].first()
    found: dict[str, float] = {}
    chosen = strategy_groups[strategy_groups["structure"].isin(PREMIUM_STRUCTURES)]
    for name, structure, legs in chosen[["portfolio_id", "structure", "legs"]].itertuples(index=False, name=None):
        for leg in json.loads(legs) if isinstance(legs, str) else legs:
            key = (name, leg["symbol"])
            if key not in net.index or float(leg["quantity"]) <= 0 or (structure in LOAN_VALUE_STRUCTURES and dated[key]):
                continue
            held, worth = net.loc[key]
            found[str(name)] = found.get(str(name), 0.0) + float(leg["quantity"]) * worth / held
    return found
