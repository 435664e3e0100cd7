"""Stress scenarios in force on a date, as frozen records, and those that users bring.

Belongs here: reading and checking stress_scenarios.yaml and rows of the landed table. Not here: what a scenario does to a book (`risk`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force

BASIS_POINT = 1e-4
CRITERIA = ("largest_loss_of_equity", "utilization_below", "requires_positive_equity")
TARGETS: Mapping[str, tuple[str, ...] | None] = MappingProxyType(
    {
        "market": ("",),
        "sector": None,
        "asset_class": None,
        "symbol": None,
        "currency": None,
        "volatility": ("relative", "absolute"),
        "rate": ("", "spread"),
        "liquidity": None,
        "criterion": CRITERIA,
    }
)
"""Kinds of rows of a user's scenario, with the targets that each may have; None: any name."""

_KNOWN = (
    "description", "source", "market", "symbols", "sectors", "asset_classes", "currencies", "volatility", "rate_bp", "spread_bp",
    "liquidity", "replay", "pass_criteria",
)  # fmt: skip


def _nothing() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True)
class VolatilityShock:
    """Change of implied volatility of options up to a term: σ (1 + relative) + absolute.

    Attributes
    ----------
    up_to_days : calendar days to expiry; None: no limit.
    relative, absolute : fraction of itself, and fraction a year.
    """

    up_to_days: float | None
    relative: float
    absolute: float


@dataclass(frozen=True)
class Criteria:
    """When a portfolio passes; None: not asked.

    Attributes
    ----------
    largest_loss_of_equity : most that loss and liquidity cost may be, fraction of equity before.
    utilization_below : utilization after must be below.
    requires_positive_equity : equity after must be above 0.
    """

    largest_loss_of_equity: float | None
    utilization_below: float | None
    requires_positive_equity: bool

    @property
    def can_fail(self) -> bool:
        """Whether anything is asked."""
        return self.largest_loss_of_equity is not None or self.utilization_below is not None or self.requires_positive_equity


@dataclass(frozen=True)
class Scenario:
    """One scenario; meanings and precedence stand in stress_scenarios.yaml.

    Attributes
    ----------
    name, description, source : what it is, and where its moves come from.
    market : move of the benchmark, fraction; None: prices that nothing else moves stay.
    symbols, sectors, asset_classes, currencies : moves, fractions, by name.
    volatility : changes of implied volatility, ascending in `up_to_days`; empty: none.
    rate_shift, spread_shift : fractions a year.
    liquidity : cost of leaving, fraction of value, by asset class and "default".
    replay : first and last day of an episode; None: none.
    criteria : when a portfolio passes.
    """

    name: str
    description: str
    source: str
    criteria: Criteria
    market: float | None = None
    symbols: Mapping[str, float] = field(default_factory=_nothing)
    sectors: Mapping[str, float] = field(default_factory=_nothing)
    asset_classes: Mapping[str, float] = field(default_factory=_nothing)
    currencies: Mapping[str, float] = field(default_factory=_nothing)
    volatility: tuple[VolatilityShock, ...] = ()
    rate_shift: float = 0.0
    spread_shift: float = 0.0
    liquidity: Mapping[str, float] = field(default_factory=_nothing)
    replay: tuple[dt.date, dt.date] | None = None

    def __post_init__(self) -> None:
        """Refuse scenarios that cannot be computed or cannot be failed."""
        moves = [
            *self.symbols.values(),
            *self.sectors.values(),
            *self.asset_classes.values(),
            *self.currencies.values(),
            self.market or 0.0,
        ]
        if any(not -1 <= move < float("inf") for move in moves) or any(move <= -1 for move in self.currencies.values()):
            raise ParameterError(f"stress scenario {self.name}: a price moves by -1 (-100 %) at least, a currency by more than that")
        if any(not 0 <= cost <= 1 for cost in self.liquidity.values()):
            raise ParameterError(f"stress scenario {self.name}: a liquidity cost is a fraction between 0 and 1")
        if not self.criteria.can_fail:
            raise ParameterError(f"stress scenario {self.name}: without a criterion no portfolio could fail it")
        if self.replay is not None and self.replay[0] >= self.replay[1]:
            raise ParameterError(f"stress scenario {self.name}: the replay must end after it begins")


@dataclass(frozen=True)
class StressRules:
    """Scenarios and settings in force on one date; meanings stand in stress_scenarios.yaml.

    Attributes
    ----------
    label : file and version.
    scenarios : ascending by name.
    default_criteria : what scenarios that do not say otherwise ask.
    regroup_legs_up_to, cross_margin_positions_up_to : sizes of portfolios.
    reverse_horizon_days, reverse_largest_moves : horizon of reverse stress in trading days, and count of moves it shows.
    """

    label: str
    scenarios: tuple[Scenario, ...]
    default_criteria: Criteria
    regroup_legs_up_to: int
    cross_margin_positions_up_to: int
    reverse_horizon_days: int
    reverse_largest_moves: int

    def with_user_scenarios(self, rows: Iterable[tuple[str, str, str, float]]) -> StressRules:
        """These rules and the scenarios of users; one of theirs replaces the shipped one of that name.

        Parameters
        ----------
        rows : scenario, target_kind, target, shock, as in the landed table stress_scenarios.

        Raises
        ------
        ParameterError : a row of unknown kind or target, or a scenario that cannot be computed or failed.
        """
        given: dict[str, list[tuple[str, str, float]]] = {}
        for name, kind, target, shock in rows:
            given.setdefault(str(name), []).append((str(kind), str(target), float(shock)))
        found = {scenario.name: scenario for scenario in self.scenarios}
        found.update({name: _of_rows(name, own, self.default_criteria) for name, own in given.items()})
        return replace(self, scenarios=tuple(found[name] for name in sorted(found)))


