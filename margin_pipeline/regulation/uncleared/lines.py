"""Uncleared margin as regulatory lines: of each netting set, of each portfolio under each regime, and of the firm.

Belongs here: what is reported and held against what. Not here: calls (`calls`), scope (`scope`), agreements (`agreement_lines`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from margin_pipeline.parameters.uncleared_margin import MarginRegime, UnclearedMarginRules, uncleared_margin_rules
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, known
from margin_pipeline.regulation.uncleared import agreement_lines, firm_lines
from margin_pipeline.regulation.uncleared.book import flag, own_party, own_regime, uncleared_sets

NO_NETTING_SET = "no netting set of uncleared derivatives"
ITEMS = {
    "initial": ("initial_margin_requirement", "initial_margin_call"),
    "variation": ("variation_margin_requirement", "variation_margin_call"),
}
"""Line items of a netting set by kind of margin: what should be held, and what is to be delivered now."""
FIGURES = ("requirement", "threshold", "minimum_transfer_amount", "held", "shortfall", "return_amount")
"""Columns of a call among the inputs of its lines."""


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every portfolio and of the firm under the five regimes of uncleared margin.

    Parameters
    ----------
    inputs : with the tables portfolios, netting_sets, otc_trades, entity_figures, uncleared_margin_calls.

    Returns
    -------
    For each portfolio and regime: one line that does not apply, or the average notional amount, the agreements, and the calls of each
    netting set; for the firm the gross notional amount of the date and the calls, by regime.
    """
    rules = uncleared_margin_rules(inputs.as_of)
    owners = {str(portfolio["portfolio_id"]): portfolio for portfolio in inputs.portfolios}
    sets: dict[str, list[dict[Any, Any]]] = {name: [] for name in owners}
    for row in uncleared_sets(inputs.table("netting_sets"), owners, rules).to_dict("records"):
        sets[str(row["portfolio_id"])].append(row)
    found: list[RegulatoryLine] = []
    for name, portfolio in owners.items():
        calls = inputs.of_portfolio("uncleared_margin_calls", name)
        found += _unknown_regimes(portfolio, sets[name], rules)
        for regime in rules.regimes.values():
            under = [row for row in sets[name] if row["regime"] == regime.name]
            found += _portfolio_lines(inputs, portfolio, regime, sets[name], under, calls, rules)
    return found + firm_lines.lines(inputs, rules)


def _portfolio_lines(
    inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], regime: MarginRegime, sets: Sequence[Mapping[Any, Any]],
    under: Sequence[Mapping[Any, Any]], calls: Sequence[Mapping[Any, Any]], rules: UnclearedMarginRules,
) -> list[RegulatoryLine]:  # fmt: skip
    """Lines of one portfolio under one regime: `sets` all its netting sets, `under` those of the regime, `calls` all its calls."""
    name, base = str(portfolio["portfolio_id"]), str(portfolio["base_currency"])
    if not under:
        others = ", ".join(sorted({str(row["regime"]) for row in sets}))
        reason = f"its netting sets are under {others}" if sets else NO_NETTING_SET
        return [RegulatoryLine(name, "portfolio", regime.name, "uncleared_margin", base, "not_applicable", regime.scope_reference,
                               rules.version, reason=reason)]  # fmt: skip
    notional = average_notional_line(inputs, portfolio, regime, rules)
    of_sets = [call for call in calls if call["regime"] == regime.name and call["netting_set_id"]]
    agreements = agreement_lines.lines(portfolio, regime, under, of_sets, inputs.rate(base, regime.currency), rules.version)
    return [notional, *agreements, *(line for call in of_sets for line in call_lines(call, base, regime, rules))]


