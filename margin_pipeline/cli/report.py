"""`margin-pipeline report`: the report of a portfolio, or of all, in one of its forms.

Belongs here: choosing calculation, portfolio and form, and where it goes. Not here: what a report says (`reports`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.cli import published

if TYPE_CHECKING:
    from margin_pipeline.reports.report_data import ReportData
    from margin_pipeline.storage.recorded import RecordedCalculation
    from margin_pipeline.storage.snapshot import Snapshot

FORMATS = ("html", "pdf", "json", "csv", "parquet")
BINARY = ("pdf", "parquet")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("report", help="the report of a portfolio, or of all", description=__doc__.splitlines()[0])
    parser.add_argument("portfolio", nargs="?", metavar="PORTFOLIO", help="portfolio_id (default: all portfolios)")
    parser.add_argument("--as-of", metavar="DATE", help="published business date, YYYY-MM-DD (default: the newest)")
    parser.add_argument("--calculation", type=int, metavar="ID", help="this calculation, superseded or not, as it was known")
    help_format = "page or PDF for people; everything as JSON; regulatory lines as CSV or Parquet (default: html)"
    parser.add_argument("--format", choices=FORMATS, default="html", help=help_format)
    parser.add_argument("--output", type=Path, metavar="FILE", help="file to write (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Write the report; gives the exit status."""
    if args.output is None and args.format in BINARY and sys.stdout.isatty():
        raise cli.UsageError(f"a terminal cannot show {args.format}; name a file with --output")
    if args.output is not None and not args.output.parent.is_dir():
        raise cli.UsageError(f"there is no folder {args.output.parent}; make it, or name another file")
    if args.output is not None and args.output.is_dir():
        raise cli.UsageError(f"{args.output} is a folder; name a file in it")
    from margin_pipeline.reports.report_data import read

    with published.results(args.settings) as snapshot:
        recorded = _calculation(snapshot, args.as_of, args.calculation)
        data = read(recorded)
    content = _content(data, args.portfolio, args.format)
    if args.output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        args.output.write_bytes(content)
    return cli.DONE


def _calculation(snapshot: Snapshot, as_of: str | None, calculation_id: int | None) -> RecordedCalculation:
    from margin_pipeline.storage.recorded import recorded

    if calculation_id is None:
        return recorded(snapshot, int(published.calculation(snapshot, as_of).row["calculation_id"]))
    found = recorded(snapshot, calculation_id)
    if as_of is not None and as_of != found.as_of.isoformat():
        raise cli.UsageError(f"calculation {calculation_id} is of {found.as_of}, not of {as_of}")
    return found


def _content(data: ReportData, portfolio_id: str | None, form: str) -> bytes:
    from margin_pipeline.decisions.trades import near
    from margin_pipeline.reports import export
    from margin_pipeline.reports.portfolio_report import firm_report, portfolio_report

    if portfolio_id is not None and portfolio_id not in data.portfolio_ids:
        raise cli.UsageError(f"there is no portfolio {portfolio_id} on {data.as_of}{near(portfolio_id, data.portfolio_ids)}")
    if form == "json":
        return export.report_json(data, portfolio_id).encode()
    if form == "csv":
        return export.lines_csv(data, portfolio_id).encode()
    if form == "parquet":
        return export.lines_parquet(data, portfolio_id)
    document = firm_report(data, {}) if portfolio_id is None else portfolio_report(data, portfolio_id)
    if form == "pdf":
        from margin_pipeline.reports.document.pdf import pdf

        return pdf(document)
    from margin_pipeline.reports.document.html import html

    return html(document).encode()
