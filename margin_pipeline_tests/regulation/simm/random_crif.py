"""Random CRIFs over all risk types, and what the engine says of them when it is asked directly.

Belongs here: making rows, the direct call. Not here: what is compared.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.parameters.crif_terms import RISK_TYPES
from margin_pipeline.regulation.simm import simm_results

AS_OF = dt.date(2026, 8, 3)
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "BRL", "ZAR")
PAIRS = ("EURUSD", "USDJPY", "BRLUSD", "GBPEUR")
CLASS_OF_TYPE = {"Credit": "Credit", "BaseCorr": "Credit", "Equity": "Equity", "Commodity": "Commodity"}
COLUMNS = [
    "crif_row", "trade_id", "netting_set_id", "product_class", "risk_type", "qualifier", "bucket", "label1", "label2", "amount_currency",
    "amount", "amount_usd", "im_model", "collect_regulations", "post_regulations", "end_date",
]  # fmt: skip
ISDA = (
    "TradeID", "PortfolioID", "ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "AmountCurrency", "Amount",
    "AmountUSD", "IMModel",
)  # fmt: skip
CONFIGURATIONS = {
    "2.6": "SimmConfiguration_ISDA_V2_6", "2.7+2412": "SimmConfiguration_ISDA_V2_7_2412",
    "2.8+2506": "SimmConfiguration_ISDA_V2_8_2506", "2.8+2512": "SimmConfiguration_ISDA_V2_8_2512",
}  # fmt: skip


def row(risk_type, qualifier="", bucket="", label1="", label2="", amount=1_000.0, product_class=None, **rest):
    """One row of the table, in dollars."""
    kind = risk_type.removeprefix("Risk_")
    named = next((name for start, name in CLASS_OF_TYPE.items() if kind.startswith(start)), "RatesFX")
    money = risk_type not in ("Param_ProductClassMultiplier", "Param_AddOnNotionalFactor")
    found = {
        "crif_row": 1, "trade_id": "T", "netting_set_id": "NS", "risk_type": risk_type, "qualifier": qualifier, "bucket": bucket,
        "product_class": product_class if product_class is not None else (named if risk_type.startswith("Risk_") else ""),
        "label1": label1, "label2": label2, "amount_currency": "USD" if money else "", "amount": amount,
        "amount_usd": amount if money else np.nan, "im_model": "SIMM", "collect_regulations": "", "post_regulations": "", "end_date": None,
    }  # fmt: skip
    return found | rest


def crif(*rows):
    """Rows as the table: empty texts are missing."""
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(crif_row=np.arange(2, len(rows) + 2))
    texts = [name for name in COLUMNS if name not in ("crif_row", "amount", "amount_usd", "end_date")]
    frame[texts] = frame[texts].replace("", None).astype("str")
    return frame.astype({"amount": float, "amount_usd": float}).assign(end_date=pd.to_datetime(frame["end_date"]))


def random_rows(seed, count, names=6):
    """Rows over all risk types of SIMM, several trades on the same risk factors; every name has one bucket a risk class."""
    rng = np.random.default_rng(seed)
    types = [name for name in RISK_TYPES if name.startswith("Risk_")]
    rows = []
    for number in range(count):
        risk_type = types[number % len(types)] if number < len(types) else str(rng.choice(types))
        kind = RISK_TYPES[risk_type]
        name = int(rng.integers(names))
        qualifier = {"currency": str(rng.choice(CURRENCIES)), "currency_pair": str(rng.choice(PAIRS)), "name": f"N-{name}"}[kind.qualifier]
        bucketed = kind.buckets and kind.qualifier == "name"
        bucket = kind.buckets[name * 5 % len(kind.buckets)] if bucketed else ""
        label1 = str(rng.choice(kind.label1)) if kind.label1 else ""
        label2 = str(rng.choice(kind.label2)) if kind.label2 else ""
        amount = float(np.round(rng.normal() * 10 ** rng.uniform(3, 7), 2))
        classes = ("RatesFX", "Credit", "Equity", "Commodity") if rng.random() < 0.2 else (None,)
        rows.append(row(risk_type, qualifier, bucket, label1, label2, amount, rng.choice(classes), trade_id=f"T{number // 3}"))
    rows.append(row("Param_ProductClassMultiplier", "Equity", amount=1.3))
    rows.append(row("Param_AddOnNotionalFactor", "Exotic", amount=5.0))
    rows.append(row("Notional", "Exotic", amount=2_000_000.0))
    rows.append(row("Param_AddOnFixedAmount", amount=75_000.0))
    return rows


def given(rows, sets=(("P", "NS"),), base="USD", usd=(), rejected=(), as_of=AS_OF):
    """SIMM of the rows through the pipeline's function."""
    table = rows if isinstance(rows, pd.DataFrame) else crif(*rows)
    netting_sets = pd.DataFrame({"netting_set_id": [s for _, s in sets], "portfolio_id": [p for p, _ in sets], "im_model": "simm"})
    portfolios = pd.DataFrame({"portfolio_id": sorted({p for p, _ in sets}), "base_currency": base})
    rates = pd.DataFrame({"date": pd.to_datetime([as_of] * len(usd)), "currency": [c for c, _ in usd], "usd_rate": [r for _, r in usd]})
    columns = ["source", "row_number", "column_name", "reason", "portfolio_id", "raw"]
    return simm_results(table, netting_sets, portfolios, rates, pd.DataFrame(rejected, columns=columns), as_of)


