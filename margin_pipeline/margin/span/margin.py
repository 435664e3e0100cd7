"""Scenario margin of futures and options on them, composed: scan risk, charges, credits, minimum.

Belongs here: the order of the steps, and their frames. Not here: the steps themselves, which method governs a portfolio.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.margin.models.requirement import Reasons
from margin_pipeline.margin.span.arrays import SCENARIOS, VOLATILITY_STEPS, price_moves
from margin_pipeline.margin.span.charges import Charges, charges_of
from margin_pipeline.margin.span.contracts import Contracts, class_groups, complete, described, given_arrays, marks_of, whole
from margin_pipeline.margin.span.holdings import Holdings, candidates, holdings
from margin_pipeline.margin.span.inter_commodity import Credits, inter_commodity_credits
from margin_pipeline.margin.span.scan import ScanRisk, scan_risk, scenario_losses
from margin_pipeline.margin.span.spread import Spread
from margin_pipeline.margin.span.terms import GroupTerms, terms_in_force
from margin_pipeline.parameters.span import SpanSettings, span_settings

Array = npt.NDArray[Any]

METHOD = "futures"
MONEY = (
    "scan_risk", "intra_commodity_charge", "delivery_charge", "inter_commodity_credit", "short_option_minimum", "maintenance_margin",
    "initial_margin",
)  # fmt: skip
MARGIN_COLUMNS = [
    "portfolio_id", "class_group", "scan_risk", "worst_scenario", "intra_commodity_charge", "delivery_charge", "inter_commodity_credit",
    "short_option_minimum", "net_option_value", "net_delta", "credited_delta", "maintenance_margin", "initial_margin", "minimum_binds",
    "price_moves", "volatility_moves", "losses", "missing", "explanation",
]  # fmt: skip
COVERED_COLUMNS = ["portfolio_id", "strategy", "symbol", "class_group", "array_source", "delta", "loss"]
LOSS_COLUMNS = ["portfolio_id", "method", "class_group", "scenario", "price_move", "volatility_move", "loss"]


@dataclass(frozen=True)
class SpanResult:
    """Scenario margin of a date.

    Attributes
    ----------
    margins : frame as margin_data.span_margins, one row a portfolio and class group, base currency.
    scenario_losses : portfolio_id, method, class_group, scenario (1 to 16), price_move (price scan ranges), volatility_move (volatility
        scan ranges), loss (base currency, positive = money lost); without the portfolio groups whose margin is missing.
    covered : frame as margin_data.span_positions: the positions under scenario margin, those whose margin is missing too.
    """

    margins: pd.DataFrame
    scenario_losses: pd.DataFrame
    covered: pd.DataFrame


def span_margins(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    as_of: dt.date,
    backend: Backend = NUMPY,
    threads: int = 1,
) -> SpanResult:
    """Scenario margin of the futures and options on futures of every portfolio.

    Parameters
    ----------
    positions, instruments, portfolios, prices, rates, risk_arrays, span_parameters : frames of the tables of these names; histories up to
        the date.
    as_of : business date.
    backend : array library and device of arrays that are computed.
    threads : chunks at once on a processor; the result does not depend on it.

    Notes
    -----
    maintenance = max(scan risk + intra-commodity charge + delivery charge - inter-commodity credit, short option minimum); initial =
    maintenance x the ratio in force. Net option value is shown and not subtracted: the equity that the margin is compared with has it.
    """
    settings = span_settings(as_of)
    groups = class_groups(instruments, settings)
    rows = candidates(positions, instruments, groups)
    terms, credits = terms_in_force(span_parameters, as_of, frozenset(rows["class_group"]))
    symbols = pd.Series(sorted(rows["symbol"].unique()), dtype="str")
    contracts = _given(described(symbols, marks_of(rows, prices, as_of), instruments, groups), risk_arrays)
    held = holdings(rows, contracts.frame, contracts.given, frozenset(terms))
    complete(contracts, terms, (instruments, prices, rates), settings, as_of, backend, threads)
    reasons = _reasons(held, contracts, terms, portfolios)
    losses = scenario_losses(held.unit, len(held.units), held.quantity * held.fx_rate, held.row, contracts.arrays)
    scan = scan_risk(losses)
    credited = frozenset(str(leg) for credit in credits for leg in (credit.leg_1, credit.leg_2))
    charges = charges_of(held, contracts, terms, credited, settings.short_option_count, reasons)
    missing = reasons.texts()
    known = np.array([reason is None for reason in missing], dtype=bool)
    granted = _granted(held, charges, scan, known, credits)
    parts = _Parts(held, contracts, terms, scan, charges, granted, settings)
    moves = _moves(held, terms, settings)
    margins = _margins(parts, missing, known).assign(
        price_moves=pd.Series(list(moves), dtype=object),
        volatility_moves=pd.Series([VOLATILITY_STEPS] * len(moves), dtype=object),
        losses=pd.Series([loss if k else None for loss, k in zip(losses, known, strict=True)], dtype=object),
    )
    return SpanResult(margins[MARGIN_COLUMNS], _losses(held, moves, losses, known), _covered(parts, known))


def _granted(held: Holdings, charges: Charges, scan: ScanRisk, known: Array, credits: Sequence[Spread]) -> Credits:
    """Credits between the class groups whose margin is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a_delta = np.where(charges.net_delta != 0, scan.price_risk / np.abs(charges.net_delta), 0.0)
    owners, names = (held.units[column].to_numpy(object) for column in ("portfolio_id", "class_group"))
    return inter_commodity_credits(owners, names, np.where(known, charges.left, np.nan), a_delta, credits)


