"""What portfolios can still buy, and the special memorandum account of those under Regulation T.

Belongs here: excess, memorandum account, buying power. Not here: requirements (`margin`), calls (`margin_calls`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions.paid_premiums import paid_premiums
from margin_pipeline.decisions.previous_date import PreviousDate
from margin_pipeline.decisions.state_margins import grouped_initial
from margin_pipeline.decisions.states_between import Frames
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.margin_calls import MarginCallRules, margin_call_rules
from margin_pipeline.parameters.portfolio_margin import portfolio_margin_rules
from margin_pipeline.parameters.stock_rates import day_trading_rules, stock_rates

COLUMNS = [
    "portfolio_id", "account_type", "currency", "margin_equity", "standing_requirement", "excess", "previous_special_memorandum_account",
    "traded_requirement", "special_memorandum_account", "rate", "buying_power", "day_trading_buying_power", "reference", "missing",
]  # fmt: skip
NUMBERS = COLUMNS[3:12]
DAY_TRADING = "pattern_day_trading"


def buying_power(today: Frames, changes: pd.DataFrame, previous: PreviousDate | None, as_of: dt.date) -> pd.DataFrame:
    """Excess, special memorandum account and buying power of every portfolio.

    Parameters
    ----------
    today : frames of portfolios, positions, instruments, position_margins, strategy_groups, portfolio_margins and fx_rates.
    changes : frame of margin_changes of the date.
    previous : buying_power of the date before among its tables, where it was published.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.buying_power, base currency, ordered by portfolio.

    Notes
    -----
    Excess: margin equity less initial margin; in a Regulation T account without premiums that are paid (they left margin equity then) and
    without the least equity of FINRA 4210(b)(4), which has calls of its own. Regulation T, 12 CFR 220.5: the special memorandum account
    takes up an excess and is not lowered by falling prices; it is drawn on by what trades take of the excess, at the marks of the date
    before, and grows by what they free: SMA = max(SMA before - taken, excess, 0). The first date starts from the excess. Deposits and
    withdrawals are in equity, and reach it through the excess. Buying power is SMA over the initial rate of stock; in portfolio margin
    accounts the excess over the move of a stock; in cash accounts, and where no stock is bought, the excess itself. Day trading (FINRA
    4210(f)(8)(B)(iii)): excess over maintenance at the close times the leverage of an open market, 0 below the least equity.
    """
    rules = margin_call_rules(as_of)
    margins = today["portfolio_margins"]
    governing = margins[margins["is_governing"]].set_index("portfolio_id")
    paid = paid_premiums(today["positions"], today["instruments"], today["portfolios"], today["strategy_groups"], as_of)
    trades = changes[(changes["cause"] == "trades") & (changes["method"] == "strategy_based")]
    taken = trades.set_index("portfolio_id")["excess_taken"]
    kept = None if previous is None else previous.tables.get("buying_power")
    before = {} if kept is None else kept.set_index("portfolio_id")["special_memorandum_account"].to_dict()
    models = today["position_margins"]
    day_traders = set(models.loc[models["model"] == DAY_TRADING, "portfolio_id"])
    usd = usd_rates(today["fx_rates"], as_of)
    under_t = today["portfolios"].loc[today["portfolios"]["account_type"] == "reg_t", "portfolio_id"]
    required = grouped_initial(today, [str(name) for name in under_t])
    rows = []
    for portfolio in today["portfolios"].sort_values("portfolio_id", kind="stable").to_dict("records"):
        name = str(portfolio["portfolio_id"])
        margin = governing.loc[name].to_dict()
        initial = float(required[name] - paid.get(name, 0.0) if name in required.index else margin["initial_margin"])
        row = _row(portfolio, margin, initial, before.get(name, math.nan), taken.get(name, math.nan), rules, as_of)
        if name in day_traders:
            dollars = usd.get(str(portfolio["base_currency"]), math.nan)
            row["day_trading_buying_power"] = _day_trading(margin, dollars, rules, as_of)
        rows.append(row)
    texts = dict.fromkeys(("portfolio_id", "account_type", "currency", "reference"), "str")
    return pd.DataFrame(rows, columns=COLUMNS).astype({**texts, **dict.fromkeys(NUMBERS, "float64")})


def _row(
    portfolio: dict[Any, Any], margin: dict[Any, Any], initial: float, before: float, taken: float, rules: MarginCallRules, as_of: dt.date
) -> dict[str, Any]:
    account, equity = str(portfolio["account_type"]), float(margin["margin_equity"])
    known = not math.isnan(margin["maintenance_margin"])
    standing = float(np.maximum(initial, 0.0)) if known else math.nan
    excess = equity - standing
    row: dict[str, Any] = {
        "portfolio_id": portfolio["portfolio_id"],
        "account_type": account,
        "currency": portfolio["base_currency"],
        "margin_equity": equity,
        "standing_requirement": standing,
        "excess": excess,
        "rate": 1.0,
        "buying_power": max(excess, 0.0) if not math.isnan(excess) else math.nan,
        "reference": rules.contract_reference,
        "missing": _reason(margin) if math.isnan(excess) else None,
    }
    if account == "reg_t":
        raw = memorandum_account(before, taken, excess)
        account_now = max(raw, 0.0) if not math.isnan(raw) else math.nan
        rate = stock_rates(as_of).initial
        row |= {
            "previous_special_memorandum_account": before,
            "traded_requirement": taken,
            "special_memorandum_account": account_now,
            "rate": rate,
            "buying_power": account_now / rate,
            "reference": rules.account_reference,
        }
    elif account == "portfolio_margin":
        rate = max(abs(move) for move in portfolio_margin_rules(as_of).ranges["equity"])
        row |= {"rate": rate, "buying_power": row["buying_power"] / rate, "reference": rules.portfolio_margin_reference}
    elif account == "cash":
        row["reference"] = rules.cash_reference
    elif account == "futures":
        row["reference"] = rules.exchange_reference
    return row


def memorandum_account(before: float, taken: float, excess: float) -> float:
    """Special memorandum account before it is kept from falling below 0; what it falls below is a margin call for the trades.

    Parameters
    ----------
    before : account of the date before; NaN: not known.
    taken : what the trades of the day took of the excess; NaN: not known.
    excess : Regulation T excess of the date.

    Returns
    -------
    max(before - taken, excess); the excess alone where the first is not known, NaN where the excess is not.
    """
    return excess if math.isnan(before) or math.isnan(taken) else float(np.maximum(before - taken, excess))


def _day_trading(margin: dict[Any, Any], dollars: float, rules: MarginCallRules, as_of: dt.date) -> float:
    rule, least = day_trading_rules(as_of), rules.day_trading_minimum_equity_usd
    if not rule.in_force or least is None:
        return math.nan
    excess, equity = float(margin["excess"]), float(margin["equity"]) * dollars
    if math.isnan(excess) or math.isnan(equity):
        return math.nan
    return rule.open_leverage * max(excess, 0.0) if equity >= least else 0.0


def _reason(margin: dict[Any, Any]) -> str:
    missing = margin["missing"]
    listed = json.loads(missing) if isinstance(missing, str) else missing
    return "; ".join(map(str, listed)) if isinstance(listed, list) and listed else f"initial margin of method {margin['method']}"
