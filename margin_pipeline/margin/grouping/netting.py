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

from margin_pipeline.margin.house import house_rates
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
    "index_ratio",
]


@dataclass(frozen=True)
class NetBook:
    """Net legs of all portfolios with the strategy rows behind them.

    Attributes
    ----------
    table : net legs.
    legs : frame by leg: portfolio_id, class_group (what the block is on), underlying, symbol, currency, base_currency, fx_rate, net.
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
    house_margins: pd.DataFrame | None = None,
) -> NetBook:
    """Net legs of the stock and option positions in reg_t, portfolio_margin and cash accounts.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates : frames of the tables of these names.
    as_of : business date.
    house_margins : frame of the table: what the house asks at least; None: nothing.

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
    table = _leg_table(legs, instruments, prices, fx_rates, as_of, house_margins)
    named = ["portfolio_id", "class_group", "underlying", "symbol", "currency", "base_currency", "fx_rate", "net"]
    return NetBook(table, legs.rename(columns={"quantity": "net"})[named], rows, netted)


def _held(positions: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame) -> pd.DataFrame:
    """Rows of positions that take part, with terms of the contract and the account's type."""
    accounts = portfolios.loc[portfolios["account_type"].isin(ACCOUNT_TYPES), ["portfolio_id", "account_type", "base_currency"]]
    taking_part = positions["asset_class"].isin([*KINDS, *SECURITY_OPTIONS]) & (positions["quantity"] != 0)
    columns = ["portfolio_id", "strategy", "symbol", "quantity", "price", "fx_rate", "asset_class", "currency"]
    held = positions.loc[taking_part, columns].merge(accounts, on="portfolio_id", how="inner")
    held = held.merge(instruments[TERMS], on="symbol", how="left")
    own = held["asset_class"].isin(["equity", "etf"]) | held["underlying"].isna()
    held["index"] = held["underlying"]
    held["underlying"] = held["underlying"].where(~own, held["symbol"])
    return held


def _sorted_legs(series: pd.DataFrame) -> pd.DataFrame:
    """Legs with block and kind, in the order that makes every result independent of the order of rows."""
    option = series["asset_class"].isin(SECURITY_OPTIONS)
    kind = series["asset_class"].map(KINDS).fillna(UNKNOWN).astype(np.int8).to_numpy()
    complete = option & series["strike"].gt(0) & series["expiry"].notna() & series["option_type"].notna()
    kind = np.where(complete & (series["option_type"] == "call"), CALL, np.where(complete & (series["option_type"] == "put"), PUT, kind))
    unending = np.isin(kind, (CONVERTIBLE, WARRANT)) & series["expiry"].isna().to_numpy()
    expiry_day = np.where(unending, NEVER, _days(series["expiry"]))
    strike = np.where(kind == WARRANT, series["strike"], series["strike"].where(option, 0.0).fillna(0.0))
    legs = series.assign(kind=kind, expiry_day=expiry_day, strike=strike, class_group=_class_groups(series))
    order = ["portfolio_id", "class_group", "currency", "kind", "expiry_day", "strike", "symbol"]
    legs = legs.sort_values(order, ignore_index=True)
    legs["block"] = legs.groupby(["portfolio_id", "class_group", "currency"], sort=True).ngroup()
    return legs


def _class_groups(series: pd.DataFrame) -> pd.Series:
    """What each series is grouped with: its underlying, or the index that its fund follows where the portfolio holds options on it."""
    fund = (series["asset_class"] == "etf") & series["index_ratio"].notna() & series["index"].notna()
    on_index = series.loc[series["asset_class"] == "index_option", ["portfolio_id", "underlying"]].drop_duplicates()
    follows = series.loc[fund, ["portfolio_id", "symbol", "index"]].rename(columns={"symbol": "underlying"})
    if follows.empty or on_index.empty:
        return series["underlying"]
    met = follows.merge(on_index.rename(columns={"underlying": "index"}), on=["portfolio_id", "index"], how="inner")
    found = series[["portfolio_id", "underlying"]].merge(met, on=["portfolio_id", "underlying"], how="left")["index"]
    return series["underlying"].where(found.isna().to_numpy(), found.to_numpy())


