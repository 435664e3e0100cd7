"""Who exchanges uncleared margin with whom: covered parties, and the average notional amount of the phase in force.

Belongs here: the decision for one pair of parties. Not here: amounts (`amounts`), the dated values (`parameters`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from margin_pipeline.parameters.uncleared_margin import MarginRegime, UnclearedMarginRules


@dataclass(frozen=True)
class Party:
    """One party to uncleared derivatives.

    Attributes
    ----------
    name : as in reasons: portfolio or counterparty.
    party_type : entity type of a portfolio, counterparty type of a counterparty; empty where it is not given.
    average_notional : average aggregate notional amount in the currency of the regime, NaN where missing.
    missing : what the amount lacks.
    """

    name: str
    party_type: str
    average_notional: float
    missing: str = ""


@dataclass(frozen=True)
class Scope:
    """Whether a pair exchanges a kind of margin; None where that cannot be told, and why not or what is missing."""

    in_scope: bool | None
    reason: str | None = None


Test = tuple[bool | None, str]
"""One condition: whether it holds (None: unknown), and the reason where it does not."""


def margin_scope(kind: str, regime: MarginRegime, rules: UnclearedMarginRules, own: Party, counterparty: Party) -> Scope:
    """Whether two parties exchange initial or variation margin under a regime.

    Parameters
    ----------
    kind : initial or variation.
    regime : regime of their netting sets.
    rules : rules that the regime is from.
    own, counterparty : the portfolio's entity and the other party.

    Returns
    -------
    In scope where both are covered and the averages exceed the amount of the phase; out of scope where one condition fails, whatever else
    is unknown; undetermined otherwise.

    Notes
    -----
    BCBS/IOSCO requirements 2 and 8. Both averages count in the phases and under EMIR, UK and MAS rules; in the United States, from
    2022-09-01 on, only that of the end user (12 CFR 45.3(a), 17 CFR 23.152(a): material swaps exposure).
    """
    amount = regime.average_notional(kind)
    if amount is None:
        return Scope(False, f"{kind} margin under {regime.name} starts on {regime.starts(kind)}")
    tests = [
        _is_covered(own, regime.entity_types, rules.known_entity_types, "entity type"),
        _is_covered(counterparty, regime.counterparty_types, rules.known_counterparty_types, "counterparty type"),
    ]
    if amount > 0:
        tests += [_exceeds(party, amount, regime.currency) for party in tested_parties(regime, own, counterparty)]
    return all_of(tests)


def tested_parties(regime: MarginRegime, own: Party, counterparty: Party) -> tuple[Party, ...]:
    """Parties whose average notional amount counts."""
    if regime.tested == "both":
        return own, counterparty
    return (counterparty,) if own.party_type in regime.dealer_entity_types else (own,)


def all_of(tests: Iterable[Test]) -> Scope:
    """The conjunction of conditions: false as soon as one is, unknown where one is unknown and none is false."""
    listed = list(tests)
    failed = [reason for holds, reason in listed if holds is False]
    unknown = [reason for holds, reason in listed if holds is None]
    if failed:
        return Scope(False, failed[0])
    return Scope(None, "; ".join(unknown)) if unknown else Scope(True)


def _is_covered(party: Party, covered: frozenset[str], known: frozenset[str], what: str) -> Test:
    if not party.party_type:
        return None, f"{what} of {party.name}"
    if party.party_type in covered:
        return True, ""
    if party.party_type in known:
        return False, f"{what} {party.party_type} of {party.name} is not covered"
    return None, f"{what} {party.party_type} of {party.name} is not known to uncleared margin"


def _exceeds(party: Party, amount: float, currency: str) -> Test:
    if math.isnan(party.average_notional):
        return None, party.missing or f"average aggregate notional amount of {party.name}"
    if party.average_notional > amount:
        return True, ""
    given, asked = f"{currency} {party.average_notional:,.0f}", f"{currency} {amount:,.0f}"
    return False, f"average aggregate notional amount of {party.name}, {given}, does not exceed {asked}"
