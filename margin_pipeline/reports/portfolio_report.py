"""The report of a portfolio, and the one of the firm.

Belongs here: which sections a report has, in which order. Not here: their content (`sections`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from margin_pipeline.reports.document.model import Block, Cell, Column, Document, Section, table
from margin_pipeline.reports.report_data import FIRM, ReportData
from margin_pipeline.reports.report_text import amount, bare, has_failed, share, status, text, undetermined, words
from margin_pipeline.reports.sections import appendix, head, margin, regulation, risk

FIRM_TITLE = "Margin and regulation: all portfolios"


def portfolio_report(data: ReportData, portfolio_id: str, links: tuple[Cell, ...] = ()) -> Document:
    """Report of one portfolio.

    Parameters
    ----------
    links : documents beside it.

    Raises
    ------
    KeyError : there is no such portfolio.
    """
    portfolio = data.portfolio(portfolio_id)
    sections = [
        head.key_figures(data, portfolio_id),
        head.identity(data, portfolio_id),
        margin.methods(data, portfolio_id),
        margin.costs(data, portfolio_id),
        margin.trend(data, portfolio_id),
        risk.risk(data, portfolio_id),
        risk.stress(data, portfolio_id),
    ]
    if data.of("liquidation_prices", portfolio_id):
        sections.append(risk.liquidation(data, portfolio_id))
    sections.append(regulation.lines(data, portfolio_id))
    if regulation.has_derivatives(data, portfolio_id):
        sections.append(regulation.derivatives(data, portfolio_id))
    sections += [
        appendix.alerts([*data.of("alerts", portfolio_id), *data.of("alerts", "*")]),
        appendix.rejected(data.of("rejected_rows", portfolio_id), "of this portfolio"),
        appendix.appendix(data),
    ]
    subtitle = (
        f"{words(portfolio['account_type'])} account in {portfolio['base_currency']} on {data.as_of}, calculation {data.calculation_id}"
    )
    return Document(portfolio_id, subtitle, _footer(data, portfolio_id), links, tuple(sections))


def firm_report(data: ReportData, pages: Mapping[str, str], links: tuple[Cell, ...] = ()) -> Document:
    """Report of all portfolios.

    Parameters
    ----------
    pages : address of the page of each portfolio; those without are named only.
    links : documents beside it.
    """
    overview = [_portfolios(data, pages), *_undetermined(data), *([margin.firm_utilization(data)] if data.portfolio_ids else [])]
    sections = (
        Section("Portfolios", "portfolios", tuple(overview)),
        head.identity(data, None),
        regulation.lines(data, FIRM),
        appendix.alerts([{str(name): value for name, value in row.items()} for row in data.alerts.to_dict("records")]),
        appendix.rejected(
            [{str(n): v for n, v in row.items()} for row in data.tables["rejected_rows"].to_dict("records")], "of all portfolios"
        ),
        appendix.appendix(data),
    )
    subtitle = f"{len(data.portfolio_ids)} portfolios on {data.as_of}, calculation {data.calculation_id}"
    return Document(FIRM_TITLE, subtitle, _footer(data, "all portfolios"), links, sections)


def _portfolios(data: ReportData, pages: Mapping[str, str]) -> Block:
    columns = (
        Column("Portfolio"), Column("Method"), Column("Status"), Column("Maintenance margin", is_number=True),
        Column("Utilization", is_number=True), Column("Breaches", is_number=True), Column("Lines undetermined", is_number=True),
        Column("Scenarios failed", is_number=True),
    )  # fmt: skip
    rows = []
    for portfolio_id in data.portfolio_ids:
        row = data.governing(portfolio_id) or {}
        found = [line["status"] for line in data.of("regulatory_lines", portfolio_id)]
        failed = [one for one in data.of("stress_results", portfolio_id) if one["is_governing"] and has_failed(one["passed"])]
        rows.append(
            (
                Cell(portfolio_id, link=pages.get(portfolio_id, "")), words(text(row.get("method"), "none")), status(row.get("status")),
                _needed(row.get("maintenance_margin"), str(data.portfolio(portfolio_id)["base_currency"])),
                bare(share(row.get("utilization"))), _count(found.count("breach"), "bad"), _count(found.count("undetermined"), "unknown"),
                _count(len(failed), "bad"),
            )
        )  # fmt: skip
    return table("All portfolios, each in its base currency", columns, rows, empty="The date has no portfolio.")


def _undetermined(data: ReportData) -> list[Block]:
    """Why margins are undetermined, a row a portfolio; nothing where all are known."""
    rows = []
    for portfolio_id in data.portfolio_ids:
        row = data.governing(portfolio_id)
        if row is None or row["status"] == "undetermined":
            rows.append((portfolio_id, undetermined(row["missing"] if row else "no method governs it")))
    return [table("Margins that are undetermined", (Column("Portfolio"), Column("Why")), rows)] if rows else []


def _needed(margin: Any, currency: str) -> Cell:
    cell = bare(amount(margin))
    return cell if cell.tone == "unknown" else replace(cell, text=f"{cell.text} {currency}")


def _count(count: int, tone: str) -> Cell:
    return Cell(str(count), tone if count else "")


def _footer(data: ReportData, whose: str) -> str:
    return f"{whose}, {data.as_of}, calculation {data.calculation_id}, code {data.calculation['code_version']}"
