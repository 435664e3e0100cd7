"""Price at which each leveraged position would be liquidated, others unchanged.

Belongs here: which positions have one, the collateral behind each, the table `liquidation_prices`. Not here: solving
(`liquidation_solver`), margins (`models`).

Collateral. Isolated (an account of type crypto_isolated, or a position with a wallet of its own): the wallet, at the entry price. Cross:
the equity of the portfolio at the mark, less the maintenance margin of the other positions and the equity of isolated ones; in a margin
account of securities, equity as method reg_t measures it. Collateral of inverse contracts is in the coin: what it is worth at the mark,
held constant in coins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.margin.house import house_rates
from margin_pipeline.margin.house_additions import rule_amounts
from margin_pipeline.margin.liquidation_solver import TieredMargin, inverse_liquidation_price, linear_liquidation_price
from margin_pipeline.margin.margin_equity import reg_t_adjustment, security_values
from margin_pipeline.margin.models.requirement import Reasons, number, truth
from margin_pipeline.margin.scenario_tables import ScenarioTables
from margin_pipeline.margin.status import LEVELS, levels, status, utilization
from margin_pipeline.margin.tiers import schedules_in_force
from margin_pipeline.market.currencies import conversion, usd_rates
from margin_pipeline.parameters.option_rates import option_rates

Array = np.ndarray

KEY = ["portfolio_id", "strategy", "symbol"]
COLUMNS = [
    *KEY, "margin_mode", "liquidation_price", "wallet", "maintenance_margin", "margin_ratio", "status", "distance", "missing",
    "initial_margin", "available_to_open", "excess", *LEVELS,
]  # fmt: skip
FIXED_MODELS = ("future", "future_option_fixed", "future_option_curve")
"""Models whose margin is money a contract, whatever the price."""

LEVERAGED_MODELS = ("tiered", "leverage", *FIXED_MODELS)
MARGIN_ACCOUNTS = ("reg_t", "portfolio_margin")


def liquidation_prices(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    position_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    futures_margins: pd.DataFrame,
    fx_rates: pd.DataFrame,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    house_margins: pd.DataFrame | None = None,
    scenarios: ScenarioTables | None = None,
) -> pd.DataFrame:
    """Liquidation price of every leveraged position.

    Parameters
    ----------
    positions, instruments, portfolios, position_margins, margin_schedules, fx_rates : frames of the tables of these names.
    futures_margins : frame of the table; what applies of it stands in `position_margins` already, intraday rates included.
    thresholds : utilization from which "warning", "critical" and "emergency" begin, fractions.
    as_of : business date.
    house_margins : frame of the table: least fractions of notional that the house asks at any price; None: nothing.
    scenarios : tables of scenario margin; None: no position is margined by scenarios.

    Returns
    -------
    Frame as margin_data.liquidation_prices, ordered. Positions under a margin schedule, fixed leverage or exchange margin; not long
    options on futures, which can lose no more than their value.

    Notes
    -----
    The tier is the one that applies at the liquidation price (`linear_liquidation_price`); other positions, exchange rates and the
    margin a contract stay as they are. Where scenarios decide what a portfolio needs, that depends on all its positions at once: its
    cross-margined positions have no price, and say so.
    """
    concerned = set(position_margins.loc[position_margins["model"].isin(LEVERAGED_MODELS), "portfolio_id"])
    positions, position_margins = (f[f["portfolio_id"].isin(list(concerned))] for f in (positions, position_margins))
    every = _joined(positions, instruments, portfolios, position_margins)
    every = _with_house(every, position_margins, house_margins)
    every["collateral"], every["elsewhere"] = _collateral(every, positions, instruments, portfolios, as_of)
    every["by_scenarios"] = _by_scenarios(every, scenarios) & ~every["isolated"]
    leveraged = every["model"].isin(LEVERAGED_MODELS) & (every["quantity"] != 0)
    long_option = (every["asset_class"] == "future_option") & (every["quantity"] > 0)
    rows = every[leveraged & ~long_option].reset_index(drop=True)
    missing = _missing(rows, as_of)
    known = missing == None  # noqa: E711 - element by element
    price = np.full(len(rows), np.nan)
    usd = usd_rates(fx_rates, as_of)
    inverse = truth(rows["contract_type"] == "inverse")
    price[known & inverse] = _inverse(rows[known & inverse])
    price[known & ~inverse] = _linear(rows[known & ~inverse].reset_index(drop=True), margin_schedules, usd, as_of)
    return _table(rows, price, missing, thresholds)


def _table(rows: pd.DataFrame, price: Array, missing: Array, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """The table of solved prices; a row with something missing has no figures."""
    known = missing == None  # noqa: E711 - element by element
    initial, margin = (np.where(known, number(rows, name), np.nan) for name in ("initial_margin", "maintenance_margin"))
    behind = np.where(known, number(rows, "collateral") + number(rows, "result"), np.nan)
    state = status(margin, behind, thresholds)
    level = levels(initial, behind, state)
    found = rows[KEY].assign(
        margin_mode=pd.Series(np.where(rows["isolated"], "isolated", "cross")).astype("str"),
        liquidation_price=price,
        wallet=np.where(known, number(rows, "collateral"), np.nan),
        maintenance_margin=margin,
        margin_ratio=utilization(margin, behind),
        status=pd.Series(state, dtype="str"),
        distance=price / number(rows, "price") - 1.0,
        missing=pd.Series(missing, dtype="str"),
        initial_margin=initial,
        available_to_open=behind - initial,
        excess=behind - margin,
        **{name: level[name] for name in LEVELS},
    )
    return found[COLUMNS]


def _joined(positions: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame, position_margins: pd.DataFrame) -> pd.DataFrame:
    """Every position with its margin, terms and account; `result` is what an isolated position has made since its entry."""
    held = ["quantity", "price", "entry_price", "isolated_wallet", "currency", "fx_rate", "asset_class", "market_value"]
    rows = position_margins[[*KEY, "model", "initial_margin", "maintenance_margin", "missing"]].merge(
        positions[[*KEY, *held]], on=KEY, validate="one_to_one"
    )
    terms = instruments[["symbol", "multiplier", "contract_type", "margin_schedule", "margin_leverage"]]
    rows = rows.merge(terms, on="symbol", how="left", validate="many_to_one")
    accounts = portfolios[["portfolio_id", "account_type", "equity", "base_currency"]]
    rows = rows.merge(accounts, on="portfolio_id", how="left", validate="many_to_one").sort_values(KEY, kind="stable", ignore_index=True)
    rows["isolated"] = (rows["account_type"] == "crypto_isolated") | rows["isolated_wallet"].notna()
    price, entry = number(rows, "price"), number(rows, "entry_price")
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.where(truth(rows["contract_type"] == "inverse"), price / entry - 1.0, price - entry)
    since_entry = number(rows, "quantity") * number(rows, "multiplier") * number(rows, "fx_rate") * move
    rows["result"] = np.where(rows["isolated"], since_entry, 0.0)
    return rows


def _with_house(every: pd.DataFrame, position_margins: pd.DataFrame, house_margins: pd.DataFrame | None) -> pd.DataFrame:
    """The positions with the maintenance margin of their rule alone and their house rate; the house asks it of notional at any price.

    The notional of a future option is that of its underlying, which does not follow the option's price: what it asks stays as it is.
    """
    if house_margins is None or house_margins.empty:
        return every.assign(rule_maintenance=every["maintenance_margin"], house_rate=0.0)
    rate = house_rates(house_margins, every["symbol"], every["asset_class"])[1]
    fixed = every["asset_class"] == "future_option"
    ruled = position_margins[KEY].assign(rule_maintenance=rule_amounts(position_margins)["maintenance_margin"])
    every = every.merge(ruled, on=KEY, how="left", validate="one_to_one")
    return every.assign(
        rule_maintenance=every["rule_maintenance"].where(~fixed, every["maintenance_margin"]), house_rate=np.where(fixed, 0.0, rate)
    )


def _collateral(
    every: pd.DataFrame, positions: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame, as_of: dt.date
) -> tuple[Array, pd.Series]:
    """(n,) collateral behind each position, base currency, and what is missing of it elsewhere in the portfolio."""
    isolated, by = every["isolated"].to_numpy(), every["portfolio_id"]
    margin = every["maintenance_margin"].where(~isolated, every["isolated_wallet"] + every["result"])
    margin = margin.where(every["quantity"] != 0, 0.0)
    taken = margin.fillna(0.0).groupby(by).transform("sum")
    equity = every["equity"]
    values = security_values(positions, instruments, portfolios, option_rates(as_of), as_of)
    added = by.map(reg_t_adjustment(values)).where(by.isin(values["portfolio_id"]), 0.0)
    equity = equity + np.where(every["account_type"].isin(MARGIN_ACCOUNTS), added, 0.0)
    cross = equity - (taken - margin.fillna(0.0))
    reason = every["missing"].where(every["missing"].notna(), ("isolated wallet or entry price of " + every["symbol"]).where(margin.isna()))
    gaps = reason[reason.notna()].groupby(by).agg(lambda texts: "; ".join(sorted(set(texts))))
    elsewhere = by.map(gaps).where(~every["isolated"])
    return np.where(isolated, every["isolated_wallet"], cross).astype(np.float64), elsewhere


def _by_scenarios(every: pd.DataFrame, scenarios: ScenarioTables | None) -> pd.Series:
    """Whether the governing method of the portfolio margins some of its positions by scenarios."""
    if scenarios is None:
        return pd.Series(False, index=every.index)
    of_span = every["portfolio_id"].isin(scenarios.span_positions["portfolio_id"]) & (every["account_type"] == "futures")
    return of_span | (every["account_type"] == "portfolio_margin")


def _missing(rows: pd.DataFrame, as_of: dt.date) -> Array:
    """(n,) what is missing for the liquidation price of each position, None where nothing is."""
    reasons, symbol = Reasons(len(rows)), rows["symbol"].to_numpy(dtype=object)
    own, elsewhere = rows["missing"].to_numpy(dtype=object), rows["elsewhere"].to_numpy(dtype=object)
    isolated = rows["isolated"].to_numpy()
    reasons.add(
        rows["by_scenarios"].to_numpy(dtype=bool), lambda row: f"a margin of {symbol[row]} alone: its portfolio is margined by scenarios"
    )
    reasons.add(rows["missing"].notna().to_numpy(), lambda row: str(own[row]))
    reasons.add(rows["elsewhere"].notna().to_numpy() & rows["missing"].isna().to_numpy(), lambda row: f"other positions: {elsewhere[row]}")
    reasons.add(isolated & rows["isolated_wallet"].isna().to_numpy(), lambda row: f"isolated wallet of {symbol[row]}")
    reasons.add(isolated & ~(number(rows, "entry_price") > 0), lambda row: f"entry price of {symbol[row]}")
    reasons.add(rows["price"].isna().to_numpy() & rows["missing"].isna().to_numpy(), lambda row: f"price of {symbol[row]} {as_of}")
    unvalued = np.isnan(number(rows, "collateral")) & ~isolated & rows["elsewhere"].isna().to_numpy() & rows["missing"].isna().to_numpy()
    reasons.add(unvalued, lambda row: "value of the options of the portfolio")
    return reasons.texts()


def _reference(rows: pd.DataFrame) -> Array:
    return np.where(rows["isolated"], number(rows, "entry_price"), number(rows, "price"))


def _inverse(rows: pd.DataFrame) -> Array:
    """Prices of inverse contracts; the wallet in coins is what it is worth at the mark."""
    fx_rate = number(rows, "fx_rate")
    coins = number(rows, "collateral") / (number(rows, "price") * fx_rate)
    value = number(rows, "quantity") * number(rows, "multiplier")
    return inverse_liquidation_price(coins, value, _reference(rows), number(rows, "maintenance_margin") / fx_rate)


def _linear(rows: pd.DataFrame, margin_schedules: pd.DataFrame, usd: Mapping[str, float], as_of: dt.date) -> Array:
    """Prices of the other positions, schedule by schedule."""
    units = np.abs(number(rows, "quantity")) * number(rows, "multiplier")
    size = units * number(rows, "fx_rate")
    found = np.full(len(rows), np.nan)

    def solve(at: Array, start: Array, rate: Array, amount: Array) -> None:
        part = rows.iloc[at]
        margin = TieredMargin(size[at], start, rate, amount).at_least(number(part, "house_rate"))
        side = np.sign(number(part, "quantity"))
        found[at] = linear_liquidation_price(number(part, "collateral"), side, _reference(part), number(part, "price"), margin)

    fixed = np.flatnonzero(rows["model"].isin(FIXED_MODELS))
    nothing = np.zeros((len(fixed), 1))
    solve(fixed, nothing, nothing, -number(rows, "rule_maintenance")[fixed, None])
    levered = np.flatnonzero(rows["model"] == "leverage")
    nothing = np.zeros((len(levered), 1))
    solve(levered, nothing, 1.0 / number(rows, "margin_leverage")[levered, None], nothing)
    for name, schedule in schedules_in_force(margin_schedules, as_of).items():
        at = np.flatnonzero((rows["model"] == "tiered") & (rows["margin_schedule"] == name))
        currency = pd.Series([schedule.currency] * len(at))
        into = conversion(rows["currency"].iloc[at].reset_index(drop=True), currency, usd)
        tiers = (len(at), len(schedule.threshold))
        start = schedule.threshold / (units[at] * into)[:, None]
        amount = schedule.maintenance_amount * (number(rows, "fx_rate")[at] / into)[:, None]
        solve(at, start, np.broadcast_to(schedule.maintenance_rate, tiers), amount)
    return found
