"""External ratings and the rating buckets that risk weights are given by.

Belongs here: the scales. Not here: weights (`parameters`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

BUCKETS: Mapping[str, tuple[str, ...]] = {
    "aaa": ("AAA", "AA+", "AA", "AA-", "AA1", "AA2", "AA3"),
    "a": ("A+", "A", "A-", "A1", "A2", "A3"),
    "bbb": ("BBB+", "BBB", "BBB-", "BAA1", "BAA2", "BAA3"),
    "bb": ("BB+", "BB", "BB-", "BA1", "BA2", "BA3"),
    "b": ("B+", "B", "B-", "B1", "B2", "B3"),
    "below_b": ("CCC+", "CCC", "CCC-", "CC", "C", "RD", "SD", "D", "CAA1", "CAA2", "CAA3", "CA"),
    "unrated": ("", "NR", "UNRATED"),
    "grade_a": ("GRADE_A", "GRADE A"),
    "grade_b": ("GRADE_B", "GRADE B"),
    "grade_c": ("GRADE_C", "GRADE C"),
}
"""Rating bucket by long-term rating of S&P or Fitch and of Moody's, and by grade of the standardised credit risk assessment, upper case."""
INVESTMENT_GRADE = frozenset({"aaa", "a", "bbb"})
UNRATED = frozenset({"unrated", "grade_a", "grade_b", "grade_c"})
"""Buckets of who has no external rating; grades are those of the bank itself."""

_BUCKET_OF = {rating: bucket for bucket, ratings in BUCKETS.items() for rating in ratings}


def rating_texts(rating: pd.Series) -> pd.Series:
    """Ratings in upper case without blanks around them, empty where there is none."""
    return _each(rating, lambda text: text.strip().upper())


def rating_buckets(rating: pd.Series) -> pd.Series:
    """Bucket of each rating, empty: unrated; missing where the rating is on no scale."""
    return _each(rating, lambda text: _BUCKET_OF.get(text.strip().upper()))


def names(text: pd.Series) -> pd.Series:
    """Names of classes or sectors in lower case with underscores, empty where there is none."""
    return _each(text, lambda name: name.strip().lower().replace(" ", "_").replace("-", "_"))


def _each(texts: pd.Series, read: Callable[[str], str | None]) -> pd.Series:
    """Every text as `read` gives it, read once for texts that are alike; what is missing counts as empty."""
    code, found = pd.factorize(texts)
    values = np.array([*(read(str(text)) for text in found), read("")], dtype=object)
    return pd.Series(values[code], index=texts.index, dtype=object)
