"""Rules that compare the files of a date with each other and with the date.

Belongs here: unknown portfolios and symbols, expired contracts, dates ahead, what only another file can supply.
Not here: rules within one row or file.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.landing.contracts import FileContract
from margin_pipeline.landing.contracts.reference import OPTIONS
from margin_pipeline.landing.contracts.span import FIRST_EXPIRY, SCENARIOS, TERMS, UNKNOWN
from margin_pipeline.landing.rejections import Rejection, rejected, shown
from margin_pipeline.landing.validation import ValidatedFile


def dates_ahead(file: ValidatedFile, as_of: dt.date) -> list[Rejection]:
    """Rows whose date lies after the folder's, in files that report the past."""
    found: list[Rejection] = []
    for column in (name for name in file.contract.columns if file.contract.metadata(name).get("past_only")):
        dates = file.accepted[column]
        ahead = dates[dates > pd.Timestamp(as_of)]
        found += rejected(ahead.index, column, (f'"{date:%Y-%m-%d}" is in the future: the folder is of {as_of}' for date in ahead))
    return found


def unknown_portfolios(file: ValidatedFile, portfolios: pd.DataFrame) -> list[Rejection]:
    """Rows that name a portfolio which the date does not have."""
    return _unknown(file.accepted["portfolio_id"], portfolios["portfolio_id"], "portfolio_id", "is not among the accepted portfolios")


def position_rejections(positions: pd.DataFrame, instruments: pd.DataFrame, as_of: dt.date) -> list[Rejection]:
    """Positions in unknown symbols, in contracts that expired before the date, and worthless marks of anything but an option.

    Parameters
    ----------
    positions : accepted rows, index = row number.
    instruments : accepted instruments of the date.
    as_of : date of the folder.

    Notes
    -----
    A contract is held until the end of its last day. The reason of an expired one starts with "expired": a leg that is no more
    does not make its portfolio undetermined.
    """
    at = pd.Index(instruments["symbol"]).get_indexer(pd.Index(positions["symbol"]))
    found = _unknown(positions["symbol"], instruments["symbol"], "symbol", "is not among the accepted instruments")
    known, at = positions[at >= 0], at[at >= 0]
    expiry = instruments["expiry"].to_numpy()[at]
    expired = expiry < np.datetime64(as_of)
    ended = zip(np.datetime_as_string(expiry[expired], unit="D"), known["symbol"][expired], strict=True)
    found += rejected(known.index[expired], "symbol", (f"expired on {date}: {shown(symbol)}" for date, symbol in ended))
    asset_class = instruments["asset_class"].to_numpy()[at]
    worthless = (known["price"] == 0).to_numpy() & ~np.isin(asset_class.astype(object), OPTIONS) & ~expired
    kinds = (f"a price of 0 is no mark of {kind}; only an option can be worthless" for kind in asset_class[worthless])
    return found + rejected(known.index[worthless], "price", kinds)


def house_rejections(house_margins: pd.DataFrame, instruments: pd.DataFrame) -> list[Rejection]:
    """House rates of symbols that the date does not have: they would protect nothing, and nobody would notice."""
    named = house_margins.loc[house_margins["symbol"] != "", "symbol"]
    return _unknown(named, instruments["symbol"], "symbol", "is not among the accepted instruments")


def array_rejections(risk_arrays: pd.DataFrame) -> list[Rejection]:
    """Rows of risk arrays that lack a scenario: the one that is absent may be the worst."""
    count = risk_arrays.groupby("symbol")["scenario"].transform("nunique")
    short = count[count != SCENARIOS]
    return rejected(short.index, "scenario", (f"the array has {n} of {SCENARIOS} scenarios, so none of it is used" for n in short))


def with_unknown_terms(file: ValidatedFile) -> pd.DataFrame:
    """Accepted parameters, and one row for each class group and term of which a row was rejected, which has no value: it is not known.

    Without it a charge that cannot be read would be no charge. A term that cannot be read either is `unknown`.
    """
    accepted, key = file.accepted, ["class_group", "effective_date", "term"]
    lost = file.rejected[key].dropna(subset=["class_group"])
    if lost.empty:
        return accepted.reset_index(drop=True)
    readable = lost["term"].isin([term for term in TERMS if term != "tier"])
    lost = lost.assign(term=lost["term"].where(readable, UNKNOWN), effective_date=lost["effective_date"].fillna(FIRST_EXPIRY))
    defaults = {name: column.default for name, column in file.contract.schema.columns.items() if column.default is not None}
    rows = lost.drop_duplicates().assign(**{name: value for name, value in defaults.items() if name not in key})
    rows = rows.reindex(columns=accepted.columns).astype(accepted.dtypes.to_dict())
    return pd.concat([accepted, rows]).sort_values(list(file.contract.key), kind="stable", ignore_index=True)


def trade_rejections(trades: pd.DataFrame, netting_sets: pd.DataFrame, as_of: dt.date) -> list[Rejection]:
    """Uncleared trades in unknown netting sets, and those that have matured."""
    found = _unknown(trades["netting_set_id"], netting_sets["netting_set_id"], "netting_set_id", "is not among the accepted netting sets")
    matured = trades["maturity"][trades["maturity"] < pd.Timestamp(as_of)]
    return found + rejected(matured.index, "maturity", (f"expired on {date:%Y-%m-%d}: the trade has matured" for date in matured))


def eligibility_rejections(eligibility: pd.DataFrame, requirements: pd.DataFrame) -> list[Rejection]:
    """Terms of requirements that the date does not have."""
    return _unknown(
        eligibility["requirement_id"], requirements["requirement_id"], "requirement_id", "is not among the accepted collateral requirements"
    )


def with_base_currency(frame: pd.DataFrame, contract: FileContract, portfolios: pd.DataFrame) -> pd.DataFrame:
    """Amounts without a currency are in the base currency of their portfolio."""
    if "currency" not in contract.columns or not contract.known_portfolio:
        return frame
    base = portfolios.set_index("portfolio_id")["base_currency"]
    return frame.assign(currency=frame["currency"].fillna(frame["portfolio_id"].map(base)).astype("str"))


def notes(instruments: pd.DataFrame, positions: pd.DataFrame, prices: pd.DataFrame, as_of: dt.date) -> list[str]:
    """What is allowed but worth knowing about the files of a date."""
    found = []
    absent = sorted(set(instruments["underlying"].dropna()) - set(instruments["symbol"]))
    if absent:
        found.append(f"instruments: {_some(absent)} named as underlying but not described; rules that need its attributes go without")
    if positions.empty:
        found.append("positions: no position was accepted; every portfolio is flat or undetermined")
    if not prices.empty and prices["date"].max() < pd.Timestamp(as_of):
        found.append(f"prices: no close of {as_of}; positions without a price of their own have no mark")
    return found


def _unknown(named: pd.Series, known: pd.Series, column: str, words: str) -> list[Rejection]:
    missing = named[pd.Index(known).get_indexer(pd.Index(named)) < 0]
    return rejected(missing.index, column, (f"{shown(name)} {words}" for name in missing))


def _some(names: list[str]) -> str:
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more are" if rest > 0 else " is" if len(names) == 1 else " are")
