"""Figures that the lines of one bank are made of.

Belongs here: capital, sums of risk-weighted assets, output floor, what is missing. Not here: ratios and their lines (`lines`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.parameters.basel import BaselRules
from margin_pipeline.regulation.inputs import RegulatoryInputs

RISK_TYPES = ("credit", "counterparty", "cva", "market", "operational")
COVERS: Mapping[str, str] = {
    "credit": "standardised credit risk of the exposures and credit_risk_rwa_other",
    "counterparty": "counterparty risk of the netting sets by SA-CCR",
    "cva": "CVA risk of the netting sets, without hedges",
    "market": "market risk of listed positions and market_risk_rwa_other, not of over-the-counter trades and the banking book",
    "operational": "operational risk as given",
}
"""What the risk-weighted assets of each kind of risk contain."""
REASONS_SHOWN = 5
AMOUNTS = (
    "cet1", "tier1", "total_capital", "other_leverage_exposure", "hqla", "net_outflows_30d", "available_stable_funding",
    "required_stable_funding", "internal_model_rwa",
)  # fmt: skip
"""Entity figures that are amounts."""
NUMBERS = ("countercyclical_buffer_rate", "systemic_buffer_rate", "other_leverage_exposure_includes_derivatives")
"""Entity figures that are no amounts."""
NEVER_BELOW_ZERO = frozenset({"other_leverage_exposure", "hqla", "net_outflows_30d", "available_stable_funding", "required_stable_funding",
    "internal_model_rwa", *NUMBERS})  # fmt: skip


@dataclass(frozen=True)
class RiskSum:
    """Risk-weighted assets of one kind of risk.

    Attributes
    ----------
    assets : base currency; NaN where a row lacks something.
    exposure : sum of the exposures, NaN where one is missing.
    rows : number of rows.
    missing : what rows lack, shortened.
    """

    assets: float = 0.0
    exposure: float = 0.0
    rows: int = 0
    missing: str | None = None


@dataclass(frozen=True)
class BankFigures:
    """Figures of one bank, amounts in base currency, NaN where missing, and why.

    Attributes
    ----------
    amount : entity figures by name, and besides `standardised_rwa`, `risk_weighted_assets` (after the output floor), `exposures`.
    sums : by kind of risk.
    missing : reason by name of the figure.
    covers : what the risk-weighted assets contain and what not.
    """

    amount: Mapping[str, float]
    sums: Mapping[str, RiskSum]
    missing: Mapping[str, str]
    covers: str

    def reason(self, *names: str) -> str | None:
        """What is missing of some figures, None when they are all there."""
        found = list(dict.fromkeys(self.missing[name] for name in names if name in self.missing))
        return "; ".join(found) or None


def risk_sums(table: pd.DataFrame) -> dict[str, dict[str, RiskSum]]:
    """Sums of risk-weighted assets by portfolio and kind of risk.

    Parameters
    ----------
    table : frame of risk_weighted_assets.
    """
    found: dict[str, dict[str, RiskSum]] = {}
    ordered = table.sort_values(["portfolio_id", "risk_type", "item"], kind="stable")
    for (portfolio_id, risk_type), rows in ordered.groupby(["portfolio_id", "risk_type"], sort=True):
        lacking = rows["missing"].dropna().drop_duplicates().tolist()
        more = f"; and {len(lacking) - REASONS_SHOWN} more" if len(lacking) > REASONS_SHOWN else ""
        missing = "; ".join(str(reason) for reason in lacking[:REASONS_SHOWN]) + more or None
        of_items = rows[~rows["item"].str.startswith("entity figure ")]
        found.setdefault(str(portfolio_id), {})[str(risk_type)] = RiskSum(
            float(rows["risk_weighted_assets"].to_numpy(float).sum()),
            float(of_items["exposure"].to_numpy(float).sum()),
            len(rows),
            missing,
        )
    return found


def bank_figures(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], sums: Mapping[str, RiskSum], rules: BaselRules) -> BankFigures:
    """Figures of one bank.

    Parameters
    ----------
    inputs : tables of the date.
    portfolio : row of portfolios.
    sums : risk-weighted assets by kind of risk; a kind without rows is left out.
    rules : rules in force.

    Returns
    -------
    Figures; a sum over a row that lacks something is NaN. RBC20.9: risk-weighted assets are the sum over kinds of risk; RBC20.11: with
    internal models the greater of theirs and the output floor's share of the standardised ones. Operational risk that is not given is left
    out, and `covers` says so.
    """
    missing: dict[str, str] = {}
    amount = _given(inputs, portfolio, missing)
    sums = {name: sums.get(name, RiskSum()) for name in RISK_TYPES}
    credit = sums["credit"]
    amount["exposures"] = credit.exposure
    if np.isnan(credit.exposure):
        missing["exposures"] = credit.missing or "credit exposures"
    reasons = [found.missing for found in sums.values() if found.missing]
    amount["standardised_rwa"] = float("nan") if reasons else sum(found.assets for found in sums.values())
    if reasons:
        missing["standardised_rwa"] = missing["risk_weighted_assets"] = "; ".join(reasons)
    amount["risk_weighted_assets"] = amount["standardised_rwa"]
    if rules.output_floor is not None and "internal_model_rwa" in amount:
        amount["risk_weighted_assets"] = float(np.maximum(amount["internal_model_rwa"], rules.output_floor * amount["standardised_rwa"]))
        if "internal_model_rwa" in missing:
            amount["risk_weighted_assets"] = float("nan")
            missing["risk_weighted_assets"] = "; ".join([missing["internal_model_rwa"], *reasons])
    return BankFigures(amount, sums, missing, covers(sums))


def covers(sums: Mapping[str, RiskSum]) -> str:
    """What the risk-weighted assets contain and what they do not, in words."""
    if sums["operational"].rows:
        return "; ".join(COVERS[name] for name in RISK_TYPES)
    parts = "; ".join(COVERS[name] for name in RISK_TYPES if name != "operational")
    return f"{parts}; no operational risk, so that capital ratios are upper bounds"


def _given(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], missing: dict[str, str]) -> dict[str, float]:
    """Entity figures by name; what is required and not there is NaN with a reason, what is optional is left out."""
    amounts, numbers = inputs.entity_figures(portfolio), inputs.entity_numbers(portfolio)
    found: dict[str, float] = {}
    for name in (*AMOUNTS, *NUMBERS):
        given = numbers if name in NUMBERS else amounts
        if name not in given:
            if name not in ("internal_model_rwa", "systemic_buffer_rate", "other_leverage_exposure_includes_derivatives"):
                missing[name] = f"entity figure {name}"
                found[name] = float("nan")
            continue
        found[name] = given[name]
        if np.isnan(given[name]):
            missing[name] = f"exchange rate of the entity figure {name} to {portfolio['base_currency']}"
        elif given[name] < 0 and name in NEVER_BELOW_ZERO:
            missing[name], found[name] = f"entity figure {name}: it is below zero", float("nan")
    return found