def _given(frame: pd.DataFrame, risk_arrays: pd.DataFrame) -> Contracts:
    arrays, deltas = given_arrays(risk_arrays, frame["symbol"])
    return Contracts(frame, arrays, deltas, whole(arrays), *(np.full(len(frame), None, dtype=object) for _ in range(2)))


def _reasons(held: Holdings, contracts: Contracts, terms: dict[str, GroupTerms], portfolios: pd.DataFrame) -> Reasons:
    """What portfolio groups lack before any charge: arrays, exchange rates, one currency, readable terms."""
    reasons = Reasons(len(held.units))
    base = held.units["portfolio_id"].map(portfolios.set_index("portfolio_id")["base_currency"]).to_numpy(object)
    group = held.units["class_group"].to_numpy(object)
    currency, symbol = (contracts.frame[column].to_numpy(object) for column in ("currency", "symbol"))
    quoted = np.array([terms[name].currency if name in terms else "" for name in group.tolist()], dtype=object)[held.unit]
    own = currency[held.row]
    open_ = held.quantity != 0
    for i in np.flatnonzero(open_ & ~whole(contracts.arrays)[held.row]).tolist():
        reasons.add_to(int(held.unit[i]), str(contracts.reasons[held.row[i]]))
    for i in np.flatnonzero(open_ & np.isnan(held.fx_rate)).tolist():
        reasons.add_to(int(held.unit[i]), f"exchange rate of {own[i]} into {base[held.unit[i]]}")
    for i in np.flatnonzero(open_ & (quoted != own) & (quoted != "")).tolist():
        reasons.add_to(int(held.unit[i]), f"span_parameters of {group[held.unit[i]]} in {own[i]}, the currency of {symbol[held.row[i]]}")
    for unit, name in enumerate(group.tolist()):
        for fault in terms[name].faults if name in terms else ():
            reasons.add_to(unit, fault)
    return reasons


@dataclass(frozen=True)
class _Parts:
    """What the margin of portfolio groups is put together from."""

    held: Holdings
    contracts: Contracts
    terms: dict[str, GroupTerms]
    scan: ScanRisk
    charges: Charges
    credits: Credits
    settings: SpanSettings


def _margins(parts: _Parts, missing: Array, known: Array) -> pd.DataFrame:
    """Frame as margin_data.span_margins; no money where something is missing."""
    scan, charges, credits = parts.scan, parts.charges, parts.credits
    sum_ = scan.risk + charges.intra_commodity + charges.delivery - credits.credit
    maintenance = np.maximum(sum_, charges.minimum)
    columns = dict(
        zip(
            MONEY,
            (
                scan.risk, charges.intra_commodity, charges.delivery, credits.credit, charges.minimum, maintenance,
                maintenance * parts.settings.initial_to_maintenance,
            ),
            strict=True,
        )
    )  # fmt: skip
    frame = parts.held.units.assign(**{name: np.where(known, column, np.nan) for name, column in columns.items()})
    first = scan.first_worst
    binds = pd.Series(charges.minimum > sum_, dtype="boolean")
    return frame.assign(
        worst_scenario=pd.Series(first, dtype="Int64").where(known & (first > 0)),
        net_option_value=parts.held.option_value,
        net_delta=np.where(known, charges.net_delta, np.nan),
        credited_delta=np.where(known, credits.used, np.nan),
        minimum_binds=binds.where(known),
        missing=pd.Series(missing, dtype="str"),
        explanation=_explanations(parts, known),
    )


