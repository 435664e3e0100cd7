"""Margin schedules in force, tier by tier, and where positions stand in them.

Belongs here: the tables `margin_schedule_tiers` and `margin_schedule_positions`. Not here: which tier applies and what it asks (`tiers`),
margins of positions (`models`).

Cliffs: in a bracket schedule the whole notional changes its rate at a threshold, so that margin jumps there. Both readings of the same
tiers meet in rate x notional - cumulative amount; each position is shown with both, for brokers differ in which one they mean.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.requirement import Reasons
from margin_pipeline.margin.tiers import Array, Schedule, cumulative_amounts, schedules_in_force
from margin_pipeline.market.currencies import conversion, usd_rates

KEY = ["portfolio_id", "strategy", "symbol"]
MEASURES = ("initial", "maintenance")
TIER_COLUMNS = [
    "schedule", "threshold", "next_threshold", "mode", "currency", "effective_date", "initial_rate", "maintenance_rate", "initial_amount",
    "maintenance_amount", *(f"{measure}_{figure}" for measure in MEASURES for figure in ("below", "at", "jump")),
]  # fmt: skip
FIGURES = (
    "notional", "threshold", "next_threshold", "distance_to_next", "move_to_next", "jump_at_next",
    *(f"{mode}_{measure}" for mode in ("bracket", "marginal") for measure in MEASURES),
)  # fmt: skip
POSITION_COLUMNS = [*KEY, "schedule", "mode", "currency", *FIGURES, "missing"]


def schedule_tiers(margin_schedules: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Tiers of the schedules in force, with cumulative amounts and the jump of margin at each threshold.

    Parameters
    ----------
    margin_schedules : frame of the table.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.margin_schedule_tiers, schedule currency, ordered by schedule and threshold. The margin just below a threshold
    is that of the tier before; nothing is below the first tier. A marginal schedule that does not begin at 0 asks nothing that is known.
    """
    frames = [_tiers(schedule) for schedule in schedules_in_force(margin_schedules, as_of).values()]
    empty = pd.DataFrame({name: pd.Series(dtype=np.float64) for name in TIER_COLUMNS})
    texts = dict.fromkeys(("schedule", "mode", "currency"), "str")
    found = pd.concat(frames, ignore_index=True) if frames else empty
    return found.astype({**texts, "effective_date": "datetime64[us]"})[TIER_COLUMNS]


def _tiers(schedule: Schedule) -> pd.DataFrame:
    """Tiers of one schedule."""
    threshold = schedule.threshold
    columns: dict[str, Array] = {}
    for measure, at in zip(MEASURES, schedule.margin(threshold), strict=True):
        rate = getattr(schedule, f"{measure}_rate")
        below = _before(rate) * threshold - _before(getattr(schedule, f"{measure}_amount"))
        columns |= {
            f"{measure}_rate": rate,
            f"{measure}_amount": cumulative_amounts(threshold, rate),
            f"{measure}_below": np.where(np.isnan(at), np.nan, below),
            f"{measure}_at": at,
            f"{measure}_jump": np.where(np.isnan(at), np.nan, at - below if schedule.mode == "bracket" else 0.0 * below),
        }
    return pd.DataFrame(columns).assign(
        schedule=schedule.name,
        threshold=threshold,
        next_threshold=np.append(threshold[1:], np.nan),
        mode=schedule.mode,
        currency=schedule.currency,
        effective_date=pd.Timestamp(schedule.effective_date),
    )


def _before(values: Array) -> Array:
    """(k,) the value of the tier before; NaN for the first."""
    return np.concatenate([[np.nan], values[:-1]])


def schedule_positions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Tier of every position under a margin schedule, the way to the next one, and what both readings ask.

    Parameters
    ----------
    positions, instruments, position_margins, margin_schedules, fx_rates : frames of the tables of these names.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.margin_schedule_positions, ordered. Thresholds and notional are in schedule currency, margins in base currency.
    """
    margins = position_margins.loc[position_margins["model"] == "tiered", [*KEY, "missing"]]
    rows = margins.merge(positions[[*KEY, "notional", "currency", "fx_rate"]], on=KEY, how="left", validate="one_to_one")
    rows = rows.merge(instruments[["symbol", "margin_schedule"]], on="symbol", how="left", validate="many_to_one")
    rows = rows.sort_values(KEY, kind="stable", ignore_index=True)
    usd, schedules = usd_rates(fx_rates, as_of), schedules_in_force(margin_schedules, as_of)
    columns = {name: np.full(len(rows), np.nan) for name in FIGURES}
    mode, currency = (np.full(len(rows), None, dtype=object) for _ in range(2))
    for name, schedule in schedules.items():
        at = np.flatnonzero(rows["margin_schedule"] == name)
        mode[at], currency[at] = schedule.mode, schedule.currency
        for figure, values in _figures(rows.iloc[at], schedule, usd).items():
            columns[figure][at] = values
    texts = {"schedule": rows["margin_schedule"], "mode": mode, "currency": currency, "missing": _missing(rows, columns)}
    frame = rows[KEY].assign(**columns, **{key: pd.Series(text, dtype="str") for key, text in texts.items()})
    return frame[POSITION_COLUMNS]


def _figures(rows: pd.DataFrame, schedule: Schedule, usd: dict[str, float]) -> dict[str, Array]:
    """Figures of the positions under one schedule."""
    into = conversion(rows["currency"].reset_index(drop=True), pd.Series([schedule.currency] * len(rows)), usd)
    fx_rate = rows["fx_rate"].to_numpy(np.float64)
    notional = np.abs(rows["notional"].to_numpy(np.float64)) / fx_rate * into
    into_base, tier = fx_rate / into, schedule.tier(notional)
    following = np.append(schedule.threshold[1:], np.nan)
    next_threshold = np.where(tier >= 0, following[tier], np.nan)
    jumps = np.append(_tiers(schedule)["maintenance_jump"].to_numpy(np.float64)[1:], np.nan)
    with np.errstate(over="ignore"):
        move = np.divide(next_threshold - notional, notional, out=np.full(len(rows), np.nan), where=notional > 0)
    found = {
        "notional": notional,
        "threshold": np.where(tier >= 0, schedule.threshold[tier], np.nan),
        "next_threshold": next_threshold,
        "distance_to_next": next_threshold - notional,
        "move_to_next": move,
        "jump_at_next": np.where(tier >= 0, jumps[tier], np.nan) * into_base,
    }
    for mode in ("bracket", "marginal"):
        for measure, margin in zip(MEASURES, schedule.read_as(mode).margin(notional), strict=True):
            found[f"{mode}_{measure}"] = margin * into_base
    return found


def _missing(rows: pd.DataFrame, columns: dict[str, Array]) -> Array:
    """(n,) what is missing: reasons of the margin, else what a reading lacks; None where nothing is."""
    reasons, own = Reasons(len(rows)), rows["missing"].to_numpy(dtype=object)
    unread = np.isnan(columns["marginal_maintenance"]) | np.isnan(columns["bracket_maintenance"])
    given = rows["missing"].notna().to_numpy()
    name = rows["margin_schedule"].to_numpy(dtype=object)
    reasons.add(given & unread, lambda row: str(own[row]))
    reasons.add(~given & unread, lambda row: f"first tier of margin schedule {name[row]} from 0 on, which the marginal reading needs")
    return reasons.texts()
