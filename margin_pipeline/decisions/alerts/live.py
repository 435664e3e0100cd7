"""Alerts about live marks that have grown old while the market trades.

Belongs here: their conditions and messages. Not here: marks of a date (`book`), how old is too old (`parameters`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping

from margin_pipeline.decisions.alerts.book import NAMES_SHOWN, STALE_MARK
from margin_pipeline.decisions.alerts.judgement import Condition, Judgement

LIVE_MARKS = "live_marks"
"""Subject of these alerts: those of the same kind about the marks of a date have none."""


def stale_live_marks(
    old: Mapping[str, Collection[str]],
    marked_at: Mapping[str, dt.datetime],
    limit: dt.timedelta,
    now: dt.datetime,
    watched: Collection[str],
) -> Iterator[Judgement]:
    """Judgements on live marks that are older than the limit; observed is the age of the oldest one in minutes.

    Parameters
    ----------
    old : symbols with an old mark that portfolios depend on, by portfolio.
    marked_at : instant of each old mark.
    limit : age from which a mark is stale.
    now : this instant.
    watched : portfolios that are judged besides: theirs are not old.
    """
    minutes = limit / dt.timedelta(minutes=1)
    for name in sorted({*old, *watched}):
        symbols = sorted(old.get(name, ()), key=lambda symbol: (marked_at[symbol], symbol))
        found: tuple[Condition, ...] = ()
        if symbols:
            age = (now - marked_at[symbols[0]]) / dt.timedelta(minutes=1)
            more = f" and {len(symbols) - NAMES_SHOWN} more" if len(symbols) > NAMES_SHOWN else ""
            message = (
                f"{name}: live marks of {', '.join(symbols[:NAMES_SHOWN])}{more} are older than {minutes:g} minutes while the market"
                f" trades, the oldest by {age:.0f} minutes; see marked_at in margin.live_marks and the feed"
            )
            found = (Condition(minutes, "warning", age, message, LIVE_MARKS),)
        yield Judgement(name, STALE_MARK, found, _ends(not found))


def _ends(fresh: bool) -> Callable[[str, float], bool]:
    """Only alerts about live marks end, once all are fresh."""

    def is_over(subject: str, threshold: float) -> bool:
        return fresh and subject == LIVE_MARKS

    return is_over
