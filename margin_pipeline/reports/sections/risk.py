"""Risk: value at risk and expected shortfall, strategies, backtests, stress and liquidation prices.

Belongs here: sections on what can be lost. Not here: margin, regulation.
"""

from __future__ import annotations

import json
from typing import Any

from margin_pipeline.reports.document.charts import GREEN, RED, Item, bars
from margin_pipeline.reports.document.model import Block, Cell, Column, Figure, Paragraph, Section, limited, table
from margin_pipeline.reports.report_data import ReportData
from margin_pipeline.reports.report_text import (
    amount,
    bare,
    has_failed,
    is_known,
    key,
    number,
    reasons,
    share,
    status,
    text,
    undetermined,
    verdict,
    words,
)  # fmt: skip
from margin_pipeline.reports.sections.tables import Explained, explained

STRATEGY_METHOD = "historical"
MOST_STRATEGIES = 20
MOST_SCENARIOS = 12
MOST_POSITIONS = 20
NO_RETURNS = "no daily returns of the strategy"
MOST_RISK = 40


def risk(data: ReportData, portfolio_id: str) -> Section:
    """What can be lost by every method, and which strategies bring it."""
    currency = data.portfolio(portfolio_id)["base_currency"]
    columns = (
        Column("Method"), Column("Confidence", is_number=True), Column("Days", is_number=True), Column("Value at risk", is_number=True),
        Column("Expected shortfall", is_number=True), Column("Standard error", is_number=True),
    )  # fmt: skip
    rows = [
        Explained(
            (
                words(row["method"]), key(share(row["confidence"])), key(number(row["horizon_days"])), bare(amount(row["var"])),
                bare(amount(row["expected_shortfall"])), _standard_error(row),
            ),
            row["missing"],
        )
        for row in data.of("portfolio_risk", portfolio_id)
    ]  # fmt: skip
    caption, where = f"Value at risk and expected shortfall, {currency}, losses positive", "margin.portfolio_risk"
    blocks = (
        explained(caption, columns, rows, most=MOST_RISK, where=where, empty=f"No method has a row in {where}."),
        _strategies(data, portfolio_id, currency),
        _backtests(data, portfolio_id),
    )
    return Section("Risk", "risk", blocks)


def _standard_error(row: dict[str, Any]) -> Cell:
    if is_known(row["standard_error"]) or not is_known(row["var"]):
        return bare(amount(row["standard_error"]))
    return Cell("none for this method")


def _strategies(data: ReportData, portfolio_id: str, currency: str) -> Block:
    rows = [row for row in data.of("strategy_risk", portfolio_id) if row["method"] == STRATEGY_METHOD]
    confidence = max((row["confidence"] for row in rows), default=0.0)
    horizon = min((row["horizon_days"] for row in rows), default=0)
    rows = [row for row in rows if (row["confidence"], row["horizon_days"]) == (confidence, horizon)]
    whole = [row for row in data.of("portfolio_risk", portfolio_id) if row["method"] == STRATEGY_METHOD]
    missing = next((row["missing"] for row in whole if (row["confidence"], row["horizon_days"]) == (confidence, horizon)), None)
    unmargined = (data.governing(portfolio_id) or {}).get("missing") or "nothing is required"
    columns = (
        Column("Strategy"), Column("Value at risk alone", is_number=True), Column("Part of the portfolio's", is_number=True),
        Column("Share", is_number=True), Column("Margin contribution", is_number=True), Column("Share of margin", is_number=True),
        Column("Sharpe ratio", is_number=True), Column("Return on margin", is_number=True),
    )  # fmt: skip
    shown = [
        (
            text(row["strategy"], "no strategy"), amount(row["var"], missing), amount(row["component_var"], missing),
            share(row["var_share"], missing or "the value at risk is 0"), amount(row["margin_contribution"], unmargined),
            share(row["margin_share"], unmargined), number(row["sharpe_ratio"], NO_RETURNS), _return_on_margin(row, unmargined),
        )
        for row in rows
    ]  # fmt: skip
    caption = f"Strategies: {STRATEGY_METHOD} value at risk at {share(confidence).text}, {number(horizon).text} day, {currency}"
    kept, note = limited(shown, MOST_STRATEGIES, "margin.strategy_risk")
    return table(caption if rows else "Strategies", columns, kept, note=note, empty="No strategy has a figure in margin.strategy_risk.")


def _return_on_margin(row: dict[str, Any], unmargined: Any) -> Cell:
    if row["margin_contribution"] == 0 and not is_known(row["return_on_margin"]):
        return Cell("nothing is required")
    return share(row["return_on_margin"], NO_RETURNS if is_known(row["margin_contribution"]) else unmargined)


def _backtests(data: ReportData, portfolio_id: str) -> Block:
    columns = (
        Column("Method"), Column("Confidence", is_number=True), Column("Days", is_number=True), Column("Exceptions", is_number=True),
        Column("Expected", is_number=True), Column("Traffic light"), Column("Verdict"),
    )  # fmt: skip
    rows: list[Explained] = []
    for row in data.of("backtest_results", portfolio_id):
        figures = tuple(bare(number(row[name])) for name in ("observations", "exceptions", "expected_exceptions"))
        said = Cell(words(row["verdict"]), verdict(row["passed"]).tone) if is_known(row["verdict"]) else status(None)
        cells: tuple[Cell | str, ...] = (words(row["method"]), key(share(row["confidence"])), *figures, status(row["traffic_light"]), said)
        rows.append(Explained(cells, row["missing"]))
    caption, where = "Was the value at risk right?", "margin.backtest_results"
    return explained(caption, columns, rows, most=MOST_RISK, where=where, empty="No method was tested against past days.")


