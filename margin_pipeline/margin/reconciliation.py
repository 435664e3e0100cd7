"""Our margins against the broker's, and what explains the difference.

Belongs here: the table `margin_reconciliation`: which statements there are, which hypothesis is chosen. Not here: our side
(`our_margins`), the hypotheses, sentences (`reconciliation_texts`).

A difference is the broker's margin less ours. Of all hypotheses that leave no more than rounding the simplest is chosen; where none
does, the general one that leaves least, if it leaves less than half. A side that is missing is never taken for 0.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.margin.hypotheses import portfolio_hypotheses, symbol_hypotheses
from margin_pipeline.margin.our_margins import MEASURES, NETTING_SET_METHODS, ROW, OurMargins, measured, symbol_margins
from margin_pipeline.margin.portfolio import MARGIN_ACCOUNTS
from margin_pipeline.margin.reconciliation_texts import sentence
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.stock_rates import stock_rates

TABLE_COLUMNS = [
    *ROW, "method", "base", "ours", "broker", "difference", "status", "hypothesis", "explained", "residual", "missing", "explanation",
]  # fmt: skip
TEXTS = [*ROW, "method", "base", "status", "hypothesis", "missing", "explanation"]
ROUNDING = 1.0
"""Units of money: brokers state whole units."""

RELATIVE_ROUNDING = 1e-6
PART = 0.5
"""Fraction of the difference that a hypothesis may leave and still be named."""

SHOWN_HYPOTHESES = 5


def reconcile(
    margins: OurMargins,
    broker_margins: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Every statement of a broker against our figure.

    Parameters
    ----------
    margins : our tables.
    broker_margins, rejected_rows, portfolios, fx_rates : frames of the tables of these names.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.margin_reconciliation, base currency, ordered by portfolio, symbol and measure. Rows: what the broker states,
    statements that were rejected, and our symbols with a margin that the broker leaves out although it lists symbols of the portfolio.
    """
    stated = pd.concat([_stated(broker_margins), _rejected(rejected_rows)], ignore_index=True)
    if stated.empty:
        return pd.DataFrame({name: pd.Series(dtype="str" if name in TEXTS else np.float64) for name in TABLE_COLUMNS})
    margins = margins.of(sorted(set(stated["portfolio_id"])))
    governing, symbols = margins.governing(), symbol_margins(margins)
    ours = pd.concat([governing.drop(columns="method").assign(symbol="", base="portfolio"), symbols], ignore_index=True)
    rows = _faced(stated, ours, symbols)
    rows = rows.merge(governing[["portfolio_id", "method"]].drop_duplicates(), on="portfolio_id", how="left", validate="many_to_one")
    rows["base"] = rows["base"].fillna("none")
    rows["difference"] = rows["broker"] - rows["ours"]
    rows["missing"] = [_missing(row) for row in rows.to_dict("records")]
    minimum = _minimum_equity(portfolios, fx_rates, as_of)
    candidates = pd.concat([portfolio_hypotheses(margins, minimum), symbol_hypotheses(margins, symbols)], ignore_index=True)
    return _table(rows, candidates)


def _stated(broker_margins: pd.DataFrame) -> pd.DataFrame:
    """What the broker states: portfolio_id, symbol, measure, broker, rejected (NaN)."""
    rows = measured(broker_margins, ["portfolio_id", "symbol"]).rename(columns={"amount": "broker"})
    return rows.dropna(subset=["broker"]).assign(rejected=None)


def _rejected(rejected_rows: pd.DataFrame) -> pd.DataFrame:
    """Statements that were rejected, for both measures, with the reasons."""
    found: dict[tuple[str, str], list[str]] = {}
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    rows = rejected_rows[rejected_rows["source"].str.startswith("broker_margins.") & rejected_rows["portfolio_id"].notna()]
    for source, number, reason, portfolio_id, raw in rows[columns].itertuples(index=False, name=None):
        cells = json.loads(raw) if isinstance(raw, str) else raw
        found.setdefault((str(portfolio_id), str(cells.get("symbol") or "")), []).append(f"{source} row {number}: {reason}")
    keys = [(*key, measure, "; ".join(reasons)) for key, reasons in sorted(found.items()) for measure in MEASURES]
    return pd.DataFrame(keys, columns=[*ROW, "rejected"]).astype("str").assign(broker=np.nan)


