"""How portfolios are followed during the day, as a frozen record.

Belongs here: reading intraday.yaml. Not here: computing margin (`decisions.intraday`), the rounds (`orchestration`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force


@dataclass(frozen=True)
class IntradayRules:
    """Settings in force on a date.

    Attributes
    ----------
    budget_seconds : seconds after which a round begins no further portfolios.
    alone_from_positions : positions from which a portfolio is computed alone.
    together_up_to_positions : positions of smaller portfolios that are computed together.
    stale_after : age at which a live mark is stale while the market trades.
    """

    budget_seconds: float
    alone_from_positions: int
    together_up_to_positions: int
    stale_after: dt.timedelta


def intraday_rules(as_of: dt.date) -> IntradayRules:
    """Settings in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    v = in_force("intraday", as_of).values
    return IntradayRules(
        budget_seconds=float(v["budget_seconds"]),
        alone_from_positions=int(v["alone_from_positions"]),
        together_up_to_positions=int(v["together_up_to_positions"]),
        stale_after=dt.timedelta(minutes=float(v["stale_after_minutes"])),
    )
