"""Trades of netting sets as columns of arrays, and what is missing of them.

Belongs here: how a trade's fields are read. Not here: what they mean (`classification` and after).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.regulation.sa_ccr.years import Dates, Floats

Texts = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """Texts of n trades, each value once.

    Attributes
    ----------
    codes : (n,) place of each trade's text in `values`; -1, the last one, where it is missing.
    values : the texts, and the empty text for what is missing.
    """

    codes: Integers
    values: tuple[str, ...]

    @property
    def texts(self) -> Texts:
        """(n,) texts, empty where missing."""
        return np.array(self.values, dtype=object)[self.codes]

    def meaning(self, meanings: Mapping[str, str]) -> Texts:
        """(n,) meaning of each text, empty where it has none."""
        return np.array([meanings.get(value, "") for value in self.values], dtype=object)[self.codes]

    def numbers(self, numbers: Mapping[str, float]) -> Floats:
        """(n,) number of each text, NaN where it has none."""
        return np.array([numbers.get(value, np.nan) for value in self.values], dtype=np.float64)[self.codes]

    def among(self, wanted: Collection[str]) -> Flags:
        """(n,) whether each text is among the wanted ones."""
        return np.array([value in wanted for value in self.values], dtype=bool)[self.codes]


@dataclass(frozen=True)
class Book:
    """Trades of known netting sets, ordered by trade_id.

    Attributes
    ----------
    frame : all trades as they were given; a column is put in order when it is asked for.
    order : (n,) their rows.
    netting_set : (n,) row of each trade's netting set.
    portfolio_id, base_currency : of the portfolio that holds the set.
    as_of : business date.
    """

    frame: pd.DataFrame
    order: Integers
    netting_set: Integers
    portfolio_id: Column
    base_currency: Column
    as_of: dt.date
    _columns: dict[str, Column] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def trade_id(self) -> pd.api.extensions.ExtensionArray:
        """(n,) identities of the trades."""
        return self.frame["trade_id"].array.take(self.order)

    def names(self, column: str) -> Column:
        """Column of text without blanks around it."""
        if column not in self._columns:
            codes, values = pd.factorize(self.frame[column].astype("str"))
            self._columns[column] = Column(codes.astype(np.int64)[self.order], (*(str(value).strip() for value in values), ""))
        return self._columns[column]

    def words(self, column: str) -> Column:
        """Column of text as the parameter file writes words: lower case, underscores as blanks."""
        names = self.names(column)
        return Column(names.codes, tuple(" ".join(value.lower().replace("_", " ").split()) for value in names.values))

    def numbers(self, column: str) -> Floats:
        """Column of numbers; NaN where it is missing."""
        return self.frame[column].to_numpy(dtype=np.float64, na_value=np.nan)[self.order]

    def dates(self, column: str) -> Dates:
        """Column of days; NaT where it is missing."""
        return pd.to_datetime(self.frame[column]).to_numpy().astype("datetime64[D]")[self.order]


@dataclass(frozen=True)
class Reasons:
    """What trades lack, in the order it was found; a trade with a reason has no effective notional."""

    found: list[tuple[Flags, str | Texts]] = field(default_factory=list)

    def add(self, where: Flags, what: str | Texts) -> None:
        """Note for some trades what they lack: one text, or one a trade."""
        if where.any():
            self.found.append((where, what))

    def flags(self, count: int) -> Flags:
        """(n,) whether there is a reason."""
        flagged = np.zeros(count, dtype=bool)
        for where, _ in self.found:
            flagged |= where
        return flagged

    def texts(self, count: int) -> Texts:
        """(n,) reasons joined by "; ", None where there is none."""
        joined: Texts = np.full(count, None, dtype=object)
        for where, what in self.found:
            for row in np.flatnonzero(where):
                text = what if isinstance(what, str) else str(what[row])
                joined[row] = text if joined[row] is None else f"{joined[row]}; {text}"
        return joined


def build_book(otc_trades: pd.DataFrame, netting_sets: pd.DataFrame, as_of: dt.date) -> Book:
    """Trades of the given netting sets.

    Parameters
    ----------
    otc_trades : trades; those of other sets are left out.
    netting_sets : n rows with netting_set_id, portfolio_id and base_currency.
    as_of : business date.
    """
    place = pd.Index(netting_sets["netting_set_id"]).get_indexer(pd.Index(otc_trades["netting_set_id"]))
    order = otc_trades["trade_id"].reset_index(drop=True).sort_values(kind="stable").index.to_numpy()
    order = order[place[order] >= 0]
    sets = place[order].astype(np.int64)
    owners = []
    for name in ("portfolio_id", "base_currency"):
        codes, values = pd.factorize(netting_sets[name])
        owners.append(Column(codes.astype(np.int64)[sets], (*(str(value) for value in values), "")))
    return Book(otc_trades, order, sets, owners[0], owners[1], as_of)


def numbered(*columns: Integers) -> tuple[Integers, Integers]:
    """Number of each row's combination, in the order of the columns, and the first row of each combination.

    Parameters
    ----------
    columns : (n,) integers of at least -1 each.
    """
    key = np.zeros(len(columns[0]), dtype=np.int64)
    largest = 1
    for column in columns:
        width = int(column.max(initial=0)) + 2
        if largest > np.iinfo(np.int64).max // width:
            _, key = np.unique(key, return_inverse=True)
            largest = len(key)
        key, largest = key * width + column + 1, largest * width
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    return number.astype(np.int64), first.astype(np.int64)


def summed(where: Integers, values: npt.ArrayLike, count: int) -> Floats:
    """(count,) sum of the values of each group, 0 for an empty one, NaN where a value is."""
    return np.bincount(where, weights=np.asarray(values, dtype=np.float64), minlength=count).astype(np.float64)