def _faced(stated: pd.DataFrame, ours: pd.DataFrame, symbols: pd.DataFrame) -> pd.DataFrame:
    """Each statement with our figure, and our figures of symbols that the broker's list of a portfolio leaves out."""
    listed = stated.loc[stated["symbol"] != "", ["portfolio_id", "measure"]].drop_duplicates()
    asked = symbols[~(symbols["ours"] == 0)].merge(listed, on=["portfolio_id", "measure"], how="inner")
    every = stated.drop_duplicates(ROW).merge(asked[ROW], on=ROW, how="outer")
    return every.merge(ours, on=ROW, how="left", validate="one_to_one").sort_values(ROW, kind="stable", ignore_index=True)


def _missing(row: Mapping[Hashable, Any]) -> str | None:
    """Which side is missing, and why; None where both are there."""
    found = []
    if np.isnan(row["ours"]):
        reason = str(row["missing"]) if not pd.isna(row["missing"]) else "not known"
        if row["base"] == "none" and row["method"] in NETTING_SET_METHODS:
            reason = f"method {row['method']} margins netting sets, not symbols"
        elif row["base"] == "none":
            reason = f"the portfolio holds no position in {row['symbol']}"
        found.append(f"ours: {reason}")
    if np.isnan(row["broker"]):
        found.append(f"broker: {row['rejected']}" if not pd.isna(row["rejected"]) else "broker: does not list the symbol")
    return "; ".join(found) or None


def _minimum_equity(portfolios: pd.DataFrame, fx_rates: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """Minimum equity of margin accounts by portfolio, base currency."""
    accounts = portfolios[portfolios["account_type"].isin(MARGIN_ACCOUNTS)].set_index("portfolio_id")
    return stock_rates(as_of).minimum_equity_usd / accounts["base_currency"].map(usd_rates(fx_rates, as_of)).astype(np.float64)


def _table(rows: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    """The table: every row with the chosen hypothesis and what it leaves."""
    tolerance = ROUNDING + RELATIVE_ROUNDING * rows[["ours", "broker"]].abs().max(axis=1)
    off = rows["difference"].abs()
    open_rows = rows[off > tolerance].assign(tolerance=tolerance)
    tried = open_rows[[*ROW, "broker", "difference", "tolerance"]].merge(candidates, on=ROW, how="inner")
    tried["residual"] = tried["broker"] - tried["amount"]
    chosen = _chosen(tried)
    rows = rows.merge(chosen, on=ROW, how="left", validate="one_to_one")
    named = rows["hypothesis"].notna()
    rows["residual"] = rows["residual"].where(named, rows["difference"])
    rows["explained"] = rows["difference"] - rows["residual"]
    fits = named & (rows["residual"].abs() <= tolerance)
    conditions = [off.isna(), off <= tolerance, fits, named]
    rows["status"] = np.select(conditions, ["missing", "match", "explained", "partly_explained"], "unexplained")
    rows["explanation"] = _explanations(rows, tried)
    return rows[TABLE_COLUMNS].astype(dict.fromkeys(TEXTS, "str"))


def _chosen(tried: pd.DataFrame) -> pd.DataFrame:
    """The hypothesis of each row: the simplest that fits, else the general one that leaves least and less than half."""
    left = tried["residual"].abs()
    fits = left <= tried["tolerance"]
    useful = fits | (tried["is_general"] & (left < PART * tried["difference"].abs()))
    coarse = np.round(left / tried["tolerance"])  # what differs by less than rounding leaves the same
    ordered = tried.assign(fits=fits, first=np.where(fits, 0.0, coarse))[useful]
    ordered = ordered.sort_values([*ROW, "fits", "first", "rank", "hypothesis"], ascending=[True] * 3 + [False] + [True] * 3)
    return ordered.drop_duplicates(ROW)[[*ROW, "hypothesis", "residual"]]


def _explanations(rows: pd.DataFrame, tried: pd.DataFrame) -> list[str]:
    """One JSON object a row: a sentence, and the hypotheses that come nearest."""
    nearest = tried[tried["is_general"]].assign(left=lambda f: f["residual"].abs())
    nearest = nearest.sort_values([*ROW, "left", "rank", "hypothesis"], kind="stable").groupby(ROW, sort=False).head(SHOWN_HYPOTHESES)
    shown: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for *key, hypothesis, amount, residual in nearest[[*ROW, "hypothesis", "amount", "residual"]].itertuples(index=False, name=None):
        shown.setdefault(tuple(key), []).append({"hypothesis": hypothesis, "amount": amount, "residual": residual})
    keys = rows[ROW].itertuples(index=False, name=None)
    return [
        json.dumps({"text": sentence(row), "tested": shown.get(key, [])}) for row, key in zip(rows.to_dict("records"), keys, strict=True)
    ]
