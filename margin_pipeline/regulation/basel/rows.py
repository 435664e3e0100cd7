"""Rows of risk-weighted assets as every kind of risk makes them.

Belongs here: their columns. Not here: what they amount to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

COLUMNS = ["portfolio_id", "risk_type", "item", "exposure", "risk_weight", "risk_weighted_assets", "missing", "explanation"]
Row = tuple[str, str, str, float, float, float, str | None, str]
CAPITAL_TO_ASSETS = 12.5
"""Risk-weighted assets for one unit of capital: the reciprocal of 8 % (RBC20)."""


def rows_of(
    portfolio_id: Sequence[str] | pd.Series | np.ndarray,
    risk_type: str,
    item: Sequence[str] | np.ndarray,
    exposure: np.ndarray,
    risk_weight: np.ndarray,
    assets: np.ndarray,
    missing: np.ndarray,
    explanation: Sequence[str] | np.ndarray,
) -> pd.DataFrame:
    """Frame of `COLUMNS`; a row that lacks something has no assets.

    Parameters
    ----------
    portfolio_id, item : (n,) key.
    risk_type : credit, counterparty, cva, market or operational.
    exposure, risk_weight, assets : (n,) base currency, fraction and base currency; NaN where there is none.
    missing : (n,) what is missing, None where nothing is.
    explanation : (n,) JSON.
    """
    lacking = np.array([text is not None for text in missing], dtype=bool)
    frame = pd.DataFrame(
        {
            "portfolio_id": np.asarray(portfolio_id, dtype=object),
            "risk_type": risk_type,
            "item": np.asarray(item, dtype=object),
            "exposure": np.asarray(exposure, dtype=float),
            "risk_weight": np.asarray(risk_weight, dtype=float),
            "risk_weighted_assets": np.where(lacking, np.nan, np.asarray(assets, dtype=float)),
            "missing": np.asarray(missing, dtype=object),
            "explanation": np.asarray(explanation, dtype=object),
        }
    )
    return frame[COLUMNS]


def row(
    portfolio_id: str,
    risk_type: str,
    item: str,
    exposure: float,
    assets: float,
    explanation: Mapping[str, object],
    missing: str | None = None,
) -> Row:
    """One row whose assets are no product of an exposure and a weight, in the order of `COLUMNS`."""
    known = np.nan if missing is not None else assets
    return portfolio_id, risk_type, item, exposure, np.nan, known, missing, explained(explanation)


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Frame of `COLUMNS` of single rows."""
    found = pd.DataFrame(list(rows), columns=COLUMNS, dtype=object)
    return found.astype(dict.fromkeys(COLUMNS[3:6], float))


def explained(figures: Mapping[str, object]) -> str:
    """Figures as JSON; what is not finite is null."""
    return json.dumps({name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in figures.items()}, allow_nan=False)


def gathered(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames one below the other, ordered by portfolio, kind of risk and item."""
    kept = [frame for frame in frames if len(frame)]
    if not kept:
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})
        return empty.astype(dict.fromkeys(["exposure", "risk_weight", "risk_weighted_assets"], float))
    whole = pd.concat(kept, ignore_index=True).sort_values(COLUMNS[:3], kind="stable").reset_index(drop=True)
    return whole.astype(dict.fromkeys(("portfolio_id", "risk_type", "item", "missing", "explanation"), "str"))
