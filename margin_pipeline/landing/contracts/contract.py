"""What is declared about one input file: its table, key, pandera schema and how repeated rows are treated.

Belongs here: the record that binds a schema to a file. Not here: the schemas themselves (the modules beside this one).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pandera.pandas as pa


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

    @property
    def columns(self) -> list[str]:
        """Columns in the order of the contract."""
        return list(self.schema.columns)

    @property
    def required_columns(self) -> list[str]:
        """Columns that the header must have."""
        return [name for name in self.columns if self.metadata(name)["required"]]

    def metadata(self, column: str) -> Mapping[str, Any]:
        """Kind, unit, case and range of a column."""
        return self.schema.columns[column].metadata or {}
