"""SIMM margins of all netting sets that agreed on it, as rows: by side, regulation and every part.

Belongs here: which sets, what they lack, the winning regulation, conversion. Not here: netting, scopes, the engine (modules beside).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.simm import SimmRules, simm_rules
from margin_pipeline.regulation.schedule_trades import shortened
from margin_pipeline.regulation.simm.engine import ALL, EngineError, Part, margins, why_unavailable
from margin_pipeline.regulation.simm.scopes import COLUMNS as REGULATIONS_OF_SIDE
from margin_pipeline.regulation.simm.scopes import UNSPECIFIED, Scope, scopes
from margin_pipeline.regulation.simm.sensitivities import net_sensitivities

COLUMNS = [
    "portfolio_id", "netting_set_id", "side", "regulation", "product_class", "risk_class", "margin_type", "bucket", "is_winning",
    "initial_margin", "simm_version", "computed_version", "crif_rows", "rows_left_out", "missing",
]  # fmt: skip
TOTAL: Part = (ALL, ALL, ALL, ALL)


def simm_results(
    crif: pd.DataFrame,
    netting_sets: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """SIMM initial margin of every uncleared netting set that agreed on it.

    Parameters
    ----------
    crif, netting_sets, portfolios, rejected_rows : frames of the tables of these names; netting_sets with is_cleared or without.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.simm_results, base currency, ordered by its key. A set that lacks something has one row a side without a margin
    and with the reason.

    Notes
    -----
    The regulation whose rows need most of a side wins it; among equals the first by name. Rows of one file may be in any order.
    """
    rules, usd = simm_rules(as_of), usd_rates(fx_rates, as_of)
    sets = _agreed(netting_sets)
    names = sets["netting_set_id"].astype(str).tolist()
    net = net_sensitivities(crif, names, usd, rules)
    rejected = _rejected(rejected_rows, sets)
    base = portfolios.set_index("portfolio_id")["base_currency"]
    unavailable = why_unavailable()
    starts = np.searchsorted(net.rows["set"].to_numpy(), np.arange(len(names) + 1))
    rows: list[tuple] = []
    for number, (portfolio, name) in enumerate(zip(sets["portfolio_id"].astype(str), names, strict=True)):
        own = net.rows.iloc[starts[number] : starts[number + 1]].reset_index(drop=True)
        currency = str(base.get(portfolio))
        rate = 1.0 if currency == "USD" else 1.0 / usd.get(currency, np.nan)
        missing = [*rejected.get(name, []), *net.problems.get(number, [])]
        if own.empty and not missing:
            missing = [f"no CRIF rows of netting set {name}"]
        if np.isnan(rate):
            missing.append(f"exchange rate of USD to {currency}")
        if unavailable:
            missing.append(unavailable)
        rows += _rows_of_set((portfolio, name), own, rate, missing, rules)
    types: dict[str, Any] = dict.fromkeys(COLUMNS, "str")
    types |= {"is_winning": bool, "initial_margin": float, "crif_rows": "int64", "rows_left_out": "int64"}
    found = pd.DataFrame(rows, columns=COLUMNS).astype(types)
    return found.sort_values(COLUMNS[:8], kind="stable", ignore_index=True)


def _agreed(netting_sets: pd.DataFrame) -> pd.DataFrame:
    """Uncleared sets under SIMM, ordered."""
    chosen = netting_sets["im_model"] == "simm"
    if "is_cleared" in netting_sets:
        chosen &= ~netting_sets["is_cleared"].astype("boolean").fillna(False).astype(bool)
    return netting_sets[chosen].sort_values(["portfolio_id", "netting_set_id"], kind="stable", ignore_index=True)


def _rejected(rejected_rows: pd.DataFrame, sets: pd.DataFrame) -> dict[str, list[str]]:
    """Rejected rows of a CRIF by the set they name; one that cannot be told from its line concerns all sets of its portfolio."""
    found: dict[str, list[str]] = {}
    of_crif = rejected_rows[rejected_rows["source"].astype(str).str.split(".").str[0] == "crif"]
    names, owners = set(sets["netting_set_id"]), sets.groupby("portfolio_id")["netting_set_id"].agg(list)
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    for source, row_number, reason, portfolio, raw in (
        of_crif[columns].sort_values(["row_number", "reason"]).itertuples(index=False, name=None)
    ):
        cells = json.loads(raw) if isinstance(raw, str) else raw
        named = str((cells or {}).get("netting_set_id") or "").strip()
        concerned = [named] if named in names else [] if named or pd.isna(portfolio) else owners.get(str(portfolio), [])
        for name in concerned:
            found.setdefault(name, []).append(f"{source} row {row_number}: {reason}")
    return found


def _rows_of_set(names: tuple[str, str], net: pd.DataFrame, rate: float, missing: Sequence[str], rules: SimmRules) -> list[tuple]:
    """Rows of one netting set on both sides."""
    text = shortened(list(dict.fromkeys(missing))) if missing else None
    found = [] if text else scopes(net, names[1])
    computed: dict[bytes, dict[str, dict[Part, float]]] = {}
    needed = {scope.rows.tobytes(): scope.rows for scope in found if not scope.missing and len(scope.rows)}
    try:
        computed = dict(zip(needed, margins(net, list(needed.values()), rules), strict=True)) if needed else {}
    except EngineError as error:
        text = str(error)
    if text:
        count = int(net["count"].sum())
        found = [Scope(side, UNSPECIFIED, np.zeros(0, dtype=int), 0, count, text) for side in REGULATIONS_OF_SIDE]
    rows: list[tuple] = []
    for side in REGULATIONS_OF_SIDE:
        own = [scope for scope in found if scope.side == side]
        parts = {scope.regulation: computed.get(scope.rows.tobytes(), {}).get(side, {TOTAL: 0.0}) for scope in own}
        winner = min((s.regulation for s in own if not s.missing), key=lambda name: (-parts[name][TOTAL], name), default=None)
        for scope in own:
            rows += _rows_of_scope(names, scope, parts[scope.regulation], rate, scope.regulation == winner, rules)
    return rows


def _rows_of_scope(
    names: tuple[str, str], scope: Scope, parts: Mapping[Part, float], rate: float, is_winning: bool, rules: SimmRules
) -> list[tuple[Any, ...]]:
    head, versions = (*names, scope.side, scope.regulation), (rules.name, rules.computed_version, scope.counted, scope.left_out)
    if scope.missing:
        return [(*head, *TOTAL, False, None, *versions, scope.missing)]
    # A margin of a part is a root or a sum of non-negative terms; what is below zero is the last bit of a difference.
    return [(*head, *part, is_winning, max(value, 0.0) * rate, *versions, None) for part, value in parts.items()]
