"""All reports of a date as files in a folder.

Belongs here: names of files, and writing them all or none. Not here: their content.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from margin_pipeline.reports import export
from margin_pipeline.reports.document.html import html
from margin_pipeline.reports.document.model import Cell
from margin_pipeline.reports.document.pdf import pdf
from margin_pipeline.reports.portfolio_report import firm_report, portfolio_report
from margin_pipeline.reports.report_data import ReportData

LONGEST_NAME = 60
RESERVED = re.compile(r"index|lines|report|con|prn|aux|nul|(com|lpt)\d", re.IGNORECASE)
"""Names that mean something else here or on some systems."""


DATE_FILES = (("Lines as CSV", "lines.csv"), ("Lines as Parquet", "lines.parquet"), ("Everything as JSON", "report.json"))
"""Files of the date that every page leads to."""


@dataclass(frozen=True)
class Written:
    """What was written: the folder, how many files of how many bytes, and the SHA-256 of report.json."""

    folder: Path
    files: int
    size: int
    json_hash: str


def file_names(portfolio_ids: Sequence[str]) -> dict[str, str]:
    """File name, without ending, for each portfolio: its own name where that is safe, else a safe one that no other has.

    Different portfolios get names that differ in more than case.
    """
    lowered = [portfolio_id.lower() for portfolio_id in portfolio_ids]
    return {portfolio_id: _file_name(portfolio_id, is_alone=lowered.count(portfolio_id.lower()) == 1) for portfolio_id in portfolio_ids}


def _file_name(portfolio_id: str, *, is_alone: bool) -> str:
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", portfolio_id)[:LONGEST_NAME]
    if is_alone and safe == portfolio_id and safe and not RESERVED.fullmatch(safe) and not safe.startswith("-"):
        return safe
    # The tilde is in no plain name; some systems reserve what stands before a dot.
    return f"{safe.lstrip('-') or 'portfolio'}~{hashlib.sha256(portfolio_id.encode()).hexdigest()[:12]}"


def write_reports(data: ReportData, folder: Path) -> Written:
    """Write all reports of a date into `<folder>/<date>/calculation_<id>`; what stood there is replaced as a whole.

    Nothing is seen there before all is written, and doing it again gives the same bytes.
    """
    parent = folder / data.as_of.isoformat()
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / f"calculation_{data.calculation_id}"
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
    try:
        size = files = 0
        json_hash = ""
        for name, content in contents(data):
            (made / name).write_bytes(content)
            size, files = size + len(content), files + 1
            if name == "report.json":
                json_hash = hashlib.sha256(content).hexdigest()
        made.chmod(0o755)
        _replace(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Written(target, files, size, json_hash)


def contents(data: ReportData) -> Iterator[tuple[str, bytes]]:
    """All files of a date, one after the other: name and content."""
    names = file_names(data.portfolio_ids)
    files = tuple(Cell(text, link=name) for text, name in DATE_FILES)
    pages = {portfolio_id: f"{name}.html" for portfolio_id, name in names.items()}
    firm = firm_report(data, pages, (Cell("This report as PDF", link="index.pdf"), *files))
    yield "index.html", html(firm).encode()
    yield "index.pdf", pdf(firm)
    for portfolio_id, name in names.items():
        links = (Cell("All portfolios", link="index.html"), Cell("This report as PDF", link=f"{name}.pdf"), *files)
        report = portfolio_report(data, portfolio_id, links)
        yield f"{name}.html", html(report).encode()
        yield f"{name}.pdf", pdf(report)
    yield "lines.csv", export.lines_csv(data).encode()
    yield "lines.parquet", export.lines_parquet(data)
    yield "report.json", export.report_json(data).encode()
    yield "report.schema.json", export.schema_text().encode()


def _replace(made: Path, target: Path) -> None:
    """Put a folder in the place of another one."""
    if target.exists():
        # Two renames, for a folder that holds files cannot be renamed over: in between there is none, and the next run mends that.
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        target.rename(aside / "before")
        made.rename(target)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        made.rename(target)
