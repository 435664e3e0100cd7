"""Fixtures of the chain tests: definitions on a throwaway database. Not here: assertions."""

import pytest

from margin_pipeline_tests.sample_chain import definitions, execute


@pytest.fixture
def definitions_for(tmp_path):
    """Definitions on a database and a landing zone, everything local in the test's folder."""
    return lambda urls, landing_dir: definitions(urls, landing_dir, tmp_path / "data")


@pytest.fixture
def run_chain(definitions_for):
    """Run a job for a date in this process; gives the result."""

    def run(urls, landing_dir, date, job="margin_chain", raise_on_error=True):
        return execute(definitions_for(urls, landing_dir), date, job, raise_on_error=raise_on_error)

    return run
