"""From position rows of strategies to net legs of portfolios, and back from legs to strategies.

Belongs here: which positions take part, netting a series over strategies, the columns that rules need. Not here: structures, requirements.

A series is net over the strategies of a portfolio before it is grouped. Every strategy takes part in every group of the series
pro rata to its quantity: with +10 and -4 the net is +6, and of a group of 3 they carry +5 and -2. The parts add up over strategies
to the group's leg and over groups to the strategy's position. Only rows on the side of the net carry requirement.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.structures.catalogue import CALL, CONVERTIBLE, LONG, PUT, SHORT, STOCK, UNKNOWN, WARRANT
from margin_pipeline.margin.structures.leg_table import Array, LegTable
from margin_pipeline.margin.valuation import SECURITY_OPTIONS, Closes, at_symbols
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.option_rates import option_rates
from margin_pipeline.parameters.stock_rates import stock_rates

ACCOUNT_TYPES = ("reg_t", "portfolio_margin", "cash")
KINDS = {"equity": STOCK, "etf": STOCK, "convertible": CONVERTIBLE, "warrant": WARRANT}
NEVER = 1_000_000
"""Day since 1970-01-01 on which a right without an end ends."""

TERMS = [
    "symbol",
    "underlying",
    "option_type",
    "strike",
    "expiry",
    "exercise",
    "settlement",
    "multiplier",
    "deliverable_units",
    "leverage_factor",
    "conversion_ratio",
]


@dataclass(frozen=True)
class NetBook:
    """Net legs of all portfolios with the strategy rows behind them.

    Attributes
    ----------
    table : net legs.
    legs : frame by leg: portfolio_id, underlying, symbol, currency, base_currency, fx_rate, net.
    rows : frame of strategy rows sorted by leg: leg, strategy, symbol, quantity, net.
    netted : frame of series that net to zero: portfolio_id, underlying, symbol, strategy, quantity.
    """

    table: LegTable
    legs: pd.DataFrame
    rows: pd.DataFrame
    netted: pd.DataFrame


def net_book(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> NetBook:
    """Net legs of the stock and option positions in reg_t, portfolio_margin and cash accounts.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates : frames of the tables of these names.
    as_of : business date.

    Returns
    -------
    NetBook. Series that net to zero are in ``netted`` and not among the legs.
    """
    held = _held(positions, instruments, portfolios)
    key = ["portfolio_id", "symbol"]
    sizes = held.assign(gross=held["quantity"].abs(), weighted=held["quantity"].abs() * held["price"])
    grouped = sizes.groupby(key, sort=True)
    series = grouped[["quantity", "gross"]].sum().reset_index()
    series["price"] = grouped["weighted"].sum(min_count=1).to_numpy() / series["gross"].to_numpy()
    unmarked = sizes["price"].isna().groupby([sizes[k] for k in key], sort=True).any().to_numpy()
    series.loc[unmarked, "price"] = np.nan
    first = held.drop_duplicates(key).drop(columns=["quantity", "price", "strategy"])
    series = series.merge(first, on=key, how="left", validate="one_to_one")
    flat = series["quantity"].abs() <= 1e-9 * series["gross"]
    legs = _sorted_legs(series[~flat])
    rows = held[[*key, "strategy", "quantity"]].sort_values([*key, "strategy"], kind="stable")
    position = legs.reset_index(names="leg")[[*key, "leg", "quantity"]].rename(columns={"quantity": "net"})
    rows = rows.merge(position, on=key, how="inner").sort_values(["leg", "strategy"], kind="stable", ignore_index=True)
    netted = held.merge(series.loc[flat, key], on=key)[[*key, "underlying", "strategy", "quantity"]]
    netted = netted.sort_values([*key, "strategy"], ignore_index=True)
    table = _leg_table(legs, instruments, prices, fx_rates, as_of)
    named = ["portfolio_id", "underlying", "symbol", "currency", "base_currency", "fx_rate", "net"]
    return NetBook(table, legs.rename(columns={"quantity": "net"})[named], rows, netted)


def _held(positions: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame) -> pd.DataFrame:
    """Rows of positions that take part, with terms of the contract and the account's type."""
    accounts = portfolios.loc[portfolios["account_type"].isin(ACCOUNT_TYPES), ["portfolio_id", "account_type", "base_currency"]]
    taking_part = positions["asset_class"].isin([*KINDS, *SECURITY_OPTIONS]) & (positions["quantity"] != 0)
    columns = ["portfolio_id", "strategy", "symbol", "quantity", "price", "fx_rate", "asset_class", "currency"]
    held = positions.loc[taking_part, columns].merge(accounts, on="portfolio_id", how="inner")
    held = held.merge(instruments[TERMS], on="symbol", how="left")
    own = held["asset_class"].isin(["equity", "etf"]) | held["underlying"].isna()
    held["underlying"] = held["underlying"].where(~own, held["symbol"])
    return held