def stress_rules(as_of: dt.date) -> StressRules:
    """Scenarios and settings in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("stress_scenarios", as_of)
    return rules_of(found.values, found.label)


def rules_of(values: Mapping[str, Any], label: str) -> StressRules:
    """Rules from the values of a version of stress_scenarios.yaml.

    Raises
    ------
    ParameterError : values that cannot be used.
    """
    usual = _criteria(values["default_criteria"], Criteria(None, None, False), label)
    scenarios = tuple(_scenario(name, given, usual) for name, given in sorted(values["scenarios"].items()))
    if not scenarios:
        raise ParameterError(f"{label}: there must be at least one scenario")
    sizes = ("regroup_legs_up_to", "cross_margin_positions_up_to", "reverse_horizon_days", "reverse_largest_moves")
    return StressRules(label, scenarios, usual, *(int(values[name]) for name in sizes))


def _scenario(name: str, given: Mapping[str, Any], usual: Criteria) -> Scenario:
    unknown = sorted(set(given) - set(_KNOWN))
    if unknown:
        raise ParameterError(f"stress scenario {name}: unknown entries {', '.join(unknown)}")
    replay = given.get("replay")
    return Scenario(
        name=name,
        description=str(given["description"]),
        source=str(given["source"]).strip(),
        criteria=_criteria(given.get("pass_criteria", {}), usual, name),
        market=None if given.get("market") is None else float(given["market"]),
        **{kind: _moves(given.get(kind, {})) for kind in ("symbols", "sectors", "asset_classes", "currencies", "liquidity")},
        volatility=_volatility(given.get("volatility"), name),
        rate_shift=float(given.get("rate_bp", 0.0)) * BASIS_POINT,
        spread_shift=float(given.get("spread_bp", 0.0)) * BASIS_POINT,
        replay=None if replay is None else (replay["from"], replay["to"]),
    )


def _moves(given: Mapping[str, Any]) -> Mapping[str, float]:
    return MappingProxyType({str(name): float(move) for name, move in given.items()})


def _volatility(given: Mapping[str, Any] | None, name: str) -> tuple[VolatilityShock, ...]:
    if given is None:
        return ()
    entries = given.get("by_term", [given])
    shocks = [
        VolatilityShock(
            None if entry.get("up_to_days") is None else float(entry["up_to_days"]),
            float(entry.get("relative", 0.0)),
            float(entry.get("absolute", 0.0)),
        )
        for entry in entries
    ]
    limits = [float("inf") if shock.up_to_days is None else shock.up_to_days for shock in shocks]
    if limits != sorted(set(limits)) or limits[-1] != float("inf"):
        raise ParameterError(f"stress scenario {name}: terms of volatility must ascend and end with one without a limit")
    return tuple(shocks)


def _criteria(given: Mapping[str, Any], usual: Criteria, name: str) -> Criteria:
    unknown = sorted(set(given) - set(CRITERIA))
    if unknown:
        raise ParameterError(f"{name}: unknown pass criteria {', '.join(unknown)}; there are {', '.join(CRITERIA)}")
    limits = {
        key: getattr(usual, key) if key not in given else None if given[key] is None else float(given[key])
        for key in ("largest_loss_of_equity", "utilization_below")
    }
    return Criteria(**limits, requires_positive_equity=bool(given.get("requires_positive_equity", usual.requires_positive_equity)))


def _of_rows(name: str, rows: list[tuple[str, str, float]], usual: Criteria) -> Scenario:
    """Scenario of a user from its rows: kind, target, shock (rates in basis points)."""
    by_kind: dict[str, dict[str, float]] = {kind: {} for kind in TARGETS}
    for kind, target, shock in rows:
        allowed = TARGETS.get(kind, ())
        if (allowed is not None and target not in allowed) or (allowed is None and not target):
            raise ParameterError(f"stress scenario {name}: no shock of kind {kind!r} has the target {target!r}")
        by_kind[kind][target] = shock
    volatility = by_kind["volatility"]
    return Scenario(
        name=name,
        description="",
        source="stress_scenarios of the date",
        criteria=_criteria(by_kind["criterion"], usual, f"stress scenario {name}"),
        market=by_kind["market"].get(""),
        symbols=_moves(by_kind["symbol"]),
        sectors=_moves(by_kind["sector"]),
        asset_classes=_moves(by_kind["asset_class"]),
        currencies=_moves(by_kind["currency"]),
        volatility=_volatility(volatility, name) if volatility else (),
        rate_shift=by_kind["rate"].get("", 0.0) * BASIS_POINT,
        spread_shift=by_kind["rate"].get("spread", 0.0) * BASIS_POINT,
        liquidity=_moves(by_kind["liquidity"]),
    )
