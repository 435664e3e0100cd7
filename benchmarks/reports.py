"""Seconds to read a date of the sample book and to write all of its reports, as the figures that `make bench` prints.

Belongs here: timing of reports. Not here: the chain before them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from pathlib import Path

from benchmarks.harness import Result, least_seconds
from margin_pipeline.reports.bundle import write_reports
from margin_pipeline.reports.document.html import html
from margin_pipeline.reports.document.pdf import pdf
from margin_pipeline.reports.export import report_json
from margin_pipeline.reports.portfolio_report import portfolio_report
from margin_pipeline.reports.report_data import ReportData, read
from margin_pipeline.sample import SAMPLE_DATES, write_sample
from margin_pipeline.settings import from_environment
from margin_pipeline.storage import DatabaseUrls, open_database
from margin_pipeline.storage.recorded import published_calculation
from margin_pipeline.storage.snapshot import snapshot

AS_OF = SAMPLE_DATES[-1]


def run() -> list[Result]:
    """Run the last date of the sample book in this process, then measure reading and writing of its reports."""
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder) / "data", None, None) as urls:
        _publish(urls, Path(folder))

        def reading() -> ReportData:
            with snapshot(urls) as published:
                return read(published_calculation(published, AS_OF))

        data = reading()
        target = Path(folder) / "reports"
        whole = least_seconds(lambda: write_reports(reading(), target), repeats=3)
        written = write_reports(data, target)
        reports = [portfolio_report(data, portfolio_id) for portfolio_id in data.portfolio_ids]
        return [
            Result(
                "all reports of the sample date, read and written",
                whole,
                "s",
                10,
                note=f"{written.files} files, {written.size / 1e6:.1f} MB",
            ),
            Result("of it: reading one calculation", least_seconds(reading, repeats=3), "s"),
            Result(f"of it: {len(reports)} portfolios as PDF", least_seconds(lambda: [pdf(report) for report in reports], repeats=3), "s"),
            Result(
                f"of it: {len(reports)} portfolios as HTML", least_seconds(lambda: [html(report) for report in reports], repeats=3), "s"
            ),
            Result("of it: JSON of everything", least_seconds(lambda: report_json(data), repeats=3), "s"),
        ]


def _publish(urls: DatabaseUrls, folder: Path) -> None:
    import dagster as dg

    from margin_pipeline.definitions import build_defs

    write_sample(folder / "sample")
    settings = from_environment({"MARGIN_DATA_DIR": str(folder / "data"), "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off"})
    definitions = build_defs(dataclasses.replace(settings, landing_dir=folder / "sample"), urls=urls, today=dt.date(2023, 1, 5))
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("margin_chain")
        job.execute_in_process(instance=instance, partition_key=AS_OF.isoformat(), run_config=quiet)
