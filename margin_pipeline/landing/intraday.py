"""Position files that arrive during the day: `<landing>/<date>/positions.intraday.csv` or `.parquet`.

Belongs here: finding and reading them, quarantine of their bad rows. Not here: what a row must look like (`contracts`), margin.

The contract is that of positions. A file gives all positions of every portfolio that it names; a portfolio that has none left is named by
a row with a quantity of 0.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from margin_pipeline.landing import cross_checks
from margin_pipeline.landing.contracts import CONTRACTS
from margin_pipeline.landing.errors import LandingError
from margin_pipeline.landing.folder import READERS, list_folders
from margin_pipeline.landing.ledger import rejected_rows
from margin_pipeline.landing.repeats import add_up_positions, differing_marks
from margin_pipeline.landing.validation import validate

NAME = "positions.intraday"
"""The part before the first dot is the file that it stands in for."""
NO_NETTING_SETS = pd.DataFrame({"netting_set_id": pd.Series(dtype="str"), "portfolio_id": pd.Series(dtype="str")})


@dataclass(frozen=True)
class IntradayPositions:
    """A file of positions that arrived during the day.

    Attributes
    ----------
    source : its name.
    content_hash : SHA-256 of its content.
    records : accepted rows, as of table position_records.
    rejected_rows : its bad rows, as of the table of this name.
    """

    source: str
    content_hash: str
    records: pd.DataFrame
    rejected_rows: pd.DataFrame


def newest_file(landing: Path, after: dt.date) -> Path | None:
    """The file of the newest date after a published one that has any; None: there is none."""
    for date in reversed(list_folders(landing)):
        if date <= after:
            return None
        for suffix in READERS:
            path = landing / date.isoformat() / f"{NAME}{suffix}"
            if path.is_file():
                return path
    return None


def read_positions(path: Path, instruments: pd.DataFrame, portfolios: pd.DataFrame) -> IntradayPositions:
    """Read a file of positions, checked against the instruments and portfolios of a published date.

    Raises
    ------
    LandingError : the file cannot be read, or lacks a column.
    """
    contract, as_of = CONTRACTS["positions"], dt.date.fromisoformat(path.parent.name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LandingError([f"{path.name} of {as_of} cannot be read ({error.strerror})"]) from None
    records = READERS[path.suffix](path.name, data, contract.columns, contract.separators, contract.column_name)
    absent = [name for name in contract.required_columns if name not in records.header]
    if absent:
        raise LandingError([f"{path.name} of {as_of} has no column {', '.join(absent)}; add it to the header"])
    file = validate(records, contract)
    file = file.reject(cross_checks.unknown_portfolios(file, portfolios))
    file = file.reject(cross_checks.position_rejections(file.accepted, instruments, as_of))
    file = file.reject(differing_marks(file.accepted))
    bad = rejected_rows([file], portfolios, NO_NETTING_SETS)
    return IntradayPositions(path.name, hashlib.sha256(data).hexdigest(), add_up_positions(file.accepted), bad)