def _explanations(parts: _Parts, known: Array) -> pd.Series:
    """(u,) JSON objects: what the figures of each portfolio group rest on."""
    held, scan = parts.held, parts.scan
    given = np.bincount(held.unit, parts.contracts.given[held.row], minlength=len(held.units))
    count = np.bincount(held.unit, minlength=len(held.units))
    credits = _credits_in_words(parts)
    texts = []
    for unit, name in enumerate(held.units["class_group"].tolist()):
        own = parts.terms.get(name)
        said: dict[str, object] = {
            "rule": "greatest loss over 16 scenarios, spread and delivery charges, less credits, at least the short option minimum",
            "parameter_set": parts.settings.label,
            "effective_date": own.effective_date if own else None,
            "arrays_given": int(given[unit]),
            "arrays_computed": int(count[unit] - given[unit]),
        }
        if known[unit]:
            said |= {
                "worst_scenarios": [int(s) + 1 for s in np.flatnonzero(scan.worst[unit])],
                "price_risk": float(scan.price_risk[unit]),
                "volatility_risk": float(scan.volatility_risk[unit]),
                "time_risk": float(scan.time_risk[unit]),
                "spreads": parts.charges.spreads.get(unit, []),
                "credits": credits.get(unit, []),
            }
        texts.append(json.dumps(said))
    return pd.Series(texts, dtype="str")


def _credits_in_words(parts: _Parts) -> dict[int, list[dict[str, object]]]:
    """Credits of each portfolio group: with which other, how many spreads, at which rate."""
    found: dict[int, list[dict[str, object]]] = {}
    for spread, first, second, count in parts.credits.formed:
        for at, other, ratio in ((first, spread.leg_2, spread.delta_1), (second, spread.leg_1, spread.delta_2)):
            for unit, spreads in zip(at.tolist(), count.tolist(), strict=True):
                if spreads > 0:
                    words = {"with": other, "spreads": spreads, "deltas": spreads * ratio, "rate": spread.value}
                    found.setdefault(unit, []).append(words)
    return found


def _moves(held: Holdings, terms: dict[str, GroupTerms], settings: SpanSettings) -> Array:
    """(u, 16) price moves of the scenarios of each portfolio group, price scan ranges."""
    usual = settings.extreme_multiple
    no_day = np.array(["NaT"], dtype="datetime64[D]")
    given = {name: float(own.values("extreme_multiple", no_day, usual)[0][0]) for name, own in terms.items()}
    return price_moves(np.array([given.get(name, usual) for name in held.units["class_group"].tolist()], dtype=np.float64))


def _losses(held: Holdings, moves: Array, losses: Array, known: Array) -> pd.DataFrame:
    """Losses of the scenarios, long, ordered by portfolio, class group and scenario."""
    units = held.units[known].reset_index(drop=True)
    rows = units.loc[np.repeat(np.arange(len(units)), SCENARIOS)].reset_index(drop=True)
    frame = rows.assign(
        method=pd.Series([METHOD] * len(rows), dtype="str"),
        scenario=np.tile(np.arange(1, SCENARIOS + 1, dtype=np.int64), len(units)),
        price_move=moves[known].ravel(),
        volatility_move=np.tile(VOLATILITY_STEPS, len(units)),
        loss=losses[known].ravel(),
    )
    return frame[LOSS_COLUMNS]


def _covered(parts: _Parts, known: Array) -> pd.DataFrame:
    """Positions under scenario margin, and what each loses in the first worst scenario of its portfolio group."""
    held, contracts = parts.held, parts.contracts
    unit, row, frame = held.covered_unit, held.covered_row, held.covered
    quantity, fx_rate = (frame[column].to_numpy(np.float64) for column in ("quantity", "fx_rate"))
    worst = parts.scan.first_worst[unit] - 1
    loss = np.where(worst < 0, 0.0, 0.0 - quantity * fx_rate * contracts.arrays[row, np.maximum(worst, 0)])
    absent = ~whole(contracts.arrays)[row]
    source = np.where(absent, "missing", np.where(contracts.given[row], "given", "computed"))
    delta = quantity * contracts.deltas[row]
    found = frame.assign(array_source=pd.Series(source, dtype="str"), delta=delta, loss=np.where(known[unit], loss, np.nan))
    return found[COVERED_COLUMNS]
