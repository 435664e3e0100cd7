"""Seconds to weigh exposures, netting sets and positions of banks, against a plain loop over exposures.

Belongs here: timing of risk-weighted assets and of the lines on them. Not here: SA-CCR, the chain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.parameters.basel import BaselRules, basel_rules
from margin_pipeline.regulation import basel
from margin_pipeline.regulation.basel.credit_risk import credit_rows
from margin_pipeline.regulation.basel.ratings import BUCKETS
from margin_pipeline.regulation.inputs import RegulatoryInputs

AS_OF = dt.date(2024, 6, 28)
EXPOSURES, NETTING_SETS, POSITIONS, BANKS = 100_000, 2_000, 5_000, 20
CLASSES = ("sovereign", "bank", "corporate", "retail", "residential_mortgage", "commercial_real_estate")
RATINGS = ("AAA", "A+", "BBB", "BB-", "B", "CCC", "")
RATES = {"USD": 1.0, "EUR": 1.07}


def exposures(count: int) -> pd.DataFrame:
    """Exposures of all classes, ratings and both currencies."""
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "portfolio_id": [f"BANK{i % BANKS:02d}" for i in range(count)],
            "exposure_id": [f"E{i:06d}" for i in range(count)],
            "exposure_class": random.choice(CLASSES, count),
            "rating": random.choice(RATINGS, count),
            "amount": random.uniform(1e4, 1e8, count),
            "currency": random.choice(list(RATES), count),
            "loan_to_value": random.uniform(0.2, 1.2, count).round(2),
            "is_short_term": pd.array(random.random(count) < 0.1, dtype="boolean"),
        }
    ).astype(dict.fromkeys(("portfolio_id", "exposure_id", "exposure_class", "rating", "currency"), "str"))


def loop(rows: list[dict[str, object]], rules: BaselRules) -> float:
    """The sum of risk-weighted assets by a loop over exposures that looks up each weight."""
    bucket_of = {rating: bucket for bucket, ratings in BUCKETS.items() for rating in ratings}
    return sum(float(str(row["amount"])) * RATES[str(row["currency"])] * _weight(row, bucket_of[str(row["rating"])], rules) for row in rows)


def _weight(row: Mapping[str, object], bucket: str, rules: BaselRules) -> float:
    name, ratio = str(row["exposure_class"]), float(str(row["loan_to_value"]))
    assert rules.risk_weights is not None
    if name in rules.loan_to_value_risk_weights:
        return next(weight for greatest, weight in rules.loan_to_value_risk_weights[name] if ratio <= greatest)
    if name in rules.property_caps:
        cap = rules.property_caps[name]
        borrower = _by_bucket(rules.risk_weights[cap.borrower_class], bucket)
        return min(borrower, cap.risk_weight) if ratio <= cap.loan_to_value else borrower
    if row["is_short_term"] and name in rules.short_term_risk_weights:
        return rules.short_term_risk_weights[name][bucket]
    return _by_bucket(rules.risk_weights[name], bucket)


def _by_bucket(given: float | Mapping[str, float], bucket: str) -> float:
    return given[bucket] if isinstance(given, Mapping) else given


def banks() -> dict[str, pd.DataFrame]:
    """Tables of banks with exposures, netting sets and listed positions."""
    random = np.random.default_rng(2)
    names = [f"BANK{i:02d}" for i in range(BANKS)]
    sets = [f"N{i:04d}" for i in range(NETTING_SETS)]
    of_set = [names[i % BANKS] for i in range(NETTING_SETS)]
    symbols = [f"S{i:04d}" for i in range(1_000)]
    held = random.choice(symbols, POSITIONS)
    value = random.normal(0, 1e6, POSITIONS)
    figures = {"cet1": 6e11, "tier1": 7e11, "total_capital": 8e11, "other_leverage_exposure": 1e12, "countercyclical_buffer_rate": 0.0}
    text = {"counterparty_class": "bank", "counterparty_rating": "A", "counterparty_sector": "financials"}
    return {
        "portfolios": pd.DataFrame({"portfolio_id": names, "base_currency": "USD", "entity_type": "bank"}).astype("str"),
        "entity_figures": pd.DataFrame(
            [(name, figure, amount, "USD") for name in names for figure, amount in figures.items()],
            columns=["portfolio_id", "figure", "value", "currency"],
        ),
        "exposures": exposures(EXPOSURES),
        "netting_sets": pd.DataFrame({"portfolio_id": of_set, "netting_set_id": sets, "counterparty": sets, "is_cleared": False, **text}),
        "otc_trades": pd.DataFrame(
            {
                "trade_id": [f"T{i}" for i in range(10 * NETTING_SETS)],
                "netting_set_id": np.repeat(sets, 10),
                "notional": random.uniform(1e6, 1e8, 10 * NETTING_SETS),
                "currency": "USD",
                "maturity": pd.Timestamp(AS_OF) + pd.to_timedelta(random.integers(30, 7_000, 10 * NETTING_SETS), unit="D"),
            }
        ),
        "sa_ccr_netting_sets": pd.DataFrame(
            {"portfolio_id": of_set, "netting_set_id": sets, "exposure_at_default": 1e7, "value": 1e6, "add_on": 1e6, "missing": None}
        ),
        "positions": pd.DataFrame(
            {"portfolio_id": random.choice(names, POSITIONS), "strategy": [f"T{i}" for i in range(POSITIONS)], "symbol": held,
             "quantity": 1.0, "market_value": value, "notional": value, "currency": "USD", "asset_class": "equity"}
        ),
        "instruments": pd.DataFrame(
            {"symbol": symbols, "asset_class": "equity", "underlying": None, "currency": "USD", "exchange": "XNYS", "sector": None,
             "rating": None, "modified_duration": np.nan, "expiry": pd.NaT, "breadth": None, "leverage_factor": 1.0, "is_inverse": None}
        ),
        "position_greeks": pd.DataFrame(
            columns=["portfolio_id", "strategy", "symbol", "is_option", "implied_volatility", "dollar_delta", "dollar_gamma", "dollar_vega",
                     "missing"]
        ),
    }  # fmt: skip


def run() -> list[Result]:
    """Measure exposures alone, whole banks and their lines."""
    rules, given = basel_rules(AS_OF), exposures(EXPOSURES)
    base = pd.Series("USD", index=given.index, dtype="str")
    weighed = partial(credit_rows, given, base, RATES, rules)
    rows = given.to_dict("records")
    np.testing.assert_allclose(weighed()["risk_weighted_assets"].sum(), loop(rows, rules), rtol=1e-9)
    seconds, plain = least_seconds(weighed), least_seconds(partial(loop, rows, rules), repeats=3)
    tables = banks()
    fx_rates = pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["EUR"], "usd_rate": [RATES["EUR"]]})
    whole = partial(basel.risk_weighted_assets, **tables, fx_rates=fx_rates, as_of=AS_OF)
    inputs = {**tables, "risk_weighted_assets": whole()}
    lines = least_seconds(lambda: basel.lines(RegulatoryInputs(AS_OF, inputs, fx_rates)))
    note = f"{BANKS} banks, {NETTING_SETS:,} netting sets, {POSITIONS:,} positions"
    return [
        Result(f"risk-weighted assets of {EXPOSURES:,} exposures, with explanations", seconds, "s", 0.5),
        Result("plain loop over the exposures, sum alone, equal to 1e-9", plain, "s"),
        Result(f"all risk-weighted assets of banks with {EXPOSURES:,} exposures", least_seconds(whole, repeats=3), "s", note=note),
        Result("their capital, leverage and liquidity lines", lines, "s", 0.5),
    ]
