"""How the margin of a portfolio came about, in plain text.

Belongs here: wording and layout of a document of `explanation`. Not here: groups (`group_text`), what belongs in the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from margin_pipeline.margin.scenario_tables import METHODS
from margin_pipeline.reports.group_text import group_lines, labelled, named
from margin_pipeline.reports.layout import columns, figure, money, percent, section, wrapped
from margin_pipeline.reports.scenario_text import scenario_lines

GOVERNED = {
    "cash": "a cash account: what is held is paid for, short options are secured (Regulation T, 12 CFR 220.8)",
    "reg_t": "a Regulation T margin account: stock and options in the groups that need least (FINRA 4210, Cboe margin manual)",
    "portfolio_margin": "a portfolio margin account: losses over scenarios (FINRA 4210(g))",
    "futures": "a futures account: losses over scenarios where the exchange gives their terms, else exchange margin of every contract",
    "crypto_cross": "leveraged contracts on one common wallet: margin schedules",
    "crypto_isolated": "leveraged contracts, each on a wallet of its own: margin schedules",
    "otc": "uncleared derivatives: the model that each netting set agreed on",
}
NOT_FIGURES = {"rule", "reference", "price", "quantity"}
LARGEST = 5
"""Offsets shown where all of a portfolio are summed up."""


def text(found: Mapping[str, Any]) -> list[str]:
    """A document as lines of text."""
    in_full = found["symbol"] is not None
    currency = str(found["portfolio"]["base_currency"])
    lines = _headline(found, currency)
    if not in_full:
        lines += [*_rule(found), *_bridge(found), *_components(found)]
    parts = [[*_groups(found, currency, in_full), *_proofs(found)], scenario_lines(found, in_full)]
    # What governs comes first.
    for part in reversed(parts) if found["governing"]["method"] in METHODS else parts:
        lines += part
    lines += [
        *_positions(found),
        *_netting_sets(found),
        *_liquidation(found),
    ]
    lines += [*_offsets(found, in_full), *_reconciliation(found)]
    if not in_full:
        lines += _other_methods(found)
    return lines + _calculation(found["calculation"], in_full)


def _headline(found: Mapping[str, Any], currency: str) -> list[str]:
    row, portfolio_id = found["governing"], found["portfolio"]["portfolio_id"]
    about = f", {found['symbol']}" if found["symbol"] else ""
    title = f"{portfolio_id}{about} on {found['calculation']['as_of']}: {row['status']} (amounts in {currency})"
    if row["maintenance_margin"] is None:
        reasons = row["missing"] or ["no reason is given"]
        return [title, f"Its margin under {row['method']} cannot be determined. Missing or not admissible:", *_bullets(reasons)]
    used = row["utilization"]
    part = sum(group["maintenance_margin"] or 0.0 for group in found["groups"])
    concerned = [f"Groups with {found['symbol']} need {money(part)} of it."] * bool(
        found["symbol"] and found["groups"] and row["method"] == "strategy_based"
    )
    return [
        title,
        *wrapped(
            f"{money(row['maintenance_margin'])} is needed to keep the positions and {money(row['initial_margin'])} to open them; "
            f"{money(row['margin_equity'])} is there, so {money(row['excess'])} is left "
            f"({'all' if isinstance(used, str) else percent(used)} is used)."
        ),
        *concerned,
    ]


def _bullets(reasons: Sequence[str]) -> list[str]:
    return [line for reason in reasons for line in wrapped(str(reason), "  - ")]


def _rule(found: Mapping[str, Any]) -> list[str]:
    account = str(found["portfolio"]["account_type"])
    return section(f"Rule: {found['governing']['method']}", wrapped(f"It governs {GOVERNED.get(account, account)}.", "  "))


def _bridge(found: Mapping[str, Any]) -> list[str]:
    rows = [(row["what"], money(row["amount"])) for row in found["bridge"]]
    if not rows:
        rows = [("equity", money(found["governing"]["equity"])), ("margin equity: the same", money(found["governing"]["margin_equity"]))]
    return section("What the requirement is compared with", columns(rows, [1]))


def _components(found: Mapping[str, Any]) -> list[str]:
    row = found["governing"]
    if row["maintenance_margin"] is None:
        return []
    rows = [(part["component"], money(part["initial_margin"]), money(part["maintenance_margin"])) for part in found["components"]]
    total = ("total", money(row["initial_margin"]), money(row["maintenance_margin"]))
    lines = columns([*rows, total], [1, 2], ("", "initial", "maintenance"))
    asked = [
        f"{part['component']} {money(part['initial_margin'])} initial, {money(part['maintenance_margin'])} maintenance"
        for part in found["house_additions"]
    ]
    lines += wrapped(f"house is what house rates add to {'; '.join(asked)}.", "  ") if asked else []
    return section("What the margin is made of", lines)


def _groups(found: Mapping[str, Any], currency: str, in_full: bool) -> list[str]:
    lines = [line for group in found["groups"] for line in group_lines(group, currency, in_full)]
    return section("Groups (strategy_based)", lines[1:])


def _proofs(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            row["underlying"],
            money(row["optimum"]),
            money(row["lower_bound"]),
            "-" if row["gap"] is None else percent(row["gap"]),
            money(row["greedy_margin"]),
        )
        for row in found["proofs"]
    ]
    header = ("underlying", "maintenance", "no grouping needs less than", "gap", "a greedy matcher asks")
    return section("Proof that this grouping needs least", columns(rows, [1, 2, 3, 4], header) if rows else [])


def _positions(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in found["positions"]:
        needs = f"maintenance {money(row['maintenance_margin'])}, initial {money(row['initial_margin'])}"
        title = f"{row['strategy']}: {figure(row['quantity'])} {row['symbol']} at {figure(row['price'])} {row['currency']}"
        worth = f"worth {money(row['market_value'])}, notional {money(row['notional'])}"
        lines += ["", *wrapped(f"{title}, {worth}; {row['model']}: {needs}", "  ", indent=4)]
        told = row["explanation"] or {}
        lines += labelled("missing", "; ".join(row["missing"])) if row["missing"] else []
        lines += [line for name in ("rule", "reference") if told.get(name) for line in labelled(name, str(told[name]))]
        rest = {name: value for name, value in told.items() if name not in NOT_FIGURES and value is not None}
        lines += labelled("figures", named(rest)) if rest else []
    return section("Positions on their own, before any grouping or offset", lines[1:])


def _netting_sets(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in found["netting_sets"]:
        title = f"{row['netting_set_id']} {row['side']} ({row['model']}): initial margin {money(row['initial_margin'])}"
        lines += ["", *wrapped(title, "  ", indent=4)]
        if row["initial_margin"] is not None:
            lines += labelled("gross margin", f"{money(row['gross_margin'])}; net to gross ratio {figure(row['net_to_gross_ratio'])}")
        lines += labelled("missing", "; ".join(row["missing"])) if row["missing"] else []
        told = dict(row["explanation"])
        lines += labelled("rule", str(told.pop("rule", "-")))
        lines += labelled("figures", named(told)) if told else []
    return section("Netting sets (post: what we give; call: what we collect)", lines[1:])


def _liquidation(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            f"{row['strategy']} {row['symbol']}",
            row["margin_mode"],
            figure(row["liquidation_price"]),
            "-" if row["distance"] is None else percent(row["distance"]),
            row["status"],
            "; ".join(row["missing"] or []),
        )
        for row in found["liquidation_prices"]
    ]
    header = ("position", "wallet", "liquidated at", "from the mark", "status", "missing" if any(row[-1] for row in rows) else "")
    return section("Liquidation prices", columns(rows, [2, 3], header) if rows else [])


def _offsets(found: Mapping[str, Any], in_full: bool) -> list[str]:
    ordered = sorted(found["offsets"], key=lambda row: -row["saving"])
    shown = ordered if in_full else ordered[:LARGEST]
    rows = [
        (
            row["benefit_id"],
            row["kind"],
            figure(row["correlation"] and round(row["correlation"], 3)),
            money(row["standalone_margin"]),
            money(row["combined_margin"]),
            money(row["saving"]),
        )
        for row in shown
    ]
    lines = columns(rows, [2, 3, 4, 5], ("pair", "kind", "correlation", "apart", "together", "saving")) if rows else []
    if len(shown) < len(ordered):
        rest = sum(row["saving"] for row in ordered[LARGEST:])
        lines.append(f"  and {len(ordered) - LARGEST} more, which save {money(rest)}")
    return section("Offsets of cross_margin, which governs no account", lines)


def _reconciliation(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in found["reconciliation"]:
        said = (row["explanation"] or {}).get("text") or "; ".join(row["missing"] or []) or row["status"]
        lines += wrapped(f"{row['symbol'] or 'whole portfolio'}, {row['measure']} margin: {said}", "  ", indent=4)
    return section("What the broker says", lines)


def _other_methods(found: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in found["other_methods"]:
        if row["maintenance_margin"] is None:
            said = f"undetermined: {'; '.join(row['missing'] or [])}"
        else:
            said = f"maintenance {money(row['maintenance_margin'])}, initial {money(row['initial_margin'])}, left {money(row['excess'])}"
            said += f", {row['status']}"
        rows.append((row["method"], said))
    rows += [(row["method"], f"does not apply: {row['reason']}") for row in found["not_applicable"]]
    return section("Other methods", columns(sorted(rows), []))


def _calculation(row: Mapping[str, Any], in_full: bool) -> list[str]:
    told = row["settings"]
    lines = labelled("calculation", f"{row['calculation_id']}, published {row['known_from'][:19]} UTC, run {row['run_id']}")
    lines += labelled("code version", str(row["code_version"]))
    lines += labelled("inputs", f"{row['input_hash']} (SHA-256)")
    if in_full:
        return section("Where it comes from", lines)
    lines += labelled("parameters", ", ".join(told.get("parameters") or []))
    lines += labelled("thresholds", named(told.get("thresholds") or {}))
    return section("Where it comes from", lines + labelled("time of day", str(told.get("at") or "after the close")))
