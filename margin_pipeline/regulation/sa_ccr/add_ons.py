"""Add-ons of hedging sets and asset classes: how effective notionals of trades offset each other.

Belongs here: buckets, entities, commodity types and the formulas that aggregate them. Not here: trades, netting sets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Flags, Integers, Texts, numbered, summed
from margin_pipeline.regulation.sa_ccr.classification import ASSET_CLASSES, Classification
from margin_pipeline.regulation.sa_ccr.trades import TradeFigures
from margin_pipeline.regulation.sa_ccr.years import Floats

BUCKETS = ("less than one year", "one to five years", "more than five years")
"""Maturity buckets of interest rates (CRE52.57(3)); exactly one and exactly five years are in the middle one."""


@dataclass(frozen=True)
class Groups:
    """How trades make up parts (buckets, entities, commodity types), parts hedging sets, and hedging sets netting sets.

    Attributes
    ----------
    part_of_trade : (n,) part of each trade.
    set_of_part, name_of_part : (m,) hedging set and name of each part, ordered by both.
    bucket_of_part : (m,) maturity bucket 0-2 of parts of interest rates, 0 elsewhere.
    factor, correlation : (m,) supervisory parameters of each part; NaN where its trades disagree.
    netting_set, asset_class, hedging_set : (k,) of each hedging set, ordered by the three; asset_class is a number in ASSET_CLASSES.
    """

    part_of_trade: Integers
    set_of_part: Integers
    name_of_part: Texts
    bucket_of_part: Integers
    factor: Floats
    correlation: Floats
    netting_set: Integers
    asset_class: Integers
    hedging_set: Texts


def group(book: Book, figures: TradeFigures, rules: SaCcrRules) -> Groups:
    """Parts and hedging sets of all trades."""
    kinds = figures.kinds
    class_number = pd.Index(ASSET_CLASSES).get_indexer(pd.Index(kinds.asset_class)).astype(np.int64)
    bucket = _buckets(kinds, figures.times.end, rules)
    label, labels = pd.factorize(kinds.hedging_set, sort=True)
    entity, entities = pd.factorize(kinds.entity, sort=True)
    part, first = numbered(book.netting_set, class_number, label, bucket, entity)
    hedging_set, first_part = numbered(book.netting_set[first], class_number[first], label[first])
    is_rate = class_number[first] == 0
    names = np.where(is_rate, np.array(BUCKETS, dtype=object)[bucket[first]], np.append(entities, "").astype(object)[entity[first]])
    at = first[first_part]
    return Groups(
        part_of_trade=part,
        set_of_part=hedging_set,
        name_of_part=names,
        bucket_of_part=bucket[first],
        factor=_agreed(kinds.supervisory_factor, part, len(first)),
        correlation=_agreed(kinds.correlation, part, len(first)),
        netting_set=book.netting_set[at],
        asset_class=class_number[at],
        hedging_set=np.append(labels, "").astype(object)[label[at]],
    )


def part_notionals(groups: Groups, notional: Floats) -> Floats:
    """(m,) effective notional of each part: the sum over its trades, NaN where one is missing."""
    return summed(groups.part_of_trade, notional, len(groups.set_of_part))


def hedging_set_add_ons(groups: Groups, notional: Floats, rules: SaCcrRules) -> Floats:
    """Add-on of each hedging set.

    Parameters
    ----------
    groups : parts and hedging sets.
    notional : (m,) effective notional of each part.
    rules : correlations of maturity buckets.

    Returns
    -------
    (k,) amounts >= 0, NaN where something is missing. Interest rates: factor x root of the sum of D_b D_c rho_bc over maturity buckets,
    with rho 0.7 of neighbours and 0.3 of the outer ones (CRE52.57). Others: root of (sum rho A)^2 + sum (1 - rho^2) A^2 over entities or
    commodity types with A = factor x notional (CRE52.61, CRE52.66, CRE52.70), which for a currency pair is |A| (CRE52.59). BCBS 279,
    paragraphs 166-182.
    """
    count = len(groups.netting_set)
    add_on = groups.factor * notional
    systematic = summed(groups.set_of_part, groups.correlation * add_on, count)
    idiosyncratic = summed(groups.set_of_part, (1 - groups.correlation**2) * add_on**2, count)
    found = np.sqrt(systematic**2 + idiosyncratic)
    is_rate = groups.asset_class == 0
    buckets = np.zeros((count, len(BUCKETS)))
    rate_parts = is_rate[groups.set_of_part]
    buckets[groups.set_of_part[rate_parts], groups.bucket_of_part[rate_parts]] = add_on[rate_parts]
    return np.where(is_rate, _across_buckets(buckets, rules), found)


def asset_class_add_ons(groups: Groups, add_on: Floats, netting_sets: int) -> Floats:
    """(netting sets, 5) add-on of each asset class: the sum over its hedging sets, 0 where there is none."""
    cell = groups.netting_set * len(ASSET_CLASSES) + groups.asset_class
    return summed(cell, add_on, netting_sets * len(ASSET_CLASSES)).reshape(-1, len(ASSET_CLASSES))


def hedging_set_table(groups: Groups, figures: TradeFigures, add_on: Floats, netting_sets: pd.DataFrame) -> pd.DataFrame:
    """Frame as margin_data.sa_ccr_hedging_sets, ordered by netting set, asset class and hedging set."""
    notional = part_notionals(groups, figures.effective_notional)
    count = len(groups.netting_set)
    factor = _agreed(groups.factor, groups.set_of_part, count)
    net = summed(groups.set_of_part, notional, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = np.select([groups.asset_class == 0, groups.asset_class == 1], [add_on / factor, net], np.nan)
    trades = np.bincount(groups.set_of_part[groups.part_of_trade], minlength=count)
    frame = pd.DataFrame(
        {
            "portfolio_id": netting_sets["portfolio_id"].to_numpy(dtype=object)[groups.netting_set],
            "netting_set_id": netting_sets["netting_set_id"].to_numpy(dtype=object)[groups.netting_set],
            "asset_class": np.array(ASSET_CLASSES, dtype=object)[groups.asset_class],
            "hedging_set": groups.hedging_set,
            "trades": trades,
            "effective_notional": effective,
            "supervisory_factor": factor,
            "add_on": add_on,
            "missing": _missing(groups, figures),
            "details": _details(groups, notional),
        }
    )
    return frame.astype({"hedging_set": "str", "missing": "str"})


def _buckets(kinds: Classification, end: Floats, rules: SaCcrRules) -> Integers:
    """Maturity bucket 0-2 of rate trades by the end of their period; 0 elsewhere."""
    first, second = rules.bucket_years
    bucket = (end >= first).astype(np.int64) + (end > second)
    return np.where(kinds.asset_class == "interest_rate", bucket, 0)


def _agreed(values: Floats, where: Integers, count: int) -> Floats:
    """(count,) the value that all rows of a group share, NaN where they differ or one is missing."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    with np.errstate(invalid="ignore"):  # a missing value makes both ends NaN, which differ
        np.minimum.at(low, where, values)
        np.maximum.at(high, where, values)
    return np.where(low == high, low, np.nan)


