"""Standardised approach to counterparty credit risk in force on a date, as frozen records.

Belongs here: reading sa_ccr.yaml. Not here: computing with the values (`regulation.sa_ccr`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class Subclass:
    """Supervisory parameters of a subclass of derivatives (fractions).

    Attributes
    ----------
    supervisory_factor : of effective notional.
    correlation : of an entity or commodity type with the systematic factor; 1 where all trades of a hedging set offset in full.
    option_volatility : of the supervisory delta.
    """

    supervisory_factor: float
    correlation: float
    option_volatility: float


@dataclass(frozen=True)
class Words:
    """What the texts of trades mean; all in lower case, underscores as blanks.

    Attributes
    ----------
    ratings, index_grades : subclass of single-name and index credit by rating and grade.
    index_words : sub-classes that say a trade is on an index.
    kinds : basis, volatility or inflation, by instrument type.
    options, digitals, tranches, indices, own_period : instrument types of that shape; own_period: options that need no underlying period.
    commodity_types : commodity type by name.
    type_sets : commodity hedging set by type.
    set_words : commodity hedging set by its own names.
    """

    ratings: Mapping[str, str]
    index_grades: Mapping[str, str]
    index_words: frozenset[str]
    kinds: Mapping[str, str]
    options: frozenset[str]
    digitals: frozenset[str]
    tranches: frozenset[str]
    indices: frozenset[str]
    own_period: frozenset[str]
    commodity_types: Mapping[str, str]
    type_sets: Mapping[str, str]
    set_words: Mapping[str, str]


@dataclass(frozen=True)
class MarginPeriods:
    """Floors of the margin period of risk, business days.

    Attributes
    ----------
    least : of netting sets under daily margin agreements.
    cleared, central_counterparty : of cleared ones, towards clients and clearing members, and towards the central counterparty.
    many_trades : of sets that are not cleared and have more than `trades` trades.
    """

    least: float
    cleared: float
    central_counterparty: float
    many_trades: float
    trades: int


@dataclass(frozen=True)
class SaCcrRules:
    """Standardised approach to counterparty credit risk.

    Attributes
    ----------
    version : parameter file and version.
    applies : whether the approach is in force; applies_from: since when.
    alpha : exposure over replacement cost and potential future exposure.
    multiplier_floor : least multiplier, fraction.
    duration_rate : rate of the supervisory duration.
    year_business_days : business days of a year.
    least_maturity_days : floor of remaining maturity and of supervisory duration, business days.
    least_exercise_days : floor of the time to exercise in the supervisory delta, business days.
    margined_factor : times the root of the margin period of risk in years.
    margin_periods : floors of the margin period of risk.
    basis_factor, volatility_factor : times the supervisory factor in hedging sets of basis and of volatility trades.
    bucket_years : ends of the first two maturity buckets of interest rates.
    bucket_correlations : of buckets one and two, two and three, one and three.
    least_shifted_rate : what the lowest price or strike of rate options becomes where the quotient cannot be taken.
    digital_strikes : of the two options that stand for a digital one, times its strike.
    tranche : numerator and slope of the delta of tranches.
    subclasses : parameters by subclass.
    words : what the texts of trades mean.
    *_reference : rule and paragraph.
    """

    version: RuleVersion
    applies: bool
    applies_from: dt.date
    alpha: float
    multiplier_floor: float
    duration_rate: float
    year_business_days: float
    least_maturity_days: float
    least_exercise_days: float
    margined_factor: float
    margin_periods: MarginPeriods
    basis_factor: float
    volatility_factor: float
    bucket_years: tuple[float, float]
    bucket_correlations: tuple[float, float, float]
    least_shifted_rate: float
    digital_strikes: tuple[float, float]
    tranche: tuple[float, float]
    subclasses: Mapping[str, Subclass]
    words: Words
    exposure_reference: str
    replacement_cost_reference: str
    multiplier_reference: str
    add_on_reference: str


def sa_ccr_rules(as_of: dt.date) -> SaCcrRules:
    """Standardised approach to counterparty credit risk in force on a date.

    Raises
    ------
    ParameterError : no version in force, or a word that stands in two lists of the same file.
    """
    found = in_force("sa_ccr", as_of)
    v = found.values
    numbers = {
        name: float(v[name])
        for name in (
            "alpha", "multiplier_floor", "duration_rate", "year_business_days", "least_maturity_days", "least_exercise_days",
            "margined_factor", "basis_factor", "volatility_factor", "least_shifted_rate",
        )
    }  # fmt: skip
    first, second = (float(y) for y in v["bucket_years"])
    one_two, two_three, one_three = (float(c) for c in v["bucket_correlations"])
    low, high = (float(k) for k in v["digital_strikes"])
    numerator, slope = (float(c) for c in v["tranche"])
    return SaCcrRules(
        version=RuleVersion(found.label, found.effective_date),
        applies=bool(v["applies"]),
        applies_from=v["applies_from"],
        margin_periods=MarginPeriods(
            float(v["least_margin_period_days"]),
            float(v["least_margin_period_days_cleared"]),
            float(v["least_margin_period_days_central_counterparty"]),
            float(v["least_margin_period_days_many_trades"]),
            int(v["many_trades"]),
        ),
        bucket_years=(first, second),
        bucket_correlations=(one_two, two_three, one_three),
        digital_strikes=(low, high),
        tranche=(numerator, slope),
        subclasses={str(name): _subclass(row) for name, row in v["subclasses"].items()},
        words=_words(v, found.label),
        exposure_reference=str(v["exposure_reference"]),
        replacement_cost_reference=str(v["replacement_cost_reference"]),
        multiplier_reference=str(v["multiplier_reference"]),
        add_on_reference=str(v["add_on_reference"]),
        **numbers,
    )


def _subclass(row: Mapping[str, float | None]) -> Subclass:
    correlation = row["correlation"]
    return Subclass(
        supervisory_factor=float(row["supervisory_factor"]),  # type: ignore[arg-type]
        correlation=1.0 if correlation is None else float(correlation),
        option_volatility=float(row["option_volatility"]),  # type: ignore[arg-type]
    )


def _words(v: Mapping[str, Mapping[str, list[str]]], label: str) -> Words:
    shapes = {name: frozenset(words) for name, words in v["instrument_shapes"].items()}
    return Words(
        ratings=_inverted(v["ratings"], label),
        index_grades=_inverted(v["index_grades"], label),
        index_words=frozenset(v["index_words"]),
        kinds=_inverted(v["instrument_kinds"], label),
        options=shapes["option"] | shapes["digital"],
        digitals=shapes["digital"],
        tranches=shapes["tranche"],
        indices=shapes["index"],
        own_period=frozenset(v["option_without_period"]),
        commodity_types=_inverted(v["commodity_types"], label),
        type_sets=_inverted(v["hedging_sets"], label),
        set_words={str(word): str(name) for word, name in v["set_words"].items()},
    )


def _inverted(lists: Mapping[str, list[str]], label: str) -> dict[str, str]:
    """Name of the list by word."""
    found: dict[str, str] = {}
    for name, words in lists.items():
        for word in words:
            if word in found:
                raise ParameterError(f"{label}: {word} stands under {found[word]} and under {name}")
            found[str(word)] = str(name)
    return found
