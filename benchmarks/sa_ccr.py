"""Seconds to compute exposures to counterparties by SA-CCR, and how much longer a plain loop over trades takes.

Belongs here: timing, and the generated netting sets and trades. Not here: the loop (`plain_sa_ccr`).
"""

from __future__ import annotations

import datetime as dt
from functools import partial

import numpy as np
import pandas as pd

from benchmarks import plain_sa_ccr
from benchmarks.harness import Result, least_seconds
from margin_pipeline.regulation.sa_ccr.tables import sa_ccr_tables

AS_OF = dt.date(2022, 12, 28)
CURRENCIES = {"USD": 1.0, "EUR": 1.06, "GBP": 1.2, "JPY": 0.0075, "CHF": 1.08}
RATINGS = ("AAA", "AA-", "A", "BBB+", "BB", "B-", "CCC")
COMMODITIES = ("crude oil", "natural gas", "electricity", "copper", "gold", "wheat", "corn", "coffee")
CLASSES = ("interest_rate", "fx", "credit", "equity", "commodity")

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]


def generated(trades: int, netting_sets: int) -> Tables:
    """Netting sets, trades of all classes (a fifth of them options), portfolios and rates, from a fixed seed."""
    random = np.random.default_rng(279)
    number = np.arange(netting_sets)
    is_margined = number % 2 == 0
    sets = pd.DataFrame(
        {
            "netting_set_id": [f"NS{i:04d}" for i in number],
            "portfolio_id": [f"P{i % 20:02d}" for i in number],
            "margined": pd.array(is_margined, dtype="boolean"),
            "is_cleared": pd.array(number % 10 == 0, dtype="boolean"),
            "counterparty_type": pd.Series([None] * netting_sets, dtype="str"),
            "threshold": np.where(is_margined, 0.0, np.nan),
            "minimum_transfer_amount": np.where(is_margined, 5e5, np.nan),
            "net_independent_collateral": random.uniform(0, 5e6, netting_sets),
            "variation_margin": np.where(is_margined, random.normal(0, 1e7, netting_sets), np.nan),
            "margin_period_of_risk_days": np.nan,
        }
    )
    asset_class = random.choice(CLASSES, trades, p=[0.4, 0.25, 0.15, 0.1, 0.1])
    is_option = random.random(trades) < 0.2
    pair = np.array([random.permutation(5)[:2] for _ in range(1000)])[random.integers(0, 1000, trades)]
    codes = np.array(list(CURRENCIES))
    days = random.integers(5, 365 * 30, trades).astype("timedelta64[D]")
    start = np.datetime64(AS_OF, "D")
    sub_class = np.select(
        [asset_class == "credit", asset_class == "equity", asset_class == "commodity"],
        [np.array(RATINGS)[random.integers(0, 7, 400)][np.arange(trades) % 400], "single", random.choice(COMMODITIES, trades)],
        "",
    )
    name = np.char.add("name ", (np.arange(trades) % 400).astype(str))
    text = {
        "trade_id": [f"T{i:07d}" for i in random.permutation(trades)],
        "netting_set_id": sets["netting_set_id"].to_numpy()[random.integers(0, netting_sets, trades)],
        "asset_class": asset_class,
        "instrument_type": np.where(is_option, "option", "swap"),
        "direction": random.choice(["long", "short"], trades),
        "currency": codes[pair[:, 0]],
        "second_currency": np.where(asset_class == "fx", codes[pair[:, 1]], ""),
        "reference": np.where(np.isin(asset_class, ["credit", "equity"]), name, ""),
        "sub_class": sub_class,
        "option_type": np.where(is_option, random.choice(["call", "put"], trades), ""),
        "option_position": np.where(is_option, random.choice(["bought", "sold"], trades), ""),
        "settlement": "",
    }
    maturity = start + days
    frame = pd.DataFrame({key: pd.Series(values, dtype="str").replace("", None) for key, values in text.items()})
    frame = frame.assign(
        notional=random.lognormal(16, 1, trades),
        market_value=random.normal(0, 3e5, trades),
        strike=np.where(is_option, random.uniform(0.5, 1.5, trades), np.nan),
        underlying_price=np.where(is_option, 1.0, np.nan),
        second_notional=np.nan,
        attachment=np.nan,
        detachment=np.nan,
        start_date=pd.Series(start - np.timedelta64(300, "D"), index=frame.index),
        maturity=maturity,
        exercise_date=np.where(is_option, start + days // 2, np.datetime64("NaT")),
        underlying_start=np.where(is_option, start + days // 2, np.datetime64("NaT")),
        underlying_end=np.where(is_option, maturity, np.datetime64("NaT")),
        next_reset_date=np.datetime64("NaT"),
    )
    portfolios = pd.DataFrame({"portfolio_id": sorted(set(sets["portfolio_id"])), "base_currency": "USD"})
    rates = pd.DataFrame({"date": pd.Timestamp(AS_OF), "currency": list(CURRENCIES), "usd_rate": list(CURRENCIES.values())})
    return sets, frame, portfolios, rates


def compared(trades: int, netting_sets: int) -> tuple[float, float]:
    """Seconds of the tables and of the loop on the same trades, after asserting that exposures agree."""
    given = generated(trades, netting_sets)
    sets, frame = given[0].to_dict("records"), given[1].to_dict("records")
    whole, loop = partial(sa_ccr_tables, *given, AS_OF), partial(plain_sa_ccr.exposures, sets, frame, CURRENCIES, AS_OF)
    found = whole()[2].set_index("netting_set_id")["exposure_at_default"]
    expected = loop()
    np.testing.assert_allclose(found.to_numpy(), [expected[name] for name in found.index], rtol=1e-9)
    return least_seconds(whole, repeats=3), least_seconds(loop, repeats=1)


def run() -> list[Result]:
    """Measure 100,000 trades of all classes in 500 netting sets, and the loop on a tenth of them."""
    given = generated(100_000, 500)
    seconds = least_seconds(partial(sa_ccr_tables, *given, AS_OF), repeats=5)
    few, loop = compared(10_000, 50)
    note = "the loop gives exposures only, the tables every step"
    return [
        Result("SA-CCR of 100,000 trades in 500 netting sets: three tables", seconds, "s", 1.0),
        Result("plain loop over 10,000 trades, equal to 1e-9, a trade, over that a trade", 10 * loop / seconds, "x", note=note),
        Result("the same over the tables of these 10,000 trades", loop / few, "x"),
    ]