def _across_buckets(d: Floats, rules: SaCcrRules) -> Floats:
    """Root of the correlated sum of squares of three columns."""
    one_two, two_three, one_three = rules.bucket_correlations
    squares = (d**2).sum(axis=1)
    crossed = 2 * (one_two * d[:, 0] * d[:, 1] + two_three * d[:, 1] * d[:, 2] + one_three * d[:, 0] * d[:, 2])
    return np.sqrt(np.maximum(squares + crossed, 0.0))


def _missing(groups: Groups, figures: TradeFigures) -> list[str | None]:
    """What each hedging set lacks: trades without effective notional, and entities whose trades disagree."""
    trades = summed(groups.set_of_part[groups.part_of_trade], figures.lacks_add_on, len(groups.netting_set))
    found = [f"{int(count)} of its trades without effective notional" if count else None for count in trades]
    for part in np.flatnonzero(disagreeing_parts(groups, figures.lacks_add_on)):
        where = groups.set_of_part[part]
        found[where] = found[where] or f"one supervisory factor of {groups.name_of_part[part]}"
    return found


def disagreeing_parts(groups: Groups, lacking: Flags) -> Flags:
    """(m,) parts without one supervisory factor although none of their trades lacks anything."""
    lacks = summed(groups.part_of_trade, lacking, len(groups.set_of_part)) > 0
    return (np.isnan(groups.factor) | np.isnan(groups.correlation)) & ~lacks


def _details(groups: Groups, notional: Floats) -> list[str]:
    """Parts of each hedging set as JSON."""
    parts: list[list[str]] = [[] for _ in groups.netting_set]
    quoted = {name: json.dumps(name) for name in set(groups.name_of_part)}
    columns = (notional, groups.factor, groups.correlation, groups.factor * notional)
    figures = [["null" if number != number else number for number in column.tolist()] for column in columns]
    rows = zip(groups.set_of_part.tolist(), groups.name_of_part, *figures, strict=True)
    for where, name, amount, factor, rho, add_on in rows:
        parts[where].append(
            f'{{"part": {quoted[name]}, "effective_notional": {amount}, "supervisory_factor": {factor}, '
            f'"correlation": {rho}, "add_on": {add_on}}}'
        )
    return [f'{{"parts": [{", ".join(rows)}]}}' for rows in parts]
