"""A small book with everything that stress tests take, for tests of scenarios.

Belongs here: the builder. Not here: tests.
"""

import datetime as dt
from importlib import resources

import numpy as np
import pandas as pd
import yaml

from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.decisions.stress import stress_tables
from margin_pipeline.landing.contracts import CONTRACTS
from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.margin.valuation import value_positions
from margin_pipeline.parameters.stress import rules_of
from margin_pipeline.risk.stress import shocked_positions

AS_OF = dt.date(2022, 12, 28)
THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
BENCHMARK = "M"
TEXTS = (
    "underlying", "option_type", "exercise", "settlement", "sector", "breadth", "root", "margin_schedule", "margin_model", "contract_type",
)  # fmt: skip
NUMBERS = ("strike", "deliverable_units", "conversion_ratio", "modified_duration", "index_ratio", "margin_leverage", "margin_per_unit")
OPTION = {"asset_class": "equity_option", "underlying": "A", "multiplier": 100.0, "expiry": "2023-03-17", "exercise": "european"}
INSTRUMENTS = {
    "M": {"asset_class": "index", "breadth": "broad"},
    "A": {"sector": "technology"},
    "B": {"sector": "energy"},
    "NOBETA": {},
    "EUR_STOCK": {"currency": "EUR"},
    "BOND": {"asset_class": "bond", "modified_duration": 7.0},
    "NODURATION": {"asset_class": "bond"},
    "EURUSD": {"asset_class": "fx"},
    "C90": {**OPTION, "option_type": "call", "strike": 90.0},
    "C100": {**OPTION, "option_type": "call", "strike": 100.0},
    "C110": {**OPTION, "option_type": "call", "strike": 110.0},
    "P100": {**OPTION, "option_type": "put", "strike": 100.0},
    "P90": {**OPTION, "option_type": "put", "strike": 90.0},
    "P80": {**OPTION, "option_type": "put", "strike": 80.0},
    "LEAP": {**OPTION, "option_type": "call", "strike": 100.0, "expiry": "2024-06-21"},
    "FUT": {"asset_class": "future", "underlying": "M", "multiplier": 50.0, "root": "ES"},
    "LINEAR": {"asset_class": "crypto", "contract_type": "linear", "margin_schedule": "S"},
    "INVERSE": {"asset_class": "crypto", "contract_type": "inverse", "margin_schedule": "S", "multiplier": 100.0},
}
CLOSES = {
    "M": 4000.0, "A": 100.0, "B": 40.0, "NOBETA": 10.0, "EUR_STOCK": 10.0, "BOND": 95.0, "NODURATION": 95.0, "EURUSD": 1.06, "C90": 12.5,
    "C100": 6.0, "C110": 2.5, "P100": 5.5, "P90": 2.0, "P80": 0.6, "LEAP": 14.0, "FUT": 4010.0, "LINEAR": 20_000.0, "INVERSE": 20_000.0,
}  # fmt: skip
BETAS = {"M": 1.0, "A": 1.5, "B": 0.5, "EUR_STOCK": 1.0, "LINEAR": 2.0, "INVERSE": 2.0, "EURUSD": 0.0}
RECORDS = ["portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet"]


def instruments():
    """All instruments of the builder."""
    blank = {**dict.fromkeys(TEXTS), **dict.fromkeys(NUMBERS, np.nan), "asset_class": "equity", "multiplier": 1.0, "currency": "USD"}
    rows = [{"symbol": s, **blank, "leverage_factor": 1.0, "expiry": None, **terms} for s, terms in INSTRUMENTS.items()]
    frame = pd.DataFrame(rows)
    frame["expiry"] = pd.to_datetime(frame["expiry"])
    # Columns that no test here is about are empty.
    frame = frame.reindex(columns=[*frame, *(c for c in CONTRACTS["instruments"].columns if c not in frame)]).assign(is_inverse=False)
    named = ("symbol", "asset_class", "currency", "class_group", "product_group", "exchange", "rating", *TEXTS)
    return frame.astype({**dict.fromkeys(named, "str"), **dict.fromkeys(NUMBERS, float)})


def history():
    """Closes of 30 sessions up to the date, flat; options on the date only."""
    days = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=30)
    rows = [(day, s, c) for s, c in CLOSES.items() for day in (days[-1:] if INSTRUMENTS[s].get("option_type") else days)]
    return pd.DataFrame(rows, columns=["date", "symbol", "close"]).assign(adjusted_close=np.nan)


def scenario_file(**changes):
    """Values of the shipped file; `changes` are texts replaced in it, as (old, new)."""
    text = (resources.files("margin_pipeline.parameters") / "data" / "stress_scenarios.yaml").read_text(encoding="utf-8")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return yaml.safe_load(text)["versions"][-1]["values"]


