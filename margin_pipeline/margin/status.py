"""Utilization, status and margin level of a requirement against what it is measured against.

Belongs here: these figures, for portfolios and for single positions alike. Not here: the thresholds' values, alerts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

Array = np.ndarray

LEVELS = ("is_safe", "is_warning", "is_liquidatable")
FROM_BETTER_TO_WORSE = ("safe", "warning", "critical", "emergency", "undetermined", "liquidatable")


def utilization(maintenance: Array, margin_equity: Array) -> Array:
    """Maintenance margin over margin equity, (n,).

    0 where nothing is required and margin equity is not negative; infinite where margin equity is used up (not positive although something
    is required, or negative); NaN where either is unknown.
    """
    maintenance, margin_equity = np.asarray(maintenance, dtype=np.float64), np.asarray(margin_equity, dtype=np.float64)
    with np.errstate(over="ignore"):
        ratio = np.divide(maintenance, margin_equity, out=np.full_like(maintenance, np.inf), where=margin_equity > 0)
    ratio = np.where((maintenance == 0) & (margin_equity >= 0), 0.0, ratio)
    return np.where(np.isnan(maintenance) | np.isnan(margin_equity), np.nan, ratio)


def status(maintenance: Array, margin_equity: Array, thresholds: Mapping[str, float]) -> Array:
    """Status of each requirement, (n,) text.

    Parameters
    ----------
    maintenance, margin_equity : (n,) base currency; NaN: unknown.
    thresholds : utilization from which "warning", "critical" and "emergency" begin, fractions.

    Notes
    -----
    liquidatable: something is required and margin equity does not exceed it, or margin equity is negative. undetermined: unknown.
    """
    used = utilization(maintenance, margin_equity)
    unknown = np.isnan(used)
    gone = ((maintenance > 0) & (margin_equity <= maintenance)) | (margin_equity < 0)
    levels = [used >= thresholds[name] for name in ("emergency", "critical", "warning")]
    return np.select([unknown, gone, *levels], ["undetermined", "liquidatable", "emergency", "critical", "warning"], "safe").astype(object)


def levels(initial: Array, margin_equity: Array, state: Array) -> pd.DataFrame:
    """Margin level of each requirement: safe, warning or liquidatable.

    Parameters
    ----------
    initial, margin_equity : (n,) base currency; NaN: unknown.
    state : (n,) text, as `status` gives it.

    Returns
    -------
    Frame of nullable booleans is_safe (margin equity covers the initial margin), is_warning (it does not) and is_liquidatable (the
    status). Exactly one of them holds where all is known; a liquidatable account is neither safe nor in warning, even where initial and
    maintenance margin are the same. Missing where the status is undetermined; the first two also where the initial margin is unknown.
    """
    undetermined, gone = state == "undetermined", state == "liquidatable"
    uncovered = np.asarray(margin_equity, dtype=np.float64) < np.asarray(initial, dtype=np.float64)
    unknown = undetermined | (~gone & (np.isnan(initial) | np.isnan(margin_equity)))
    found = {"is_safe": (~gone & ~uncovered, unknown), "is_warning": (~gone & uncovered, unknown), "is_liquidatable": (gone, undetermined)}
    return pd.DataFrame({name: pd.Series(pd.array(value, "boolean")).mask(gap) for name, (value, gap) in found.items()})