def average_notional_line(
    inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], regime: MarginRegime, rules: UnclearedMarginRules
) -> RegulatoryLine:
    """Average aggregate notional amount of the entity beside the amount of the phase, in the currency of the regime, for information."""
    name = str(portfolio["portfolio_id"])
    rows = [row for row in inputs.of_portfolio("entity_figures", name) if row["figure"] == "aana"]
    given = (float(rows[0]["value"]), str(rows[0]["currency"])) if rows else None
    party = own_party(portfolio, given, regime, inputs.usd_rates)
    value, limit = known(party.average_notional), regime.initial_average_notional
    status: str = "information"
    reason: str | None = None
    if limit is None:
        value, status, reason = None, "not_applicable", f"initial margin under {regime.name} starts on {regime.initial_starts}"
    elif value is None:
        status, reason = "undetermined", party.missing
    details = {
        "phase": regime.phase,
        "averaged_over": regime.averaging,
        "parties_whose_average_counts": "both" if regime.tested == "both" else "the party that is no dealer",
        "exceeds": None if value is None or limit is None else value > limit,
    }
    return RegulatoryLine(
        name, "portfolio", regime.name, "average_aggregate_notional", regime.currency, status, regime.scope_reference, rules.version,
        value=value, limit_value=limit, reason=reason, inputs=details,
    )  # fmt: skip


def call_lines(call: Mapping[Any, Any], base: str, regime: MarginRegime, rules: UnclearedMarginRules) -> list[RegulatoryLine]:
    """Lines of one row of uncleared_margin_calls: what should be held and what is to be delivered, and initial margin not collected.

    Out of scope, initial margin has one line that does not apply; variation margin is still called where the agreement says so.
    """
    kind, side, reference = str(call["kind"]), str(call["side"]), regime.reference(str(call["kind"]))
    figures: dict[str, object] = {"counterparty": str(call["counterparty"]), **{name: known(call[name]) for name in FIGURES}}

    def line(item: str, value: float | None, reason: str | None, status: str = "", **rest: Any) -> RegulatoryLine:
        told = status or ("undetermined" if value is None else "information")
        return RegulatoryLine(
            str(call["portfolio_id"]), "portfolio", regime.name, item, base, told, reference, rules.version, value=value,
            reason=None if told in ("information", "pass", "breach") else reason, netting_set_id=str(call["netting_set_id"]), side=side,
            inputs=figures, **rest,
        )  # fmt: skip

    requirement, delivery = ITEMS[kind]
    if flag(call["in_scope"]) is False:
        reason = str(call["scope_reason"])
        if kind == "initial" or is_exchanged(call) is False:
            return [line(requirement, None, reason, "not_applicable")]
        figures["exchanged_by_agreement_only"] = reason
    missing = str(call["missing"])
    found = [
        line(requirement, known(call["requirement_after_threshold"]), missing),
        line(delivery, known(call["delivery_amount"]), missing),
    ]
    if kind == "initial" and side == "call":
        short, least = known(call["shortfall"]), known(call["minimum_transfer_amount"])
        found.append(line("uncollected_initial_margin", short, missing, at_least(least, short), limit_value=least))
    return found


def is_exchanged(call: Mapping[Any, Any]) -> bool | None:
    """Whether variation margin is exchanged by rule or agreement, as the explanation of a call says."""
    explanation = call["explanation"]
    return flag((json.loads(explanation) if isinstance(explanation, str) else explanation)["exchanged"])


def _unknown_regimes(portfolio: Mapping[Any, Any], sets: Sequence[Mapping[Any, Any]], rules: UnclearedMarginRules) -> list[RegulatoryLine]:
    """A line for each netting set whose regime is not known, under the portfolio's own regime or, without one, the default one."""
    default = rules.regimes_by_jurisdiction[rules.default_jurisdiction]
    regime = rules.regimes[own_regime(portfolio, rules) or default]
    name, base, known_names = str(portfolio["portfolio_id"]), str(portfolio["base_currency"]), ", ".join(sorted(rules.regimes))
    found = []
    for row in sets:
        if row["regime"] in rules.regimes:
            continue
        given = row["regime"] or f"of jurisdiction {portfolio['jurisdiction']}"
        reason = f"regime {given} of netting set {row['netting_set_id']} is not known to uncleared margin; there are {known_names}"
        found.append(RegulatoryLine(name, "portfolio", regime.name, "uncleared_margin", base, "undetermined", regime.scope_reference,
                                    rules.version, reason=reason, netting_set_id=str(row["netting_set_id"])))  # fmt: skip
    return found
