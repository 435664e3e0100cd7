"""SIMM of a CRIF of 300,000 rows, against giving every row to the engine, and the landing of its file.

Belongs here: invented rows by seed, the plain way, timings. Not here: correctness (margin_pipeline_tests/regulation/simm).
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
import time
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.landing.contracts import CONTRACTS
from margin_pipeline.landing.crif_rules import crif_rejections
from margin_pipeline.landing.records import read_csv
from margin_pipeline.landing.repeats import settle_repeats
from margin_pipeline.landing.validation import validate
from margin_pipeline.parameters.crif_terms import RISK_TYPES
from margin_pipeline.regulation.simm import simm_results
from margin_pipeline.regulation.simm.engine import why_unavailable

AS_OF = dt.date(2026, 8, 3)
ROWS, SETS, NAMES = 300_000, 10, 60
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "SEK", "BRL", "ZAR")
ISDA = {
    "trade_id": "TradeID", "netting_set_id": "PortfolioID", "product_class": "ProductClass", "risk_type": "RiskType",
    "qualifier": "Qualifier", "bucket": "Bucket", "label1": "Label1", "label2": "Label2", "amount_currency": "AmountCurrency",
    "amount": "Amount", "amount_usd": "AmountUSD", "im_model": "IMModel",
}  # fmt: skip


def crif(count: int) -> pd.DataFrame:
    """Sensitivities of many trades to the same risk factors: every risk type, ten currencies, sixty names a class."""
    random = np.random.default_rng(11)
    types = [name for name in RISK_TYPES if name.startswith("Risk_")]
    factors = []
    for name in types:
        kind = RISK_TYPES[name]
        for _ in range(120):
            number = int(random.integers(NAMES))
            first, second = random.choice(CURRENCIES, 2, replace=False)
            qualifier = {"currency": first, "currency_pair": first + second, "name": f"N{number}"}[kind.qualifier]
            bucket = kind.buckets[number % len(kind.buckets)] if kind.buckets and kind.qualifier == "name" else None
            tenor, curve = (str(random.choice(labels)) if labels else None for labels in (kind.label1, kind.label2))
            product = "Credit" if "Credit" in name or "Corr" in name else "RatesFX"
            product = "Equity" if "Equity" in name else "Commodity" if "Commodity" in name else product
            factors.append((product, name, qualifier, bucket, tenor, curve or None))
    drawn = pd.DataFrame(factors, columns=["product_class", "risk_type", "qualifier", "bucket", "label1", "label2"])
    frame = drawn.iloc[random.integers(0, len(drawn), count)].reset_index(drop=True).astype("str")
    amount = random.normal(0.0, 1e4, count).round(2)
    frame = frame.assign(
        crif_row=np.arange(2, count + 2),
        trade_id=pd.Series(np.char.add("T", random.integers(0, count // 6, count).astype(str)), dtype="str"),
        netting_set_id=pd.Series(np.char.add("NS", random.integers(0, SETS, count).astype(str)), dtype="str"),
    )
    texts = {"amount_currency": "USD", "im_model": "SIMM", "collect_regulations": None, "post_regulations": None}
    for column, value in texts.items():
        frame[column] = pd.Series([value] * count, dtype="str")
    return frame.assign(amount=amount, amount_usd=amount, end_date=pd.NaT)


def file_of(rows: pd.DataFrame) -> str:
    """The rows as a tab-separated file."""
    return rows[list(ISDA)].rename(columns=ISDA).to_csv(sep="\t", index=False)


def landed(text: bytes, netting_sets: pd.DataFrame) -> pd.DataFrame:
    """The file read, checked and in order."""
    contract = CONTRACTS["crif"]
    file = validate(read_csv("crif.csv", text, contract.columns, contract.separators, contract.column_name), contract)
    return settle_repeats(file.reject(crif_rejections(file.accepted, netting_sets))).accepted


def plain(rows: pd.DataFrame) -> dict[str, float]:
    """Every row written as it is and given to the engine, margin posted by netting set."""
    import ORE

    mapper = ORE.SimmBucketMapperBase()
    bucketed = rows.loc[
        rows["bucket"].notna() & (rows["risk_type"] != "Risk_IRCurve"), ["risk_type", "qualifier", "bucket"]
    ].drop_duplicates()
    for name, qualifier, bucket in bucketed.itertuples(index=False, name=None):
        mapper.addMapping(getattr(ORE.CrifRecord, "RiskType_" + name.removeprefix("Risk_")), qualifier, bucket)
    configuration = ORE.SimmConfiguration_ISDA_V2_8_2512(mapper)
    found = ORE.Crif()
    found.setCsvLoaderConfig(configuration)
    found.fromCSVString(file_of(rows))
    calculator = ORE.SimmCalculator(found, configuration)
    record, simm = ORE.CrifRecord, ORE.SimmConfiguration
    total = (record.ProductClass_All, simm.RiskClass_All, simm.MarginType_All, "All")
    margins = {}
    for name in sorted(rows["netting_set_id"].unique()):
        final = calculator.finalSimmResults(simm.SimmSide_Post, ORE.NettingSetDetails(name))
        margins[name] = final.second.get(*total)
    return margins


def run() -> list[Result]:
    """Netting, engine and rows of results; the file; both against the plain way in the same run."""
    if (reason := why_unavailable()) is not None:
        return [Result("SIMM", float("nan"), "s", None, note=f"not measured, for want of {reason}")]
    rows = crif(ROWS)
    sets = pd.DataFrame({"netting_set_id": [f"NS{n}" for n in range(SETS)], "portfolio_id": "P", "im_model": "simm"})
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]})
    rates = pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series(dtype=str), "usd_rate": pd.Series(dtype=float)})
    rejected = pd.DataFrame(columns=["source", "row_number", "column_name", "reason", "portfolio_id", "raw"])
    ours = partial(simm_results, rows, sets, portfolios, rates, rejected, AS_OF)
    seconds = least_seconds(ours, 3)
    started = time.perf_counter()
    expected = plain(rows)
    plain_seconds = time.perf_counter() - started
    text = file_of(rows).encode()
    landing = least_seconds(partial(landed, text, sets), 1)
    results = ours()
    total = results[(results[["product_class", "risk_class", "margin_type", "bucket"]] == "All").all(axis=1) & (results["side"] == "post")]
    found = total.set_index("netting_set_id")["initial_margin"]
    gap = max(abs(found[name] / value - 1.0) for name, value in expected.items())
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    return [
        Result(f"SIMM of {ROWS:,} CRIF rows", seconds, "s", 4.0, note=f"{SETS} netting sets, frame to result, both sides"),
        Result("against giving every row to the engine", plain_seconds / seconds, "x", note=f"the plain way takes {plain_seconds:.1f} s"),
        Result("largest difference from it", gap, "", 1e-9, note="relative, margins posted"),
        Result(f"landing a file of {ROWS:,} rows", landing, "s", note="read, checked row by row, in order"),
        Result("largest memory of the process", gigabytes, "GB"),
    ]
