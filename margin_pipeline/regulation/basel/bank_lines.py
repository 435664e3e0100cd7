"""Capital, leverage and liquidity of a bank, as regulatory lines.

Belongs here: ratios, buffers and what is missing for them. Not here: minimums (`parameters`), risk-weighted assets (modules of their own).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.parameters.basel import BaselRules, basel_rules
from margin_pipeline.parameters.basel_cva import CvaRules, cva_rules
from margin_pipeline.parameters.basel_liquidity import LiquidityRules, liquidity_rules
from margin_pipeline.parameters.basel_market_risk import MarketRiskRules, market_risk_rules
from margin_pipeline.parameters.rule_version import RuleVersion
from margin_pipeline.regulation.basel.assets_table import BANK
from margin_pipeline.regulation.basel.buffers import buffer_lines
from margin_pipeline.regulation.basel.capital import COVERS, RISK_TYPES, BankFigures, bank_figures, risk_sums
from margin_pipeline.regulation.basel.leverage import DerivativeExposure, derivative_exposure
from margin_pipeline.regulation.basel.line_form import NOT_YET, Form
from margin_pipeline.regulation.inputs import FIRM, FIRM_CURRENCY, RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, known

BEFORE_BASEL_TWO = "Basel II is not in force yet on this date; the 1988 accord is not computed"
NO_CVA_YET = "there is no capital for CVA risk yet on this date"
CAPITAL_ITEMS = {"cet1_ratio": "cet1", "tier1_ratio": "tier1", "total_capital_ratio": "total_capital"}


@dataclass(frozen=True)
class Rules:
    """All rules of the Basel framework in force on a date."""

    capital: BaselRules
    cva: CvaRules
    market: MarketRiskRules
    liquidity: LiquidityRules

    @classmethod
    def of(cls, as_of: dt.date) -> Rules:
        """Rules in force on a date."""
        return cls(basel_rules(as_of), cva_rules(as_of), market_risk_rules(as_of), liquidity_rules(as_of))

    def of_risk(self, risk_type: str) -> tuple[str, RuleVersion, str | None]:
        """Reference and version of a kind of risk, and why it does not apply yet."""
        early = None if self.capital.risk_weights is not None else BEFORE_BASEL_TWO
        if risk_type == "cva":
            return self.cva.reference, self.cva.version, None if self.cva.weights_by else NO_CVA_YET
        if risk_type == "market":
            return self.market.reference, self.market.version, None if self.market.is_in_force else early
        reference = {
            "credit": self.capital.credit_risk_reference,
            "counterparty": self.capital.counterparty_risk_reference,
            "operational": self.capital.operational_risk_reference,
        }
        return reference[risk_type], self.capital.version, early


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of the entity behind every portfolio, and of the firm.

    Parameters
    ----------
    inputs : tables portfolios, entity_figures, risk_weighted_assets, netting_sets, sa_ccr_netting_sets.

    Returns
    -------
    Lines of scope entity for every bank; for others one that says why not. Lines of scope firm: risk-weighted assets of all banks, in US
    dollars; undetermined where a part is.
    """
    rules = Rules.of(inputs.as_of)
    sums = risk_sums(inputs.table("risk_weighted_assets")) if any(_is_bank(p) for p in inputs.portfolios) else {}
    found: list[RegulatoryLine] = []
    banks: list[tuple[Mapping[Any, Any], BankFigures]] = []
    for portfolio in inputs.portfolios:
        if not _is_bank(portfolio):
            found.append(_not_a_bank(portfolio, rules.capital))
            continue
        figures = bank_figures(inputs, portfolio, sums.get(str(portfolio["portfolio_id"]), {}), rules.capital)
        banks.append((portfolio, figures))
        included = figures.amount.get("other_leverage_exposure_includes_derivatives", 0.0)
        derivatives = derivative_exposure(inputs, portfolio, rules.capital.leverage_derivative_factor, included)
        found += bank_lines(portfolio, figures, derivatives, rules)
    return found + (_firm_lines(inputs, banks, rules) if inputs.portfolios else [])


def bank_lines(portfolio: Mapping[Any, Any], figures: BankFigures, derivatives: DerivativeExposure, rules: Rules) -> list[RegulatoryLine]:
    """Lines of one bank: risk-weighted assets, output floor, capital ratios, buffers, leverage and liquidity ratios.

    Parameters
    ----------
    portfolio : row of portfolios.
    figures, derivatives : figures of the bank and the exposure of its derivatives in the leverage ratio.
    rules : rules in force.
    """
    form = Form(str(portfolio["portfolio_id"]), "entity", str(portfolio["base_currency"]), rules.capital.version)
    return [
        *_asset_lines(form, figures, rules),
        _floor_line(form, figures, rules.capital),
        *_ratio_lines(form, figures, rules.capital),
        *buffer_lines(form, figures, rules.capital),
        _leverage_line(form, figures, derivatives, rules.capital),
        *_liquidity_lines(form, figures, rules.liquidity),
    ]


