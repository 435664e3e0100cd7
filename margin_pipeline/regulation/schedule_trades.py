"""What the standardised schedule charges: class, maturity and exemption of every trade, added up by netting set.

Belongs here: trades and their sums. Not here: the formula of the margin (`schedule_im`), the percentages (`parameters`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.parameters.schedule_im import ScheduleRules
from margin_pipeline.regulation.exact_sums import group_sums

REASONS_SHOWN = 5


@dataclass(frozen=True)
class ScheduleTotals:
    """Sums of each netting set, in base currency: arrays by number of the set, maps where most sets have nothing.

    Attributes
    ----------
    gross : sum of |notional| times percentage.
    positive, negative : gross replacement cost of the calling and of the posting side.
    trades, matured, exempt : numbers of trades: charged, charged although past their maturity, and left out as exempt.
    by_class : gross margin of each class, in the order of the classes.
    reasons : what is missing, by number of the set.
    """

    gross: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    trades: np.ndarray
    matured: np.ndarray
    exempt: np.ndarray
    by_class: Mapping[int, Mapping[str, float | None]]
    reasons: Mapping[int, str]


def schedule_totals(
    otc_trades: pd.DataFrame, sets: pd.DataFrame, usd: Mapping[str, float], rules: ScheduleRules, as_of: dt.date
) -> ScheduleTotals:
    """Sums of the trades of each netting set.

    Parameters
    ----------
    otc_trades : trades with notional and market value to us, in the currency of the row; those of other sets are left out.
    sets : columns netting_set_id, base_currency; the number of a set is its row.
    usd : US dollars for one unit, by currency.
    rules : schedule in force.
    as_of : valuation date.

    Notes
    -----
    BCBS/IOSCO requirement 1: physically settled exchange-rate forwards and swaps are exempt from initial margin. They are in no sum here,
    neither of gross margin nor of replacement cost, and a value that one of them lacks is not missed.
    """
    where = Texts.of(otc_trades["netting_set_id"]).numbers({str(name): n for n, name in enumerate(sets["netting_set_id"])})
    if np.isnan(where).any():
        known = ~np.isnan(where)
        otc_trades, where = otc_trades[known], where[known]
    number = where.astype(np.int64)
    classes = class_numbers(otc_trades, rules)
    exempt = is_exempt(otc_trades, classes, rules)
    rate = np.array([rules.rates[name] for name in rules.rates])[classes, maturity_buckets(otc_trades["maturity"], rules, as_of)]
    rates = conversion_to_base(otc_trades, sets, number, usd)
    market_value = otc_trades["market_value"].to_numpy(dtype=np.float64)
    gross = np.where(exempt, 0.0, np.abs(otc_trades["notional"].to_numpy(dtype=np.float64)) * rate * rates)
    value = np.where(exempt, 0.0, market_value * rates)
    matured = otc_trades["maturity"].to_numpy(dtype="datetime64[D]") < np.datetime64(as_of)
    count, width = len(sets), len(rules.rates)
    cells = number * width + classes
    by_cell = group_sums(gross, cells, count * width).reshape(count, width)
    charged = np.bincount(cells[~exempt], minlength=count * width).reshape(count, width)
    return ScheduleTotals(
        gross=by_cell.sum(axis=1),
        positive=group_sums(np.maximum(value, 0.0), number, count),
        negative=group_sums(np.maximum(-value, 0.0), number, count),
        trades=charged.sum(axis=1),
        matured=np.bincount(number[matured & ~exempt], minlength=count),
        exempt=np.bincount(number[exempt], minlength=count),
        by_class=_by_class(by_cell, charged, list(rules.rates)),
        reasons=_reasons(otc_trades, sets, number, ~exempt & np.isnan(rates), ~exempt & np.isnan(market_value)),
    )


def class_numbers(otc_trades: pd.DataFrame, rules: ScheduleRules) -> np.ndarray:
    """Number of the product class of each trade in the rates: its asset class, or cross_currency by instrument type or second currency."""
    asset, kind = Texts.of(otc_trades["asset_class"]), Texts.of(otc_trades["instrument_type"])
    place = {name: float(n) for n, name in enumerate(rules.rates)}
    own = np.nan_to_num(asset.numbers(place), nan=place["other"]).astype(np.int64)
    cross = np.array([*(text.lower() in rules.cross_currency_types for text in kind.texts), False])[kind.codes]
    first, second = Texts.of(otc_trades["currency"]), Texts.of(otc_trades["second_currency"])
    place_of = {text: float(n) for n, text in enumerate(first.texts)}
    differs = second.given & (second.numbers(place_of) != first.codes)
    return np.where(cross | (asset.among("interest_rate") & differs), int(place["cross_currency"]), own)


def is_exempt(otc_trades: pd.DataFrame, classes: np.ndarray, rules: ScheduleRules) -> np.ndarray:
    """Whether each trade is a physically settled exchange-rate forward or swap; one that does not say what it is, is none."""
    if "settlement" not in otc_trades:
        return np.zeros(len(otc_trades), dtype=bool)
    kind = Texts.of(otc_trades["instrument_type"])
    named = np.array([*(text.lower() in rules.exempt_when_physical for text in kind.texts), False])[kind.codes]
    found = named & (classes == list(rules.rates).index("fx")) & Texts.of(otc_trades["settlement"]).among("physical")
    for column in ("option_type", "option_position"):
        if column in otc_trades:
            found &= otc_trades[column].isna().to_numpy()
    return np.asarray(found)


def maturity_buckets(maturity: pd.Series, rules: ScheduleRules, as_of: dt.date) -> np.ndarray:
    """Index of the bucket of remaining maturity of each trade; upper ends are included."""
    ends = np.array([pd.Timestamp(as_of) + pd.DateOffset(years=years) for years in rules.maturity_years], dtype="datetime64[us]")
    days = pd.to_datetime(maturity).to_numpy(dtype="datetime64[us]")
    # A few comparisons: searching is twenty times as slow. A missing date compares false with everything, so it is asked the other way.
    return np.sum([~(days <= end) for end in ends], axis=0)


def conversion_to_base(otc_trades: pd.DataFrame, sets: pd.DataFrame, number: np.ndarray, usd: Mapping[str, float]) -> np.ndarray:
    """Base currency of the set for one unit of each trade's: exactly 1 where they are the same, NaN where a rate is missing.

    Parameters
    ----------
    otc_trades : n trades, column currency.
    sets : column base_currency; `number` (n,) is the row of each trade's set.
    usd : US dollars for one unit, by currency.
    """
    own, base = Texts.of(otc_trades["currency"]), Texts.of(sets["base_currency"])
    table = np.array([[1.0 if o == b else usd.get(o, np.nan) / usd.get(b, np.nan) for b in [*base.texts, ""]] for o in [*own.texts, ""]])
    return table[own.codes, base.codes[number]] if len(number) else np.zeros(0)


def _by_class(by_cell: np.ndarray, charged: np.ndarray, names: list[str]) -> dict[int, dict[str, float | None]]:
    found: dict[int, dict[str, float | None]] = {}
    order = sorted(range(len(names)), key=lambda n: names[n])
    amounts, present = by_cell.tolist(), (charged > 0).tolist()
    for number, (row, has) in enumerate(zip(amounts, present, strict=True)):
        found[number] = {names[n]: (row[n] if np.isfinite(row[n]) else None) for n in order if has[n]}
    return found


def _reasons(
    otc_trades: pd.DataFrame, sets: pd.DataFrame, number: np.ndarray, without_rate: np.ndarray, without_value: np.ndarray
) -> dict[int, str]:
    """What is missing, by netting set: exchange rates first, then market values."""
    reasons: dict[int, list[str]] = {}
    base = sets["base_currency"].tolist()
    currency = otc_trades["currency"][without_rate]
    for row, own in sorted({(int(n), str(c)) for n, c in zip(number[without_rate], currency, strict=True)}):
        reasons.setdefault(row, []).append(f"exchange rate of {own} to {base[row]}")
    trade = otc_trades["trade_id"][without_value]
    for row, name in sorted((int(n), str(t)) for n, t in zip(number[without_value], trade, strict=True)):
        reasons.setdefault(row, []).append(f"market value of trade {name}")
    return {row: shortened(found) for row, found in reasons.items()}


def shortened(found: list[str]) -> str:
    """The first few reasons in one line, and how many more there are."""
    more = len(found) - REASONS_SHOWN
    return "; ".join(found[:REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
