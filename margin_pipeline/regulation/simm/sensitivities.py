"""Net sensitivities of netting sets: the rows of a CRIF in dollars, added up by risk factor.

Belongs here: conversion, netting, what makes a set unusable. Not here: regulations (`scopes`), the model (`engine`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.parameters.crif_terms import FACTORS, RISK_TYPES
from margin_pipeline.parameters.simm import SimmRules
from margin_pipeline.regulation.exact_sums import group_sums

KEY = ["set", "product_class", "risk_type", "qualifier", "bucket", "label1", "label2", "collect_regulations", "post_regulations"]
ADD_ONS = tuple(name for name in RISK_TYPES if not name.startswith("Risk_"))
ALIASES = {"CNH": "CNY"}
"""Currencies that are one risk factor with another."""
BUCKETED = tuple(name for name, kind in RISK_TYPES.items() if kind.buckets and kind.qualifier == "name")

DELTA_OF = {
    "Risk_EquityVol": "Risk_Equity", "Risk_CommodityVol": "Risk_Commodity", "Risk_CreditVol": "Risk_CreditQ",
    "Risk_CreditVolNonQ": "Risk_CreditNonQ",
}  # fmt: skip
"""Delta of the same names and buckets, by vega."""


@dataclass(frozen=True)
class NetSensitivities:
    """Net sensitivities of all sets.

    Attributes
    ----------
    rows : frame with the columns of `KEY` (set: number of the netting set), amount (US dollars; of factors the number) and count (rows
        of the file), sorted by key.
    problems : what makes a set unusable, by its number.
    """

    rows: pd.DataFrame
    problems: dict[int, list[str]]


def net_sensitivities(crif: pd.DataFrame, netting_sets: list[str], usd: Mapping[str, float], rules: SimmRules) -> NetSensitivities:
    """Rows of the given sets, net by risk factor and regulations.

    Parameters
    ----------
    crif : columns of the table crif.
    netting_sets : names of the sets.
    usd : US dollars for one unit, by currency.
    rules : version in force.

    Notes
    -----
    SIMM margins net sensitivities: trades of a set add up first. Sums are exact, so the order of rows changes no bit. Columns that a risk
    type does not use are not looked at.
    """
    number = pd.Index(netting_sets).get_indexer(pd.Index(crif["netting_set_id"]))
    here = (number >= 0) & ~((crif["risk_type"] == "PV") & (crif["im_model"] != "Schedule")).to_numpy()
    rows, number = (crif, number) if here.all() else (crif[here], number[here])
    problems: dict[int, list[str]] = {}
    scheduled = (rows["im_model"] == "Schedule").to_numpy()
    for n, count in zip(*np.unique(number[scheduled], return_counts=True), strict=True):
        text = f"{count} rows of IMModel Schedule, which SIMM does not cover: give these trades in a netting set under the schedule"
        problems.setdefault(int(n), []).append(text)
    rows, number = (rows[~scheduled], number[~scheduled]) if scheduled.any() else (rows, number)
    amount = _amounts(rows, number, usd, problems)
    columns = _coded(rows, number, problems, netting_sets, rules)
    net = _netted(columns, amount, problems)
    _find_contradictions(net, problems)
    return NetSensitivities(net, problems)


def _amounts(rows: pd.DataFrame, number: np.ndarray, usd: Mapping[str, float], problems: dict[int, list[str]]) -> np.ndarray:
    """Amounts in dollars, and the numbers of factors; a missing exchange rate is a problem of the set."""
    codes, currencies = pd.factorize(rows["amount_currency"])
    table = np.array([*({**usd, "USD": 1.0}.get(str(c), np.nan) for c in currencies), np.nan])
    given, amount = rows["amount_usd"].to_numpy(np.float64), rows["amount"].to_numpy(np.float64)
    factor = rows["risk_type"].isin(FACTORS).to_numpy()
    found = np.where(factor, amount, np.where(np.isnan(given), amount * table[codes], given))
    unknown = np.isnan(found)
    for n, code in sorted({(int(n), int(c)) for n, c in zip(number[unknown], codes[unknown], strict=True)}):
        what = f"exchange rate of {currencies[code]} to USD" if code >= 0 else "amount of a CRIF row"
        problems.setdefault(n, []).append(what)
    return np.where(unknown, 0.0, found)


def _coded(
    rows: pd.DataFrame, number: np.ndarray, problems: dict[int, list[str]], names: list[str], rules: SimmRules
) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Columns of the key as codes into sorted texts; what a risk type does not use is empty."""
    kinds, types = _factorized(rows["risk_type"])
    use = {
        "product_class": [name not in ADD_ONS for name in types],
        "qualifier": [name != "Param_AddOnFixedAmount" for name in types],
        "bucket": [name in BUCKETED for name in types],
        "label1": [name in RISK_TYPES and RISK_TYPES[name].label1 is not None for name in types],
        "label2": [name in RISK_TYPES and RISK_TYPES[name].label2 is not None for name in types],
    }
    found: dict[str, tuple[np.ndarray, list[str]]] = {"set": (number, names), "risk_type": (kinds, types)}
    for column in KEY:
        if column in found:
            continue
        codes, texts = _factorized(rows[column])
        if column in use and not all(use[column]):
            codes = np.where(np.array(use[column])[kinds], codes, 0)
        if column == "qualifier":
            codes, texts = _risk_factors(codes, texts, kinds, types)
        found[column] = codes, texts
    _find_unknown_currencies(found, problems, rules)
    return found


