"""What options that expire soon leave behind, and the margin of it.

Belongs here: exercise and assignment at today's marks, the book afterwards. Not here: the threshold (`parameters`), requirements.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline.decisions.shocked_tables import in_scenario, portfolio_and_scenario
from margin_pipeline.decisions.states_between import KEY, RECORD, Frames
from margin_pipeline.margin.valuation import OPTIONS, Closes
from margin_pipeline.parameters.option_exercise import ExerciseRules, exercise_rules

EXPOSURE_COLUMNS = [
    "portfolio_id", "expiry", "strategy", "symbol", "quantity", "settlement", "moneyness", "exercised", "assigned_quantity", "underlying",
    "resulting_shares", "cash", "missing",
]  # fmt: skip
OUTCOME_COLUMNS = [
    "portfolio_id", "expiry", "method", "cash", "maintenance_before", "maintenance_after", "margin_equity_after", "excess_before",
    "excess_after", "missing",
]  # fmt: skip
CASH_SETTLED = ("index_option",)
"""Asset classes that settle in cash where the instrument does not say."""
ROUNDING = 1e-9


def expiry_tables(today: Frames, sessions: Sequence[dt.date], setting: Setting, threads: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exposure of each expiring option position, and the margin of each portfolio after each expiry.

    Parameters
    ----------
    today : frames of portfolios, positions, instruments, portfolio_margins, rejected_rows and `recalculation.TABLES`.
    sessions : next sessions after the date.
    setting : date and thresholds.
    threads : work at once; the result does not depend on it.

    Returns
    -------
    Frames as margin_data.expiry_exposures and margin_data.expiry_outcomes, base currency.

    Notes
    -----
    Options that expire today or within five sessions and are in the money by the threshold or more are exercised (OCC exercise by
    exception), at the marks of the date. Physical settlement delivers the deliverable for the exercise price, an option on a future the
    future at its strike, marked at once; cash settlement pays what the option is in the money by. Equity changes by what the option is
    worth beyond that. What an expiry leaves is margined at the date, with all that expired before it settled.
    """
    rules = exercise_rules(setting.as_of)
    exposures = _exposures(today, rules, sessions, setting.as_of)
    return exposures[EXPOSURE_COLUMNS], _outcomes(today, exposures, setting, threads)


def _exposures(today: Frames, rules: ExerciseRules, sessions: Sequence[dt.date], as_of: dt.date) -> pd.DataFrame:
    last = sessions[: rules.sessions][-1] if sessions else as_of
    instruments, positions = today["instruments"], today["positions"]
    terms = instruments[["symbol", "option_type", "strike", "expiry", "settlement", "multiplier", "deliverable_units"]]
    options = positions[positions["asset_class"].isin(OPTIONS) & (positions["quantity"] != 0)].merge(terms, on="symbol", how="left")
    near = options[(options["expiry"] >= pd.Timestamp(as_of)) & (options["expiry"] <= pd.Timestamp(last))]
    found = near.sort_values(["portfolio_id", "expiry", "strategy", "symbol"], kind="stable", ignore_index=True)
    spot = found["underlying"].map(Closes.of(today["prices"], as_of).today).to_numpy(np.float64)
    call, quantity = (found["option_type"] == "call").to_numpy(), found["quantity"].to_numpy(np.float64)
    strike, multiplier, rate = (found[name].to_numpy(np.float64) for name in ("strike", "multiplier", "fx_rate"))
    by_class = pd.Series(np.where(found["asset_class"].isin(CASH_SETTLED), "cash", "physical"), index=found.index)
    settlement = found["settlement"].where(found["settlement"].notna(), by_class)
    physical, future = (settlement == "physical").to_numpy(), (found["asset_class"] == "future_option").to_numpy()
    moneyness = np.where(call, spot - strike, strike - spot)
    assigned = np.where(moneyness >= rules.threshold - ROUNDING, quantity, 0.0)
    direction = np.where(call, 1.0, -1.0)
    units = found["deliverable_units"].fillna(found["multiplier"]).to_numpy(np.float64)
    beneath = instruments.set_index("symbol")["multiplier"].reindex(found["underlying"]).to_numpy(np.float64)
    shares = np.where(physical, assigned * direction * np.where(future, multiplier / beneath, units), 0.0)
    paid = np.where(physical & ~future, -assigned * direction * strike * multiplier, assigned * moneyness * multiplier)
    found = found.assign(settlement=settlement, moneyness=moneyness, assigned_quantity=assigned, resulting_shares=shares + 0.0)
    # What is delivered is worth its close; a future is marked to it when it comes in.
    delivered = np.where(physical & ~future, shares * beneath * spot * rate, 0.0)
    found = found.assign(cash=paid * rate + 0.0, equity_change=paid * rate + delivered - found["market_value"].to_numpy(np.float64))
    found["missing"] = _lacking(found, spot, beneath, physical, as_of)
    unknown = found["missing"].notna()
    figures = ["assigned_quantity", "resulting_shares", "cash", "equity_change"]
    found[figures] = found[figures].mask(unknown)
    exercised = pd.Series(found["assigned_quantity"] != 0, dtype="boolean").mask(unknown)
    return found.assign(exercised=exercised)


