"""A landing folder that is right, for tests that spoil one thing in it.

Belongs here: fixtures of the landing tests. Not here: tests.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from margin_pipeline.landing import LandedDate, read_date

GOOD: Mapping[str, str] = {
    "portfolios.csv": "portfolio_id,account_type,equity\nP1,reg_t,100000\nP2,cash,5000\n",
    "instruments.csv": (
        "symbol,asset_class,underlying,option_type,strike,expiry,multiplier\n"
        "AAPL,equity,,,,,\n"
        "NA,equity,,,,,\n"
        "AAPL_C130,equity_option,AAPL,call,130,2023-01-20,\n"
        "AAPL_OLD,equity_option,AAPL,call,130,2022-12-16,\n"
        "ESH3,future,SP500,,,2023-03-17,50\n"
    ),
    "positions.csv": "portfolio_id,strategy,symbol,quantity\nP1,core,AAPL,100\nP1,core,AAPL_C130,-1\nP2,core,AAPL,10\n",
    "prices.csv": "date,symbol,close\n2022-12-27,AAPL,130.03\n2022-12-28,AAPL,126.04\n2022-12-28,NA,10\n2022-12-28,AAPL_C130,1.5\n",
}


@pytest.fixture
def as_of() -> dt.date:
    return dt.date(2022, 12, 28)


@pytest.fixture
def write(tmp_path: Path, as_of: dt.date) -> Callable[..., Path]:
    """Writes the right folder with files replaced, appended to or (None) left out: `write({"positions.csv": "…"})`."""

    def write(changes: Mapping[str, str | bytes | None] | None = None, append: Mapping[str, str | bytes] | None = None) -> Path:
        folder = tmp_path / as_of.isoformat()
        folder.mkdir(exist_ok=True)
        files = {**GOOD, **(changes or {})}
        for name, more in (append or {}).items():
            files[name] = _bytes(files.get(name) or "") + _bytes(more)
        for name, content in files.items():
            if content is not None:
                (folder / name).write_bytes(_bytes(content))
        return folder

    return write


@pytest.fixture
def land(write: Callable[..., Path], as_of: dt.date) -> Callable[..., LandedDate]:
    """Writes a folder as `write` does and reads it; every record must be accounted for."""

    def land(changes: Mapping[str, str | bytes | None] | None = None, append: Mapping[str, str | bytes] | None = None) -> LandedDate:
        landed = read_date(write(changes, append), as_of)
        files, rejected = landed.tables["landed_files"], landed.tables["rejected_rows"]
        kept = rejected.groupby("source")["row_number"].nunique().reindex(files["source"]).fillna(0)
        assert (files["rows_read"] == files["rows_accepted"] + files["rows_rejected"]).all()
        assert list(kept.astype(int)) == list(files["rows_rejected"])
        assert not rejected.duplicated(["source", "row_number", "column_name"]).any()
        return landed

    return land


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
