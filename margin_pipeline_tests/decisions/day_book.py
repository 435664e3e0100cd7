"""Small books on two dates with everything that is told from day to day.

Belongs here: the builder. Not here: tests.
"""

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.decisions.previous_date import PreviousDate
from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline_tests.decisions import test_what_if

BEFORE, AS_OF = dt.date(2022, 12, 27), dt.date(2022, 12, 28)
THRESHOLDS = test_what_if.THRESHOLDS
CLOSES = {**test_what_if.CLOSES, "FUT": 4000.0}
EXCHANGE = {"initial_overnight": 11_000.0, "maintenance_overnight": 10_000.0, "initial_intraday": np.nan, "maintenance_intraday": np.nan}


def exchange_rows(effective, **rates):
    """Rows of futures_margins for the root R."""
    return pd.DataFrame([{"root": "R", "effective_date": pd.Timestamp(effective), **EXCHANGE, **rates}])


def tables(book, as_of=AS_OF, account="reg_t", equity=100_000.0, closes=None, marks=None, **given):
    """Tables of portfolio P on a date, its margins too.

    book : {(strategy, symbol): quantity}; closes : closes that differ from `CLOSES`; marks : marks of the positions' own by symbol;
    given : frames that differ from the usual ones.
    """
    found = test_what_if.tables(book, account, equity)
    future = {
        "symbol": "FUT",
        "asset_class": "future",
        "underlying": "S",
        "multiplier": 50.0,
        "root": "R",
        "expiry": pd.Timestamp("2023-06-16"),
    }
    instruments = found["instruments"]
    row = instruments[instruments["symbol"] == "F"].assign(**future)
    found["instruments"] = pd.concat([instruments, row], ignore_index=True)
    values = {symbol: close for symbol, close in {**CLOSES, **(closes or {})}.items() if close is not None}
    found["prices"] = pd.DataFrame({"date": pd.Timestamp(as_of), "symbol": list(values), "close": list(values.values())})
    found["futures_margins"] = exchange_rows("2022-01-01")
    found["house_margins"] = pd.DataFrame(
        {"symbol": pd.Series(dtype="str"), "asset_class": pd.Series(dtype="str"), "initial_rate": pd.Series(dtype=float)}
    ).assign(maintenance_rate=pd.Series(dtype=float))
    found |= given
    if marks:
        found["position_records"]["price"] = found["position_records"]["symbol"].map(marks).astype(float)
    records, portfolios = found["position_records"], found["portfolios"]
    margins = recalculate(found, records, portfolios, Setting(as_of, THRESHOLDS), governing_only=True)
    names = ("positions", "position_margins", "strategy_groups", "portfolio_margins")
    return found | {name: getattr(margins, name) for name in names}


def previous(book, **options):
    """The date before, as a stage sees it."""
    return PreviousDate(BEFORE, tables(book, BEFORE, **options))
