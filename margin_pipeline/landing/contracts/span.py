"""Contracts of scenario margin of futures and their options: risk arrays and the exchange's parameters.

Belongs here: their columns, ranges and units. Not here: the exchange's own file (`span_file`), what they charge (margin).
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import currency, date, number, row_rule, text
from margin_pipeline.landing.contracts.contract import FileContract

SCENARIOS = 16
TERMS = (
    "price_scan_range",
    "volatility_scan_range",
    "extreme_multiple",
    "extreme_fraction",
    "short_option_minimum",
    "tier",
    "intra_spread_charge",
    "delivery_charge",
    "delivery_spread_charge",
    "inter_commodity_credit",
)
"""What a row of span_parameters can say."""
UNKNOWN = "unknown"
"""Term of a class group with a rejected row that does not say which term it is."""
FIRST_EXPIRY = pd.Timestamp("1900-01-01")

RISK_ARRAYS = FileContract(
    name="risk_arrays",
    table="risk_arrays",
    description="What one long contract gains in one of 16 scenarios; all 16 of a contract, or none of them is used.",
    key=("symbol", "scenario"),
    group=("symbol",),
    same_in_group=("composite_delta",),
    schema=pa.DataFrameSchema(
        {
            "symbol": text("Contract, as in instruments.", required=True),
            "scenario": number("Number of the scenario.", "1 to 16", required=True, at_least=1, at_most=SCENARIOS),
            "value": number("Gain of one long contract, a loss negative.", "instrument currency a contract", required=True),
            "composite_delta": number("Delta of one long contract for spreads and delivery.", "futures of the class group"),
        },
        checks=[row_rule("scenario", "is no whole number", lambda f: f["scenario"] % 1 == 0)],
    ),
)

SPAN_PARAMETERS = FileContract(
    name="span_parameters",
    table="span_parameters",
    description=(
        "One term of a class group (combined commodity) from a date on. All rows of a class group and term with the newest "
        "effective date by then are in force together. A folder that brings a class group brings all of its terms; they stay until a newer "
        "folder does."
    ),
    key=("class_group", "effective_date", "term", "tier_1", "tier_2", "class_group_2", "priority", "expiry_from"),
    group=("class_group", "effective_date", "term"),
    same_in_group=("currency",),
    schema=pa.DataFrameSchema(
        {
            "class_group": text("Class group, as in instruments (class_group, else root); the first leg of a credit.", required=True),
            "effective_date": date("First day on which the row applies; may lie ahead.", required=True),
            "term": text("What the row gives.", required=True, allowed=TERMS, case="lower"),
            "tier_1": number("Tier of the first leg of a spread; of a tier its number.", "number", default=0.0, at_least=0),
            "tier_2": number("Tier of the second leg of a spread.", "number", default=0.0, at_least=0),
            "delta_1": number("Deltas of the first leg in one spread.", "futures", default=1.0, above=0),
            "delta_2": number("Deltas of the second leg in one spread.", "futures", default=1.0, above=0),
            "side_1": text("Side of the market of the first leg.", default="a", allowed=("a", "b"), case="lower"),
            "side_2": text("Side of the second leg: b opposite to a, a the same.", default="b", allowed=("a", "b"), case="lower"),
            "class_group_2": text("Class group of the second leg of a credit.", default=""),
            "priority": number("Order in which spreads are formed, smallest first.", "number", default=0.0, at_least=0),
            "expiry_from": date("First expiry (of the future) that the row is of.", default=FIRST_EXPIRY, default_note="any"),
            "expiry_to": date("Last expiry (of the future) that the row is of; empty: any."),
            "contract_multiplier": number(
                "Multiplier of the contract that value and deltas are of; empty: each contract's own.", "units", above=0
            ),
            "value": number(
                "Money a contract, spread or delta; a volatility; a multiple or fraction.", "currency of the row, or fraction", at_least=0
            ),
            "currency": currency("Currency of the value.", default="USD"),
        },
        checks=[
            row_rule("value", "a value is required (only a tier has none)", lambda f: f["value"].notna() | (f["term"] == "tier")),
            row_rule(
                "value",
                "is above 1, which no fraction is",
                lambda f: (f["value"].fillna(0) <= 1) | ~f["term"].isin(["inter_commodity_credit", "extreme_fraction"]),
            ),
            row_rule("tier_1", "a tier needs its number in tier_1", lambda f: (f["term"] != "tier") | (f["tier_1"] > 0)),
            row_rule(
                "class_group_2",
                "a credit needs the class group of its second leg, another one than the first",
                lambda f: (
                    (f["term"] != "inter_commodity_credit") | ~f["class_group_2"].isin([""]) & (f["class_group_2"] != f["class_group"])
                ),
            ),
            row_rule("expiry_to", "is before expiry_from", lambda f: f["expiry_to"].isna() | (f["expiry_to"] >= f["expiry_from"])),
        ],
    ),
)
