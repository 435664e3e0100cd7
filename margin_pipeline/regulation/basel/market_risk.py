"""Risk-weighted assets of market risk of listed positions by the simple method.

Belongs here: capital of each risk class. Not here: the mapping of positions (`market_positions`), weights (`parameters`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from margin_pipeline.parameters.basel_market_risk import MarketRiskRules
from margin_pipeline.regulation.basel.interest_rate_risk import general_capital, specific_weights, yield_changes
from margin_pipeline.regulation.basel.market_positions import pair
from margin_pipeline.regulation.basel.rows import CAPITAL_TO_ASSETS, Row, frame_of, row

BROAD = frozenset({"broad", "broad_high_cap"})


def market_rows(held: pd.DataFrame, base: str, as_of: pd.Timestamp, rules: MarketRiskRules) -> pd.DataFrame:
    """Risk-weighted assets of the listed positions of one portfolio.

    Parameters
    ----------
    held : rows of `market_positions` of the portfolio.
    base : its base currency.
    as_of, rules : business date, rules in force.

    Returns
    -------
    Frame of `rows.COLUMNS`: a row for each equity market, currency of bonds, commodity and cryptoasset, one for foreign exchange, one for
    the options of each risk class, and one for each position that lacks something, which no other row contains.
    """
    if held.empty or not rules.is_in_force:
        return frame_of([])
    held = _checked(held, as_of, rules)
    portfolio_id = str(held["portfolio_id"].iloc[0])
    complete = held["missing"].isna()
    lacking = held[~complete]
    found = [
        row(portfolio_id, "market", f"position {name}", np.nan, np.nan, {"risk_class": None if pd.isna(c) else str(c)}, str(reason))
        for name, c, reason in zip(lacking["position"], lacking["risk_class"], lacking["missing"], strict=True)
    ]
    usable = held[complete]
    parts: dict[str, Callable[[str, pd.DataFrame, pd.Timestamp, MarketRiskRules], list[Row]]] = {
        "equity": _equity, "interest_rate": _interest_rate, "commodity": _commodity, "crypto": _crypto,
    }  # fmt: skip
    for name, part in parts.items():
        if (usable["risk_class"] == name).any():
            found += part(portfolio_id, usable[usable["risk_class"] == name], as_of, rules)
    found += _foreign_exchange(portfolio_id, usable, base, rules) + _options(portfolio_id, usable, rules)
    return frame_of(found)


def _checked(held: pd.DataFrame, as_of: pd.Timestamp, rules: MarketRiskRules) -> pd.DataFrame:
    """Positions with what each risk class asks besides: `weight` of specific risk, `move` of the end for gamma, and what is missing."""
    held, lacking = held.copy(), held["missing"].to_numpy(object).copy()
    weight, risk_class = np.full(len(held), np.nan), held["risk_class"].to_numpy(object)
    moves = {"equity": rules.equity_general, "fx": rules.fx, "commodity": rules.commodity_net}
    move = np.array([moves.get(str(name), np.nan) for name in risk_class], dtype=float)
    at = np.flatnonzero(risk_class == "equity")
    is_broad = (held["end_asset_class"] == "index").to_numpy() & held["breadth"].isin(BROAD).to_numpy()
    weight[at] = np.where(is_broad, rules.index_specific, rules.equity_specific)[at]
    bonds = np.flatnonzero(risk_class == "interest_rate")
    if len(bonds):
        rows = held.iloc[bonds]
        duration = rows["modified_duration"].to_numpy(dtype=float)
        weight[bonds], reasons = specific_weights(rows, as_of, rules)
        safe = np.where(duration >= 0, duration, 0.0)
        move[bonds] = safe * yield_changes(safe, rules.ladder)
        for i, years, reason in zip(bonds, duration, reasons, strict=True):
            lacking[i] = lacking[i] or reason or (None if years >= 0 else f"modified_duration of {held['end'].iloc[i]}")
    for i in np.flatnonzero(risk_class == "crypto"):
        if rules.crypto is None:
            lacking[i] = lacking[i] or f"risk weight of {held['symbol'].iloc[i]}: SCO60 is not in force yet"
        elif held["is_option"].iloc[i]:
            lacking[i] = lacking[i] or f"{held['symbol'].iloc[i]}: options on cryptoassets are not covered"
    for i in np.flatnonzero(risk_class == "fx"):
        if pair(str(held["end"].iloc[i]), str(held["end_currency"].iloc[i])) is None:
            lacking[i] = lacking[i] or f"currencies of {held['end'].iloc[i]}"
    return held.assign(weight=weight, move=move, missing=lacking)


def _equity(portfolio_id: str, held: pd.DataFrame, as_of: pd.Timestamp, rules: MarketRiskRules) -> list[Row]:
    """Specific risk on the sum of |net| of each share or index, general risk on the net of each national market."""
    exchange = held["exchange"].astype(object)
    market = exchange.map(dict(rules.market_of)).astype(object).fillna(exchange).fillna(held["end_currency"].astype(object))
    net = (
        held.assign(market=market)
        .groupby("end", sort=True)
        .agg(market=("market", "first"), delta=("delta", "sum"), weight=("weight", "first"))
    )
    found = []
    for name, rows in net.groupby("market", sort=True):
        gross, total = float(rows["delta"].abs().sum()), float(rows["delta"].sum())
        specific, general = float((rows["delta"].abs() * rows["weight"]).sum()), rules.equity_general * abs(total)
        found.append(
            _row(portfolio_id, "equity", f"equity {name}", gross, specific + general, rules, net=total, specific=specific, general=general)
        )
    return found


def _interest_rate(portfolio_id: str, held: pd.DataFrame, as_of: pd.Timestamp, rules: MarketRiskRules) -> list[Row]:
    """Specific risk on the sum of |net| of each bond, general risk by the duration ladder of each currency."""
    found = []
    for name, rows in held.groupby("end_currency", sort=True):
        net = rows.groupby("end", sort=True).agg(
            delta=("delta", "sum"), weight=("weight", "first"), duration=("modified_duration", "first")
        )
        delta = net["delta"].to_numpy(float)
        specific = float((np.abs(delta) * net["weight"].to_numpy(float)).sum())
        general = general_capital(delta, net["duration"].to_numpy(float), rules.ladder)
        gross = float(np.abs(delta).sum())
        found.append(
            _row(
                portfolio_id, "interest_rate", f"interest rate {name}", gross, specific + general, rules, specific=specific, general=general
            )
        )
    return found


def _commodity(portfolio_id: str, held: pd.DataFrame, as_of: pd.Timestamp, rules: MarketRiskRules) -> list[Row]:
    """Simplified approach: 15 % of the net and 3 % of the gross position of each commodity."""
    found = []
    for name, rows in held.groupby("end", sort=True):
        net, gross = float(rows["delta"].sum()), float(rows["delta"].abs().sum())
        capital = rules.commodity_net * abs(net) + rules.commodity_gross * gross
        found.append(_row(portfolio_id, "commodity", f"commodity {name}", gross, capital, rules, net=net))
    return found


def _crypto(portfolio_id: str, held: pd.DataFrame, as_of: pd.Timestamp, rules: MarketRiskRules) -> list[Row]:
    """Group 2b: 1,250 % of the greater of the long and the short position in each cryptoasset."""
    found = []
    for name, rows in held.groupby("end", sort=True):
        long, short = float(rows["delta"].clip(lower=0).sum()), float(-rows["delta"].clip(upper=0).sum())
        greater = max(long, short)
        found.append(
            row(portfolio_id, "market", f"crypto {name}", greater, greater * (rules.crypto or np.nan), {"long": long, "short": short})
        )
    return found


def _foreign_exchange(portfolio_id: str, held: pd.DataFrame, base: str, rules: MarketRiskRules) -> list[Row]:
    """Shorthand method: 8 % of the greater of the sums of net long and of net short positions in currencies other than the base."""
    is_pair = (held["risk_class"] == "fx").to_numpy()
    holding = held[~(is_pair & ~held["is_option"].to_numpy())]
    legs = [(str(c), float(v)) for c, v in zip(holding["currency"], holding["market_value"], strict=True)]
    for end, quote, delta in zip(held["end"][is_pair], held["end_currency"][is_pair], held["delta"][is_pair], strict=True):
        bought, paid = pair(str(end), str(quote)) or ("", "")
        legs += [(bought, float(delta)), (paid, -float(delta))]
    foreign = pd.DataFrame([leg for leg in legs if leg[0] != base], columns=["currency", "amount"]).astype({"amount": float})
    if foreign.empty:
        return []
    net = foreign.groupby("currency", sort=True)["amount"].sum()
    greater = max(float(net.clip(lower=0).sum()), float(-net.clip(upper=0).sum()))
    positions = {str(name): float(amount) for name, amount in net.items()}
    return [_row(portfolio_id, "fx", "foreign exchange", greater, rules.fx * greater, rules, positions=positions)]


def _options(portfolio_id: str, held: pd.DataFrame, rules: MarketRiskRules) -> list[Row]:
    """Gamma and vega of the delta-plus method: net negative gamma impacts and |vega| of each end, summed over a risk class."""
    options = held[held["is_option"].to_numpy() & (held["risk_class"] != "crypto").to_numpy()]
    found = []
    for name, rows in options.groupby("risk_class", sort=True):
        impact = 0.5 * rows["gamma"] * rows["move"] ** 2
        by_end = (
            pd.DataFrame({"end": rows["end"], "gamma": impact, "vega": rows["vega"] * rules.volatility_shift})
            .groupby("end", sort=True)
            .sum()
        )
        gamma, vega = float(-by_end["gamma"].clip(upper=0).sum()), float(by_end["vega"].abs().sum())
        item = f"{str(name).replace('_', ' ')} options"
        found.append(_row(portfolio_id, str(name), item, float(rows["delta"].abs().sum()), gamma + vega, rules, gamma=gamma, vega=vega))
    return found


def _row(portfolio_id: str, risk_class: str, item: str, exposure: float, capital: float, rules: MarketRiskRules, **figures: object) -> Row:
    scaling = rules.scaling[risk_class]
    explanation = {"capital": capital, "scaling": scaling, **figures}
    return row(portfolio_id, "market", item, exposure, CAPITAL_TO_ASSETS * scaling * capital, explanation)