def _sorted_legs(series: pd.DataFrame) -> pd.DataFrame:
    """Legs with block and kind, in the order that makes every result independent of the order of rows."""
    option = series["asset_class"].isin(SECURITY_OPTIONS)
    kind = series["asset_class"].map(KINDS).fillna(UNKNOWN).astype(np.int8).to_numpy()
    complete = option & series["strike"].gt(0) & series["expiry"].notna() & series["option_type"].notna()
    kind = np.where(complete & (series["option_type"] == "call"), CALL, np.where(complete & (series["option_type"] == "put"), PUT, kind))
    unending = (kind == CONVERTIBLE) & series["expiry"].isna().to_numpy()
    expiry_day = np.where(unending, NEVER, _days(series["expiry"]))
    legs = series.assign(kind=kind, expiry_day=expiry_day, strike=series["strike"].where(option, 0.0).fillna(0.0))
    order = ["portfolio_id", "underlying", "currency", "kind", "expiry_day", "strike", "symbol"]
    legs = legs.sort_values(order, ignore_index=True)
    legs["block"] = legs.groupby(["portfolio_id", "underlying", "currency"], sort=True).ngroup()
    return legs


def _days(dates: pd.Series) -> Array:
    days = pd.to_datetime(dates).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), 0, days.astype(np.int64))


def _leg_table(legs: pd.DataFrame, instruments: pd.DataFrame, prices: pd.DataFrame, fx_rates: pd.DataFrame, as_of: dt.date) -> LegTable:
    stock, options = stock_rates(as_of), option_rates(as_of)
    close = Closes.of(prices, as_of).today
    known = instruments.set_index("symbol")
    broad = legs["underlying"].map(known["breadth"]).isin(options.broad_breadths).to_numpy()
    leverage = legs["underlying"].map(known["leverage_factor"]).fillna(legs["leverage_factor"]).fillna(1.0).to_numpy(np.float64)
    option = legs["kind"].isin([CALL, PUT, UNKNOWN]).to_numpy()
    index_option = (legs["asset_class"] == "index_option").to_numpy()
    multiplier = np.where(option, legs["multiplier"].to_numpy(np.float64), 1.0)
    size = np.where(option, legs["deliverable_units"].fillna(legs["multiplier"]).to_numpy(np.float64), 1.0)
    convertible = (legs["kind"] == CONVERTIBLE).to_numpy()
    size = np.where(convertible, legs["conversion_ratio"].fillna(0.0).to_numpy(np.float64), size)
    far = options.long_dated_after(as_of).astype("datetime64[D]").astype(np.int64)
    exercise, settlement = legs["exercise"], legs["settlement"]
    return LegTable(
        block=legs["block"].to_numpy(np.int64),
        symbol=legs["symbol"].to_numpy(dtype=object),
        kind=legs["kind"].to_numpy(np.int8),
        side=np.where(legs["quantity"].to_numpy() > 0, LONG, SHORT),
        quantity=legs["quantity"].abs().to_numpy(np.float64),
        price=legs["price"].to_numpy(np.float64),
        spot=at_symbols(close, legs["underlying"]),
        strike=legs["strike"].to_numpy(np.float64),
        expiry=legs["expiry_day"].to_numpy(np.int64),
        size=size,
        multiplier=multiplier,
        rate=np.where(broad, options.broad_rate, options.rate),
        leverage=leverage,
        european=(exercise.eq("european") | (exercise.isna() & index_option)).to_numpy(bool),
        cash_settled=(settlement.eq("cash") | (settlement.isna() & index_option)).to_numpy(bool),
        long_dated=option & (legs["expiry_day"].to_numpy() > far),
        cash_account=(legs["account_type"] == "cash").to_numpy(bool),
        dollars=1.0 / legs["currency"].map(usd_rates(fx_rates, as_of)).to_numpy(np.float64),
        stock=stock,
        options=options,
    )
