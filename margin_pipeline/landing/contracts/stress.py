"""Contract of stress scenarios that users bring.

Belongs here: their columns and what a row may say. Not here: shipped scenarios (`parameters`), what a scenario does to a book.
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import number, row_rule, text
from margin_pipeline.landing.contracts.contract import FileContract
from margin_pipeline.parameters.stress import TARGETS

_NAMED = tuple(kind for kind, targets in TARGETS.items() if targets is None)
_LIMITS = {"rate": -10_000.0, "liquidity": 0.0, "criterion": 0.0}
_MOST = {"liquidity": 1.0, "rate": 10_000.0}
LOWEST_PRICE_MOVE = -1.0


def _target_is_known(frame: pd.DataFrame) -> pd.Series:
    known = pd.Series(True, index=frame.index)
    for kind, targets in TARGETS.items():
        here = frame["target_kind"] == kind
        named = frame["target"] != "" if targets is None else frame["target"].isin(targets)
        known &= ~here | named
    return known


def _shock_is_possible(frame: pd.DataFrame) -> pd.Series:
    lowest = frame["target_kind"].map(_LIMITS).fillna(LOWEST_PRICE_MOVE).astype(float)
    most = frame["target_kind"].map(_MOST).fillna(float("inf")).astype(float)
    gone = (frame["target_kind"] == "currency") & (frame["shock"] <= LOWEST_PRICE_MOVE)
    return frame["shock"].isna() | ((frame["shock"] >= lowest) & (frame["shock"] <= most) & ~gone)


STRESS_SCENARIOS = FileContract(
    name="stress_scenarios",
    table="stress_scenarios",
    description="One shock, or one criterion, of a stress scenario of your own; a scenario of a shipped name replaces the shipped one.",
    key=("scenario", "target_kind", "target"),
    group=("scenario",),
    schema=pa.DataFrameSchema(
        {
            "scenario": text("Name of the scenario.", required=True),
            "target_kind": text("What the row shocks.", required=True, allowed=tuple(TARGETS), case="lower"),
            "target": text(
                "Sector, asset class, symbol, currency; asset class or default (liquidity); relative or absolute (volatility); empty or "
                "spread (rate); the criterion. Empty for market.",
                default="",
            ),
            "shock": number(
                "Move of a price or currency, change of volatility, cost of leaving: fractions; rates: basis points; limit of a criterion.",
                "fraction or basis points",
                required=True,
            ),
        },
        checks=[
            row_rule(
                "target", f"{', '.join(_NAMED)} need a target; the others know the ones that the documentation lists", _target_is_known
            ),
            row_rule("shock", "a price falls by 100 % at most, a currency by less, a cost is between 0 and 1", _shock_is_possible),
        ],
    ),
)
