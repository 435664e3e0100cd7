"""Fixtures of the chain tests: definitions on a throwaway database. Not here: assertions."""

import dataclasses
import datetime as dt

import dagster as dg
import pytest

from margin_pipeline.definitions import build_defs
from margin_pipeline.settings import from_environment

TODAY = dt.date(2023, 1, 5)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def definitions_for(tmp_path):
    """Definitions on a database and a landing zone, everything local in the test's folder, one fixed backend."""

    def make(urls, landing_dir):
        quick = {"MARGIN_COMPUTE": "numpy", "MARGIN_THREADS": "1", "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off"}
        settings = from_environment({"MARGIN_DATA_DIR": str(tmp_path / "data"), **quick})
        return build_defs(dataclasses.replace(settings, landing_dir=landing_dir), urls=urls, today=TODAY)

    return make


@pytest.fixture
def run_chain(definitions_for):
    """Run a job for a date in this process on an ephemeral instance; gives the result."""

    def run(urls, landing_dir, date, job="margin_chain", raise_on_error=True):
        with dg.DagsterInstance.ephemeral() as instance:
            return (
                definitions_for(urls, landing_dir)
                .resolve_job_def(job)
                .execute_in_process(instance=instance, partition_key=date, run_config=QUIET, raise_on_error=raise_on_error)
            )

    return run
