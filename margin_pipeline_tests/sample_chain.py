"""The chain on the sample book in this process: settings that every test shares, and one run.

Belongs here: how tests run it. Not here: databases and folders (conftest), assertions.
"""

import dataclasses
import datetime as dt
from pathlib import Path

import dagster as dg

from margin_pipeline.definitions import build_defs
from margin_pipeline.settings import from_environment
from margin_pipeline.storage.urls import DatabaseUrls

TODAY = dt.date(2023, 1, 5)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
QUICK = {"MARGIN_COMPUTE": "numpy", "MARGIN_THREADS": "1", "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off"}


def definitions(urls: DatabaseUrls, landing_dir: Path, data_dir: Path) -> dg.Definitions:
    """Definitions on a database and a landing zone, one fixed backend, no pictures, no reports."""
    settings = from_environment(QUICK | {"MARGIN_DATA_DIR": str(data_dir)})
    return build_defs(dataclasses.replace(settings, landing_dir=landing_dir), urls=urls, today=TODAY)


def execute(found: dg.Definitions, date: str, job: str = "margin_chain", **options: object) -> dg.ExecuteInProcessResult:
    """Run a job for a date on an instance that is forgotten; gives the result."""
    with dg.DagsterInstance.ephemeral() as instance:
        return found.resolve_job_def(job).execute_in_process(instance=instance, partition_key=date, run_config=QUIET, **options)
