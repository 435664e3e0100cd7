"""Clearing thresholds of EMIR, the United Kingdom and Singapore, and the dealing thresholds of the CFTC, as regulatory lines.

Belongs here: what is compared, for whom, and what follows. Not here: the thresholds (`parameters`), uncleared margin (`uncleared`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from margin_pipeline.parameters.clearing_thresholds import ClearingRegime, ClearingRules, clearing_rules
from margin_pipeline.regulation.inputs import FIRM, RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_most, known
from margin_pipeline.regulation.notional_amounts import Notionals, notional_amounts

JURISDICTIONS: Mapping[str, str] = {"EU": "emir", "UK": "uk", "SG": "mas", "US": "cftc", "": "cftc"}
"""Regime of a portfolio by its jurisdiction; one that is not said is taken for the United States."""
NON_FINANCIAL = frozenset({"corporate", "non_financial"})
"""Entity types that are non-financial counterparties; all others, and one that is not said, are taken for financial ones."""
BY_CLASS = ("emir", "uk")
"""Regimes with a threshold for each class of derivatives, by which counterparties have a category."""
ITEMS = {"emir": "clearing_threshold", "uk": "clearing_threshold", "mas": "clearing_threshold", "cftc": "swap_dealer_de_minimis"}
CONSEQUENCE = {
    "emir": "above the threshold: the clearing obligation applies",
    "uk": "above the threshold: the clearing obligation applies",
    "mas": "above the threshold: the clearing obligation applies",
    "cftc": "above the threshold: registration as a swap dealer",
}


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every portfolio under the regime of its jurisdiction, a line why not under the others, and those of the firm.

    Notes
    -----
    EMIR articles 4a and 10: the average of the aggregate month-end notional amounts of the previous twelve months, by class, of the group;
    non-financial counterparties leave out what reduces risks of commercial or treasury activity. Before 17 June 2019 financial ones had
    no threshold (article 4), and a non-financial one that exceeded one of them cleared every class (article 10(1), an average over 30
    working days). Article 11 of Delegated Regulation 149/2013 has the amounts. The averages are entity figures: a missing one leaves the
    line undetermined, whatever the day's trades say; their notional amount is among its inputs. A line above its threshold is `breach`:
    not a violation, but an obligation that follows, which its reason names.
    """
    rules = clearing_rules(inputs.as_of)
    amounts = notional_amounts(inputs)
    pairs = [(portfolio, name) for portfolio in inputs.portfolios for name in sorted(rules.regimes)]
    return [line for portfolio, name in pairs for line in _lines(inputs, portfolio, name, rules, amounts)] + _firm_lines(inputs, rules)


def regime_of(portfolio: Mapping[Any, Any]) -> str | None:
    """Regime of a portfolio by its jurisdiction; None where it has none of these."""
    jurisdiction = portfolio["jurisdiction"]
    text = "" if jurisdiction is None or jurisdiction != jurisdiction else str(jurisdiction).strip()
    return JURISDICTIONS.get(text)


def _is_financial(portfolio: Mapping[Any, Any]) -> bool:
    return str(portfolio["entity_type"]) not in NON_FINANCIAL


def _lines(
    inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], name: str, rules: ClearingRules, amounts: Notionals
) -> list[RegulatoryLine]:
    regime = rules.regimes[name]
    portfolio_id = str(portfolio["portfolio_id"])
    if reason := _why_not(inputs, portfolio, name, regime):
        item, reference = ITEMS[name], regime.reference
        return [
            RegulatoryLine(portfolio_id, "entity", name, item, regime.currency, "not_applicable", reference, rules.version, reason=reason)
        ]
    figures = inputs.entity_figures(portfolio, regime.currency)
    is_financial = _is_financial(portfolio)
    own = []
    for kind in regime.thresholds:
        line = _threshold_line(portfolio_id, "entity", name, kind, figures, rules)
        held = known(amounts.amount(portfolio_id, kind, regime.currency, with_hedges=is_financial))
        own.append(line if kind == "special_entities" else dataclasses.replace(line, inputs={**line.inputs, "notional_of_the_day": held}))
    return [*own, _obligation(own, portfolio_id, name, is_financial, rules)] if name in BY_CLASS else own


