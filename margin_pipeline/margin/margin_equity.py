"""What a requirement is measured against: equity, less or plus the value of options and of what is paid for.

Belongs here: margin equity of every method. Not here: requirements, status.
"""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd

from margin_pipeline.margin.valuation import SECURITY_OPTIONS
from margin_pipeline.parameters.option_rates import OptionRates

LOAN_VALUE_STRUCTURES = ("long_option", "long_straddle", "long_strangle")
"""Groups in which a long-dated option is margined at a percentage of its price, so that its value counts as equity."""


def security_values(
    positions: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame, rates: OptionRates, as_of: dt.date
) -> pd.DataFrame:
    """Open positions in securities, with what margin equity depends on.

    Parameters
    ----------
    positions, instruments, portfolios : frames of the tables of these names.
    rates : which long options have loan value.
    as_of : business date.

    Returns
    -------
    Frame portfolio_id, symbol, quantity, market_value, option (bool), long_dated (bool), and the reason why a value is missing. Futures,
    their options and leveraged contracts are not securities: their value is settled or is part of equity.
    """
    at = pd.Index(instruments["symbol"]).get_indexer(pd.Index(positions["symbol"]))
    expiry = pd.to_datetime(instruments["expiry"]).to_numpy().astype("datetime64[D]")[at]
    contract = instruments["contract_type"].notna().to_numpy()[at]
    option = positions["asset_class"].isin(SECURITY_OPTIONS).to_numpy()
    security = ~contract & ~positions["asset_class"].isin(["future", "future_option"]).to_numpy() & (positions["quantity"] != 0).to_numpy()
    columns = ["portfolio_id", "symbol", "quantity", "market_value", "price", "currency"]
    frame = positions[columns].assign(option=option, long_dated=option & (expiry > rates.long_dated_after(as_of)))[security]
    gap, unpriced = frame["market_value"].isna(), frame["price"].isna()
    base = frame["portfolio_id"].map(portfolios.set_index("portfolio_id")["base_currency"]).astype("str")
    reason = "exchange rate of " + frame["currency"].astype("str") + " into " + base + f" {as_of}"
    reason = reason.where(~unpriced, "price of " + frame["symbol"].astype("str") + f" {as_of}")
    return frame.drop(columns=["price", "currency"]).assign(missing=reason.where(gap))


def adjustments(values: pd.DataFrame, account_type: pd.Series, strategy_groups: pd.DataFrame) -> pd.DataFrame:
    """What is added to equity under `reg_t` and `strategy_based`.

    Parameters
    ----------
    values : as `security_values` gives them.
    account_type : account type by portfolio.
    strategy_groups : frame of the table.

    Returns
    -------
    Frame indexed by portfolio, columns reg_t and strategy_based, base currency; NaN where a value is missing.

    Notes
    -----
    Long options without loan value are taken out, short ones added: their requirements include the premium. Under `reg_t` every position
    counts on its own; under `strategy_based` series are net over strategies, and a long-dated option keeps its value for the quantity
    that is grouped on its own (in a spread it has no loan value, as the requirement there is the maximum loss without premiums). In a cash
    account everything long is paid for and taken out.
    """
    net = _net(values)
    cash = (net["portfolio_id"].map(account_type) == "cash").to_numpy()
    paid = net["option"].to_numpy() | (cash & (net["quantity"] > 0).to_numpy())
    kept = np.where(cash, 0.0, _kept_share(net, strategy_groups))
    net["taken"] = np.where(paid, -net["market_value"] * (1.0 - kept), 0.0)
    return pd.DataFrame({"reg_t": reg_t_adjustment(values), "strategy_based": _by_portfolio(net)})


def reg_t_adjustment(values: pd.DataFrame) -> pd.Series:
    """What is added to equity under `reg_t`, by portfolio; see `adjustments`."""
    kept_alone = values["long_dated"] & (values["quantity"] > 0)
    return _by_portfolio(values.assign(taken=np.where(values["option"] & ~kept_alone, -values["market_value"], 0.0)))


def _net(values: pd.DataFrame) -> pd.DataFrame:
    """Series net over strategies: one row a portfolio and symbol; a value that any strategy lacks is missing."""
    sized = values.assign(gross=values["quantity"].abs(), gap=values["market_value"].isna())
    how = {"quantity": "sum", "gross": "sum", "market_value": "sum", "gap": "any", "option": "first", "long_dated": "first"}
    net = sized.groupby(["portfolio_id", "symbol"], sort=True).agg(how).reset_index()
    net["market_value"] = net["market_value"].where(~net["gap"])
    net.loc[net["quantity"].abs() <= 1e-9 * net["gross"], ["quantity", "market_value"]] = 0.0
    return net


def _by_portfolio(frame: pd.DataFrame) -> pd.Series:
    gap = frame["taken"].isna().groupby(frame["portfolio_id"]).any()
    return frame.groupby("portfolio_id")["taken"].sum().where(~gap)


def _kept_share(net: pd.DataFrame, strategy_groups: pd.DataFrame) -> np.ndarray:
    """(n,) part of each net long-dated option that is grouped on its own and keeps its loan value."""
    share = np.zeros(len(net))
    rows = np.flatnonzero(net["long_dated"].to_numpy() & (net["quantity"] > 0).to_numpy())
    if not len(rows):
        return share
    wanted = net.iloc[rows]
    alone = strategy_groups["structure"].isin(LOAN_VALUE_STRUCTURES) & strategy_groups["portfolio_id"].isin(wanted["portfolio_id"])
    found: dict[tuple[str, str], float] = {}
    for portfolio_id, legs in strategy_groups.loc[alone, ["portfolio_id", "legs"]].itertuples(index=False, name=None):
        for leg in json.loads(legs) if isinstance(legs, str) else legs:
            key = (str(portfolio_id), str(leg["symbol"]))
            found[key] = found.get(key, 0.0) + float(leg["quantity"])
    keys = zip(wanted["portfolio_id"].astype(str), wanted["symbol"].astype(str), wanted["quantity"], strict=True)
    share[rows] = [min(max(found.get((p, s), 0.0) / q, 0.0), 1.0) for p, s, q in keys]
    return share
