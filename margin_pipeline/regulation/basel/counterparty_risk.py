"""Risk-weighted assets of counterparty credit risk.

Belongs here: exposure of a netting set times the weight of its counterparty. Not here: the exposure (SA-CCR), weights (`parameters`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.parameters.basel import BaselRules
from margin_pipeline.regulation.basel.credit_risk import risk_weights
from margin_pipeline.regulation.basel.ratings import names
from margin_pipeline.regulation.basel.rows import explained, rows_of


def with_exposures(netting_sets: pd.DataFrame, sa_ccr_netting_sets: pd.DataFrame) -> pd.DataFrame:
    """Netting sets with their exposure at default, and what is missing of it, ordered by netting set.

    Parameters
    ----------
    netting_sets : rows of that table.
    sa_ccr_netting_sets : columns portfolio_id, netting_set_id, exposure_at_default (base currency), missing.
    """
    key = ["portfolio_id", "netting_set_id"]
    found = netting_sets.merge(sa_ccr_netting_sets[[*key, "exposure_at_default", "missing"]], on=key, how="left", sort=False)
    found = found.sort_values(key, kind="stable").reset_index(drop=True)
    exposure = found["exposure_at_default"].to_numpy(dtype=float)
    reasons = np.full(len(found), None, dtype=object)
    for i in np.flatnonzero(np.isnan(exposure)):
        given = found["missing"].iloc[i]
        known = "it has none under SA-CCR" if pd.isna(given) or not str(given) else str(given)
        reasons[i] = f"exposure at default of netting set {found['netting_set_id'].iloc[i]}: {known}"
    return found.assign(exposure_at_default=exposure, missing=pd.Series(reasons, index=found.index, dtype=object))


def counterparty_rows(netting_sets: pd.DataFrame, rules: BaselRules) -> pd.DataFrame:
    """Risk-weighted assets of netting sets.

    Parameters
    ----------
    netting_sets : result of `with_exposures`, with counterparty_class, counterparty_rating, is_cleared.
    rules : rules in force; Basel II or later.

    Returns
    -------
    Frame of `rows.COLUMNS`. A central counterparty that stands between the parties is taken for a qualifying one: 2 % (CRE54.7).
    """
    cleared = netting_sets["is_cleared"].fillna(False).astype(bool).to_numpy()
    like_exposures = pd.DataFrame(
        {
            "exposure_id": netting_sets["netting_set_id"],
            "exposure_class": netting_sets["counterparty_class"],
            "rating": netting_sets["counterparty_rating"],
            "loan_to_value": np.nan,
            "is_short_term": False,
        }
    )
    weight, reasons = risk_weights(like_exposures, rules, "netting set")
    weight = np.where(cleared, np.nan if rules.cleared_risk_weight is None else rules.cleared_risk_weight, weight)
    name = names(netting_sets["counterparty_class"])
    unnamed = ((name == "") & ~cleared).to_numpy()
    reasons[unnamed] = [f"counterparty_class of netting set {item}" for item in netting_sets["netting_set_id"][unnamed]]
    reasons[cleared] = None
    exposure = netting_sets["exposure_at_default"].to_numpy(dtype=float)
    lacking = netting_sets["missing"].to_numpy(dtype=object)
    reasons = np.array([a if b is None else b if a is None else f"{b}; {a}" for a, b in zip(reasons, lacking, strict=True)], dtype=object)
    texts = [
        explained({"class": c or None, "rating": None if pd.isna(r) else str(r), "is_cleared": bool(k)})
        for c, r, k in zip(name, netting_sets["counterparty_rating"], cleared, strict=True)
    ]
    item = netting_sets["netting_set_id"].to_numpy(dtype=object)
    return rows_of(netting_sets["portfolio_id"], "counterparty", item, exposure, weight, exposure * weight, reasons, texts)
