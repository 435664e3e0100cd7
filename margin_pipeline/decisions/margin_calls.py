"""What each rule finds lacking in a portfolio, and the life of the calls that follow.

Belongs here: amounts, due dates, which calls open, stay and are met. Not here: requirements (`margin`, `regulation`), storing calls.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.decisions.buying_power import DAY_TRADING, memorandum_account
from margin_pipeline.decisions.states_between import Frames
from margin_pipeline.parameters.margin_calls import MarginCallRules, margin_call_rules

COLUMNS = ["portfolio_id", "kind", "subject", "required", "held", "amount", "currency", "due_date", "reference", "missing"]
MAINTENANCE = {"reg_t", "portfolio_margin", "cash", "crypto_cross", "crypto_isolated"}
"""Account types whose deficiency is one of maintenance; futures accounts have calls of their own kind."""
KEY = ("portfolio_id", "kind", "subject")


def margin_deficiencies(today: Frames, as_of: dt.date, sessions: Sequence[dt.date]) -> pd.DataFrame:
    """What each rule finds lacking on a date.

    Parameters
    ----------
    today : frames of portfolios, portfolio_margins, position_margins, buying_power, uncleared_margin_calls and regulatory_lines.
    as_of : business date.
    sessions : next sessions after it.

    Returns
    -------
    Frame as margin_data.margin_deficiencies, base currency, ordered by portfolio, kind and subject; an amount of 0 where nothing lacks.

    Notes
    -----
    `reg_t`: what the trades of the day took beyond the special memorandum account, never more than the deficiency of the whole account
    (12 CFR 220.4(c): a call for what transactions create or increase; falling prices alone bring none). `maintenance`: maintenance margin
    less margin equity. `minimum_equity`: what regulatory_lines find. `exchange`: up to the initial margin once equity is below
    maintenance. `initial`, `variation`: what the portfolio has to deliver, from uncleared_margin_calls. `day_trade`: day trades are not
    in positions at the close, so that a day trading account is undetermined where the rule is in force.
    """
    rules = margin_call_rules(as_of)
    margins = today["portfolio_margins"]
    governing = margins[margins["is_governing"]].set_index("portfolio_id")
    power = today["buying_power"].set_index("portfolio_id")
    models = today["position_margins"]
    day_traders = set(models.loc[models["model"] == DAY_TRADING, "portfolio_id"])
    lines = today["regulatory_lines"]
    least = lines[(lines["regime"] == "finra") & (lines["line_item"] == "minimum_equity") & lines["applicable"].astype(bool)]
    rows: list[dict[str, Any]] = []
    for portfolio in today["portfolios"].sort_values("portfolio_id", kind="stable").to_dict("records"):
        name, account = str(portfolio["portfolio_id"]), str(portfolio["account_type"])
        own = _of_margins(account, governing.loc[name].to_dict(), power.loc[name].to_dict(), rules)
        own += [_of_line(line, rules) for line in least[least["portfolio_id"] == name].to_dict("records")]
        if name in day_traders and rules.day_trading_minimum_equity_usd is not None:
            reason = "day trades of the session: positions at the close do not show them"
            own.append(_row("day_trade", math.nan, math.nan, math.nan, rules.payment_period_days, rules.day_trading_reference, reason))
        rows += [{"portfolio_id": name, "currency": portfolio["base_currency"], **row} for row in own]
    currency = today["portfolios"].set_index("portfolio_id")["base_currency"].to_dict()
    rows += [{**row, "currency": currency[row["portfolio_id"]]} for row in _uncleared(today["uncleared_margin_calls"], rules)]
    return _dated(rows, as_of, sessions)


def _row(
    kind: str, required: float, held: float, amount: float, days: int, reference: str, missing: str | None, subject: str = ""
) -> dict[str, Any]:
    return {
        "kind": kind, "subject": subject, "required": required, "held": held, "amount": amount, "days": days, "reference": reference,
        "missing": missing,
    }  # fmt: skip


def _of_margins(account: str, margin: Mapping[Any, Any], power: Mapping[Any, Any], rules: MarginCallRules) -> list[dict[str, Any]]:
    """Deficiencies that follow from the governing margin of a portfolio."""
    equity, maintenance, initial = (float(margin[name]) for name in ("margin_equity", "maintenance_margin", "initial_margin"))
    unknown = None if math.isfinite(maintenance) and math.isfinite(equity) else _reason(margin)
    short = math.nan if unknown else max(maintenance - equity, 0.0)
    found: list[dict[str, Any]] = []
    if account in MAINTENANCE:
        days, reference = _maintenance_terms(account, rules)
        found.append(_row("maintenance", maintenance, equity, short, days, reference, unknown))
    if account == "futures":
        called = math.nan if unknown or math.isnan(initial) else (max(initial - equity, 0.0) if short > 0 else 0.0)
        unknown = unknown or (_reason(margin) if math.isnan(called) else None)
        found.append(_row("exchange", initial, equity, called, rules.exchange_days, rules.exchange_reference, unknown))
    if account == "reg_t":
        found.append(_regulation_t(power, rules))
    return found


def _regulation_t(power: Mapping[Any, Any], rules: MarginCallRules) -> dict[str, Any]:
    names = ("previous_special_memorandum_account", "traded_requirement", "excess")
    before, taken, excess = (float(power[name]) for name in names)
    reason = None
    if math.isnan(excess):
        reason = str(power["missing"])
    elif math.isnan(before):
        reason = "special memorandum account of the date before"
    elif math.isnan(taken):
        reason = "what the trades of the day took: the change of margin is not split"
    # An account with an excess lacks nothing, whatever was traded.
    amount = 0.0 if excess >= 0 else max(-memorandum_account(before, taken, excess), 0.0) + 0.0
    if excess >= 0:
        reason = None
    required, held = float(power["standing_requirement"]), float(power["margin_equity"])
    days, reference = rules.payment_period_days, rules.initial_reference
    return _row("reg_t", required, held, math.nan if reason else amount, days, reference, reason)


def _maintenance_terms(account: str, rules: MarginCallRules) -> tuple[int, str]:
    if account == "cash":
        return rules.payment_period_days, rules.cash_reference
    if account == "portfolio_margin":
        return rules.portfolio_margin_days, rules.portfolio_margin_reference
    # A venue liquidates at once.
    return (rules.maintenance_days, rules.maintenance_reference) if account == "reg_t" else (0, rules.contract_reference)


def _of_line(line: Mapping[Any, Any], rules: MarginCallRules) -> dict[str, Any]:
    """Least equity of a margin account, as regulatory_lines judge it."""
    equity, limit = float(line["value"]), float(line["limit_value"])
    known = line["status"] in ("pass", "breach")
    amount = max(limit - equity, 0.0) if known else math.nan
    if known and math.isnan(amount):
        # A pass against a limit that is not known is still a pass.
        amount = 0.0 if line["status"] == "pass" else math.nan
    reason = (str(line["reason"]) if isinstance(line["reason"], str) else "minimum equity") if math.isnan(amount) else None
    return _row("minimum_equity", limit, equity, amount, rules.maintenance_days, rules.minimum_equity_reference, reason)


def _uncleared(calls: pd.DataFrame, rules: MarginCallRules) -> list[dict[str, Any]]:
    """What portfolios have to deliver for uncleared derivatives."""
    found = []
    # Rows without a netting set add up those of their counterparty.
    for call in calls[(calls["side"] == "post") & (calls["netting_set_id"] != "")].to_dict("records"):
        regime, amount = str(call["regime"]), float(call["delivery_amount"])
        reason = str(call["missing"]) if math.isnan(amount) else None
        days = rules.uncleared_days.get(regime)
        if days is None and not reason:
            amount, reason = math.nan, f"days to deliver under regime {regime or 'none'}"
        subject = " / ".join(part for part in (str(call["counterparty"]), regime, str(call["netting_set_id"])) if part)
        required, held = float(call["requirement_after_threshold"]), float(call["held"])
        reference = rules.uncleared_references.get(regime, "")
        row = _row(str(call["kind"]), required, held, amount, days or 0, reference, reason, subject)
        found.append({"portfolio_id": str(call["portfolio_id"]), **row})
    return found


def _dated(rows: list[dict[str, Any]], as_of: dt.date, sessions: Sequence[dt.date]) -> pd.DataFrame:
    """The frame, with the day by which each call is due."""
    for row in rows:
        days = row.pop("days")
        row["due_date"] = as_of if days == 0 else sessions[days - 1] if days <= len(sessions) else None
        if row["due_date"] is None and not row["missing"]:
            row |= {"amount": math.nan, "missing": f"session {days} after {as_of}"}
    frame = pd.DataFrame(rows, columns=COLUMNS).sort_values(list(KEY), kind="stable", ignore_index=True)
    texts = dict.fromkeys(("portfolio_id", "kind", "subject", "currency", "reference"), "str")
    frame = frame.astype({**texts, **dict.fromkeys(("required", "held", "amount"), "float64")})
    return frame.assign(due_date=pd.to_datetime(frame["due_date"]))


def _reason(margin: Mapping[Any, Any]) -> str:
    missing = margin["missing"]
    listed = json.loads(missing) if isinstance(missing, str) else missing
    return "; ".join(map(str, listed)) if isinstance(listed, list) and listed else f"margin of method {margin['method']}"


@dataclass(frozen=True)
class CallChanges:
    """What becomes of calls on a date: rows by column of margin_calls.

    Attributes
    ----------
    issued : new calls, and those of the same date with what they are now.
    seen : open calls of earlier dates with what is still outstanding.
    met : open calls of earlier dates that lack nothing any more.
    withdrawn : calls of the same date that its figures no longer bear out.
    """

    issued: list[dict[str, Any]]
    seen: list[dict[str, Any]]
    met: list[dict[str, Any]]
    withdrawn: list[dict[str, Any]]


def call_changes(deficiencies: pd.DataFrame, power: pd.DataFrame, calls: Sequence[Mapping[str, Any]], as_of: dt.date) -> CallChanges:
    """What the figures of a date do to the calls.

    Parameters
    ----------
    deficiencies, power : frames of margin_deficiencies and buying_power of the date.
    calls : calls that were not withdrawn and are open, or were issued on or met as of this date: columns of the key, due_date, as_of,
        amount.
    as_of : business date, the newest published.

    Returns
    -------
    CallChanges. Of each portfolio, kind and subject one call is open at a time; what lacks stays its matter until nothing lacks. A `reg_t`
    call is about the trades of its day: each day may bring another, and one is met when the account's deficiency is gone. What is
    undetermined neither opens nor meets a call.
    """
    known = power.set_index("portfolio_id")[["special_memorandum_account", "buying_power", "excess"]]
    earlier = [call for call in calls if call["as_of"] < as_of]
    changes = CallChanges([], [], [], [])
    lacking = {tuple(row[name] for name in KEY): row for row in deficiencies.to_dict("records")}
    carried = {tuple(call[name] for name in KEY) for call in earlier if call["kind"] != "reg_t"}
    for key, row in lacking.items():
        figures = known.loc[row["portfolio_id"]] if row["portfolio_id"] in known.index else known.iloc[:0].sum() * math.nan
        if not row["amount"] > 0 or key in carried:
            continue
        own = {name: _given(figures[name]) for name in ("special_memorandum_account", "buying_power")}
        kept = {name: row[name] for name in (*KEY, "amount", "currency", "reference")}
        changes.issued.append({**kept, "due_date": row["due_date"].date(), "as_of": as_of, **own})
    issued = {(*(call[name] for name in KEY), call["due_date"]) for call in changes.issued}
    for call in calls:
        key = tuple(call[name] for name in KEY)
        if call["as_of"] == as_of:
            if (*key, call["due_date"]) not in issued and (key in carried or _known(lacking.get(key))):
                changes.withdrawn.append(dict(call))
            continue
        rest = _outstanding(call, lacking.get(key), known)
        if rest is not None:
            (changes.seen if rest > 0 else changes.met).append({**call, "outstanding": rest})
    return changes


def _outstanding(call: Mapping[str, Any], row: Mapping[Any, Any] | None, power: pd.DataFrame) -> float | None:
    """What an open call of an earlier date still lacks; None: not known."""
    if call["kind"] == "reg_t":
        excess = power["excess"].get(call["portfolio_id"], math.nan)
        return None if math.isnan(excess) else min(float(call["amount"]), max(-float(excess), 0.0))
    if row is None:
        # No rule asks for it any more: an account of another type, a counterparty that is gone.
        return 0.0
    return None if math.isnan(row["amount"]) else float(row["amount"])


def _known(row: Mapping[Any, Any] | None) -> bool:
    return row is None or not math.isnan(row["amount"])


def _given(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
