"""Thresholds of major swap participants in force on a date, as a frozen record.

Belongs here: reading major_participants.yaml. Not here: comparing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class OutwardExposure:
    """Amounts from which on an exposure is substantial, US dollars: the current one, and with the potential one added."""

    current: float
    with_potential: float


@dataclass(frozen=True)
class MajorParticipantRules:
    """Thresholds of major swap participants.

    Attributes
    ----------
    version : parameter file and version.
    applies : whether anything is in force.
    substantial_position : amounts by major category of swaps.
    counterparty_exposure : amounts over all swaps.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    applies: bool
    substantial_position: Mapping[str, OutwardExposure]
    counterparty_exposure: OutwardExposure
    participant_reference: str
    position_reference: str
    exposure_reference: str


def major_participant_rules(as_of: dt.date) -> MajorParticipantRules:
    """Thresholds in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("major_participants", as_of)
    v = found.values
    return MajorParticipantRules(
        version=RuleVersion(found.label, found.effective_date),
        applies=bool(v["applies"]),
        substantial_position={str(name): _amounts(a) for name, a in v["substantial_position"].items()},
        counterparty_exposure=_amounts(v["counterparty_exposure"]),
        participant_reference=str(v["participant_reference"]),
        position_reference=str(v["position_reference"]),
        exposure_reference=str(v["exposure_reference"]),
    )


def _amounts(values: Mapping[str, float]) -> OutwardExposure:
    return OutwardExposure(float(values["current"]), float(values["with_potential"]))
