"""Uncleared derivatives of the firm as a whole, by regime, as regulatory lines in US dollars.

Belongs here: gross notional amount of the date and calls, added up over portfolios. Not here: lines of portfolios (`lines`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from margin_pipeline.parameters.uncleared_margin import MarginRegime, UnclearedMarginRules
from margin_pipeline.regulation.inputs import FIRM, FIRM_CURRENCY, RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, known
from margin_pipeline.regulation.schedule_trades import shortened
from margin_pipeline.regulation.uncleared.book import own_regime, uncleared_sets
from margin_pipeline.regulation.uncleared.values import set_values

Row = Mapping[Any, Any]


def lines(inputs: RegulatoryInputs, rules: UnclearedMarginRules) -> list[RegulatoryLine]:
    """Lines of the firm under every regime.

    Returns
    -------
    aggregate_notional: gross notional amount of today's uncleared trades of the portfolios whose own regime it is, physically settled
    exchange-rate trades included, as a check on the averages given (an average of month ends, of a whole group). initial_margin_call and
    variation_margin_call by side: what all counterparties under the regime deliver to us (call) and we to them (post).
    """
    owners = {str(portfolio["portfolio_id"]): portfolio for portfolio in inputs.portfolios}
    sets = uncleared_sets(inputs.table("netting_sets"), owners, rules)
    sets = sets.assign(base_currency=FIRM_CURRENCY)
    values = set_values(inputs.table("otc_trades"), sets, inputs.usd_rates)
    own = {name: own_regime(portfolio, rules) for name, portfolio in owners.items()}
    home = np.array([own[str(name)] or "" for name in sets["portfolio_id"]], dtype=object)
    calls = [call for name in owners for call in inputs.of_portfolio("uncleared_margin_calls", name) if call["netting_set_id"]]
    found = []
    for regime in rules.regimes.values():
        rows = np.flatnonzero(home == regime.name).tolist()
        missing = [values.missing_notional[n] for n in rows if n in values.missing_notional]
        total = float(np.sum(values.notional[rows])) if rows else np.nan
        trades = int(np.sum(values.trades[rows])) if rows else 0
        found.append(_notional_line(regime, rules, total, trades, missing, bool(rows)))
        found += _call_lines(inputs, regime, rules, owners, [call for call in calls if call["regime"] == regime.name])
    return found


def _notional_line(
    regime: MarginRegime, rules: UnclearedMarginRules, total: float, trades: int, missing: list[str], has_sets: bool
) -> RegulatoryLine:
    status, reason = ("undetermined", shortened(list(dict.fromkeys(missing)))) if missing else ("information", None)
    if not has_sets:
        status, reason = "not_applicable", f"no portfolio whose own regime is {regime.name} has uncleared derivatives"
    return RegulatoryLine(
        FIRM, "firm", regime.name, "aggregate_notional", FIRM_CURRENCY, status, regime.scope_reference, rules.version,
        value=known(total), reason=reason, inputs={"trades": trades},
    )  # fmt: skip


def _call_lines(
    inputs: RegulatoryInputs, regime: MarginRegime, rules: UnclearedMarginRules, owners: Mapping[str, Row], calls: Sequence[Row]
) -> list[RegulatoryLine]:
    """Sums of deliveries by kind and side, in the firm's currency; none where no netting set is under the regime."""
    found = []
    for kind in ("initial", "variation") if calls else ():
        for side in ("call", "post"):
            rows = [call for call in calls if call["kind"] == kind and call["side"] == side]
            bases = [str(owners[str(call["portfolio_id"])]["base_currency"]) for call in rows]
            total, missing = _total(inputs, rows, bases)
            status, reason = ("undetermined", shortened(missing)) if missing else ("information", None)
            found.append(
                RegulatoryLine(
                    FIRM, "firm", regime.name, f"{kind}_margin_call", FIRM_CURRENCY, status, regime.reference(kind), rules.version,
                    value=None if missing else total, reason=reason, side=side, inputs={"netting_sets": len(rows)},
                )
            )  # fmt: skip
    return found


def _total(inputs: RegulatoryInputs, calls: Sequence[Row], bases: Sequence[str]) -> tuple[float, list[str]]:
    """Sum of the deliveries of some calls in the firm's currency, and what is missing for it; nothing needs no exchange rate."""
    amounts: list[float] = []
    missing: list[str] = []
    for call, base in zip(calls, bases, strict=True):
        amount = known(call["delivery_amount"])
        rate = 1.0 if amount == 0 else inputs.rate(base, FIRM_CURRENCY)
        if amount is None:
            missing.append(f"netting set {call['netting_set_id']}: {call['missing']}")
        elif np.isnan(rate):
            missing.append(f"exchange rate of {base} to {FIRM_CURRENCY}")
        else:
            amounts.append(amount * rate)
    return float(np.sum(sorted(amounts))), list(dict.fromkeys(missing))
