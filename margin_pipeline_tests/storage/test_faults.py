"""Faults in the middle of a load or a change: nothing half written stays, and the next try goes through.

Belongs here: one quick fault of each kind. Not here: whole chains under faults (chaos).
"""

from __future__ import annotations

import datetime as dt
import shutil
import threading
import time

import numpy as np
import pandas as pd
import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError, alerts, automation, binaries, connections
from margin_pipeline_tests.severing_proxy import SeveringProxy

DATE = dt.date(2022, 12, 28)
ROWS = 300_000
# Room for a segment of the write-ahead log, not for the table.
LARGEST_FILE = 17 << 20


def many_prices(rows=ROWS):
    symbols = pd.Series(np.arange(rows)).astype(str).astype("str").radd("S")
    return pd.DataFrame({"date": pd.Timestamp(DATE), "symbol": symbols, "close": 1.0, "adjusted_close": 1.0})


def run_as_server(program, *arguments):
    """Run a program as the server's user; None where there is no such program."""
    return binaries.run([program, *arguments], binaries.server_user(), output=True) if shutil.which(program) else None


def stored(urls):
    return storage.execute(urls, "select count(*) from margin_data.prices")[0][0]


def recorded(urls):
    return storage.execute(urls, "select table_name, row_count from margin_data.calculation_tables")


@pytest.fixture
def begun(empty_tables):
    """A calculation that runs and has written its prices once."""
    number = storage.begin(empty_tables, DATE, "run", "1", {})
    storage.write_table(empty_tables, number, DATE, "prices", many_prices(3))
    return number


@pytest.mark.parametrize("after", [30_000, 2_000_000])
def test_a_connection_that_is_cut_while_loading_leaves_the_table_as_it_was(empty_tables, begun, after):
    with SeveringProxy(empty_tables) as proxy:
        storage.columns(proxy.urls, "prices")
        proxy.cut_after(after)
        with pytest.raises(StorageError) as failed:
            storage.write_table(proxy.urls, begun, DATE, "prices", many_prices(100_000))
        assert proxy.cuts == 1
        assert "\n" not in str(failed.value)
        assert (stored(empty_tables), recorded(empty_tables)) == (3, [("prices", 3)])
        # The same process goes on over a new connection, without being told.
        storage.write_table(proxy.urls, begun, DATE, "prices", many_prices(5))
        connections.close_all()
    assert (stored(empty_tables), recorded(empty_tables)) == (5, [("prices", 5)])


def test_a_session_that_is_ended_while_loading_leaves_the_table_as_it_was(empty_tables, begun):
    failed = []

    def load():
        try:
            storage.write_table(empty_tables, begun, DATE, "prices", many_prices(10))
        except StorageError as error:
            failed.append(str(error))

    with psycopg.connect(empty_tables.libpq) as holder:
        # It has deleted the rows before and waits to load the new ones.
        holder.execute("lock table margin_data.prices in share row exclusive mode")
        loading = threading.Thread(target=load)
        loading.start()
        ended = False
        while not ended:
            time.sleep(0.02)
            ended = holder.execute(
                "select pg_terminate_backend(pid) from pg_locks where relation = 'margin_data.prices'::regclass and not granted"
            ).fetchone()
        loading.join(30)
    assert len(failed) == 1
    assert "\n" not in failed[0]
    assert (stored(empty_tables), recorded(empty_tables)) == (3, [("prices", 3)])
    storage.write_table(empty_tables, begun, DATE, "prices", many_prices(4))
    assert stored(empty_tables) == 4


def test_a_disk_that_is_full_while_loading_leaves_the_table_as_it_was(empty_tables, begun):
    connections.close_all()
    with connections.arrow_connection(empty_tables) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (backend,) = cursor.fetchone()
    # The connection that was given back is the one that loads.
    limited = run_as_server("prlimit", "--pid", str(backend), f"--fsize={LARGEST_FILE}:")
    if limited is None or limited.returncode != 0:
        pytest.skip(f"the files of another process cannot be limited here: {limited.stdout if limited else 'there is no prlimit'}")
    with pytest.raises(StorageError, match=r"prices: the table refused the rows: could not (extend|write)"):
        storage.write_table(empty_tables, begun, DATE, "prices", many_prices())
    assert (stored(empty_tables), recorded(empty_tables)) == (3, [("prices", 3)])
    storage.write_table(empty_tables, begun, DATE, "prices", many_prices(6))
    assert stored(empty_tables) == 6


def set_clock_back(urls, table, *columns):
    """Move instants of rows to where they are when the clock has been set back by a day since."""
    moved = ", ".join(f"{column} = {column} + interval '1 day'" for column in columns)
    storage.execute(urls, f"update margin_data.{table} set {moved}")


def test_a_calculation_can_be_published_repeated_and_given_up_when_the_clock_was_set_back(empty_tables, calculate, prices):
    def publish(number):
        return storage.publish(empty_tables, number, input_hash=f"of {number}", scope="chain", expected_tables=["prices"]).state

    assert publish(calculate("first", {"prices": prices({DATE: 1.0})})) == "published"
    set_clock_back(empty_tables, "calculations", "started_at", "finished_at", "known_from")
    later, dead = (calculate(run, {"prices": prices({DATE: 2.0})}) for run in ("later", "dead"))
    assert publish(later) == "published"
    storage.execute(
        empty_tables, f"update margin_data.calculations set started_at = started_at + interval '1 day' where calculation_id = {dead}"
    )
    assert storage.abandon_dead(empty_tables, lambda run: False) == [dead]
    again = calculate("again", {"prices": prices({DATE: 2.0})})
    storage.execute(
        empty_tables, f"update margin_data.calculations set started_at = started_at + interval '1 day' where calculation_id = {again}"
    )
    repeated = storage.publish(empty_tables, again, input_hash=f"of {later}", scope="chain", expected_tables=["prices"])
    assert repeated.state == "repeated"
    states = storage.execute(empty_tables, "select state, known_from <= known_to from margin.calculations order by calculation_id")
    assert states == [("superseded", True), ("published", None), ("abandoned", None), ("repeated", None)]


def test_an_alert_is_cleared_and_automation_resumed_when_the_clock_was_set_back(empty_tables):
    key = {"portfolio_id": "P", "kind": "utilization", "subject": "", "threshold": 0.8, "as_of": DATE}
    about = {"calculation_id": None, "severity": "warning", "episode": 1, "observed": 0.81, "message": "P: 0.81"}
    with alerts.AlertEvaluation(empty_tables.libpq) as evaluation:
        evaluation.apply([{**key, **about}], [])
    automation.stop(empty_tables.libpq, "Ada", "a drill")
    set_clock_back(empty_tables, "alerts", "raised_at")
    set_clock_back(empty_tables, "automation_stops", "stopped_at")
    with alerts.AlertEvaluation(empty_tables.libpq) as evaluation:
        assert evaluation.apply([], [key]) == (0, 1)
    assert automation.resume(empty_tables.libpq, "Ada", None)
    assert automation.standing_stop(empty_tables.libpq) is None
