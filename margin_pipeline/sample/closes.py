"""The real closes that ship with the package.

Belongs here: reading the data file. Not here: invented prices (invented_market), landing files (book).
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
from functools import lru_cache
from importlib import resources

import pandas as pd

SAMPLE_DATES: tuple[dt.date, ...] = tuple(dt.date(2022, 12, day) for day in (21, 22, 23, 27, 28))
"""Business dates of the sample book: the last five sessions of the data."""


@lru_cache(maxsize=1)
def price_lines() -> tuple[str, ...]:
    """Return the lines `date,symbol,close` of the data file, without its header, as they are printed there."""
    packed = resources.files("margin_pipeline.sample").joinpath("data/prices_2014_2022.csv.gz").read_bytes()
    return tuple(gzip.decompress(packed).decode("ascii").splitlines()[1:])


@lru_cache(maxsize=1)
def real_closes() -> pd.DataFrame:
    """Return the closes in US dollars (index points for SP500), one row a session and one column a symbol."""
    rows = pd.read_csv(io.StringIO("\n".join(price_lines())), names=["date", "symbol", "close"], parse_dates=["date"])
    return rows.pivot(index="date", columns="symbol", values="close").sort_index()
