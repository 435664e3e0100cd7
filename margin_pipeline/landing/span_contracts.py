"""Contracts of a risk parameter file: their risk arrays, and the instrument that each of them is.

Belongs here: reading arrays, matching contracts to instruments, turning the sign. Not here: terms of class groups (`span_terms`).

In the file a positive array value is what one long contract of `cvf` units loses. Here a value is what one long contract of the
instrument gains: the sign is turned, and values and deltas are multiplied by multiplier / cvf.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from margin_pipeline.landing.contracts.span import SCENARIOS
from margin_pipeline.landing.span_document import Element, around, at_rate, day, in_words, number_of, text_of

OPTION_FAMILIES = {"oofPf": ("future_option",), "oopPf": ("index_option", "equity_option"), "ooePf": ("equity_option",)}
RIGHTS = {"C": "call", "P": "put"}


@dataclass(frozen=True)
class Contract:
    """One contract of the file.

    Attributes
    ----------
    classes : asset classes that it can be.
    codes : product codes that an instrument's root may be: its own, then that of what it is on.
    family : (product code, kind of family), as links of combined commodities name it.
    names : names that an instrument's symbol may be.
    period : contract month or day as the file writes it.
    expiry : last day; None where the file does not say it.
    right, strike : of an option.
    units : units of the underlying in one contract (cvf); None where the file does not say it.
    values : array values as the file writes them, losses positive.
    delta : composite delta of one contract; None without one.
    delta_scale : scaling factor of the delta.
    price_range, volatility_range : scan ranges, money a contract and absolute volatility; None without one.
    raw : the record, for people.
    """

    classes: tuple[str, ...]
    codes: tuple[str, ...]
    family: tuple[str, str]
    names: tuple[str, ...]
    period: str
    expiry: dt.date | None
    right: str
    strike: float | None
    units: float | None
    values: tuple[str, ...]
    delta: float | None
    delta_scale: float | None
    price_range: float | None
    volatility_range: float | None
    raw: str


def contract_of(element: Element, ancestors: Sequence[Element]) -> Contract:
    """The contract that an element `fut`, `opt` or `phy` describes."""
    family = next((one for one in reversed(ancestors) if one.tag.endswith("Pf")), element)
    series = around(ancestors, "series") if element.tag == "opt" else None
    dated = element if series is None else series
    array, scan = at_rate(element, "ra"), at_rate(element, "scanRate")
    scan = at_rate(series, "scanRate") if scan is None else scan
    code, beneath = text_of(family, "pfCode"), text_of(family, "undPf/pfCode")
    period = text_of(dated, "pe")
    own = [number_of(one, "cvf") for one in (element, series, family) if one is not None]
    scales = [number_of(one, "sc") for one in (element, series) if one is not None]
    return Contract(
        classes=OPTION_FAMILIES.get(family.tag, ()) if element.tag == "opt" else ("future",) if element.tag == "fut" else (),
        codes=tuple(dict.fromkeys(name for name in (code, beneath) if name)),
        family=(code, family.tag.removesuffix("Pf").upper()),
        names=(*(name for name in (text_of(alias, "aVal") for alias in element.findall("alias")) if name), text_of(element, "cId")),
        period=period,
        expiry=day(text_of(dated, "setlDate")) or day(period),
        right=RIGHTS.get(text_of(element, "o").upper(), ""),
        strike=number_of(element, "k"),
        units=next((value for value in own if value), None),
        values=() if array is None else tuple((a.text or "").strip() for a in array.findall("a")),
        delta=number_of(array, "d"),
        delta_scale=next((value for value in scales if value), None),
        price_range=number_of(scan, "priceScan"),
        volatility_range=number_of(scan, "volScan"),
        raw=f"{code} {period} {in_words(element)}",
    )


class Instruments:
    """Finds the instrument that a contract is: by name, else by root, last day, right and strike."""

    def __init__(self, instruments: pd.DataFrame) -> None:
        known = instruments[["symbol", "asset_class", "root", "underlying", "option_type", "strike", "expiry", "multiplier"]]
        roots = dict(zip(known["symbol"], known["root"], strict=True))
        self.multiplier: dict[str, float] = dict(zip(known["symbol"], known["multiplier"].astype(float), strict=True))
        self.by_terms: dict[tuple[object, ...], list[str]] = {}
        for symbol, asset_class, root, underlying, right, strike, expiry, _ in known.itertuples(index=False, name=None):
            code = roots.get(underlying) if pd.isna(root) else root
            if pd.isna(code) or pd.isna(expiry):
                continue
            option = not pd.isna(right)
            key = (asset_class, code, expiry.date(), right if option else "", _rounded(strike) if option else None)
            self.by_terms.setdefault(key, []).append(symbol)

    def symbol_of(self, contract: Contract) -> tuple[str | None, str]:
        """Symbol of the instrument, and why there is none."""
        named = [name for name in contract.names if name in self.multiplier]
        if named:
            return named[0], ""
        if contract.expiry is None:
            return None, "the contract has no last day (setlDate, or pe of eight digits) and no alias that is a symbol"
        option = "future" not in contract.classes
        for code in contract.codes:
            tail = (contract.right, _rounded(contract.strike)) if option else ("", None)
            found = [s for kind in contract.classes for s in self.by_terms.get((kind, code, contract.expiry, *tail), [])]
            if len(found) > 1:
                return None, f"the contract is several instruments: {', '.join(sorted(found)[:3])}"
            if found:
                return found[0], ""
        return None, "the contract is none of the accepted instruments"


def array_rows(contract: Contract, known: Instruments, link_scale: Mapping[tuple[str, str], float]) -> tuple[list[tuple[str, ...]], str]:
    """Cells of risk_arrays (symbol, scenario, value, composite_delta) of a contract, or why there are none.

    Parameters
    ----------
    contract : what the file says.
    known : instruments of the date.
    link_scale : delta scaling factor by product family, for contracts without one of their own.
    """
    if len(contract.values) != SCENARIOS:
        return [], f"the array has {len(contract.values)} values, not {SCENARIOS}"
    symbol, reason = known.symbol_of(contract)
    if symbol is None:
        return [], reason
    if contract.units is None or not math.isfinite(known.multiplier[symbol]):
        return [], "the contract has no value factor (cvf), or its instrument no multiplier"
    factor = known.multiplier[symbol] / contract.units
    scale = contract.delta_scale or link_scale.get(contract.family) or 1.0
    delta = "" if contract.delta is None else repr(contract.delta * factor * scale)
    return [(symbol, str(i + 1), _gain(value, factor), delta) for i, value in enumerate(contract.values)], ""


def _gain(value: str, factor: float) -> str:
    """What the instrument gains; text that is no number stays for the contract of the file to reject."""
    try:
        return repr(0.0 - float(value) * factor)
    except ValueError:
        return value


def _rounded(strike: float | None) -> float | None:
    return None if strike is None or math.isnan(strike) else float(f"{strike:.9g}")
