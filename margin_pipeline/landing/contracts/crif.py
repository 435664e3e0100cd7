"""Contract of the CRIF: sensitivities and add-ons of netting sets in ISDA's common risk interchange format.

Belongs here: its columns and how their names and values are spelt. Not here: what each risk type must hold (`crif_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import currency, date, number, text
from margin_pipeline.landing.contracts.contract import FileContract
from margin_pipeline.parameters.crif_terms import (
    IM_MODELS,
    PRODUCT_CLASSES,
    REGULATIONS,
    RISK_TYPES,
    SCHEDULE_CLASSES,
    SUB_CURVES,
    spelling,
)

SPELT = {
    "product_class": spelling((*PRODUCT_CLASSES, *SCHEDULE_CLASSES)),
    "risk_type": spelling(tuple(RISK_TYPES)),
    "bucket": spelling(("Residual",)),
    "label2": spelling((*SUB_CURVES, "Sec")),
    "im_model": spelling(IM_MODELS),
}
REGULATION_SPELT = spelling(REGULATIONS) | {"sec_unseg": "SEC-unseg", "secunseg": "SEC-unseg"}
CURRENCY_TYPES = tuple(name for name, kind in RISK_TYPES.items() if kind.qualifier in ("currency", "currency_pair"))
BETWEEN_REGULATIONS = re.compile(r"[\s,;|\[\]]+")


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Values as ISDA spells them, and the row's own number."""
    found = {name: _respelt(frame[name], names) for name, names in SPELT.items()}
    currencies = found["risk_type"].isin(CURRENCY_TYPES)
    multipliers = found["risk_type"] == "Param_ProductClassMultiplier"
    qualifier = frame["qualifier"]
    if currencies.any():
        qualifier = qualifier.where(~currencies, qualifier.str.upper())
    if multipliers.any():
        qualifier = qualifier.where(~multipliers, _respelt(qualifier, SPELT["product_class"]))
    regulations = {name: _regulations(frame[name]) for name in ("collect_regulations", "post_regulations")}
    frame = frame.assign(**found, **regulations, qualifier=qualifier.astype("str"), label1=frame["label1"].str.lower())
    return frame.assign(crif_row=frame.index.to_numpy(dtype=float))


def _respelt(cells: pd.Series, names: Mapping[str, str]) -> pd.Series:
    """Cells whose lower case is a name, as that name; others as they are."""
    codes, distinct = pd.factorize(cells)
    table = pd.Series([*(names.get(str(cell).lower(), str(cell)) for cell in distinct), None], dtype="str")
    return table.take(codes).set_axis(cells.index)


def _regulations(cells: pd.Series) -> pd.Series:
    """Lists of regulations in one spelling: sorted, each once, with commas between them."""
    codes, distinct = pd.factorize(cells)
    lists = [sorted({REGULATION_SPELT.get(part.lower(), part) for part in BETWEEN_REGULATIONS.split(cell) if part}) for cell in distinct]
    table = pd.Series([*(",".join(found) or None for found in lists), None], dtype="str")
    return table.take(codes).set_axis(cells.index)


CRIF = FileContract(
    name="crif",
    table="crif",
    description=(
        "One sensitivity or add-on of a netting set under SIMM, in ISDA's CRIF, tab or comma separated. Column names are ISDA's, with or"
        " without blanks and underscores (`PortfolioID` is the netting set). Rows of one risk factor add up: none collapses."
    ),
    key=("crif_row",),
    separators=",\t",
    free_names=True,
    spellings={
        "portfolioid": "netting_set_id",
        "currency": "amount_currency",
        "assetclass": "product_class",
    },
    complete=_complete,
    complete_note="Names of risk types, classes, buckets, tenors, sub-curves and currencies may be in any case.",
    schema=pa.DataFrameSchema(
        {
            "crif_row": number("Row of the file; given by the pipeline.", "number", default=0.0, default_note="row number in the file"),
            "trade_id": text("Identity of the trade; sensitivities of trades are added up."),
            "netting_set_id": text("PortfolioID: netting set, as in netting_sets.", required=True),
            "product_class": text(
                "Product class; under SIMM nothing is netted between RatesFX, Credit, Equity and Commodity.",
                allowed=(*PRODUCT_CLASSES, "Rates", "FX", "Other"),
            ),
            "risk_type": text("Risk type.", required=True, allowed=tuple(RISK_TYPES)),
            "qualifier": text("Currency, currency pair, issuer, index, commodity or product class, by risk type."),
            "bucket": text("Bucket, by risk type: a number or Residual; of interest rates it follows from the currency."),
            "label1": text("Tenor, by risk type."),
            "label2": text("Sub-curve of interest rates; Sec for securitisations among Risk_CreditQ."),
            "amount_currency": currency("Currency of the amount.", case="upper"),
            "amount": number("Sensitivity or amount; factor of Param_ rows.", "AmountCurrency"),
            "amount_usd": number("Sensitivity or amount in dollars. Empty: amount at the day's rate.", "USD"),
            "im_model": text("Model of the row. Empty: SIMM.", allowed=IM_MODELS),
            "collect_regulations": text("Regulations under which margin is collected. Empty in all rows: all are in scope."),
            "post_regulations": text("Regulations under which margin is posted. Empty in all rows: all are in scope."),
            "end_date": date("Last day of a trade under the schedule."),
        }
    ),
)
