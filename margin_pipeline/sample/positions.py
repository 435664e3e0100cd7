"""Portfolios and positions of the sample book, and what they earn.

Belongs here: who holds what on which date, equity and results that follow from prices. Not here: prices, files.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from margin_pipeline.sample.closes import SAMPLE_DATES
from margin_pipeline.sample.invented_market import all_closes
from margin_pipeline.sample.universe import instrument_rows

FIRST, LAST = SAMPLE_DATES[0], SAMPLE_DATES[-1]
RESULT_SESSIONS = 60
"""Sessions before the first sample date for which strategies report results."""


@dataclass(frozen=True)
class Portfolio:
    """A portfolio of the sample; `equity` is its net liquidation value at the close of the first date."""

    portfolio_id: str
    account_type: str
    equity: float
    base_currency: str = "USD"
    jurisdiction: str = "US"
    entity_type: str = "hedge_fund"


PORTFOLIOS: tuple[Portfolio, ...] = (
    Portfolio("BANK", "otc", 60_000_000, entity_type="bank"),
    Portfolio("BROKER", "reg_t", 4_200_000, entity_type="broker_dealer"),
    Portfolio("CASH", "cash", 620_000, entity_type="individual"),
    Portfolio("CRYPTO", "crypto_cross", 70_000),
    Portfolio("CRYPTO_ISOLATED", "crypto_isolated", 12_000, entity_type="individual"),
    Portfolio("DESK_ERRORS", "reg_t", 500_000),
    Portfolio("EURO", "reg_t", 900_000, "EUR", "EU"),
    Portfolio("INDEX_FUTURES", "futures", 568_000),
    Portfolio("LONG_SHORT", "reg_t", 2_000_000),
    Portfolio("MACRO", "otc", 48_000_000, "EUR", "EU"),
    Portfolio("MICRO_FUTURES", "futures", 95_000),
    Portfolio("MOMENTUM", "reg_t", 486_000),
    Portfolio("OPTIONS_INCOME", "reg_t", 650_000),
    Portfolio("VOLATILITY", "portfolio_margin", 700_000),
)


@dataclass(frozen=True)
class Holding:
    """A position held from the close of `start` to that of `end` (both included)."""

    portfolio_id: str
    strategy: str
    symbol: str
    quantity: float
    entry_price: float | None = None
    isolated_wallet: float | None = None
    start: dt.date = FIRST
    end: dt.date = LAST


def _book(portfolio_id: str, strategy: str, **quantities: float) -> list[Holding]:
    return [Holding(portfolio_id, strategy, symbol, quantity) for symbol, quantity in quantities.items()]


HOLDINGS: tuple[Holding, ...] = (
    *_book("LONG_SHORT", "value", JPM=2500, BAC=9000, XOM=2600, CVX=1400, MRK=2200, PFE=5000),
    *_book("LONG_SHORT", "quality", MSFT=900, JNJ=1500, PG=1800, UNH=420, LLY=500),
    *_book("LONG_SHORT", "short_book", MTUM=-2500, AMD=-2600, HD=-700, BBY=-2200, GE=-2500, RRC=-4000),
    Holding("LONG_SHORT", "value", "CVX", 600, start=dt.date(2022, 12, 23)),
    *_book("OPTIONS_INCOME", "covered_calls", AAPL=1000, AAPL230120C145=-10, MSFT=500, MSFT230120C260=-5),
    *_book("OPTIONS_INCOME", "put_spreads", JPM230120P125=-20, JPM230120P120=20),
    *_book("OPTIONS_INCOME", "condors", SP500230120P3600=4, SP500230120P3700=-4, SP500230120C4000=-4, SP500230120C4150=4),
    *(
        Holding("OPTIONS_INCOME", "condors", symbol, quantity, start=dt.date(2022, 12, 22))
        for symbol, quantity in (("AAPL230120P115", 5), ("AAPL230120P120", -5), ("AAPL230120C145", -5), ("AAPL230120C155", 5))
    ),
    *_book("OPTIONS_INCOME", "protected_stock", KO=2000, KO230217P60=20),
    *_book("OPTIONS_INCOME", "strangles", XOM230120C115=-10, XOM230120P95=-10),
    *_book("OPTIONS_INCOME", "long_dated", AAPL240119C130=8),
    *_book("OPTIONS_INCOME", "crash_hedge", SP500230317P3500=3),
    *_book("INDEX_FUTURES", "trend", ESH3=20),
    *_book("INDEX_FUTURES", "overwrite", ESH3230217C4100=-10),
    *_book("MICRO_FUTURES", "covered_calls", MESH3=30, MESH3230217C4000=-30),
    *_book("MICRO_FUTURES", "put_writing", MESH3230217P3500=-20),
    *_book("VOLATILITY", "index_strangles", SP500230120P3600=-12, SP500230120C4150=-12, ESH3=1),
    *_book("VOLATILITY", "single_stock_straddles", AAPL230120C145=30, AAPL230120P120=40, XOM230120C115=25, XOM230120P95=25),
    *_book("VOLATILITY", "collars", JPM=3000, JPM230120P125=30, KO=2500, KO230217P60=25),
    *_book("VOLATILITY", "reserve", BUND_2032=800),
    Holding("CRYPTO", "basis", "BTCPERP", 12, entry_price=16_650.0),
    Holding("CRYPTO", "relative_value", "ETHPERP", -90, entry_price=1_230.0),
    Holding("CRYPTO_ISOLATED", "swing", "BTCPERP", 2, entry_price=16_900.0, isolated_wallet=6_000.0),
    Holding("CRYPTO_ISOLATED", "swing", "ETHPERP", -15, entry_price=1_205.0, isolated_wallet=3_000.0),
    *_book("CASH", "income", PG=800, KO=1500, PFE=2000, PFE230120C52=-20),
    *_book("CASH", "put_writing", WMT230120P135=-10),
    *_book("EURO", "us_equity", AAPL=2200, MSFT=1400, PEP=1500, QUAL=3000),
    *_book("EURO", "us_short", SIZE=-1800, VLUE=-1500),
    *_book("EURO", "bonds", BUND_2032=2500),
    *_book("MOMENTUM", "leaders", AAPL=5500, AMD=6500, MSFT=1400),
    *_book("BROKER", "market_making", WMT=9000, PEP=6500, PG=-7000, KO=-11000, AAPL=3200, AAPL230120C145=-12, JPM=2600, JPM230120P125=15),
    *_book("DESK_ERRORS", "macro", USMV=3000, WMT=1200),
    *_book("DESK_ERRORS", "energy", XOM=1500),
)


def holdings_on(date: dt.date) -> pd.DataFrame:
    """Return the holdings of a date; before the first sample date those of the first."""
    day = max(date, FIRST)
    held = [h for h in HOLDINGS if h.start <= day <= h.end]
    return pd.DataFrame(
        [(h.portfolio_id, h.strategy, h.symbol, h.quantity, h.entry_price, h.isolated_wallet) for h in held],
        columns=["portfolio_id", "strategy", "symbol", "quantity", "entry_price", "isolated_wallet"],
    )


@lru_cache(maxsize=1)
def _contract_terms() -> pd.DataFrame:
    rows = pd.DataFrame(instrument_rows()).set_index("symbol")
    multiplier = rows["multiplier"].astype("float64").fillna(1.0)
    funded = ~(rows["asset_class"].eq("future") | rows["contract_type"].eq("linear"))
    return pd.DataFrame({"multiplier": multiplier, "currency": rows["currency"], "funded": funded})


def usd_rate(currency: str, date: pd.Timestamp) -> float:
    """Return the invented US dollars for one unit of a currency."""
    return 1.0 if currency == "USD" else float(all_closes().loc[date, f"fx:{currency}"])


def daily_results(previous: pd.Timestamp, date: pd.Timestamp) -> pd.DataFrame:
    """Return profit and exposure of each strategy from one session to the next, base currency.

    Funded positions earn the change of their value in base currency, futures and perpetual contracts the change of
    price at the day's rate. Exposure is the gross value of the positions on the previous session.
    """
    held = holdings_on(previous.date())
    terms = _contract_terms().loc[held["symbol"]].reset_index(drop=True)
    base = held["portfolio_id"].map({p.portfolio_id: p.base_currency for p in PORTFOLIOS})
    closes = all_closes()
    before, after = (closes.loc[day, held["symbol"]].to_numpy() for day in (previous, date))
    fx_before, fx_after = (
        np.array([usd_rate(own, day) / usd_rate(to, day) for own, to in zip(terms["currency"], base, strict=True)])
        for day in (previous, date)
    )
    size = held["quantity"].to_numpy() * terms["multiplier"].to_numpy()
    funded = size * (after * fx_after - before * fx_before)
    settled = size * (after - before) * fx_after
    results = held.assign(pnl=np.where(terms["funded"], funded, settled), exposure=np.abs(size * before * fx_before))
    return results.groupby(["portfolio_id", "strategy"], as_index=False)[["pnl", "exposure"]].sum()


def _sessions() -> pd.DatetimeIndex:
    return all_closes().index


@lru_cache(maxsize=8)
def results_history(first: dt.date, last: dt.date) -> pd.DataFrame:
    """Return date, portfolio_id, strategy, pnl and exposure of every session from `first` to `last`."""
    sessions = _sessions()
    days = [i for i, session in enumerate(sessions) if first <= session.date() <= last]
    return pd.concat([daily_results(sessions[i - 1], sessions[i]).assign(date=sessions[i]) for i in days], ignore_index=True)


def strategy_returns(date: dt.date) -> pd.DataFrame:
    """Return the strategy results that the folder of a date brings: the last sixty sessions first, then one a day."""
    sessions = _sessions()
    last = sessions.get_loc(pd.Timestamp(date))
    first = last - RESULT_SESSIONS + 1 if date == FIRST else last
    history = results_history(sessions[first].date(), date)
    return history.assign(daily_return=history["pnl"] / history["exposure"])


def equity_on(date: dt.date) -> pd.Series:
    """Return the equity of each portfolio: that of the first date plus what its positions earned since."""
    equity = pd.Series({p.portfolio_id: float(p.equity) for p in PORTFOLIOS})
    if date > FIRST:
        sessions = _sessions()
        second = sessions[sessions.get_loc(pd.Timestamp(FIRST)) + 1].date()
        earned = results_history(second, date).groupby("portfolio_id")["pnl"].sum()
        equity = equity.add(earned, fill_value=0.0)
    return equity.round(2)