def stress(data: ReportData, portfolio_id: str) -> Section:
    """Results of all scenarios under the governing method, failed ones first, and the shock that exhausts the excess."""
    rows = [row for row in data.of("stress_results", portfolio_id) if row["is_governing"]]
    rows.sort(key=lambda row: (_rank(row["passed"]), row["pnl"] if is_known(row["pnl"]) else 0.0, row["scenario"]))
    currency = data.portfolio(portfolio_id)["base_currency"]
    columns = (
        Column("Scenario"), Column("Verdict"), Column("Profit", is_number=True), Column("Equity after", is_number=True),
        Column("Margin after", is_number=True), Column("Utilization after", is_number=True), Column("Status after"),
        Column("Criteria not met", weight=1.5),
    )  # fmt: skip
    shown = [
        Explained(
            (
                words(row["scenario"]), verdict(row["passed"]), bare(amount(row["pnl"])), bare(amount(row["equity_after"])),
                bare(amount(row["margin_after"])), bare(share(row["utilization_after"])), status(row["status_after"]), _criteria(row),
            ),
            row["missing"],
        )
        for row in rows
    ]  # fmt: skip
    failed = sum(has_failed(row["passed"]) for row in rows)
    unknown = sum(not is_known(row["passed"]) for row in rows)
    said = f"{failed} of {len(rows)} scenarios failed" + (f", {unknown} undetermined" if unknown else "") + "."
    blocks: list[Block] = [Paragraph(said, "bad" if failed else "unknown" if unknown else "good")] if rows else []
    if any(is_known(row["pnl"]) for row in rows):
        blocks.append(_stress_figure(rows[:MOST_SCENARIOS], currency))
    caption, where = f"Stress results, {currency}, failed ones first", "margin.stress_results"
    blocks.append(explained(caption, columns, shown, most=MOST_SCENARIOS, where=where, empty="No scenario has a result."))
    blocks += [_reverse(row, currency) for row in data.of("reverse_stress", portfolio_id)]
    return Section("Stress", "stress", tuple(blocks))


def _rank(passed: Any) -> int:
    return 1 if not is_known(passed) else 2 if passed else 0


def _criteria(row: dict[str, Any]) -> Cell | str:
    if not is_known(row["passed"]):
        return status(None)
    found = json.loads(row["failed_criteria"]) if isinstance(row["failed_criteria"], str) else row["failed_criteria"] or []
    said = [f"{words(one['criterion'])}: {_observed(one['observed'])}, limit {number(one['limit']).text}" for one in found]
    return "; ".join(said) or "all are met"


def _observed(value: Any) -> str:
    return number(value).text if is_known(value) else "beyond any number"


def _stress_figure(rows: list[dict[str, Any]], currency: str) -> Figure:
    items, said = [], []
    for row in rows:
        known = is_known(row["pnl"])
        shown = amount(row["pnl"]).text if known else "undetermined"
        mark = verdict(row["passed"])
        beside = shown if shown == mark.text else f"{shown}, {mark.text}"
        items.append(Item(words(row["scenario"]), row["pnl"] if known else None, beside, GREEN if known and row["pnl"] >= 0 else RED))
        said.append(f"{words(row['scenario'])} {beside}")
    return Figure(f"Profit by scenario, {currency}", f"Profit in {currency}: {'; '.join(said)}.", bars(items))


def _reverse(row: dict[str, Any], currency: str) -> Paragraph:
    if not is_known(row["reachable"]):
        return Paragraph(f"What would exhaust the excess is undetermined: {reasons(row['missing']) or 'no reason is recorded'}.", "unknown")
    if not row["reachable"]:
        return Paragraph(f"No shock was found that exhausts the excess: {row['reason']}.")
    moves = json.loads(row["moves"]) if isinstance(row["moves"], str) else row["moves"]
    named = ", ".join(f"{move['factor']} {share(move['move']).text}" for move in moves)
    return Paragraph(
        f"The most likely shock that exhausts the excess lies {number(row['distance']).text} standard deviations away over "
        f"{number(row['horizon_days']).text} days (probability {share(row['probability'], digits=3).text}): {named}. "
        f"It loses {amount(row['loss']).text} {currency}."
    )


def liquidation(data: ReportData, portfolio_id: str) -> Section:
    """Prices at which leveraged positions would be liquidated."""
    currency = data.portfolio(portfolio_id)["base_currency"]
    columns = (
        Column("Symbol"), Column("Strategy"), Column("Mode"), Column("Liquidation price", is_number=True),
        Column("Distance from the mark", is_number=True), Column(f"Wallet, {currency}", is_number=True),
        Column("Margin over wallet", is_number=True), Column("Status"),
    )  # fmt: skip
    rows = []
    for row in data.of("liquidation_prices", portfolio_id):
        missing = row["missing"]
        if is_known(missing):
            price, distance = undetermined(missing), Cell("undetermined", "unknown")
        elif is_known(row["liquidation_price"]):
            price, distance = number(row["liquidation_price"]), share(row["distance"])
        else:
            price, distance = Cell("no positive price liquidates"), Cell("none")
        wallet, ratio = amount(row["wallet"], missing), share(row["margin_ratio"], missing)
        rows.append(
            (
                str(row["symbol"]),
                text(row["strategy"], "none"),
                words(row["margin_mode"]),
                price,
                distance,
                wallet,
                ratio,
                status(row["status"]),
            )
        )
    kept, note = limited(rows, MOST_POSITIONS, "margin.liquidation_prices")
    return Section("Liquidation prices", "liquidation", (table("Leveraged positions", columns, kept, note=note),))
