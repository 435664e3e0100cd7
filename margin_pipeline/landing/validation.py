"""Rows of one file against its contract: typed and accepted, or rejected with a reason.

Belongs here: coercing the columns, filling defaults, running the schema. Not here: comparing rows or files with each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pandera.pandas as pa

from margin_pipeline.landing.coercion import coerce
from margin_pipeline.landing.contracts import FileContract
from margin_pipeline.landing.contracts.columns import DTYPES
from margin_pipeline.landing.records import Records
from margin_pipeline.landing.rejections import Rejection, rejected, shown


@dataclass(frozen=True)
class ValidatedFile:
    """A file whose rows have been checked one by one.

    Attributes
    ----------
    contract, records : what it should be and what was read.
    accepted : rows in the contract's columns and types; index = row number in the file.
    rejected : the same columns of parsed rows that were rejected, as far as their cells could be understood.
    rejections : what is wrong with which row, unparsed lines included.
    """

    contract: FileContract
    records: Records
    accepted: pd.DataFrame
    rejected: pd.DataFrame
    rejections: list[Rejection]

    @property
    def source(self) -> str:
        """File name."""
        return self.records.source

    @property
    def rows_rejected(self) -> int:
        """Records with at least one rejection."""
        return len({rejection.row_number for rejection in self.rejections})

    def reject(self, found: Iterable[Rejection]) -> ValidatedFile:
        """The same file with more rows rejected."""
        found = list(found)
        if not found:
            return self
        bad = self.accepted.index.isin([rejection.row_number for rejection in found])
        return replace(
            self,
            accepted=self.accepted[~bad],
            rejected=pd.concat([self.rejected, self.accepted[bad]]),
            rejections=self.rejections + found,
        )

    def with_accepted(self, accepted: pd.DataFrame) -> ValidatedFile:
        """The same file with its accepted rows completed or put in order."""
        return replace(self, accepted=accepted)


def validate(records: Records, contract: FileContract) -> ValidatedFile:
    """Check every row of a file against its contract.

    Parameters
    ----------
    records : text cells; the columns that the contract requires are there.
    contract : columns, types, defaults and rules of the file.
    """
    columns: dict[str, pd.Series] = {}
    rejections = [*records.unparsed, *records.refused]
    for name in contract.columns:
        columns[name], problems = _column(records, contract, name)
        rejections += [Rejection(int(records.row_number[i]), name, reason) for i, reason in problems.items()]
    frame = pd.DataFrame(columns)
    frame.index = pd.Index(records.row_number, dtype="int64")
    bad = frame.index.isin([rejection.row_number for rejection in rejections]) if rejections else np.zeros(len(frame), dtype=bool)
    file = ValidatedFile(contract, records, _filled(frame[~bad] if bad.any() else frame, contract), frame[bad], rejections)
    return file.reject(_schema_rejections(file.accepted, contract.schema))


def empty_frame(contract: FileContract) -> pd.DataFrame:
    """No rows in the contract's columns and types."""
    return pd.DataFrame({name: pd.Series(dtype=DTYPES[contract.metadata(name)["kind"]]) for name in contract.columns})


def _column(records: Records, contract: FileContract, name: str) -> tuple[pd.Series, dict[int, str]]:
    metadata = contract.metadata(name)
    if name not in records.cells:
        return pd.Series(None, index=range(len(records.row_number)), dtype=DTYPES[metadata["kind"]]), {}
    return coerce(records.cells[name], metadata["kind"], metadata.get("case", "as_is"))


def _filled(frame: pd.DataFrame, contract: FileContract) -> pd.DataFrame:
    defaults = {name: column.default for name, column in contract.schema.columns.items() if column.default is not None}
    return contract.complete(frame.fillna(defaults) if defaults else frame)


def _schema_rejections(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> list[Rejection]:
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return [rejection for error in errors.schema_errors for rejection in _of_error(error)]
    return []


def _of_error(error: pa.errors.SchemaError) -> list[Rejection]:
    """Rejections of one failed check of the schema; a failure that names no row is a mistake of the schema itself."""
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or cases["index"].isna().any():
        raise error
    if isinstance(error.schema, pa.DataFrameSchema):
        rows = cases["index"].unique()
        return rejected(rows, error.check.name, [error.check.error] * len(rows))
    column = error.schema.name
    if error.reason_code is pa.errors.SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return rejected(cases["index"], column, ["a value is required"] * len(cases))
    return rejected(cases["index"], column, (f"{_as_written(value)} {error.check.error}" for value in cases["failure_case"]))


def _as_written(value: object) -> str:
    return shown(f"{value:.15g}" if isinstance(value, float) else value)
