"""Loading tables: the bulk loader beside `DataFrame.to_sql`, into a real table and a bare one.

Belongs here: rows a second in and out. Not here: what is loaded.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy

from benchmarks.harness import Result, least_seconds
from margin_pipeline import storage

ROWS = 100_000
AS_OF = dt.date(2022, 12, 28)
BARE = "create table if not exists margin_data.bare (a bigint, b text, c double precision, d double precision, e double precision, f date)"


def _prices(random: np.random.Generator) -> pd.DataFrame:
    days = pd.bdate_range(end=AS_OF, periods=50).to_numpy()
    symbols = np.array([f"S{n:05d}" for n in range(ROWS // 50)])
    close = random.uniform(10, 400, ROWS)
    frame = pd.DataFrame({"date": np.repeat(days, len(symbols)), "symbol": np.tile(symbols, 50), "close": close, "adjusted_close": close})
    return frame.astype({"symbol": "str"})


def run() -> list[Result]:
    """Measure on a throwaway server."""
    random = np.random.default_rng(7)
    prices = _prices(random)
    bare = pd.DataFrame({"a": np.arange(ROWS), "b": prices["symbol"], "c": prices["close"], "d": prices["close"], "e": 1.0, "f": AS_OF})
    with tempfile.TemporaryDirectory() as folder, storage.open_database(Path(folder), None, None) as urls:
        storage.execute(urls, BARE)
        storage.execute(urls, "select margin_data.ensure_partitions(%s)", (AS_OF,))
        engine = sqlalchemy.create_engine(urls.results)
        keyed = {"as_of": AS_OF, "calculation_id": 1}

        def load_keyed() -> None:
            storage.execute(urls, "delete from margin_data.prices where calculation_id = 1")
            storage.load_frame(urls, "prices", prices, keyed)

        def to_sql_keyed() -> None:
            storage.execute(urls, "delete from margin_data.prices where calculation_id = 1")
            prices.assign(**keyed).to_sql("prices", engine, schema="margin_data", if_exists="append", index=False)

        ratio = least_seconds(to_sql_keyed, 2) / least_seconds(load_keyed, 3)
        loaded = least_seconds(lambda: storage.load_frame(urls, "bare", bare), 3)
        plain = least_seconds(lambda: bare.to_sql("bare", engine, schema="margin_data", if_exists="append", index=False), 2)
        engine.dispose()
    return [
        Result(f"{ROWS:,} rows into a table with key and CHECKs, to_sql over bulk load", ratio, "x", 4.0, at_least=True),
        Result(f"{ROWS:,} rows into a bare table, to_sql over bulk load", plain / loaded, "x", 10.0, at_least=True),
    ]
