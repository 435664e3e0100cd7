"""Haircut of a broker-dealer's own stocks under Rule 15c3-1, as a regulatory line.

Belongs here: stocks and exchange-traded funds. Not here: options, futures, bonds; net capital itself (`net_capital`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from margin_pipeline.parameters.net_capital import NetCapitalRules
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine

EQUITIES = ("equity", "etf")
"""Asset classes that the haircut covers."""


def equity_haircut(long: float, short: float, share: float, hedged_part: float) -> float:
    """Deduction from net worth for stocks held.

    Parameters
    ----------
    long, short : market values of the long and of the short side, >= 0.
    share : haircut, fraction.
    hedged_part : part of the greater side up to which the other side needs none, fraction.

    Returns
    -------
    Amount in the currency of the values, >= 0; NaN where one of them is.

    Notes
    -----
    17 CFR 240.15c3-1(c)(2)(vi)(J): 15 % of the greater of the long and short market values, and 15 % of what the lesser exceeds 25 % of
    the greater by. Undue concentration, (c)(2)(vi)(M), is not added.
    """
    greater, lesser = (long, short) if long >= short else (short, long)
    if math.isnan(long) or math.isnan(short):
        return math.nan
    return share * (greater + max(lesser - hedged_part * greater, 0.0))


def haircut_line(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: NetCapitalRules) -> RegulatoryLine:
    """Haircut of the stocks of a broker-dealer, in US dollars, for information: net capital is given after haircuts.

    Long and short positions of one stock in several strategies are netted first. Positions of other asset classes are counted among the
    inputs; a stock without a value leaves the line undetermined.
    """
    name, base = str(portfolio["portfolio_id"]), str(portfolio["base_currency"])

    def line(status: str, **rest: Any) -> RegulatoryLine:
        return RegulatoryLine(name, "entity", "sec_15c3_1", "equity_haircut", "USD", status, rules.haircut_reference, rules.version, **rest)

    if rules.equity_haircut is None or rules.equity_haircut_hedged_part is None:
        return line("not_applicable", reason="the haircut of 15 % starts on 1993-01-01")
    positions = inputs.frame_of("positions", name)
    covered = positions["asset_class"].isin(EQUITIES)
    values = positions.loc[covered].groupby("symbol", sort=True)["market_value"]
    net = {str(symbol): math.fsum(found) for symbol, found in values}
    rate, others = inputs.rate(base, "USD"), int((~covered).sum())
    lacking = [f"market value of {symbol}" for symbol, value in net.items() if math.isnan(value)]
    lacking += [f"exchange rate of {base} to USD"] if math.isnan(rate) else []
    if lacking:
        return line("undetermined", reason="; ".join(lacking), inputs={"positions_not_covered": others})
    long = math.fsum(v for v in net.values() if v > 0) * rate
    short = math.fsum(-v for v in net.values() if v < 0) * rate
    value = equity_haircut(long, short, rules.equity_haircut, rules.equity_haircut_hedged_part)
    return line("information", value=value, inputs={"long": long, "short": short, "positions_not_covered": others})
