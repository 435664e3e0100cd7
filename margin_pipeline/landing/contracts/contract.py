"""What is declared about one input file: its table, key, pandera schema and how repeated rows are treated.

Belongs here: the record that binds a schema to a file. Not here: the schemas themselves (the modules beside this one).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pandera.pandas as pa

IN_NAMES = str.maketrans("", "", " _-")
"""What does not count in column names that may be spelt freely."""


def _unchanged(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


@dataclass(frozen=True)
class FileContract:
    """Contract of one input file.

    Attributes
    ----------
    name : file name without its ending.
    table : table of schema `margin_data` that the accepted rows go to.
    description : what a row is.
    key : columns that identify a row.
    schema : columns, types, ranges and rules over a row; the one place that says so.
    required : whether a date can be used without the file.
    may_be_empty : whether a required file may have a header and no rows.
    complete : fills what follows from other columns of the row (defaults by asset class), before the schema is checked.
    complete_note : what `complete` does, in words, for the documentation.
    known_portfolio : whether `portfolio_id` must be a portfolio of the date.
    group : columns of an object that several rows spell out together: one bad row makes all of them unusable.
    same_in_group : columns that the rows of such an object may not differ in.
    separators : what may stand between the cells of a CSV, one character each; the one that the header uses most is used.
    free_names : whether blanks, underscores and hyphens in column names do not count.
    spellings : other names of columns, in lower case without blanks, underscores and hyphens; with free_names.
    """

    name: str
    table: str
    description: str
    key: tuple[str, ...]
    schema: pa.DataFrameSchema
    required: bool = False
    may_be_empty: bool = True
    complete: Callable[[pd.DataFrame], pd.DataFrame] = _unchanged
    complete_note: str = ""
    known_portfolio: bool = False
    group: tuple[str, ...] = ()
    same_in_group: tuple[str, ...] = ()
    separators: str = ","
    free_names: bool = False
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Columns in the order of the contract."""
        return list(self.schema.columns)

    @property
    def required_columns(self) -> list[str]:
        """Columns that the header must have."""
        return [name for name in self.columns if self.metadata(name)["required"]]

    def column_name(self, written: str) -> str:
        """Name of the column that a header means, in lower case; what is none of them stays as it is."""
        name = written.strip().lower()
        if not self.free_names or name in self.schema.columns:
            return name
        bare = name.translate(IN_NAMES)
        known = {column.translate(IN_NAMES): column for column in self.columns}
        return self.spellings.get(bare) or known.get(bare, name)

    def metadata(self, column: str) -> Mapping[str, Any]:
        """Kind, unit, case and range of a column."""
        return self.schema.columns[column].metadata or {}