def _why_not(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], name: str, regime: ClearingRegime) -> str | None:
    if regime_of(portfolio) != name:
        jurisdiction = portfolio["jurisdiction"]
        unknown = jurisdiction is None or jurisdiction != jurisdiction or str(jurisdiction) == ""
        return f"jurisdiction {'is not given: taken for US' if unknown else jurisdiction}"
    if not regime.applies:
        return "not in force yet on this date"
    entity = str(portfolio["entity_type"])
    if regime.entity_types and entity not in regime.entity_types:
        return f"entity type {entity}: it is for {', '.join(sorted(regime.entity_types))}"
    given = inputs.entity_numbers(portfolio)
    if not inputs.of_portfolio("netting_sets", str(portfolio["portfolio_id"])) and not any(f.startswith(regime.figure) for f in given):
        return "no over-the-counter derivatives: no netting set, and no average is given"
    if not regime.financial_have_threshold and _is_financial(portfolio):
        return f"entity type {entity}: financial counterparties have no threshold, and clear whatever their amounts"
    return None


def _threshold_line(
    portfolio_id: str, scope: str, name: str, kind: str, figures: Mapping[str, float], rules: ClearingRules
) -> RegulatoryLine:
    """A class against its threshold."""
    regime = rules.regimes[name]
    figure = regime.figure if kind == "all" else f"{regime.figure}_{kind}"
    value, limit = known(figures.get(figure)), regime.thresholds[kind]
    reason = None
    if value is None:
        reason = f"exchange rate of entity figure {figure} to {regime.currency}" if figure in figures else f"entity figure {figure}"
    elif value < 0:
        value, reason = None, f"entity figure {figure} that is not negative"
    status = at_most(value, limit)
    if status == "breach":
        reason = CONSEQUENCE[name]
    item = ITEMS[name] if kind == "all" else f"{ITEMS[name]}_{kind}"
    return RegulatoryLine(
        portfolio_id, scope, name, item, regime.currency, status, regime.reference, rules.version, value=value, limit_value=limit,
        reason=reason, inputs={"figure": figure},
    )  # fmt: skip


def _obligation(own: list[RegulatoryLine], portfolio_id: str, name: str, is_financial: bool, rules: ClearingRules) -> RegulatoryLine:
    """In how many classes the clearing obligation applies, and the category (FC or NFC, + above, - below) among its inputs."""
    regime = rules.regimes[name]
    exceeded = sum(line.status == "breach" for line in own)
    unknown = [str(line.reason) for line in own if line.status == "undetermined"]
    is_all = ("financial" if is_financial else "non_financial") in regime.one_class_is_all_for
    counted = len(own) if is_all and exceeded else exceeded
    # One that is exceeded settles it where it counts for all, whatever is missing.
    decided = not unknown or (is_all and exceeded > 0)
    sign = "+" if exceeded else "-" if not unknown else None
    category = None if sign is None else ("FC" if is_financial else "NFC") + sign
    return RegulatoryLine(
        portfolio_id, "entity", name, "clearing_obligation_classes", "count", "information" if decided else "undetermined",
        regime.reference, rules.version, value=float(counted) if decided else None,
        reason=None if decided else "; ".join(unknown),
        inputs={"is_financial_counterparty": is_financial, "category": category, "exceeded": exceeded},
    )  # fmt: skip


def _firm_lines(inputs: RegulatoryInputs, rules: ClearingRules) -> list[RegulatoryLine]:
    """The group: figures of all portfolios under a regime added up; a missing one leaves its class undetermined."""
    found: list[RegulatoryLine] = []
    for name, regime in sorted(rules.regimes.items()):
        members = [p for p in inputs.portfolios if not _why_not(inputs, p, name, regime)]
        if not members:
            continue
        given = [inputs.entity_figures(p, regime.currency) for p in members]
        names = [regime.figure if kind == "all" else f"{regime.figure}_{kind}" for kind in regime.thresholds]
        added = {figure: sum(f[figure] for f in given) for figure in names if all(figure in f for f in given)}
        found += [_threshold_line(FIRM, "firm", name, kind, added, rules) for kind in regime.thresholds]
    return found
