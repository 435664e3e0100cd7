"""The summary that a run ends with: a table per portfolio and a sentence for each that needs a look.

Belongs here: wording and layout. Not here: queries beyond reading published tables, any arithmetic on margin.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any, Protocol

import pandas as pd

from margin_pipeline import storage

WIDEST = 200
"""Characters; the table takes what it needs of them."""


class PublishedTables(Protocol):
    """Where published tables are read from."""

    @property
    def urls(self) -> storage.DatabaseUrls:
        """Return the databases."""
        ...

    def published(self, as_of: dt.date, table: str) -> pd.DataFrame:
        """Return the published rows of a table."""
        ...


def describe_date(store: PublishedTables, as_of: dt.date, alerts: bool = False) -> str:
    """Return what a person wants to know about a published date.

    Parameters
    ----------
    store : published tables.
    as_of : business date.
    alerts : whether to count the open alerts, too.
    """
    margins, portfolios, files = (store.published(as_of, table) for table in ("portfolio_margins", "portfolios", "landed_files"))
    parts = [f"\nPortfolios on {as_of}", portfolio_table(margins, portfolios), *attention(margins, portfolios), rejections(files)]
    if alerts:
        parts.append(open_alerts(storage.read_query(store.urls, "select severity from margin.open_alerts")))
    return "\n".join(part for part in parts if part)


def portfolio_table(portfolio_margins: pd.DataFrame, portfolios: pd.DataFrame) -> str:
    """Return one line a portfolio: what it needs under the rule that governs it.

    Parameters
    ----------
    portfolio_margins : rows of `margin.portfolio_margins`.
    portfolios : rows of `margin.portfolios`.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name in ("portfolio", "account", "rule"):
        table.add_column(name, no_wrap=True)
    for name in ("margin equity", "needed", "left", "used"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for row in _governing(portfolio_margins, portfolios).itertuples():
        money = [_money(value) for value in (row.margin_equity, row.maintenance_margin, row.excess)]
        money[0] = f"{money[0]} {row.base_currency}"
        table.add_row(row.portfolio_id, row.account_type, row.method, *money, _percent(row.utilization), row.status)
    return _rendered(table)


def attention(portfolio_margins: pd.DataFrame, portfolios: pd.DataFrame) -> list[str]:
    """Return a sentence for every portfolio that is not safe, the worst first."""
    governing = _governing(portfolio_margins, portfolios)
    worst_first = {status: rank for rank, status in enumerate(("liquidatable", "undetermined", "emergency", "critical", "warning"))}
    unsafe = governing[governing["status"] != "safe"]
    unsafe = unsafe.assign(rank=unsafe["status"].map(worst_first)).sort_values(["rank", "portfolio_id"])
    return [_sentence(row) for row in unsafe.itertuples()]


def rejections(landed_files: pd.DataFrame) -> str:
    """Return a line on rejected rows; empty when there are none."""
    rejected = int(landed_files["rows_rejected"].sum())
    if not rejected:
        return ""
    files = ", ".join(sorted(landed_files.loc[landed_files["rows_rejected"] > 0, "source"]))
    return f"{rejected} of {int(landed_files['rows_read'].sum()):,} input rows were rejected ({files}): margin.rejected_rows says why."


def open_alerts(alerts: pd.DataFrame) -> str:
    """Return a line that counts open alerts by severity; empty when there are none."""
    counts = alerts["severity"].value_counts()
    counted = [f"{counts[severity]} {severity}" for severity in ("emergency", "critical", "warning", "info") if severity in counts]
    return f"Open alerts: {', '.join(counted)} (margin.open_alerts)." if counted else ""


def next_steps(is_sample: bool, in_checkout: bool) -> str:
    """Return what to look at next.

    Parameters
    ----------
    is_sample : whether the sample book was run.
    in_checkout : whether the Makefile, `sql/queries` and `docs` are at hand.
    """
    lines = [
        "\nWhat next (margin-pipeline is in .venv/bin):" if in_checkout else "\nWhat next:",
        f"  {'make ui' if in_checkout else 'margin-pipeline ui':<43}the asset graph, checks and pictures in a browser",
        '  margin-pipeline sql "select * from margin.latest_portfolio_summary"',
    ]
    if in_checkout:
        lines.append('  margin-pipeline sql "$(cat sql/queries/what_costs_most.sql)"      and the other questions in sql/queries')
    if is_sample:
        explained = ": docs/input_files.md says what goes in them" if in_checkout else ""
        lines.append(f"  margin-pipeline run --landing DIR          your own files{explained}")
    return "\n".join(lines)


def _governing(portfolio_margins: pd.DataFrame, portfolios: pd.DataFrame) -> pd.DataFrame:
    governing = portfolio_margins[portfolio_margins["is_governing"]]
    known = portfolios[["portfolio_id", "account_type", "base_currency"]]
    return governing.merge(known, on="portfolio_id", how="left").sort_values("portfolio_id", ignore_index=True)


def _sentence(row: Any) -> str:
    currency = row.base_currency
    if row.status == "undetermined":
        return f"{row.portfolio_id}: its margin cannot be determined: {_reasons(row.missing)}."
    if row.status == "liquidatable":
        return (
            f"{row.portfolio_id}: {_money(row.maintenance_margin)} {currency} are needed and {_money(row.margin_equity)} are there: "
            "positions may be liquidated."
        )
    return (
        f"{row.portfolio_id}: {row.status}, {_percent(row.utilization)} of its margin equity is used; "
        f"{_money(row.excess)} {currency} are left before a margin call."
    )


def _reasons(missing: object) -> str:
    reasons = json.loads(missing) if isinstance(missing, str) else list(missing) if isinstance(missing, list) else []
    if not reasons:
        return "no reason is given"
    return str(reasons[0]) + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else "")


def _money(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:,.0f}"


def _percent(value: float) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:.1%}" if value != float("inf") else "all"


def _rendered(table: Any) -> str:
    from rich.console import Console

    buffer = io.StringIO()
    Console(file=buffer, width=WIDEST, no_color=True, force_terminal=False).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().strip("\n").splitlines())
