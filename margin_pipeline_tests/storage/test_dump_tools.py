"""Which pg_dump serves a server, what goes to its command line, what is told of its errors. Not here: dumps (cli/test_backup)."""

from pathlib import Path

import pytest

from margin_pipeline.storage import StorageError
from margin_pipeline.storage.binaries import bundled_binaries
from margin_pipeline.storage.dump_tools import DumpTools, choose, find_tools, telling, without_password


def tools(*versions):
    return [DumpTools(Path(f"/{number}"), version) for number, version in enumerate(versions)]


def test_the_lowest_version_that_will_do_is_chosen_and_the_first_of_equals():
    assert choose(tools("18.4", "15.18", "17.2", "17.5"), 16).folder == Path("/2")
    assert choose(tools("18.4", "18.1"), 18).folder == Path("/0")


@pytest.mark.parametrize(("found", "said"), [(tools("15.18"), "there is 15.18"), ([], "there is none")])
def test_what_is_missing_is_said(found, said):
    with pytest.raises(StorageError, match=f"of version 18 or newer are needed, {said}: install"):
        choose(found, 18)


def test_tools_come_with_the_package():
    assert find_tools(18, "postgresql://postgres@/margin?host=/socket").folder == bundled_binaries()


@pytest.mark.parametrize("url", ["postgresql://ann:se%20cret@db:5433/margin", "postgresql://ann@db:5433/margin?password=se%20cret"])
def test_a_password_goes_to_the_environment(url):
    conninfo, environment = without_password(url)
    assert "cret" not in conninfo
    assert environment == {"PGPASSWORD": "se cret"}
    assert {"user=ann", "host=db", "port=5433", "dbname=margin"} == set(conninfo.split())


def test_of_an_error_the_reason_is_told_in_one_line():
    said = "pg_restore: while PROCESSING TOC:\npg_restore: error: could not execute query: ERROR:  out of shared memory\nHINT:  Raise it.\n"
    assert telling(said) == "could not execute query: ERROR: out of shared memory; HINT: Raise it."


def test_a_program_that_fails_is_one_line(tmp_path):
    with pytest.raises(StorageError, match="pg_dump gave up: connection to server at"):
        find_tools(15, "postgresql://db/margin").run("pg_dump", "postgresql://ann:secret@127.0.0.1:1/none", [f"--file={tmp_path / 'x'}"])
