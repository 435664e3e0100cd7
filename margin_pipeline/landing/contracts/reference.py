"""Contract of the instruments file.

Belongs here: columns, ranges, defaults and rules over one instrument. Not here: rules that need another file (cross-checks).
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import boolean, currency, date, number, row_rule, text
from margin_pipeline.landing.contracts.contract import FileContract

ASSET_CLASSES = (
    "equity",
    "etf",
    "index",
    "equity_option",
    "index_option",
    "future",
    "future_option",
    "bond",
    "fx",
    "crypto",
    "commodity",
    "convertible",
    "warrant",
)
OPTIONS = ("equity_option", "index_option", "future_option")
FUTURES = ("future", "future_option")
OPTION_MULTIPLIER = 100.0


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    asset_class = frame["asset_class"]
    usual = pd.Series(1.0, index=frame.index).mask(asset_class.isin(["equity_option", "index_option"]), OPTION_MULTIPLIER)
    usual = usual.mask(asset_class.isin(FUTURES))
    inverse = frame["is_inverse"].astype("boolean").fillna(frame["leverage_factor"] < 0).fillna(False)
    return frame.assign(
        multiplier=frame["multiplier"].fillna(usual), leverage_factor=frame["leverage_factor"].abs(), is_inverse=inverse.astype("boolean")
    )


def _option_needs(column: str) -> pa.Check:
    article = "an" if column[0] in "aeiou" else "a"
    return row_rule(column, f"an option needs {article} {column}", lambda f: ~f["asset_class"].isin(OPTIONS) | f[column].notna())


INSTRUMENTS = FileContract(
    name="instruments",
    table="instruments",
    description="Reference data of one instrument.",
    key=("symbol",),
    required=True,
    may_be_empty=False,
    complete=_complete,
    complete_note="A leverage factor counts by its size: −3 becomes 3, and marks an inverse fund.",
    schema=pa.DataFrameSchema(
        {
            "symbol": text("Identity of the instrument.", required=True),
            "asset_class": text("Kind of instrument.", required=True, allowed=ASSET_CLASSES, case="lower"),
            "underlying": text("Symbol that options, futures and warrants are on."),
            "option_type": text("Kind of option.", allowed=("call", "put"), case="lower"),
            "strike": number("Exercise price.", "instrument currency a unit of the underlying", above=0),
            "expiry": date("Last day of the contract."),
            "exercise": text("When the option can be exercised.", allowed=("american", "european"), case="lower"),
            "settlement": text("How the contract settles.", allowed=("physical", "cash"), case="lower"),
            "multiplier": number(
                "Units of the underlying a contract, or money a point.",
                "units",
                above=0,
                default_note="100 for equity_option and index_option; none for future and future_option, which need one; else 1",
            ),
            "deliverable_units": number("Units delivered a contract where that differs from the multiplier.", "units", above=0),
            "conversion_ratio": number("Shares that one convertible or warrant gives.", "shares", above=0),
            "currency": currency("Currency of prices, strikes and exchange rates of margin.", default="USD"),
            "exchange": text("Market identifier code (ISO 10383)."),
            "sector": text("Sector of the issuer."),
            "rating": text("Credit rating of the issuer."),
            "modified_duration": number("Modified duration.", "years"),
            "breadth": text("Breadth of an index or ETF.", allowed=("broad_high_cap", "broad", "narrow"), case="lower"),
            "index_ratio": number("Index points a share, for an ETF whose underlying is an index.", "points", above=0),
            "leverage_factor": number("Daily leverage of a leveraged fund.", "factor", above=0, default=1.0),
            "root": text("Row of futures_margins that applies."),
            "class_group": text("Class group of risk-based margin."),
            "product_group": text("Product group of risk-based margin."),
            "margin_schedule": text("Schedule of margin_schedules that applies (tiered products)."),
            "margin_model": text("Margin model that overrides the choice by account and asset class."),
            "margin_leverage": number("Notional over margin, for model leverage.", "ratio", above=0),
            "margin_per_unit": number("Margin a unit, for model per_unit.", "instrument currency", at_least=0),
            "contract_type": text("Kind of leveraged crypto contract; empty: spot.", allowed=("linear", "inverse"), case="lower"),
            "is_inverse": boolean("Whether the fund moves against its underlying.", default_note="true where leverage_factor is negative"),
        },
        checks=[
            *(_option_needs(column) for column in ("underlying", "option_type", "strike", "expiry")),
            row_rule("multiplier", "a future, or an option on one, needs a multiplier", lambda f: f["multiplier"].notna()),
        ],
    ),
)