def _is_bank(portfolio: Mapping[Any, Any]) -> bool:
    return str(portfolio["entity_type"]) == BANK


def _not_a_bank(portfolio: Mapping[Any, Any], rules: BaselRules) -> RegulatoryLine:
    entity = portfolio["entity_type"]
    who = "entity type is not given" if pd.isna(entity) or str(entity) == "" else f"entity type {entity} is not a bank"
    form = Form(str(portfolio["portfolio_id"]), "entity", str(portfolio["base_currency"]), rules.version)
    return form.line("capital_ratios", rules.capital_reference, "not_applicable", reason=who)


def _asset_lines(form: Form, figures: BankFigures, rules: Rules) -> list[RegulatoryLine]:
    found = []
    for risk_type in RISK_TYPES:
        reference, version, early = rules.of_risk(risk_type)
        item, form_of = f"{risk_type}_risk_weighted_assets", form.under(version)
        part = figures.sums[risk_type]
        if early:
            found.append(form_of.amount(item, reference, "not_applicable", reason=early))
        elif risk_type == "operational" and not part.rows:
            found.append(form_of.amount(item, reference, "undetermined", reason="entity figure operational_risk_rwa"))
        else:
            status = "undetermined" if part.missing else "information"
            inputs = {"rows": part.rows, "exposure": part.exposure, "covers": COVERS[risk_type]}
            value = None if part.missing else part.assets
            found.append(form_of.amount(item, reference, status, value=value, reason=part.missing, inputs=inputs))
    return [*found, _total_line(form, figures, rules.capital)]


def _total_line(form: Form, figures: BankFigures, rules: BaselRules) -> RegulatoryLine:
    item, reference = "total_risk_weighted_assets", rules.total_reference
    if rules.risk_weights is None:
        return form.amount(item, reference, "not_applicable", reason=BEFORE_BASEL_TWO)
    reason = figures.reason("risk_weighted_assets")
    parts = {name: part.assets for name, part in figures.sums.items()}
    inputs = {"covers": figures.covers, "standardised": figures.amount["standardised_rwa"], **parts}
    if "internal_model_rwa" in figures.amount:
        inputs |= {"internal_model_rwa": figures.amount["internal_model_rwa"], "output_floor": rules.output_floor}
    value = known(figures.amount["risk_weighted_assets"])
    return form.amount(item, reference, "undetermined" if reason else "information", value=value, reason=reason, inputs=inputs)


def _floor_line(form: Form, figures: BankFigures, rules: BaselRules) -> RegulatoryLine:
    """Internal-model over standardised risk-weighted assets; below the floor its share of the latter counts, which is no breach."""
    item, reference = "output_floor", rules.output_floor_reference
    if rules.output_floor is None:
        return form.line(item, reference, "not_applicable", reason="the output floor is not in force yet on this date")
    if "internal_model_rwa" not in figures.amount:
        return form.line(item, reference, "not_applicable", reason="no internal models: entity figure internal_model_rwa is not given")
    reason = figures.reason("internal_model_rwa", "standardised_rwa")
    value = None if reason else _ratio(figures.amount["internal_model_rwa"], figures.amount["standardised_rwa"])
    if value is None and reason is None:
        reason = "the denominator is zero"
    inputs = {name: figures.amount[name] for name in ("internal_model_rwa", "standardised_rwa", "risk_weighted_assets")}
    if value is not None:
        inputs |= {"floor_binds": value < rules.output_floor}
    status = "undetermined" if value is None else "information"
    return form.line(item, reference, status, value=value, limit_value=rules.output_floor, reason=reason, inputs=inputs)


def _ratio_lines(form: Form, figures: BankFigures, rules: BaselRules) -> list[RegulatoryLine]:
    """RBC20.1: CET1, Tier 1 and total capital over risk-weighted assets at least 4.5, 6 and 8 %."""
    limits = (rules.minimum_cet1_ratio, rules.minimum_tier1_ratio, rules.minimum_total_capital_ratio)
    found = []
    for (item, capital), limit in zip(CAPITAL_ITEMS.items(), limits, strict=True):
        if limit is None:
            found.append(form.line(item, rules.capital_reference, "not_applicable", reason=NOT_YET))
            continue
        names = (capital, "risk_weighted_assets")
        inputs = {name: figures.amount[name] for name in names} | {"covers": figures.covers}
        found.append(_quotient(form, item, rules.capital_reference, figures, names, limit, inputs))
    return found


