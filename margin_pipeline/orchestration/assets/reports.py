"""Reports: files for people and programs, made of what is published.

Belongs here: the asset that writes them. Not here: what they say (`reports`).
"""

import datetime as dt
import time
from pathlib import Path

import dagster as dg

from margin_pipeline.orchestration.resources import ResultStore
from margin_pipeline.orchestration.table_asset import OWNERS, RETRIES


def build_reports(partitions_def: dg.PartitionsDefinition[str], folder: Path) -> dg.AssetsDefinition:
    """Bind the reports to partitions and to the folder that they are written into."""

    @dg.asset(
        name="reports",
        # Alerts are raised from published figures, and reports show them.
        deps=["publication", "alert_evaluation"],
        group_name="reports",
        owners=OWNERS,
        kinds={"python", "html", "pdf"},
        partitions_def=partitions_def,
        retry_policy=RETRIES,
        required_resource_keys={"store"},
    )
    def reports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Writes a page and a PDF of every portfolio and of the firm, and the regulatory lines as CSV, Parquet and JSON."""
        from margin_pipeline.reports.bundle import write_reports
        from margin_pipeline.reports.report_data import read
        from margin_pipeline.storage.recorded import published_calculation
        from margin_pipeline.storage.snapshot import snapshot

        store: ResultStore = context.resources.store
        started = time.perf_counter()
        with snapshot(store.urls) as published:
            data = read(published_calculation(published, dt.date.fromisoformat(context.partition_key)))
        written = write_reports(data, folder)
        details = {"folder": str(written.folder), "files": written.files, "bytes": written.size, "report_json_sha256": written.json_hash}
        store.audit("report_written", as_of=data.as_of, calculation_id=data.calculation_id, details=details)
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(str(written.folder)),
                "page": dg.MetadataValue.url((written.folder / "index.html").as_uri()),
                "calculation_id": data.calculation_id,
                "files": written.files,
                "bytes": written.size,
                "report_json_sha256": written.json_hash,
                "seconds": time.perf_counter() - started,
            }
        )

    return reports
