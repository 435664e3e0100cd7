"""Exposure of derivatives in the leverage ratio.

Belongs here: replacement cost and potential future exposure without what collateral spares. Not here: SA-CCR, the ratio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.regulation.inputs import RegulatoryInputs

REASONS_SHOWN = 5


@dataclass(frozen=True)
class DerivativeExposure:
    """Exposure of the derivatives of a bank in the leverage ratio.

    Attributes
    ----------
    amount : base currency; NaN where it lacks something; 0 where other_leverage_exposure contains it.
    note : where it comes from.
    missing : what is missing.
    """

    amount: float
    note: str
    missing: str | None = None


def derivative_exposure(
    inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], factor: float | None, is_included: float
) -> DerivativeExposure:
    """Exposure of all netting sets of a bank.

    Parameters
    ----------
    inputs : tables of the date: netting_sets, sa_ccr_netting_sets (value, add_on: base currency).
    portfolio : row of portfolios.
    factor : what replacement cost and potential future exposure are multiplied with; None: LEV30 is not in force yet.
    is_included : 1 where the bank says that other_leverage_exposure contains its derivatives, else 0.

    Returns
    -------
    LEV30: factor x (replacement cost + add-on) of each netting set: replacement cost = max(market value, 0), no collateral recognised
    (whether variation margin is cash of the kind that counts is not known), the multiplier of the add-on is 1. Before LEV30 was in force,
    for a bank that says so, and without netting sets, derivatives are in other_leverage_exposure.
    """
    if factor is None or is_included == 1:
        return DerivativeExposure(0.0, "derivatives are in other_leverage_exposure")
    if is_included != 0:
        return DerivativeExposure(np.nan, "not known", "entity figure other_leverage_exposure_includes_derivatives: it is neither 0 nor 1")
    portfolio_id = str(portfolio["portfolio_id"])
    names = sorted(str(name) for name in inputs.frame_of("netting_sets", portfolio_id)["netting_set_id"])
    if not names:
        return DerivativeExposure(0.0, "no netting sets")
    found = inputs.frame_of("sa_ccr_netting_sets", portfolio_id).set_index("netting_set_id").reindex(names)
    amount = np.maximum(found["value"].to_numpy(float), 0.0) + found["add_on"].to_numpy(float)
    lacking = [
        f"value and add-on of netting set {name}: {'it has none under SA-CCR' if pd.isna(reason) else reason}"
        for name, reason, a in zip(names, found["missing"], amount, strict=True)
        if np.isnan(a)
    ]
    if lacking:
        more = f"; and {len(lacking) - REASONS_SHOWN} more" if len(lacking) > REASONS_SHOWN else ""
        return DerivativeExposure(np.nan, "SA-CCR", "; ".join(lacking[:REASONS_SHOWN]) + more)
    note = f"{factor:g} x (replacement cost without collateral + add-on) of {len(names)} netting sets"
    return DerivativeExposure(factor * float(amount.sum()), note)
