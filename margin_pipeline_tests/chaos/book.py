"""A small book for faults: few portfolios and a short history, so that a run takes seconds, and still raises alerts.

Belongs here: its files. Not here: running it (`harness`).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from margin_pipeline.sample import SAMPLE_DATES, write_sample

DATE = SAMPLE_DATES[0]
PORTFOLIOS = ("CASH", "CRYPTO", "MOMENTUM")
FILES = ("portfolios", "positions", "instruments", "prices", "dividends", "margin_schedules", "fx_rates", "rates")
SESSIONS = 150


def write_small_book(landing: Path) -> Path:
    """Write the landing folder of one date; gives the landing zone."""
    write_sample(landing.parent / "whole")
    source, target = landing.parent / "whole" / DATE.isoformat(), landing / DATE.isoformat()
    target.mkdir(parents=True)
    tables = {name: pd.read_csv(source / f"{name}.csv", dtype=str, keep_default_na=False) for name in FILES}
    for name in ("portfolios", "positions"):
        tables[name] = tables[name][tables[name]["portfolio_id"].isin(PORTFOLIOS)]
    held = set(tables["positions"]["symbol"])
    instruments = tables["instruments"]
    held |= set(instruments.loc[instruments["symbol"].isin(held), "underlying"]) | set(
        instruments.loc[instruments["asset_class"].isin(["index", "etf"]), "symbol"]
    )
    tables["instruments"] = instruments[instruments["symbol"].isin(held)]
    days = sorted(set(tables["prices"]["date"]))[-SESSIONS:]
    tables["prices"] = tables["prices"][tables["prices"]["symbol"].isin(held) & tables["prices"]["date"].isin(days)]
    tables["fx_rates"] = tables["fx_rates"][tables["fx_rates"]["date"].isin(days)]
    tables["dividends"] = tables["dividends"][tables["dividends"]["symbol"].isin(held)]
    for name, table in tables.items():
        table.to_csv(target / f"{name}.csv", index=False)
    return landing
