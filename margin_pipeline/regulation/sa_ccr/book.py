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

from margin_pipeline.regulation.sa_ccr.years import Dates, Floats, years_until

Texts = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Book:
    """Trades of known netting sets, ordered by trade_id.

    Attributes
    ----------
    frame : trades as they were given.
    netting_set : (n,) row of each trade's netting set.
    portfolio_id, base_currency : (n,) of the portfolio that holds the set.
    as_of : business date.
    """

    frame: pd.DataFrame
    netting_set: Integers
    portfolio_id: Texts
    base_currency: Texts
    as_of: dt.date
    _texts: dict[tuple[str, bool], Texts] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.frame)

    def texts(self, name: str) -> Texts:
        """Column of text without blanks around it; empty text where it is missing."""
        return self._read(name, False)

    def words(self, name: str) -> Texts:
        """Column of text as the parameter file writes words: lower case, underscores as blanks."""
        return self._read(name, True)

    def numbers(self, name: str) -> Floats:
        """Column of numbers; NaN where it is missing."""
        return self.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)

    def dates(self, name: str) -> Dates:
        """Column of days; NaT where it is missing."""
        return pd.to_datetime(self.frame[name]).to_numpy().astype("datetime64[D]")

    def years(self, name: str) -> Floats:
        """Years until the days of a column, 0 for past ones."""
        return years_until(self.dates(name), self.as_of)

    def _read(self, name: str, as_words: bool) -> Texts:
        if (name, as_words) not in self._texts:
            codes, values = pd.factorize(self.frame[name].astype("str"))
            known = [str(value).strip() for value in values]
            if as_words:
                known = [" ".join(value.lower().replace("_", " ").split()) for value in known]
            self._texts[name, as_words] = np.array([*known, ""], dtype=object)[codes]
        return self._texts[name, as_words]


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
    numbers = pd.Series(np.arange(len(netting_sets)), index=netting_sets["netting_set_id"].astype(object))
    row = otc_trades["netting_set_id"].astype(object).map(numbers).to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.flatnonzero(~np.isnan(row))
    order = known[np.argsort(otc_trades["trade_id"].to_numpy(dtype=object)[known], kind="stable")]
    sets = row[order].astype(np.int64)
    portfolio, base = (netting_sets[name].to_numpy(dtype=object)[sets] for name in ("portfolio_id", "base_currency"))
    return Book(otc_trades.iloc[order].reset_index(drop=True), sets, portfolio, base, as_of)


def looked_up(words: Texts, meaning: Mapping[str, str]) -> Texts:
    """(n,) meaning of each word, empty text where it has none."""
    codes, values = pd.factorize(words)
    return np.array([meaning.get(value, "") for value in values] or [""], dtype=object)[codes]


def summed(where: Integers, values: npt.ArrayLike, count: int) -> Floats:
    """(count,) sum of the values of each group, 0 for an empty one, NaN where a value is."""
    return np.bincount(where, weights=np.asarray(values, dtype=np.float64), minlength=count).astype(np.float64)


def among(words: Texts, wanted: Collection[str]) -> Flags:
    """(n,) whether each word is among the wanted ones."""
    codes, values = pd.factorize(words)
    return np.array([value in wanted for value in values] or [False], dtype=bool)[codes]