def _lacking(found: pd.DataFrame, spot: np.ndarray, beneath: np.ndarray, physical: np.ndarray, as_of: dt.date) -> pd.Series:
    missing = np.full(len(found), None, dtype=object)
    symbols, underlyings, currencies = (found[name].astype(str).to_numpy(object) for name in ("symbol", "underlying", "currency"))
    worth, rates, strike = (found[name].to_numpy(np.float64) for name in ("market_value", "fx_rate", "strike"))
    for row in range(len(found)):
        if np.isnan(strike[row]):
            missing[row] = f"strike of {symbols[row]}"
        elif np.isnan(spot[row]):
            missing[row] = f"price of {underlyings[row]} {as_of}"
        elif np.isnan(rates[row]):
            missing[row] = f"exchange rate of {currencies[row]} {as_of}"
        elif np.isnan(worth[row]):
            missing[row] = f"price of {symbols[row]} {as_of}"
        elif physical[row] and np.isnan(beneath[row]):
            missing[row] = f"{underlyings[row]} is not among the instruments"
    return pd.Series(missing, index=found.index, dtype=object)


def _outcomes(today: Frames, exposures: pd.DataFrame, setting: Setting, threads: int) -> pd.DataFrame:
    """One row a portfolio and expiry; all books afterwards are margined at once, each under a name of its own."""
    margins = today["portfolio_margins"]
    governing = margins[margins["is_governing"]].set_index("portfolio_id")
    pairs = exposures[["portfolio_id", "expiry"]].drop_duplicates().reset_index(drop=True)
    rows: list[dict[str, Any]] = []
    records: list[pd.DataFrame] = []
    owners: list[pd.DataFrame] = []
    for number, (name, expiry) in enumerate(pairs.itertuples(index=False, name=None)):
        gone = exposures[(exposures["portfolio_id"] == name) & (exposures["expiry"] <= expiry)]
        margin = governing.loc[name]
        reason = _not_settled(margin.to_dict(), gone)
        shared = {"portfolio_id": name, "expiry": expiry, "method": margin["method"], "missing": reason}
        figures = {"maintenance_before": margin["maintenance_margin"], "excess_before": margin["excess"]}
        rows.append({**shared, **figures, "cash": gone["cash"].sum(skipna=False), "number": number})
        if reason is None:
            left, own = _left(today["positions"], name, gone), today["portfolios"][today["portfolios"]["portfolio_id"] == name]
            own = own.assign(equity=own["equity"] + gone["equity_change"].sum())
            records.append(left.assign(portfolio_id=in_scenario(left["portfolio_id"], number)))
            owners.append(own.assign(portfolio_id=in_scenario(own["portfolio_id"], number)))
    after = _margined(today, records, owners, setting, threads)
    for row in rows:
        found = after.get(row.pop("number"))
        if found is not None:
            row |= found
    frame = pd.DataFrame(rows, columns=OUTCOME_COLUMNS)
    numbers = dict.fromkeys(OUTCOME_COLUMNS[3:9], "float64")
    return frame.astype({"portfolio_id": "str", "method": "str", **numbers}).assign(expiry=pd.to_datetime(frame["expiry"]))


def _not_settled(margin: Mapping[Any, Any], gone: pd.DataFrame) -> str | None:
    if gone["missing"].notna().any():
        return "; ".join(sorted(set(gone["missing"].dropna().astype(str))))
    return _listed(margin["missing"]) if pd.isna(margin["maintenance_margin"]) else None


def _left(positions: pd.DataFrame, name: str, gone: pd.DataFrame) -> pd.DataFrame:
    """Rows of position_records of a portfolio after its options are settled."""
    own = positions[positions["portfolio_id"] == name]
    rest = own[~own.set_index(KEY).index.isin(gone.set_index(KEY).index)]
    delivered = gone[gone["resulting_shares"] != 0].groupby(["portfolio_id", "strategy", "underlying"], sort=True)["resulting_shares"].sum()
    added = delivered.reset_index().rename(columns={"underlying": "symbol", "resulting_shares": "quantity"})
    both = pd.concat([rest[RECORD], added], ignore_index=True) if len(added) else rest[RECORD]
    first = both.groupby(KEY, sort=True)[["price", "entry_price", "isolated_wallet"]].first()
    sums = both.groupby(KEY, sort=True)["quantity"].sum()
    whole = sums.to_frame().join(first).reset_index()
    return whole[whole["quantity"] != 0][RECORD]


def _margined(
    today: Frames, records: Sequence[pd.DataFrame], owners: Sequence[pd.DataFrame], setting: Setting, threads: int
) -> dict[int, dict[str, Any]]:
    """Figures of the books afterwards, by number."""
    if not owners:
        return {}
    tables = {**today, "rejected_rows": today["rejected_rows"].iloc[:0]}
    held, portfolios = pd.concat(records, ignore_index=True), pd.concat(owners, ignore_index=True)
    texts = dict.fromkeys(KEY, "str")
    found = recalculate(tables, held.astype(texts), portfolios, setting, governing_only=True, threads=threads).portfolio_margins
    numbers = portfolio_and_scenario(found["portfolio_id"])[1]
    figures = {}
    for number, row in zip(numbers, found.to_dict("records"), strict=True):
        unknown = pd.isna(row["maintenance_margin"])
        figures[int(number)] = {
            "maintenance_after": row["maintenance_margin"],
            "margin_equity_after": row["margin_equity"],
            "excess_after": row["excess"],
            "missing": _listed(row["missing"]) if unknown else None,
        }
    return figures


def _listed(missing: Any) -> str:
    found = json.loads(missing) if isinstance(missing, str) else missing
    return "; ".join(map(str, found)) if isinstance(found, list) and found else "undetermined"
