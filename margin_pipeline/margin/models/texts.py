"""Columns of text as codes into their values, so that rules compare numbers.

Belongs here: the column and the questions that rules ask it. Not here: which columns a book has (`book`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import Choice

Array = np.ndarray


class Texts(Choice):
    """A column of text: `texts[codes]`, missing where the code is -1."""

    @classmethod
    def of(cls, values: pd.Series) -> Texts:
        """The column that holds these values."""
        codes, texts = pd.factorize(values, use_na_sentinel=True)
        return cls(codes, [str(text) for text in texts])

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str | None:
        code = self.codes[row]
        return self.texts[code] if code >= 0 else None

    def __iter__(self) -> Iterator[str | None]:
        return (self.texts[code] if code >= 0 else None for code in self.codes.tolist())

    def take(self, rows: Array) -> Texts:
        """The column of these rows."""
        return Texts(self.codes[rows], self.texts)

    @property
    def given(self) -> Array:
        """(n,) whether there is a text."""
        return self.codes >= 0

    def among(self, *names: str) -> Array:
        """(n,) whether the text is one of these."""
        return np.array([*(text in names for text in self.texts), False])[self.codes]

    def numbers(self, values: Mapping[str, float]) -> Array:
        """(n,) the number of each text, NaN where it has none."""
        return np.array([*(values.get(text, np.nan) for text in self.texts), np.nan], dtype=np.float64)[self.codes]

    def renamed(self, names: Mapping[str, str]) -> Texts:
        """The column with every text replaced by its name, missing where it has none."""
        found: dict[str, int] = {}
        codes = [found.setdefault(names[text], len(found)) if text in names else -1 for text in self.texts]
        return Texts(np.array([*codes, -1])[self.codes], list(found))

    def filled_from(self, other: Texts) -> Texts:
        """The column with missing texts taken from another of the same length."""
        codes = np.where(self.given, self.codes, np.where(other.given, other.codes + len(self.texts), -1))
        return Texts(codes, [*self.texts, *other.texts])

    def series(self) -> pd.Series:
        """The column as a series of text."""
        return pd.Series(np.array([*self.texts, None], dtype=object)[self.codes], dtype="str")
