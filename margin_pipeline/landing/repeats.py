"""Rows of one file that name the same thing: positions add up, other repeats collapse or contradict each other.

Belongs here: comparing rows of one file with each other, and their order. Not here: checking a row on its own, comparing files.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.landing.contracts import FileContract
from margin_pipeline.landing.rejections import Rejection, rejected
from margin_pipeline.landing.validation import ValidatedFile


def settle_repeats(file: ValidatedFile) -> ValidatedFile:
    """Accepted rows one per key and sorted by key; rows that contradict each other are rejected.

    Positions are left as they are (see `add_up_positions`). Identical repeats collapse and count as accepted.
    """
    contract = file.contract
    file = file.reject(_conflicts(file.accepted, contract))
    if contract.group:
        file = file.reject(_incomplete_groups(file))
    order, first = _order(file.accepted, contract.key)
    frame = file.accepted if order is None else file.accepted.iloc[order[first]]
    return file.with_accepted(frame)


def differing_marks(positions: pd.DataFrame) -> list[Rejection]:
    """Rows of a position whose `price` differs from the one that an earlier row of it gave; an empty price differs from none.

    Parameters
    ----------
    positions : accepted rows, index = row number.
    """
    key = ["portfolio_id", "strategy", "symbol"]
    marked = positions[positions["price"].notna()].sort_index()
    marked = marked[marked.duplicated(key, keep=False)]
    if marked.empty:
        return []
    first_price = marked.groupby(key, sort=False)["price"].transform("first")
    first_row = marked.index.to_series().groupby([marked[column] for column in key], sort=False).transform("first")
    later = marked["price"] != first_price
    prices = zip(marked["price"][later], first_price[later], first_row[later], strict=True)
    reasons = (f"{price:.15g} differs from {first:.15g} of row {row}, the same position" for price, first, row in prices)
    return rejected(marked.index[later], "price", reasons)


def add_up_positions(positions: pd.DataFrame) -> pd.DataFrame:
    """One row per portfolio, strategy and symbol, sorted by them.

    Parameters
    ----------
    positions : accepted rows, whose marks do not differ within a position.

    Returns
    -------
    The same columns. Quantities and wallets are sums (a wallet is missing when no row has one). The entry price is quantity-weighted
    over the rows on the side of the total: rows on the other side closed a part of it, and an average cost does not change when a part is
    closed. It is missing when one of those rows has none, and when the total is 0. Sums run in order of size, so the order of rows
    changes no bit.
    """
    key = ["portfolio_id", "strategy", "symbol"]
    repeated = positions.duplicated(key, keep=False)
    single = positions[~repeated]
    several = positions[repeated].sort_values([*key, "quantity", "entry_price", "isolated_wallet"])
    if several.empty:
        return _sorted(single, key)
    groups = [several[column] for column in key]
    totals = several.groupby(key, sort=False).agg(quantity=("quantity", "sum"), price=("price", "first"))
    total = several["quantity"].groupby(groups, sort=False).transform("sum")
    same_side = (several["quantity"] * total) > 0
    weight = several["quantity"].abs().where(same_side, 0.0)
    cost = (weight * several["entry_price"]).where(same_side, 0.0)
    weights = weight.groupby(groups, sort=False).sum()
    totals["entry_price"] = cost.groupby(groups, sort=False).sum(skipna=False) / weights.replace(0.0, np.nan)
    totals["isolated_wallet"] = several["isolated_wallet"].groupby(groups, sort=False).sum(min_count=1)
    return _sorted(pd.concat([single, totals.reset_index()[list(positions.columns)]]), key)


def _sorted(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    order, _ = _order(frame, tuple(key))
    return frame.reset_index(drop=True) if order is None else frame.iloc[order].reset_index(drop=True)


def _order(frame: pd.DataFrame, key: tuple[str, ...]) -> tuple[np.ndarray | None, np.ndarray]:
    """Order by key, and which rows in that order are the first of their key; None where the rows are strictly sorted already."""
    ranks = _ranks(frame, key)
    if len(ranks) < 2 or bool((np.diff(ranks) > 0).all()):
        return None, np.ones(len(ranks), dtype=bool)
    order = np.argsort(ranks, kind="stable")
    return order, np.concatenate([[True], np.diff(ranks[order]) > 0])


def _ranks(frame: pd.DataFrame, key: tuple[str, ...]) -> np.ndarray:
    """(n,) int64, equal for equal keys and increasing in key order."""
    ranks = np.zeros(len(frame), dtype=np.int64)
    for column in key:
        codes, distinct = pd.factorize(frame[column], sort=True)
        if len(frame) and int(ranks.max(initial=0) + 1) * len(distinct) > np.iinfo(np.int64).max:
            ranks = np.unique(ranks, return_inverse=True)[1].astype(np.int64)
        ranks = ranks * len(distinct) + codes
    return ranks


def _conflicts(frame: pd.DataFrame, contract: FileContract) -> list[Rejection]:
    """All rows of every key under which rows differ."""
    ranks = pd.Series(_ranks(frame, contract.key), index=frame.index)
    repeated = frame[ranks.duplicated(keep=False)]
    if repeated.empty:
        return []
    same_key = ranks[repeated.index]
    content = [column for column in frame.columns if column not in contract.key]
    differs = pd.DataFrame(
        {column: repeated[column].groupby(same_key).transform("nunique", dropna=False) > 1 for column in content}, index=repeated.index
    )
    contradicted = differs.any(axis=1)
    if not contradicted.any():
        return []
    columns = differs[contradicted].idxmax(axis=1)
    rows = repeated.index[contradicted].to_series()
    by_key = rows.groupby(same_key[contradicted])
    named = zip(by_key.transform("min"), by_key.transform("max"), by_key.transform("size"), columns, strict=True)
    key = ", ".join(contract.key)
    reasons = [
        f"{_rows(first, last, count)} have the same {key} but differ in {column}; none is used" for first, last, count, column in named
    ]
    return [Rejection(int(row), str(column), reason) for row, column, reason in zip(rows, columns, reasons, strict=True)]


def _rows(first: int, last: int, count: int) -> str:
    return f"rows {first} and {last}" if count == 2 else f"{count} rows from {first} to {last}"


def _incomplete_groups(file: ValidatedFile) -> list[Rejection]:
    """Rows of an object of which another row was rejected, or whose rows do not agree on what is said once.

    A margin schedule that lacks one tier would charge too little, so all of it goes.
    """
    group, frame = list(file.contract.group), file.accepted
    members = pd.MultiIndex.from_frame(frame[group])
    broken = members.isin(pd.MultiIndex.from_frame(file.rejected[group].dropna()))
    name = ", ".join(group)
    found = _all_rejected(frame.index[broken], group[0], f"another row of this {name} was rejected, so none of it is used")
    for column in file.contract.same_in_group:
        mixed = frame.groupby(group)[column].transform("nunique").to_numpy() > 1
        found += _all_rejected(frame.index[mixed & ~broken], column, f"rows of one {name} differ in {column}; none of it is used")
    return found


def _all_rejected(rows: pd.Index, column: str, reason: str) -> list[Rejection]:
    return rejected(rows, column, [reason] * len(rows))
