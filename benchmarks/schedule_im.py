"""Schedule initial margin of a million trades, against a plain loop, and the margin calls of ten thousand netting sets.

Belongs here: invented trades by seed, the loop, timings. Not here: correctness (margin_pipeline_tests/regulation).
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.regulation.schedule_im import schedule_margins
from margin_pipeline.regulation.uncleared.calls import uncleared_margin_calls

AS_OF = dt.date(2022, 12, 28)
MANY, SOME = 1_000_000, 20_000
SETS = 1_000
KINDS = {"interest_rate": "swap", "fx": "forward", "credit": "cds", "equity": "swap", "commodity": "forward"}
USD = {"USD": 1.0, "EUR": 1.0625, "GBP": 1.2, "JPY": 0.0075}
RATES = {
    "interest_rate": (0.01, 0.02, 0.04),
    "credit": (0.02, 0.05, 0.10),
    "fx": (0.06,) * 3,
    "equity": (0.15,) * 3,
    "commodity": (0.15,) * 3,
}


def trades(count: int, sets: int) -> pd.DataFrame:
    """Trades of every asset class in four currencies, a third of the exchange-rate ones settled physically."""
    random = np.random.default_rng(5)
    names = np.array(list(KINDS))[random.integers(0, len(KINDS), count)]
    physical = (names == "fx") & (random.random(count) < 1 / 3)
    texts = {
        "trade_id": np.char.add("T", random.permutation(count).astype(str)),
        "netting_set_id": np.char.add("NS", random.integers(0, sets, count).astype(str)),
        "asset_class": names,
        "instrument_type": np.array([KINDS[name] for name in KINDS])[pd.Index(list(KINDS)).get_indexer(names)],
        "currency": np.array(list(USD))[random.integers(0, len(USD), count)],
        "settlement": np.where(physical, "physical", "cash"),
    }
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in texts.items()})
    frame["second_currency"] = pd.Series(np.where(names == "fx", "CHF", None), dtype="str")
    frame["notional"] = random.uniform(1e5, 1e8, count)
    frame["market_value"] = random.normal(0.0, 1e6, count)
    frame["maturity"] = (pd.Timestamp(AS_OF) + pd.to_timedelta(random.integers(1, 4000, count), unit="D")).astype("datetime64[us]")
    return frame


def terms(sets: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Netting sets, portfolios and exchange rates: twenty portfolios, three netting sets a counterparty."""
    random = np.random.default_rng(6)
    number = np.arange(sets)
    netting_sets = pd.DataFrame(
        {
            "netting_set_id": pd.Series([f"NS{n}" for n in number], dtype="str"),
            "portfolio_id": pd.Series([f"P{n % 20}" for n in number], dtype="str"),
            "counterparty": pd.Series([f"C{n // 60}" for n in number], dtype="str"),
            "im_model": pd.Series([None] * sets, dtype="str"), "regime": pd.Series([None] * sets, dtype="str"), "margined": True,
            "threshold": 0.0, "minimum_transfer_amount": 1e5, "variation_margin": random.normal(0, 1e6, sets), "initial_margin_held": 0.0,
            "initial_margin_posted": 0.0, "initial_margin_threshold": np.nan, "counterparty_type": "financial",
            "counterparty_average_notional": 5e11,
        }
    )  # fmt: skip
    base = ["USD"] * 15 + ["EUR"] * 5
    portfolios = pd.DataFrame({"portfolio_id": [f"P{n}" for n in range(20)], "base_currency": base, "entity_type": "bank"})
    portfolios["jurisdiction"] = ["US"] * 15 + ["EU"] * 5
    rates = pd.DataFrame({"date": pd.Timestamp(AS_OF), "currency": list(USD), "usd_rate": list(USD.values())})
    return netting_sets, portfolios, rates


def plain(rows: list[dict], base: dict[str, str]) -> dict[str, tuple[float, float]]:
    """The margins of both sides by a loop over trades, the way one would write it down."""
    two, five = (pd.Timestamp(AS_OF) + pd.DateOffset(years=years) for years in (2, 5))
    sums: dict[str, list[float]] = {name: [0.0, 0.0, 0.0] for name in base}
    for row in rows:
        if row["asset_class"] == "fx" and row["settlement"] == "physical":
            continue
        bucket = 0 if row["maturity"] <= two else 1 if row["maturity"] <= five else 2
        rate = USD[row["currency"]] / USD[base[row["netting_set_id"]]]
        total, value = sums[row["netting_set_id"]], row["market_value"] * rate
        total[0] += abs(row["notional"]) * RATES[row["asset_class"]][bucket] * rate
        total[1] += max(value, 0.0)
        total[2] += max(-value, 0.0)
    found = {}
    for name, (gross, positive, negative) in sums.items():
        ratios = [max(net, 0.0) / cost if cost else 1.0 for net, cost in ((positive - negative, positive), (negative - positive, negative))]
        found[name] = tuple(0.4 * gross + 0.6 * ratio * gross for ratio in ratios)
    return found


def against_loop(count: int) -> float:
    """Seconds of the loop over those of the margins on some trades, after asserting that they agree."""
    given = trades(count, 20)
    sets, portfolios, rates = terms(20)
    rows, currency = given.to_dict("records"), portfolios.set_index("portfolio_id")["base_currency"]
    base = {name: currency[owner] for name, owner in zip(sets["netting_set_id"], sets["portfolio_id"], strict=True)}
    margins, loop = partial(schedule_margins, sets, given, rates, portfolios, AS_OF), partial(plain, rows, base)
    table = margins().pivot(index="netting_set_id", columns="side", values="initial_margin")
    expected = pd.DataFrame(loop(), index=["call", "post"]).T
    np.testing.assert_allclose(table.loc[expected.index, ["call", "post"]].to_numpy(), expected.to_numpy(), rtol=1e-9)
    return least_seconds(loop, repeats=3) / least_seconds(margins)


def run() -> list[Result]:
    """Measure the margins of many trades, their ratio to the loop, and calls of many netting sets."""
    given, (sets, portfolios, rates) = trades(MANY, SETS), terms(SETS)
    many = least_seconds(partial(schedule_margins, sets, given, rates, portfolios, AS_OF), repeats=3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    wide, owners, _ = terms(10_000)
    spread = trades(100_000, 10_000)
    margins = schedule_margins(wide, spread, rates, owners, AS_OF)
    figures = pd.DataFrame([(f"P{n}", "aana", 1e12, "USD") for n in range(20)], columns=["portfolio_id", "figure", "value", "currency"])
    calls = least_seconds(partial(uncleared_margin_calls, wide, spread, margins, owners, figures, rates, AS_OF), repeats=3)
    return [
        Result(f"schedule margin of {MANY:,} trades in {SETS:,} netting sets", many, "s", 1.0),
        Result("peak memory of the process, trades and all", peak / 1e9, "GB", 2.0),
        Result(f"plain loop over that, {SOME:,} trades, equal to 1e-9", against_loop(SOME), "x"),
        Result(f"plain loop over that, {10 * SOME:,} trades", against_loop(10 * SOME), "x", 3, at_least=True),
        Result("margin calls of 10,000 netting sets, 100,000 trades", calls, "s", 3.0),
    ]
