"""What commands share that read published results and write nothing.

Belongs here: opening the results, choosing date and portfolio. Not here: what is read of them, commands.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.decisions.recalculation import Setting
    from margin_pipeline.storage.snapshot import Snapshot

NEAREST_DATES = 5


@dataclass(frozen=True)
class Calculation:
    """The published calculation of a date.

    Attributes
    ----------
    as_of : business date.
    settings : thresholds, time of day, parameter versions and what else decided it.
    row : its row of margin.calculations.
    """

    as_of: dt.date
    settings: dict[str, Any]
    row: pd.Series


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what all of these commands take."""
    parser.add_argument("portfolio", metavar="PORTFOLIO", help="portfolio_id")
    parser.add_argument("--as-of", metavar="DATE", help="published business date, YYYY-MM-DD (default: the newest)")


@contextmanager
def results(settings: Settings) -> Iterator[Snapshot]:
    """Published results at one moment, in a read-only transaction; the schema is left as it is."""
    from margin_pipeline.storage import database_urls, open_database
    from margin_pipeline.storage.snapshot import snapshot

    if settings.database_url:
        with snapshot(database_urls(settings.data_dir, settings.database_url, settings.dagster_database_url)) as found:
            yield found
        return
    with open_database(settings.data_dir, None, settings.dagster_database_url, upgrade=False) as urls, snapshot(urls) as found:
        yield found


def calculation(snapshot: Snapshot, as_of: str | None) -> Calculation:
    """The published calculation of a date; None: of the newest date.

    Raises
    ------
    UsageError : the date is none, or is not published.
    """
    published = snapshot.calculations()
    dates = [date.date() for date in published["as_of"]]
    if not dates:
        raise cli.UsageError("nothing is published yet: run the chain of a date first (margin-pipeline run)")
    wanted = parse_date(as_of) if as_of else dates[-1]
    if wanted not in dates:
        nearest = sorted(sorted(dates, key=lambda date: abs(date - wanted))[:NEAREST_DATES])
        shown = ", ".join(str(date) for date in nearest)
        raise cli.UsageError(f"{wanted} is not published; near it are {shown}")
    row = published.iloc[dates.index(wanted)]
    return Calculation(wanted, json.loads(row["settings"]), row)


def setting(calculation: Calculation) -> Setting:
    """Date, thresholds and time of day by which a calculation was made."""
    from margin_pipeline.decisions.recalculation import Setting

    settings, as_of = calculation.settings, calculation.as_of
    at = dt.datetime.fromisoformat(settings["at"]) if settings.get("at") else None
    return Setting(as_of, settings["thresholds"], at, _market_is_open(str(settings["calendar"]), at, as_of))


def _market_is_open(calendar: str, at: dt.datetime | None, as_of: dt.date) -> bool:
    if at is None:
        return False
    from margin_pipeline.orchestration.partitions import is_open_and_not_closing_soon

    return is_open_and_not_closing_soon(calendar, at, as_of)


def portfolio(snapshot: Snapshot, as_of: dt.date, portfolio_id: str) -> pd.DataFrame:
    """The row of a portfolio in table portfolios.

    Raises
    ------
    UsageError : there is no such portfolio on the date.
    """
    from margin_pipeline.decisions.trades import near

    found = snapshot.rows("portfolios", as_of, portfolio_id=[portfolio_id])
    if found.empty:
        raise cli.UsageError(
            f"there is no portfolio {portfolio_id} on {as_of}{near(portfolio_id, snapshot.rows('portfolios', as_of)['portfolio_id'])}"
        )
    return found


def parse_date(text: str, option: str = "--as-of") -> dt.date:
    """Read what an option was given.

    Raises
    ------
    UsageError : it is not a date.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise cli.UsageError(f"{option} {text} is not a date; write YYYY-MM-DD") from None