def rules(regroup=40, **scenarios):
    """Rules with these scenarios only; pass criteria as shipped unless a scenario has its own."""
    values = {**scenario_file(), "regroup_legs_up_to": regroup}
    values["scenarios"] = {name: {"description": name, "source": "test", **given} for name, given in scenarios.items()}
    return rules_of(values, "test")


def book(held, *, account="reg_t", equity=100_000.0, base="USD", prices=None, marks=None):
    """Frames of a book; `held`: (strategy, symbol, quantity[, portfolio]), all portfolios alike; `marks`: prices of records by symbol."""
    terms, closes = instruments(), history() if prices is None else prices
    rows = [((*row, "P")[3], *row[:3]) for row in held]
    records = pd.DataFrame(
        [(p, s, symbol, float(q), (marks or {}).get(symbol, np.nan), np.nan, np.nan) for p, s, symbol, q in rows], columns=RECORDS
    )
    entry = records["symbol"].map({"LINEAR": 18_000.0, "INVERSE": 18_000.0})
    records = records.assign(entry_price=entry).astype({**dict.fromkeys(RECORDS[:3], "str"), **dict.fromkeys(RECORDS[3:], float)})
    names = sorted(set(records["portfolio_id"])) or ["P"]
    owners = pd.DataFrame({"portfolio_id": names, "account_type": account, "equity": float(equity), "base_currency": base})
    fx = pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["EUR"], "usd_rate": [1.06]})
    return {
        "positions": value_positions(records, terms, owners, closes, fx, AS_OF),
        "instruments": terms,
        "portfolios": owners.astype({"portfolio_id": "str", "account_type": "str", "base_currency": "str"}),
        "prices": closes,
        "fx_rates": fx,
        "rates": pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["USD"], "rate": [0.04]}),
        "dividends": pd.DataFrame({"symbol": pd.Series(dtype="str"), "dividend_yield": pd.Series(dtype=float)}),
        "symbol_risk": pd.DataFrame({"symbol": list(BETAS), "volatility": 0.3, "beta": list(BETAS.values())}),
        "futures_margins": pd.DataFrame(
            [("ES", pd.Timestamp("2022-01-03"), 13_200.0, 12_000.0, np.nan, np.nan)],
            columns=["root", "effective_date", "initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday"],
        ),
        "margin_schedules": pd.DataFrame(
            [("S", "marginal", t, r, r / 2, "USD", pd.Timestamp("2022-01-03")) for t, r in ((0.0, 0.10), (100_000.0, 0.20))],
            columns=["schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"],
        ),
        "margin_rates": pd.DataFrame({"asset_class": [], "initial_rate": [], "maintenance_rate": [], "effective_date": []}),
        "house_margins": pd.DataFrame(columns=["symbol", "asset_class", "initial_rate", "maintenance_rate"]),
        "rejected_rows": pd.DataFrame(columns=["source", "row_number", "column_name", "reason", "portfolio_id", "raw"]),
    }


def empty_table(name):
    """A landed table without rows."""
    columns = CONTRACTS[name].schema.columns
    return pd.DataFrame({column: pd.Series(dtype=str(given.dtype)) for column, given in columns.items()})


def shocked(frames, given):
    """Positions of a book in the scenarios of the rules."""
    names = ("positions", "instruments", "portfolios", "prices", "rates", "dividends", "symbol_risk")
    return shocked_positions(*(frames[name] for name in names), given.scenarios, BENCHMARK, AS_OF)


def stressed(frames, given, **keywords):
    """Tables of stress tests of a book."""
    after = shocked(frames, given)
    grouped = group_positions(
        *(frames[name] for name in ("positions", "instruments", "portfolios", "prices", "fx_rates")), AS_OF, frames["house_margins"]
    )
    names = (
        "instruments", "portfolios", "prices", "fx_rates", "futures_margins", "margin_schedules", "margin_rates", "house_margins",
        "symbol_risk",
    )  # fmt: skip
    correlation = (tuple(BETAS), np.eye(len(BETAS)))
    more = (frames["rates"], frames["dividends"], empty_table("risk_arrays"), empty_table("span_parameters"))
    inputs = MarginInputs(after.positions, *(frames[name] for name in names), grouped.groups, frames["rejected_rows"], *more, *correlation)
    return stress_tables(inputs, after, given, THRESHOLDS, AS_OF, models={}, **keywords)


def governing(tables, portfolio="P"):
    """Rows of the governing method of a portfolio, by scenario."""
    rows = tables.results[tables.results["is_governing"] & (tables.results["portfolio_id"] == portfolio)]
    return rows.set_index("scenario")