def part(results, side="call", product="All", risk="All", kind="All", bucket="All", netting_set="NS"):
    """One margin of the winning regulation."""
    wanted = [netting_set, side, product, risk, kind, bucket]
    key = ["netting_set_id", "side", "product_class", "risk_class", "margin_type", "bucket"]
    found = results[(results[key] == wanted).all(axis=1) & results["is_winning"]]
    return float(found["initial_margin"].iloc[0]) if len(found) else None


def asked_directly(rows, version="2.8+2512"):
    """Margins of the engine by side, product class, risk class and margin type, from rows written line by line."""
    import ORE

    mapper = ORE.SimmBucketMapperBase()
    for r in rows:
        if r["bucket"]:
            mapper.addMapping(getattr(ORE.CrifRecord, "RiskType_" + r["risk_type"].removeprefix("Risk_")), r["qualifier"], r["bucket"])
    configuration = getattr(ORE, CONFIGURATIONS[version])(mapper)
    keys = ("trade_id", "netting_set_id", "product_class", "risk_type", "qualifier", "bucket", "label1", "label2", "amount_currency")
    lines = ["\t".join(ISDA)]
    for r in rows:
        usd = "" if np.isnan(r["amount_usd"]) else repr(r["amount_usd"])
        lines.append("\t".join([*(str(r[key]) for key in keys), repr(r["amount"]), usd, "SIMM"]))
    crif_of_engine = ORE.Crif()
    crif_of_engine.setCsvLoaderConfig(configuration)
    crif_of_engine.fromCSVString("\n".join(lines) + "\n")
    calculator = ORE.SimmCalculator(crif_of_engine, configuration)
    found = {}
    for side, code in (("call", ORE.SimmConfiguration.SimmSide_Call), ("post", ORE.SimmConfiguration.SimmSide_Post)):
        final = calculator.finalSimmResults(code, ORE.NettingSetDetails("NS"))
        for product, p in _codes(ORE.CrifRecord, "ProductClass_"):
            for risk, r in _codes(ORE.SimmConfiguration, "RiskClass_"):
                for kind, k in _codes(ORE.SimmConfiguration, "MarginType_"):
                    if final.second.has(p, r, k, "All"):
                        found[side, product, risk, kind] = final.second.get(p, r, k, "All")
    return found


def _codes(holder, prefix):
    return [(name.removeprefix(prefix), getattr(holder, name)) for name in dir(holder) if name.startswith(prefix)]
