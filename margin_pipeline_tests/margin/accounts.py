"""One portfolio with everything that goes into its composition, for tests of accounts.

Belongs here: the builder. Not here: tests.
"""

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.margin.house_additions import house_additions
from margin_pipeline.margin.portfolio import compose
from margin_pipeline.margin.registry import stand_alone_margins
from margin_pipeline.margin.schedules import schedule_positions
from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.margin.valuation import value_positions

AS_OF = dt.date(2022, 12, 28)
THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
TEXTS = ("underlying", "option_type", "exercise", "settlement", "breadth", "root", "margin_schedule", "margin_model", "contract_type")
NUMBERS = ("strike", "deliverable_units", "conversion_ratio", "modified_duration", "index_ratio", "margin_leverage", "margin_per_unit")
OPTION = {"asset_class": "equity_option", "underlying": "A", "multiplier": 100.0, "expiry": "2023-03-17", "exercise": "american"}
INSTRUMENTS = {
    "A": {},
    "B": {},
    "Z": {},
    "EUB": {"currency": "EUR"},
    "C80": {**OPTION, "option_type": "call", "strike": 80.0},
    "C100": {**OPTION, "option_type": "call", "strike": 100.0},
    "C110": {**OPTION, "option_type": "call", "strike": 110.0},
    "P90": {**OPTION, "option_type": "put", "strike": 90.0},
    "LEAP": {**OPTION, "option_type": "call", "strike": 100.0, "expiry": "2024-06-21"},
    "ES": {"asset_class": "future", "multiplier": 50.0, "root": "ES"},
    "BTC": {"asset_class": "crypto", "contract_type": "linear", "margin_schedule": "S"},
}
CLOSES = {
    "A": 100.0,
    "B": 40.0,
    "EUB": 10.0,
    "C80": 21.0,
    "C100": 5.0,
    "C110": 2.0,
    "P90": 1.5,
    "LEAP": 12.0,
    "ES": 3_800.0,
    "BTC": 20_000.0,
}
NETTING_SET = ["portfolio_id", "netting_set_id", "model", "side", "initial_margin", "missing"]
REJECTED = ["source", "row_number", "column_name", "reason", "portfolio_id", "raw"]


def instruments():
    blank = {
        **dict.fromkeys(TEXTS),
        **dict.fromkeys(NUMBERS, np.nan),
        "asset_class": "equity",
        "multiplier": 1.0,
        "currency": "USD",
        "leverage_factor": 1.0,
        "expiry": pd.NaT,
    }
    frame = pd.DataFrame([{"symbol": s, **blank, **terms} for s, terms in INSTRUMENTS.items()])
    return frame.astype(dict.fromkeys((*TEXTS, "symbol", "asset_class", "currency"), "str")).assign(expiry=pd.to_datetime(frame["expiry"]))


def empty(*columns):
    return pd.DataFrame({name: pd.Series(dtype="datetime64[us]" if "date" in name else object) for name in columns})


def tables(held, *, account="reg_t", equity=100_000.0, base="USD", usd=(), benefits=(), netting_sets=(), rejected=(), house=()):
    """Everything that goes into the composition of the portfolio `P`; `held`: (strategy, symbol, quantity); `house`: its file."""
    terms = instruments()
    records = pd.DataFrame(
        [("P", s, symbol, float(q), np.nan, np.nan, np.nan) for s, symbol, q in held],
        columns=["portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet"],
    )
    records = records.astype({**dict.fromkeys(["portfolio_id", "strategy", "symbol"], "str"), "quantity": float, "price": float})
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "account_type": [account], "equity": [float(equity)], "base_currency": [base]})
    prices = pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": list(CLOSES), "close": list(CLOSES.values())})
    fx_rates = pd.DataFrame({"date": pd.to_datetime([AS_OF] * len(usd)), "currency": [c for c, _ in usd], "usd_rate": [r for _, r in usd]})
    positions = value_positions(records, terms, portfolios, prices, fx_rates, AS_OF)
    futures = pd.DataFrame(
        [("ES", pd.Timestamp("2022-01-03"), 13_200.0, 12_000.0, np.nan, np.nan)],
        columns=["root", "effective_date", "initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday"],
    )
    schedules = pd.DataFrame(
        [("S", "marginal", t, r, r / 2, "USD", pd.Timestamp("2022-01-03")) for t, r in ((0.0, 0.10), (100_000.0, 0.20))],
        columns=["schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"],
    )
    rates = empty("asset_class", "initial_rate", "maintenance_rate", "effective_date")
    risk = pd.DataFrame({"symbol": terms["symbol"], "volatility": 0.2})
    asked = pd.DataFrame(house, columns=["symbol", "asset_class", "initial_rate", "maintenance_rate"])
    margins = stand_alone_margins(
        positions, terms, portfolios, prices, fx_rates, futures, schedules, rates, risk, AS_OF, models={}, house_margins=asked
    )
    grouping = group_positions(positions, terms, portfolios, prices, fx_rates, AS_OF, asked)
    added = house_additions(positions, terms, portfolios, prices, fx_rates, margins, grouping.groups, asked, AS_OF)
    return {
        "portfolios": portfolios,
        "positions": positions,
        "instruments": terms,
        "position_margins": margins,
        "strategy_groups": grouping.groups,
        "legs": grouping.legs,
        "cross_margin_benefits": pd.DataFrame(benefits, columns=["portfolio_id", "benefit_id", "symbol_1", "symbol_2", "saving"]),
        "netting_set_margins": pd.DataFrame(netting_sets, columns=NETTING_SET),
        "rejected_rows": pd.DataFrame(rejected, columns=REJECTED),
        "fx_rates": fx_rates,
        "house_additions": added,
        "grouping_proofs": grouping.proofs,
        "margin_schedule_positions": schedule_positions(positions, terms, margins, schedules, fx_rates, AS_OF),
    }


NOT_COMPOSED = ("legs", "grouping_proofs", "margin_schedule_positions")


def composition(given_tables):
    """The composition of what `tables` gives."""
    arguments = {name: frame for name, frame in given_tables.items() if name not in NOT_COMPOSED}
    return compose(**arguments, thresholds=THRESHOLDS, as_of=AS_OF)
