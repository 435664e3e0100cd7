"""The Open Source Risk Engine's SIMM calculator: net sensitivities in, margins by every part out.

Belongs here: everything that knows the engine. Not here: netting (`sensitivities`), conversion, rows of tables (`results`).

The engine reads a CRIF as text and leaves out lines it does not understand without an error, so what it has read is counted. Names are
given to it as numbers: a name could hold its separators. It weights a name by the bucket that its mapper knows, not by that of the line,
so each name is mapped first.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from margin_pipeline.parameters.crif_terms import FACTORS, RISK_TYPES
from margin_pipeline.parameters.simm import SimmRules
from margin_pipeline.regulation.exact_sums import group_sums

CONFIGURATIONS = {
    "2.6": "SimmConfiguration_ISDA_V2_6",
    "2.7+2412": "SimmConfiguration_ISDA_V2_7_2412",
    "2.8+2506": "SimmConfiguration_ISDA_V2_8_2506",
    "2.8+2512": "SimmConfiguration_ISDA_V2_8_2512",
}
"""Configurations of the engine by version of SIMM."""
HEADER = "TradeID\tPortfolioID\tProductClass\tRiskType\tQualifier\tBucket\tLabel1\tLabel2\tAmountCurrency\tAmount\tAmountUSD\tIMModel\n"
CLASS_OF_TYPE = {
    "Risk_IRCurve": "InterestRate", "Risk_Inflation": "InterestRate", "Risk_XCcyBasis": "InterestRate", "Risk_IRVol": "InterestRate",
    "Risk_InflationVol": "InterestRate", "Risk_CreditQ": "CreditQualifying", "Risk_CreditVol": "CreditQualifying",
    "Risk_CreditNonQ": "CreditNonQualifying", "Risk_CreditVolNonQ": "CreditNonQualifying", "Risk_Equity": "Equity",
    "Risk_EquityVol": "Equity", "Risk_Commodity": "Commodity", "Risk_CommodityVol": "Commodity", "Risk_FX": "FX", "Risk_FXVol": "FX",
}  # fmt: skip
FACTOR_KEY = ["product_class", "risk_type", "qualifier", "bucket", "label1", "label2"]
SIDES = ("call", "post")
NOT_NAMES = tuple(name for name, kind in RISK_TYPES.items() if kind.qualifier in ("currency", "currency_pair", "product_class"))
"""Risk types whose qualifier means something to the engine."""
ALL = "All"
NOT_INSTALLED = (
    "the Open Source Risk Engine, which computes SIMM: install it with pip install open-source-risk-engine"
    " (there are builds for Linux x86-64, macOS and Windows), or agree on the schedule"
)
Part = tuple[str, str, str, str]
"""Product class, risk class, margin type and bucket."""


class EngineError(Exception):
    """The engine did not compute a margin; the text says why."""


def why_unavailable() -> str | None:
    """Why the engine cannot be used here; None where it can."""
    try:
        importlib.import_module("ORE")
    except ImportError:
        return NOT_INSTALLED
    return None


def margins(rows: pd.DataFrame, scopes: Sequence[np.ndarray], rules: SimmRules) -> list[dict[str, dict[Part, float]]]:
    """Margins of one netting set in US dollars, for several choices of its rows.

    Parameters
    ----------
    rows : net sensitivities of the set, index 0 … n - 1.
    scopes : numbers of the rows of each choice.
    rules : version to compute.

    Returns
    -------
    For each choice and side the margin by product class, risk class, margin type and bucket, "All" for totals.

    Raises
    ------
    EngineError : the engine refuses the rows, or has not read all of them.
    """
    engine: Any = importlib.import_module("ORE")
    configuration = _configuration(engine, rows, rules)
    crif = engine.Crif()
    crif.setCsvLoaderConfig(configuration)
    chosen = [_of_choice(rows, scope) for scope in scopes]
    names = _numbered(rows["qualifier"])
    try:
        crif.fromCSVString(HEADER + "".join(_text(part, names, number) for number, part in enumerate(chosen)))
        wanted = sum(len(part) for part in chosen)
        if crif.size() != wanted:
            raise EngineError(f"the SIMM engine has read {crif.size()} of {wanted} net sensitivities")
        calculator = engine.SimmCalculator(crif, configuration)
        return [_of_scope(engine, calculator, str(number), part) for number, part in enumerate(chosen)]
    except RuntimeError as error:
        raise EngineError(f"the SIMM engine says: {str(error).splitlines()[0]}") from error


def _configuration(engine: Any, rows: pd.DataFrame, rules: SimmRules) -> Any:
    """Version with the bucket of every name."""
    mapper = engine.SimmBucketMapperBase()
    bucketed = rows.loc[rows["bucket"] != "", ["risk_type", "qualifier", "bucket"]].drop_duplicates()
    kinds = {name: _risk_type(engine, name) for name in bucketed["risk_type"].unique()}
    names = _numbered(rows["qualifier"])
    for kind, qualifier, bucket in bucketed.itertuples(index=False, name=None):
        mapper.addMapping(kinds[kind], names[qualifier], bucket)
    return getattr(engine, CONFIGURATIONS[rules.computed_version])(mapper, rules.margin_period_of_risk_days)


def _risk_type(engine: Any, name: str) -> int:
    return int(getattr(engine.CrifRecord, f"RiskType_{name.removeprefix('Risk_').removeprefix('Param_')}"))


def _numbered(qualifiers: pd.Series) -> dict[str, str]:
    """Stand-ins for names, in their order."""
    return {name: f"N{number:07d}" for number, name in enumerate(sorted(qualifiers.unique().tolist()))}


def _of_choice(rows: pd.DataFrame, scope: np.ndarray) -> pd.DataFrame:
    """Chosen rows, one for each risk factor: rows of one factor may name different regulations."""
    chosen = rows.loc[scope, [*FACTOR_KEY, "amount"]]
    if not chosen.duplicated(FACTOR_KEY).any():
        return chosen.reset_index(drop=True)
    groups = chosen.groupby(FACTOR_KEY, sort=True)
    found = groups.size().index.to_frame(index=False)
    least, most = (groups["amount"].agg(which).to_numpy() for which in ("min", "max"))
    factor = found["risk_type"].isin(FACTORS).to_numpy()
    for n in np.flatnonzero(factor & (least != most)).tolist():
        name = f"{found['risk_type'][n]} of {found['qualifier'][n]}"
        raise EngineError(f"one {name} under one regulation: {least[n]:.15g} and {most[n]:.15g} are given")
    total = group_sums(chosen["amount"].to_numpy(np.float64), groups.ngroup().to_numpy(), len(found))
    return found.assign(amount=np.where(factor, least, total))


def _text(chosen: pd.DataFrame, names: dict[str, str], number: int) -> str:
    """Lines of one choice of rows, under its number as PortfolioID; the last cell is never empty, for the engine trims lines."""
    as_they_are = chosen["risk_type"].isin(NOT_NAMES) | (chosen["qualifier"] == "")
    qualifier = chosen["qualifier"].where(as_they_are, chosen["qualifier"].map(names))
    factor = chosen["risk_type"].isin(FACTORS).to_numpy()
    amounts = pa.array(chosen["amount"].to_numpy(np.float64))
    texts: list[Iterable[str]] = [
        ["T"] * len(chosen), [str(number)] * len(chosen), chosen["product_class"], chosen["risk_type"], qualifier, chosen["bucket"],
        chosen["label1"], chosen["label2"], np.where(factor, "", "USD"),
    ]  # fmt: skip
    columns = [pa.array(column, pa.string(), from_pandas=True) for column in texts]
    dollars = pa.array(chosen["amount"].to_numpy(np.float64), mask=factor)
    table = pa.table([*columns, amounts, dollars, pa.array(["SIMM"] * len(chosen))], names=[str(n) for n in range(12)])
    written = io.BytesIO()
    arrow_csv.write_csv(table, written, arrow_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none"))
    return written.getvalue().decode()


def _of_scope(engine: Any, calculator: Any, portfolio: str, rows: pd.DataFrame) -> dict[str, dict[Part, float]]:
    """Margins of one choice of rows, by side and part; a choice without rows needs nothing."""
    if rows["risk_type"].isin([*CLASS_OF_TYPE, "Risk_BaseCorr", "Param_AddOnFixedAmount", "Notional"]).sum() == 0:
        return {side: {(ALL, ALL, ALL, ALL): 0.0} for side in SIDES}
    sides = (engine.SimmConfiguration.SimmSide_Call, engine.SimmConfiguration.SimmSide_Post)
    buckets = _buckets(rows)
    found = {}
    for side, code in zip(SIDES, sides, strict=True):
        # The pair owns the results: it has to live as long as they are read.
        final = calculator.finalSimmResults(code, engine.NettingSetDetails(portfolio))
        found[side] = _parts(engine, final.second, buckets)
    return found


def _buckets(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Names under which the engine keeps margins before they are aggregated, by risk class: buckets, else currencies and pairs."""
    risk_class = rows["risk_type"].map(CLASS_OF_TYPE)
    within = rows["bucket"].where(rows["bucket"] != "", rows["qualifier"])
    known = risk_class.notna()
    return {str(name): sorted(cells.unique().tolist()) for name, cells in within[known].groupby(risk_class[known])}


def _parts(engine: Any, results: Any, buckets: dict[str, list[str]]) -> dict[Part, float]:
    products = _names(engine.CrifRecord, "ProductClass_")
    risks = _names(engine.SimmConfiguration, "RiskClass_")
    kinds = _names(engine.SimmConfiguration, "MarginType_")
    found: dict[Part, float] = {}
    for product, p in products.items():
        for risk, r in risks.items():
            for kind, k in kinds.items():
                if not results.has(p, r, k, ALL):
                    continue
                found[product, risk, kind, ALL] = float(results.get(p, r, k, ALL))
                if product == ALL or risk == ALL or kind == ALL:
                    continue
                for bucket in buckets.get(risk, []):
                    if results.has(p, r, k, bucket):
                        found[product, risk, kind, bucket] = float(results.get(p, r, k, bucket))
    return found


def _names(holder: Any, prefix: str) -> dict[str, int]:
    """Codes of an enumeration of the engine, by name."""
    return {name.removeprefix(prefix): int(getattr(holder, name)) for name in sorted(dir(holder)) if name.startswith(prefix)}
