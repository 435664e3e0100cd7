"""What a portfolio's margin lacks, by method: a method with a missing input has no margin.

Belongs here: collecting reasons. Not here: finding that a price is missing, what follows from it.
"""

from __future__ import annotations

import json

import pandas as pd

from margin_pipeline.margin.components import Composition
from margin_pipeline.margin.methods import GROUPED_ACCOUNTS, NOT_AVAILABLE, OPTION_CLASSES, STOCK_CLASSES

COLUMNS = ["portfolio_id", "method", "reason"]


def missing_inputs(tables: Composition, methods: pd.DataFrame, rejected_rows: pd.DataFrame) -> pd.Series:
    """Reasons why a method has no margin, as a JSON list by portfolio and method; only those with a reason.

    Parameters
    ----------
    tables : what the margins are composed of.
    methods : columns portfolio_id, method.
    rejected_rows : table of that name; a rejected position leaves its portfolio without a margin, an expired one needs none.
    """
    alone = tables.classified_margins()
    grouped = alone["asset_class"].isin((*STOCK_CLASSES, *OPTION_CLASSES)) & alone["account_type"].isin(GROUPED_ACCOUNTS)
    of_positions = _reasons(alone, ["symbol", "missing"])
    found = [
        *(of_positions.assign(method=method) for method in ("reg_t", "cross_margin", "futures", "tiered")),
        _reasons(alone[~grouped], ["symbol", "missing"]).assign(method="strategy_based"),
        _reasons(tables.strategy_groups, ["underlying", "missing"]).assign(method="strategy_based"),
        *(_unvalued(alone, tables.positions).assign(method=method) for method in ("reg_t", "strategy_based")),
        *(_rejected(rejected_rows).assign(method=method) for method in methods["method"].unique()),
        _netting_sets(tables.netting_set_margins),
        *(
            methods.loc[methods["method"] == method, ["portfolio_id", "method"]].assign(
                reason=f"method {method} is not available in this version"
            )
            for method in NOT_AVAILABLE
        ),
    ]
    reasons = pd.concat(found, ignore_index=True)[COLUMNS].drop_duplicates().merge(methods[["portfolio_id", "method"]])
    reasons = reasons.sort_values(COLUMNS)
    return reasons.groupby(["portfolio_id", "method"])["reason"].agg(lambda texts: json.dumps(list(texts)))


def _reasons(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Reason of each row that has one, with the symbol it is about unless the reason names it."""
    symbol, missing = columns
    rows = rows.loc[rows[missing].notna(), ["portfolio_id", symbol, missing]]
    texts = [text if name in text else f"{name}: {text}" for name, text in zip(rows[symbol], rows[missing], strict=True)]
    return pd.DataFrame({"portfolio_id": rows["portfolio_id"].to_numpy(), "reason": pd.Series(texts, dtype="str")})


def _unvalued(alone: pd.DataFrame, positions: pd.DataFrame) -> pd.DataFrame:
    """Options, and in cash accounts everything, enter margin equity by value."""
    account = alone.drop_duplicates("portfolio_id").set_index("portfolio_id")["account_type"]
    counts = positions["asset_class"].isin(OPTION_CLASSES) | (positions["portfolio_id"].map(account) == "cash")
    rows = positions[positions["market_value"].isna() & counts]
    return pd.DataFrame(
        {"portfolio_id": rows["portfolio_id"].to_numpy(), "reason": ("value of " + rows["symbol"].astype("str")).to_numpy()}
    )


def _rejected(rejected_rows: pd.DataFrame) -> pd.DataFrame:
    is_position = rejected_rows["source"].str.startswith("positions.") & rejected_rows["portfolio_id"].notna()
    rows = rejected_rows[is_position & ~rejected_rows["reason"].str.startswith("expired")]
    place = rows["source"] + " row " + rows["row_number"].astype("str") + ": "
    return pd.DataFrame({"portfolio_id": rows["portfolio_id"].to_numpy(), "reason": (place + rows["reason"]).to_numpy()})


def _netting_sets(netting_set_margins: pd.DataFrame) -> pd.DataFrame:
    rows = netting_set_margins[netting_set_margins["missing"].notna()]
    method = rows["model"].map({"schedule": "schedule_im"}).fillna(rows["model"])
    reason = "netting set " + rows["netting_set_id"].astype("str") + ": " + rows["missing"].astype("str")
    return pd.DataFrame({"portfolio_id": rows["portfolio_id"].to_numpy(), "method": method.to_numpy(), "reason": reason.to_numpy()})
