"""Initial margin of every uncleared netting set by the model that its parties agreed on.

Belongs here: putting the models together. Not here: the models (`schedule_im`, `simm`), thresholds and calls (`uncleared`).
"""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd

from margin_pipeline.parameters.simm import SimmRules, simm_rules
from margin_pipeline.regulation.schedule_im import COLUMNS, schedule_margins
from margin_pipeline.regulation.simm.engine import ALL


def netting_set_margins(
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    simm_results: pd.DataFrame,
    fx_rates: pd.DataFrame,
    portfolios: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Initial margin of every uncleared netting set: what is called from the counterparty and what is posted to it.

    Parameters
    ----------
    netting_sets, otc_trades, portfolios : frames of the tables of these names.
    simm_results : as `simm.simm_results` gives it for the same sets.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.netting_set_margins, base currency, two rows a set. Those under SIMM have no gross margin and no net-to-gross
    ratio; their margin is that of the winning regulation, with its parts in the explanation.
    """
    schedule = schedule_margins(netting_sets, otc_trades, fx_rates, portfolios, as_of)
    simm = _simm_rows(simm_results, simm_rules(as_of))
    found = pd.concat([schedule[schedule["model"] != "simm"], simm], ignore_index=True).astype(schedule.dtypes.to_dict())
    return found.sort_values(["portfolio_id", "netting_set_id", "side"], kind="stable", ignore_index=True)[COLUMNS]


def _simm_rows(results: pd.DataFrame, rules: SimmRules) -> pd.DataFrame:
    """One row a set and side: the winning regulation, or what is missing."""
    rows = []
    for (portfolio, name, side), own in results.groupby(["portfolio_id", "netting_set_id", "side"], sort=True):
        won = own[own["is_winning"]]
        lacking = own.loc[own["missing"].notna(), "missing"]
        total = won[(won[["product_class", "risk_class", "margin_type", "bucket"]] == ALL).all(axis=1)]
        margin = float(total["initial_margin"].iloc[0]) if len(total) and lacking.empty else None
        missing = None if margin is not None else "; ".join(lacking) or f"SIMM of netting set {name}"
        rows.append(
            (portfolio, name, "simm", side, None, None, margin, missing, json.dumps(_explanation(own, won, rules), allow_nan=False))
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _explanation(own: pd.DataFrame, won: pd.DataFrame, rules: SimmRules) -> dict[str, object]:
    """Versions, the winning regulation, and its margin by product and risk class."""
    totals = own[(own[["product_class", "risk_class", "margin_type", "bucket"]] == ALL).all(axis=1)]
    parts = won[(won["bucket"] == ALL) & (won["margin_type"] == ALL) & (won["product_class"] != ALL)]
    kinds = won[(won["bucket"] == ALL) & (won["risk_class"] == ALL) & (won["product_class"] == ALL) & (won["margin_type"] != ALL)]
    found: dict[str, object] = {
        "rule": rules.reference,
        "parameter_set": rules.version.label,
        "simm_version": rules.name,
        "computed_version": rules.computed_version,
        "margin_period_of_risk_days": rules.margin_period_of_risk_days,
        "calculation_currency": rules.calculation_currency,
        "crif_rows": int(own["crif_rows"].max()),
        "winning_regulation": str(won["regulation"].iloc[0]) if len(won) else None,
        "margin_by_regulation": _amounts(totals, ["regulation"]),
        "margin_by_product_and_risk_class": _amounts(parts[parts["risk_class"] != ALL], ["product_class", "risk_class"]),
        "margin_by_product_class": _amounts(parts[parts["risk_class"] == ALL], ["product_class"]),
        "margin_by_type": _amounts(kinds, ["margin_type"]),
        "rows_left_out": int(won["rows_left_out"].iloc[0]) if len(won) else None,
    }
    if rules.computed_version != rules.name:
        found["note"] = f"version {rules.name} is in force, but the engine does not have it: computed with version {rules.computed_version}"
    return found


def _amounts(rows: pd.DataFrame, names: list[str]) -> dict[str, float]:
    known = rows[rows["initial_margin"].notna()]
    keys = [" ".join(str(part) for part in key) for key in known[names].itertuples(index=False, name=None)]
    return dict(sorted(zip(keys, known["initial_margin"].astype(float).tolist(), strict=True)))
