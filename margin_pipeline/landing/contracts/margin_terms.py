"""Contracts of margin terms that users bring: futures margins, margin schedules, rates by asset class, house rates.

Belongs here: their columns, ranges and units. Not here: which row is in force on a date, or what it charges (margin).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import currency, date, number, row_rule, text
from margin_pipeline.landing.contracts.contract import FileContract
from margin_pipeline.landing.contracts.reference import ASSET_CLASSES

A_CONTRACT = "instrument currency a contract"
OF_NOTIONAL = "fraction of notional"


def _effective_date() -> pa.Column:
    return date("First day on which the row applies; may lie ahead.", required=True)


def _rates() -> dict[str, pa.Column]:
    return {
        "initial_rate": number("Initial margin.", OF_NOTIONAL, required=True, at_least=0, at_most=1),
        "maintenance_rate": number("Maintenance margin.", OF_NOTIONAL, required=True, at_least=0, at_most=1),
    }


FUTURES_MARGINS = FileContract(
    name="futures_margins",
    table="futures_margins",
    description="Exchange margin of one futures product from a date on.",
    key=("root", "effective_date"),
    schema=pa.DataFrameSchema(
        {
            "root": text("Product root, as in instruments.root.", required=True),
            "effective_date": _effective_date(),
            "initial_overnight": number("Initial margin held overnight.", A_CONTRACT, required=True, at_least=0),
            "maintenance_overnight": number("Maintenance margin held overnight.", A_CONTRACT, required=True, at_least=0),
            "initial_intraday": number("Initial margin while the market is open.", A_CONTRACT, at_least=0),
            "maintenance_intraday": number("Maintenance margin while the market is open.", A_CONTRACT, at_least=0),
        }
    ),
)

MARGIN_SCHEDULES = FileContract(
    name="margin_schedules",
    table="margin_schedules",
    description="One tier of a margin schedule from a date on.",
    key=("schedule", "effective_date", "threshold"),
    group=("schedule", "effective_date"),
    same_in_group=("mode", "currency"),
    schema=pa.DataFrameSchema(
        {
            "schedule": text("Name, as in instruments.margin_schedule.", required=True),
            "mode": text(
                "bracket: the whole notional at the rate of its tier; marginal: each slice at its own rate.",
                required=True,
                allowed=("bracket", "marginal"),
                case="lower",
            ),
            "threshold": number("Notional from which the tier applies.", "currency of the row", required=True, at_least=0),
            **_rates(),
            "currency": currency("Currency of the thresholds.", default="USD"),
            "effective_date": _effective_date(),
        }
    ),
)

MARGIN_RATES = FileContract(
    name="margin_rates",
    table="margin_rates",
    description="Margin rates of one asset class from a date on; they replace the shipped table of asset_class_rate.",
    key=("asset_class", "effective_date"),
    schema=pa.DataFrameSchema(
        {
            "asset_class": text("Asset class.", required=True, case="lower"),
            **_rates(),
            "effective_date": _effective_date(),
        }
    ),
)

HOUSE_MARGINS = FileContract(
    name="house_margins",
    table="house_margins",
    description="What the house asks at least for a symbol or an asset class, on the folder's date; the greater of rule and house counts.",
    key=("symbol", "asset_class"),
    schema=pa.DataFrameSchema(
        {
            "symbol": text("Instrument, as in instruments. Empty: the row is of an asset class.", default=""),
            "asset_class": text("Asset class, as in instruments. Empty: the row is of a symbol.", default="", case="lower"),
            **_rates(),
        },
        checks=[
            row_rule(
                "symbol",
                "a row is of a symbol or of an asset class: give one of them",
                lambda f: (f["symbol"] != "") != (f["asset_class"] != ""),
            ),
            row_rule(
                "asset_class",
                f"the asset class is none of {', '.join(ASSET_CLASSES)}",
                lambda f: f["asset_class"].isin(["", *ASSET_CLASSES]),
            ),
        ],
    ),
)