def _leverage_line(form: Form, figures: BankFigures, derivatives: DerivativeExposure, rules: BaselRules) -> RegulatoryLine:
    """LEV20: Tier 1 over on-balance exposures, derivatives and other_leverage_exposure at least 3 %."""
    item, reference, limit = "leverage_ratio", rules.leverage_reference, rules.minimum_leverage_ratio
    if limit is None:
        return form.line(item, reference, "not_applicable", reason=NOT_YET)
    names = ("tier1", "exposures", "other_leverage_exposure")
    reasons = [reason for reason in (figures.reason(*names), derivatives.missing) if reason]
    denominator = figures.amount["exposures"] + figures.amount["other_leverage_exposure"] + derivatives.amount
    value = None if reasons else _ratio(figures.amount["tier1"], denominator)
    reason = "; ".join(reasons) or (None if value is not None else "the denominator is zero")
    inputs: dict[str, object] = {name: figures.amount[name] for name in names}
    inputs |= {"derivative_exposure": derivatives.amount, "derivatives": derivatives.note}
    return form.line(item, reference, at_least(value, limit), value=value, limit_value=limit, reason=reason, inputs=inputs)


def _liquidity_lines(form: Form, figures: BankFigures, rules: LiquidityRules) -> list[RegulatoryLine]:
    """LCR: liquid assets over net outflows of 30 days; NSFR: available over required stable funding."""
    form, found = form.under(rules.version), []
    for item, reference, limit, names in (
        ("liquidity_coverage_ratio", rules.coverage_reference, rules.minimum_coverage_ratio, ("hqla", "net_outflows_30d")),
        (
            "net_stable_funding_ratio",
            rules.stable_funding_reference,
            rules.minimum_stable_funding_ratio,
            ("available_stable_funding", "required_stable_funding"),
        ),
    ):
        if limit is None:
            found.append(form.line(item, reference, "not_applicable", reason="the minimum of this ratio is not in force yet on this date"))
        else:
            inputs = {name: figures.amount[name] for name in names}
            found.append(_quotient(form, item, reference, figures, names, limit, inputs))
    return found


def _quotient(
    form: Form,
    item: str,
    reference: str,
    figures: BankFigures,
    names: tuple[str, str],
    limit: float,
    inputs: Mapping[str, object],
) -> RegulatoryLine:
    missing = figures.reason(*names)
    value = None if missing else _ratio(figures.amount[names[0]], figures.amount[names[1]])
    reason = missing or (None if value is not None else "the denominator is zero")
    return form.line(item, reference, at_least(value, limit), value=value, limit_value=limit, reason=reason, inputs=inputs)


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator > 0 and math.isfinite(numerator / denominator) else None


def _firm_lines(inputs: RegulatoryInputs, banks: list[tuple[Mapping[Any, Any], BankFigures]], rules: Rules) -> list[RegulatoryLine]:
    """Risk-weighted assets of all banks together, in US dollars."""
    form = Form(FIRM, "firm", FIRM_CURRENCY, rules.capital.version)
    if not banks:
        return [form.amount("total_risk_weighted_assets", rules.capital.total_reference, "not_applicable", reason="no portfolio of a bank")]
    if rules.capital.risk_weights is None:
        return [form.amount("total_risk_weighted_assets", rules.capital.total_reference, "not_applicable", reason=BEFORE_BASEL_TWO)]
    found = []
    for risk_type in (*RISK_TYPES, "total"):
        reference, version, early = (rules.capital.total_reference, rules.capital.version, None)
        if risk_type != "total":
            reference, version, early = rules.of_risk(risk_type)
        if early:
            continue
        parts, reasons = {}, []
        for portfolio, figures in banks:
            name = str(portfolio["portfolio_id"])
            part = figures.amount["risk_weighted_assets"] if risk_type == "total" else figures.sums[risk_type].assets
            reason = figures.reason("risk_weighted_assets") if risk_type == "total" else figures.sums[risk_type].missing
            if risk_type == "operational" and not figures.sums[risk_type].rows:
                reason = "entity figure operational_risk_rwa"
            parts[name] = part * inputs.rate(str(portfolio["base_currency"]), FIRM_CURRENCY)
            if reason is None and math.isnan(parts[name]):
                reason = f"exchange rate of {portfolio['base_currency']} to {FIRM_CURRENCY}"
            if reason:
                reasons.append(f"{name}: {reason}")
        value = None if reasons else sum(parts.values())
        status = "undetermined" if reasons else "information"
        item = f"{risk_type}_risk_weighted_assets"
        reason = "; ".join(reasons) or None
        found.append(form.under(version).amount(item, reference, status, value=value, reason=reason, inputs={"banks": parts}))
    return found