def _factorized(cells: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Codes into sorted texts, of which the first is empty."""
    codes, distinct = pd.factorize(cells, sort=True)
    return codes + 1, ["", *distinct.tolist()]


def _risk_factors(codes: np.ndarray, texts: list[str], kinds: np.ndarray, types: list[str]) -> tuple[np.ndarray, list[str]]:
    """Qualifiers that are one risk factor under one name: offshore renminbi, and pairs of currencies in either order."""
    single = {text: ALIASES.get(text, text) for text in texts}
    pairs = {text: "".join(sorted(ALIASES.get(part, part) for part in (text[:3], text[3:]))) for text in texts if len(text) == 6}
    known = sorted({*texts, *single.values(), *pairs.values()})
    place = {text: n for n, text in enumerate(known)}
    of_kind = [RISK_TYPES[name].qualifier if name in RISK_TYPES else "" for name in types]
    as_is = np.array([place[text] for text in texts])
    as_currency = np.array([place[single[text]] for text in texts])
    as_pair = np.array([place[pairs.get(text, text)] for text in texts])
    currency = np.array([kind == "currency" for kind in of_kind])[kinds]
    pair = np.array([kind == "currency_pair" for kind in of_kind])[kinds]
    return np.where(pair, as_pair[codes], np.where(currency, as_currency[codes], as_is[codes])), known


def _find_unknown_currencies(columns: Mapping[str, tuple[np.ndarray, list[str]]], problems: dict[int, list[str]], rules: SimmRules) -> None:
    """Currencies that the engine would leave out without a word."""
    (qualifier, texts), (kinds, types), (number, _) = columns["qualifier"], columns["risk_type"], columns["set"]
    of_kind = [RISK_TYPES[name].qualifier if name in RISK_TYPES else "" for name in types]
    for kind, parts in (("currency", (slice(0, 3),)), ("currency_pair", (slice(0, 3), slice(3, 6)))):
        for part in parts:
            bad = np.array([text[part] not in rules.currencies for text in texts])[qualifier]
            bad &= np.array([name == kind for name in of_kind])[kinds]
            for n, code in sorted({(int(n), int(c)) for n, c in zip(number[bad], qualifier[bad], strict=True)}):
                problems.setdefault(n, []).append(f"currency {texts[code][part]}, which the SIMM engine does not know")


def _netted(columns: Mapping[str, tuple[np.ndarray, list[str]]], amount: np.ndarray, problems: dict[int, list[str]]) -> pd.DataFrame:
    """One row for each distinct key, sorted by it."""
    ranks = np.zeros(len(amount), dtype=np.int64)
    for name in KEY:
        codes, texts = columns[name]
        if len(amount) and (int(ranks.max()) + 1) * len(texts) > np.iinfo(np.int64).max:
            ranks = np.unique(ranks, return_inverse=True)[1].astype(np.int64)
        ranks = ranks * len(texts) + codes
    _, first, group, count = np.unique(ranks, return_index=True, return_inverse=True, return_counts=True)
    total = group_sums(amount, group, len(first))
    frame = pd.DataFrame({name: np.array(columns[name][1], dtype=object)[columns[name][0][first]] for name in KEY if name != "set"})
    frame.insert(0, "set", columns["set"][0][first])
    least, most = np.full(len(first), np.inf), np.full(len(first), -np.inf)
    factor = np.isin(frame["risk_type"].to_numpy(), FACTORS)
    rows = np.flatnonzero(factor[group])
    np.minimum.at(least, group[rows], amount[rows])
    np.maximum.at(most, group[rows], amount[rows])
    for n in np.flatnonzero(factor & (least != most)).tolist():
        text = f"one {frame['risk_type'][n]} of {frame['qualifier'][n]}: {least[n]:.15g} and {most[n]:.15g} are given"
        problems.setdefault(int(frame["set"][n]), []).append(text)
    return frame.assign(amount=np.where(factor, least, total), count=count)


def _find_contradictions(net: pd.DataFrame, problems: dict[int, list[str]]) -> None:
    """Names in two buckets of one risk class, and notional factors without a notional."""
    bucketed = net.loc[net["risk_type"].isin(BUCKETED), ["set", "risk_type", "qualifier", "bucket"]]
    bucketed["risk_type"] = bucketed["risk_type"].map({name: DELTA_OF.get(name, name) for name in BUCKETED})
    distinct = bucketed.drop_duplicates()
    several = distinct[distinct.duplicated(["set", "risk_type", "qualifier"], keep=False)]
    buckets: dict[tuple[int, str, str], list[str]] = {}
    for number, kind, name, bucket in several.itertuples(index=False, name=None):
        buckets.setdefault((int(number), kind, name), []).append(bucket)
    for (number, kind, name), found in sorted(buckets.items()):
        problems.setdefault(number, []).append(f"one bucket of {name} for {kind}: {' and '.join(sorted(found))} are given")
    add_ons = net[net["risk_type"].isin(["Param_AddOnNotionalFactor", "Notional"])]
    notionals = set(add_ons.loc[add_ons["risk_type"] == "Notional", ["set", "qualifier"]].itertuples(index=False, name=None))
    factors = add_ons.loc[add_ons["risk_type"] != "Notional", ["set", "qualifier"]].itertuples(index=False, name=None)
    for number, name in sorted({key for key in factors if key not in notionals}):
        problems.setdefault(int(number), []).append(f"Notional of {name} for its Param_AddOnNotionalFactor")
