"""Held contracts with their risk arrays and deltas: given by the exchange, or computed from its scan ranges.

Belongs here: one row a contract. Not here: the arithmetic of arrays (`arrays`), portfolios.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import Backend
from margin_pipeline.margin.span.arrays import SCENARIOS, composite_deltas, future_arrays, option_arrays
from margin_pipeline.margin.span.terms import GroupTerms
from margin_pipeline.margin.valuation import Closes, at_symbols
from margin_pipeline.market.option_inputs import option_inputs
from margin_pipeline.market.option_scenarios import OptionTerms
from margin_pipeline.parameters.span import SpanSettings

Array = npt.NDArray[Any]


@dataclass
class Contracts:
    """m contracts, ordered by symbol.

    Attributes
    ----------
    frame : symbol, class_group, currency, multiplier, expiry (of the future that spreads count by), is_option, is_call, price.
    arrays : (m, 16) gains of one long contract, instrument currency; NaN where there is no array.
    deltas : (m,) deltas of one long contract, futures of the class group.
    given : (m,) whether the exchange gives the array.
    reasons : (m,) why there is no array; None where there is one.
    delta_reasons : (m,) why there is no delta.
    """

    frame: pd.DataFrame
    arrays: Array
    deltas: Array
    given: Array
    reasons: Array
    delta_reasons: Array


def class_groups(instruments: pd.DataFrame, settings: SpanSettings) -> pd.Series:
    """Class group of each instrument that scenario margin of futures can be of, missing for all others.

    An option is in the class group that it names, else in that of the future it is on; the root stands for a class group that is not
    named. Instruments with a margin model of their own choice, and leveraged crypto contracts, are left to those models.
    """
    by_symbol = instruments.set_index("symbol")
    beneath = instruments["underlying"].where(instruments["asset_class"] == "future_option")
    group = instruments["class_group"]
    for column, names in (("class_group", beneath), ("root", None), ("root", beneath)):
        group = group.fillna(instruments[column] if names is None else names.map(by_symbol[column]))
    takes_part = instruments["asset_class"].isin(settings.asset_classes) & instruments["margin_model"].isna()
    return group.where(takes_part & instruments["contract_type"].isna())


def described(symbols: pd.Series, marks: pd.Series, instruments: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """One row a contract: what the arithmetic needs of its instrument.

    Parameters
    ----------
    symbols : (m,) contracts, ordered.
    marks : price by symbol, missing where there is none.
    instruments : frame of the table.
    groups : (i,) class group of each instrument.
    """
    at = pd.Index(instruments["symbol"]).get_indexer(pd.Index(symbols))
    own = instruments.take(at).reset_index(drop=True)
    # By position, since a map of no underlying at all has no dates to be filled.
    beneath = pd.Series(pd.to_datetime(instruments["expiry"]).to_numpy(), index=pd.Index(instruments["symbol"])).reindex(own["underlying"])
    expiry = pd.Series(beneath.to_numpy()).where(own["asset_class"] != "future").fillna(pd.to_datetime(own["expiry"]))
    return pd.DataFrame(
        {
            "symbol": own["symbol"],
            "class_group": groups.take(at).reset_index(drop=True),
            "currency": own["currency"],
            "multiplier": own["multiplier"].astype(np.float64),
            "expiry": expiry,
            "is_option": own["option_type"].notna(),
            "is_call": own["option_type"] == "call",
            "price": at_symbols(marks, own["symbol"]),
        }
    )


def marks_of(positions: pd.DataFrame, prices: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """Price of each symbol: the close of the date, else the mark of its positions where they agree."""
    by_symbol = positions.groupby("symbol")["price"].agg(["min", "max"]).astype(np.float64)
    agreed = by_symbol["max"].where(by_symbol["min"] == by_symbol["max"])
    return Closes.of(prices, as_of).today.combine_first(agreed)


def whole(arrays: Array) -> Array:
    """(m,) whether all 16 values of an array are there."""
    return np.asarray(~np.isnan(arrays).any(axis=1))


def given_arrays(risk_arrays: pd.DataFrame, symbols: pd.Series) -> tuple[Array, Array]:
    """(m, 16) arrays and (m,) deltas that the exchange gives; NaN where it does not, or not all 16 values."""
    at = pd.Index(symbols).get_indexer(pd.Index(risk_arrays["symbol"]))
    rows = risk_arrays[at >= 0]
    at, scenario = at[at >= 0], rows["scenario"].to_numpy(dtype=np.int64) - 1
    arrays, deltas = np.full((len(symbols), SCENARIOS), np.nan), np.full(len(symbols), np.nan)
    arrays[at, scenario] = rows["value"].to_numpy(dtype=np.float64)
    delta = rows["composite_delta"].to_numpy(dtype=np.float64)
    known = ~np.isnan(delta)
    deltas[at[known]] = delta[known]
    arrays[~whole(arrays)] = np.nan
    return arrays, deltas


RANGES = ("price", "unit", "volatility", "multiple", "fraction")


@dataclass
class _Ranges:
    """Scan ranges of m contracts."""

    price: Array
    unit: Array
    volatility: Array
    multiple: Array
    fraction: Array
    ambiguous: Array


def complete(
    contracts: Contracts,
    terms: Mapping[str, GroupTerms],
    market: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    settings: SpanSettings,
    as_of: dt.date,
    backend: Backend,
    threads: int,
) -> None:
    """Compute the arrays and deltas that the exchange does not give.

    Parameters
    ----------
    contracts : completed in place.
    terms : terms in force, by class group.
    market : instruments, prices and rates.
    settings : settings in force.
    as_of, backend, threads : as in `margin.span_margins`.
    """
    ranges = _ranges(contracts, terms, settings)
    ranges.price[ranges.ambiguous] = np.nan
    frame = contracts.frame
    option, multiplier = frame["is_option"].to_numpy(bool), frame["multiplier"].to_numpy(np.float64)
    units = np.where(np.isnan(ranges.unit), multiplier, ranges.unit)
    no_array, no_delta = ~whole(contracts.arrays), np.isnan(contracts.deltas)
    contracts.deltas[no_delta & ~option] = (multiplier / units)[no_delta & ~option]
    a_contract = ranges.price * multiplier / units
    linear = no_array & ~option
    contracts.arrays[linear] = future_arrays(a_contract[linear], ranges.multiple[linear], ranges.fraction[linear])
    priced = np.flatnonzero(option & (no_array | no_delta))
    inputs = _option_terms(frame.iloc[priced], *market, as_of)
    points, lacking = ranges.price[priced] / units[priced], inputs.pop("missing").to_numpy(object)
    options = OptionTerms(**{str(name): column.to_numpy() for name, column in inputs.items()})
    chosen = np.flatnonzero(no_array[priced])
    own = (column[priced[chosen]] for column in (ranges.volatility, multiplier, ranges.multiple, ranges.fraction))
    gains = option_arrays(options.rows(chosen), points[chosen], *own, backend=backend, threads=threads)
    contracts.arrays[priced[chosen]] = gains
    chosen = np.flatnonzero(no_delta[priced])
    deltas = composite_deltas(options.rows(chosen), points[chosen], settings.delta_weights)
    contracts.deltas[priced[chosen]] = deltas * (multiplier / units)[priced[chosen]]
    _explain(contracts, ranges, dict(zip(priced.tolist(), lacking, strict=True)))


def _ranges(contracts: Contracts, terms: Mapping[str, GroupTerms], settings: SpanSettings) -> _Ranges:
    """Scan ranges of each contract; NaN where none is in force or known."""
    count = len(contracts.frame)
    found = _Ranges(**{name: np.full(count, np.nan) for name in RANGES}, ambiguous=np.zeros(count, dtype=bool))
    group = contracts.frame["class_group"].to_numpy(object)
    expiry = contracts.frame["expiry"].to_numpy().astype("datetime64[D]")
    for name, own in terms.items():
        at = np.flatnonzero(group == name)
        days = expiry[at]
        found.price[at], found.unit[at] = own.values("price_scan_range", days)
        sizes = contracts.frame["multiplier"].to_numpy(np.float64)[at]
        # A range of money a contract says nothing of contracts of other sizes.
        found.ambiguous[at] = np.isnan(found.unit[at]) & (len(np.unique(sizes)) > 1)
        found.volatility[at], _ = own.values("volatility_scan_range", days)
        found.multiple[at], _ = own.values("extreme_multiple", days, settings.extreme_multiple)
        found.fraction[at], _ = own.values("extreme_fraction", days, settings.extreme_fraction)
    return found


def _option_terms(
    options: pd.DataFrame, instruments: pd.DataFrame, prices: pd.DataFrame, rates: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Fields of `OptionTerms`, and what is missing, of each option."""
    no_dividends = pd.DataFrame({"symbol": pd.Series(dtype="str"), "dividend_yield": pd.Series(dtype=np.float64)})
    inputs = option_inputs(options, instruments, prices, rates, no_dividends, as_of)
    names = {"years_to_expiry": "years", "implied_volatility": "volatility"}
    chosen = ["spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility", "is_call", "is_american", "missing"]
    return inputs[chosen].rename(columns=names)


def _explain(contracts: Contracts, ranges: _Ranges, lacking: Mapping[int, Any]) -> None:
    """Say why a contract has no array, or no delta; an input that is missing is named rather than what follows from it."""
    frame = contracts.frame
    symbol, group = frame["symbol"].to_numpy(object), frame["class_group"].to_numpy(object)
    for i in np.flatnonzero(~whole(contracts.arrays)).tolist():
        option = frame["is_option"].iat[i]
        ranged = np.isnan(ranges.price[i]) or np.isnan(ranges.multiple[i]) or np.isnan(ranges.fraction[i])
        size = "contract_multiplier of " if ranges.ambiguous[i] else ""
        unknown = f"{size}price_scan_range" if ranged else "volatility_scan_range" if option and np.isnan(ranges.volatility[i]) else ""
        reason = f"{unknown} of {group[i]}" if unknown else lacking.get(i) or "its price or that of its underlying"
        contracts.reasons[i] = f"risk array of {symbol[i]}: {reason}"
    for i in np.flatnonzero(np.isnan(contracts.deltas)).tolist():
        contracts.delta_reasons[i] = f"delta of {symbol[i]}: {lacking.get(i) or f'price_scan_range of {group[i]}'}"