def _days(dates: pd.Series) -> Array:
    days = pd.to_datetime(dates).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), 0, days.astype(np.int64))


def _leg_table(
    legs: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
    house_margins: pd.DataFrame | None,
) -> LegTable:
    stock, options = stock_rates(as_of), option_rates(as_of)
    close = Closes.of(prices, as_of).today
    known = instruments.set_index("symbol")
    broad = legs["underlying"].map(known["breadth"]).isin(options.broad_breadths).to_numpy()
    leverage = legs["underlying"].map(known["leverage_factor"]).fillna(legs["leverage_factor"]).fillna(1.0).to_numpy(np.float64)
    option = legs["kind"].isin([CALL, PUT, UNKNOWN]).to_numpy()
    index_option = (legs["asset_class"] == "index_option").to_numpy()
    multiplier = np.where(option, legs["multiplier"].to_numpy(np.float64), 1.0)
    size = np.where(option, legs["deliverable_units"].fillna(legs["multiplier"]).to_numpy(np.float64), 1.0)
    converts = legs["kind"].isin([CONVERTIBLE, WARRANT]).to_numpy()
    size = np.where(converts, legs["conversion_ratio"].fillna(0.0).to_numpy(np.float64), size)
    price, spot = legs["price"].to_numpy(np.float64), at_symbols(close, legs["underlying"])
    house = _house(legs, house_margins, np.where(option, spot * multiplier, price))
    far = options.long_dated_after(as_of).astype("datetime64[D]").astype(np.int64)
    exercise, settlement = legs["exercise"], legs["settlement"]
    return LegTable(
        block=legs["block"].to_numpy(np.int64),
        symbol=legs["symbol"].to_numpy(dtype=object),
        kind=legs["kind"].to_numpy(np.int8),
        side=np.where(legs["quantity"].to_numpy() > 0, LONG, SHORT),
        quantity=legs["quantity"].abs().to_numpy(np.float64),
        price=price,
        spot=spot,
        strike=legs["strike"].to_numpy(np.float64),
        expiry=legs["expiry_day"].to_numpy(np.int64),
        deliverable=pd.factorize(legs["underlying"], sort=True)[0],
        size=size,
        multiplier=multiplier,
        rate=np.where(broad, options.broad_rate, options.rate),
        leverage=leverage,
        european=(exercise.eq("european") | (exercise.isna() & index_option)).to_numpy(bool),
        cash_settled=(settlement.eq("cash") | (settlement.isna() & index_option)).to_numpy(bool),
        long_dated=option & (legs["expiry_day"].to_numpy() > far),
        on_index=index_option,
        cash_account=(legs["account_type"] == "cash").to_numpy(bool),
        dollars=1.0 / legs["currency"].map(usd_rates(fx_rates, as_of)).to_numpy(np.float64),
        house_initial=house[0],
        house_maintenance=house[1],
        stock=stock,
        options=options,
    )


def _house(legs: pd.DataFrame, house_margins: pd.DataFrame | None, notional: Array) -> tuple[Array, Array]:
    """What the house asks of one unit, (n,) each: of securities and short options in margin accounts; long options are paid for."""
    asked = [np.where(rate > 0, rate * notional, 0.0) for rate in house_rates(house_margins, legs["symbol"], legs["asset_class"])]
    long_option = legs["asset_class"].isin(SECURITY_OPTIONS).to_numpy() & (legs["quantity"] > 0).to_numpy()
    exempt = long_option | (legs["account_type"] == "cash").to_numpy()
    return np.where(exempt, 0.0, asked[0]), np.where(exempt, 0.0, asked[1])
