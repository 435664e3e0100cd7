"""What a reader looks for first, and which calculation it comes from.

Belongs here: key figures and the identity of a report. Not here: where the figures come from.
"""

from __future__ import annotations

from margin_pipeline.reports.document.model import Cell, Facts, Paragraph, Section
from margin_pipeline.reports.report_data import ReportData
from margin_pipeline.reports.report_text import amount, instant, is_known, listed, share, status, text, undetermined, words

MOST_REASONS = 10


def key_figures(data: ReportData, portfolio_id: str) -> Section:
    """Margin under the governing method and the limits that it is held against."""
    row = data.governing(portfolio_id)
    if row is None:
        return Section("Key figures", "key-figures", (Paragraph("undetermined: no method governs this portfolio.", "unknown"),))
    currency, missing = data.portfolio(portfolio_id)["base_currency"], row["missing"]
    in_currency = f"({currency})"
    pairs = (
        ("Status", status(row["status"])),
        ("Utilization", _short(share(row["utilization"], missing))),
        (f"Excess {in_currency}", _short(amount(row["excess"], missing))),
        (f"Maintenance margin {in_currency}", _short(amount(row["maintenance_margin"], missing))),
        (f"Initial margin {in_currency}", _short(amount(row["initial_margin"], missing))),
        (f"Margin equity {in_currency}", _short(amount(row["margin_equity"], missing))),
        (f"Equity {in_currency}", _short(amount(row["equity"], missing))),
        ("Governing method", Cell(words(row["method"]))),
    )
    blocks: list[Facts | Paragraph] = [Facts(pairs, is_prominent=True)]
    if reasons := listed(missing):
        more = f"; and {len(reasons) - MOST_REASONS} more in margin.portfolio_margins" if len(reasons) > MOST_REASONS else ""
        blocks.append(Paragraph(f"Margin is undetermined: {'; '.join(reasons[:MOST_REASONS])}{more}.", "unknown"))
    blocks.append(Paragraph(_limits(data)))
    return Section("Key figures", "key-figures", tuple(blocks))


def identity(data: ReportData, portfolio_id: str | None) -> Section:
    """Which calculation the report shows, of what and made by which code."""
    row, settings = data.calculation, data.calculation["settings"]
    pairs: list[tuple[str, Cell]] = []
    if portfolio_id is not None:
        portfolio = data.portfolio(portfolio_id)
        governing = data.governing(portfolio_id)
        pairs += [
            ("Portfolio", Cell(portfolio_id)),
            ("Account", Cell(words(portfolio["account_type"]))),
            ("Entity", Cell(words(text(portfolio["entity_type"], "not stated")))),
            ("Jurisdiction", Cell(text(portfolio["jurisdiction"], "not stated"))),
            ("Governing method", Cell(words(governing["method"]) if governing else "none")),
        ]
    pairs += [
        ("Business date", Cell(data.as_of.isoformat())),
        ("Calculation", Cell(str(data.calculation_id))),
        ("Published", Cell(instant(row["known_from"]))),
        ("Input hash (SHA-256)", Cell(text(row["input_hash"], "none"))),
        ("Code version", Cell(str(row["code_version"]))),
        ("Time of day", Cell(text(settings.get("at"), "after the close"))),
        ("Parameter sets", Cell(", ".join(str(label) for label in settings.get("parameters", [])) or "none are recorded")),
    ]
    if row["state"] == "superseded":
        note = f"A later calculation has taken the place of this one on {instant(row['known_to'])}."
        return Section("This report", "this-report", (Paragraph(note, "watch"), Facts(tuple(pairs))))
    return Section("This report", "this-report", (Facts(tuple(pairs)),))


def _limits(data: ReportData) -> str:
    limits = data.calculation["settings"].get("thresholds", {})
    said = [f"{name} from {share(limits[name]).text}" for name in ("warning", "critical", "emergency") if is_known(limits.get(name))]
    return (
        f"Limits of utilization: {', '.join(said)}; liquidatable where margin equity does not exceed maintenance margin."
        if said
        else ("Limits of utilization are not recorded with this calculation.")
    )


def _short(cell: Cell) -> Cell:
    """A key figure; why it is undetermined stands below."""
    return Cell("undetermined: see below", "unknown") if cell.tone == undetermined().tone else cell
