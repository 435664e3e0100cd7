"""Rules of uncleared margin in force on a date, by regime, as frozen records.

Belongs here: reading uncleared_margin.yaml. Not here: computing with them (`regulation.uncleared`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force
from margin_pipeline.parameters.rule_version import RuleVersion

TESTED = ("both", "end_user")


@dataclass(frozen=True)
class MarginRegime:
    """Uncleared margin under one regime.

    Attributes
    ----------
    name : as in the column regime of netting_sets.
    currency : of all amounts here.
    initial_starts, variation_starts : first day on which anybody exchanges that margin.
    phase : phase of initial margin, None before the first.
    initial_average_notional, variation_average_notional : the average aggregate notional amount that must be exceeded; 0: everybody who is
        covered exchanges that margin; None: nobody yet.
    initial_margin_threshold, minimum_transfer_amount : the greatest that parties may agree on.
    averaging : days over which the notional amount is averaged.
    tested : whose average counts: `both` parties', or that of the `end_user`, the party that is no dealer.
    entity_types, counterparty_types : who is covered, of our entities and of counterparties.
    dealer_entity_types : which of our entities are dealers, where `tested` is `end_user`.
    *_reference : rule and paragraph.
    """

    name: str
    currency: str
    initial_starts: dt.date
    variation_starts: dt.date
    phase: int | None
    initial_average_notional: float | None
    variation_average_notional: float | None
    initial_margin_threshold: float
    minimum_transfer_amount: float
    averaging: str
    tested: str
    entity_types: frozenset[str]
    dealer_entity_types: frozenset[str]
    counterparty_types: frozenset[str]
    scope_reference: str
    initial_reference: str
    variation_reference: str
    threshold_reference: str
    transfer_reference: str

    def starts(self, kind: str) -> dt.date:
        """First day of a kind of margin, initial or variation."""
        return self.initial_starts if kind == "initial" else self.variation_starts

    def average_notional(self, kind: str) -> float | None:
        """Average notional amount that must be exceeded for a kind of margin; None: not in force."""
        return self.initial_average_notional if kind == "initial" else self.variation_average_notional

    def reference(self, kind: str) -> str:
        """Rule and paragraph of a kind of margin."""
        return self.initial_reference if kind == "initial" else self.variation_reference


@dataclass(frozen=True)
class UnclearedMarginRules:
    """Uncleared margin of all regimes.

    Attributes
    ----------
    version : parameter file and version.
    regimes : by name.
    known_entity_types, known_counterparty_types : everybody of whom it is known whether he is covered.
    """

    version: RuleVersion
    regimes: Mapping[str, MarginRegime]
    known_entity_types: frozenset[str]
    known_counterparty_types: frozenset[str]
    default_jurisdiction: str
    regimes_by_jurisdiction: Mapping[str, str]
    prudential_regimes: Mapping[str, tuple[frozenset[str], str]]

    def own_regime(self, jurisdiction: str, entity_type: str) -> str | None:
        """Regime of an entity by its jurisdiction (empty: the default one) and type; None where the jurisdiction has none."""
        place = jurisdiction or self.default_jurisdiction
        types, regime = self.prudential_regimes.get(place, (frozenset(), ""))
        return regime if entity_type in types else self.regimes_by_jurisdiction.get(place)


def uncleared_margin_rules(as_of: dt.date) -> UnclearedMarginRules:
    """Rules of uncleared margin in force on a date.

    Raises
    ------
    ParameterError : no version in force, or a regime that says neither both nor end_user.
    """
    found = in_force("uncleared_margin", as_of)
    v = found.values
    return UnclearedMarginRules(
        version=RuleVersion(found.label, found.effective_date),
        regimes={str(name): _regime(str(name), given, found.label) for name, given in v["regimes"].items()},
        known_entity_types=frozenset(v["known_entity_types"]),
        known_counterparty_types=frozenset(v["known_counterparty_types"]),
        default_jurisdiction=str(v["default_jurisdiction"]),
        regimes_by_jurisdiction={str(place): str(name) for place, name in v["regimes_by_jurisdiction"].items()},
        prudential_regimes={
            str(place): (frozenset(given["entity_types"]), str(given["regime"])) for place, given in v["prudential_regimes"].items()
        },
    )


def _regime(name: str, given: Mapping[str, Any], label: str) -> MarginRegime:
    def amount(key: str) -> float | None:
        return None if given[key] is None else float(given[key])

    if given["tested"] not in TESTED:
        raise ParameterError(f"{label}: regime {name} tests neither both parties nor the end user")
    return MarginRegime(
        name=name,
        currency=str(given["currency"]),
        initial_starts=given["initial_starts"],
        variation_starts=given["variation_starts"],
        phase=None if given["phase"] is None else int(given["phase"]),
        initial_average_notional=amount("initial_average_notional"),
        variation_average_notional=amount("variation_average_notional"),
        initial_margin_threshold=float(given["initial_margin_threshold"]),
        minimum_transfer_amount=float(given["minimum_transfer_amount"]),
        averaging=str(given["averaging"]),
        tested=str(given["tested"]),
        entity_types=frozenset(given["entity_types"]),
        dealer_entity_types=frozenset(given["dealer_entity_types"]),
        counterparty_types=frozenset(given["counterparty_types"]),
        scope_reference=str(given["scope_reference"]),
        initial_reference=str(given["initial_reference"]),
        variation_reference=str(given["variation_reference"]),
        threshold_reference=str(given["threshold_reference"]),
        transfer_reference=str(given["transfer_reference"]),
    )
