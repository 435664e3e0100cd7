"""The audit log: everything that happens is in it, nobody changes it, and whoever does is found. Not here: the command that prints it."""

from __future__ import annotations

import datetime as dt
import threading

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline import storage
from margin_pipeline.storage import StorageError, audit, connections

EXAMPLES = settings(max_examples=50)
DATE = dt.date(2022, 12, 28)
APPEND_ONLY = "the audit log can only be added to"


def events(urls, *columns):
    chosen = ", ".join(columns or ("event",))
    rows = storage.execute(urls, f"select {chosen} from margin.audit_log order by audit_id")
    return [row[0] if len(row) == 1 else row for row in rows]


def tamper(urls, statement):
    """Change the log as only somebody who may alter tables can: with its triggers off."""
    with psycopg.connect(urls.libpq) as connection:
        connection.execute("alter table margin_data.audit_log disable trigger all")
        connection.execute(statement)
        connection.execute("alter table margin_data.audit_log enable always trigger chain")
        connection.execute("alter table margin_data.audit_log enable always trigger refuse_change")


@pytest.fixture
def log(fresh_database):
    """A database whose log has some rows after those of its making."""
    for number in range(5):
        audit.record(fresh_database, "noted", as_of=DATE, portfolio_id="Zürich, 4:2", details={"number": number, "text": "naïve – ∑"})
    return fresh_database


def test_a_database_opens_its_log_and_says_how_it_was_made(fresh_database):
    assert events(fresh_database)[:2] == ["audit_log_opened", "database_upgraded"]
    migrations = storage.execute(fresh_database, "select details ->> 'migrations' from margin.audit_log where event = 'database_upgraded'")
    assert "0018.audit" in migrations[0][0]
    assert audit.verify(fresh_database).broken is None


def test_a_row_says_when_who_and_with_what(log):
    row = storage.execute(
        log, "select at, actor, client, as_of, portfolio_id, details from margin.audit_log order by audit_id desc limit 1"
    )[0]
    assert abs(row[0] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert row[1] == storage.execute(log, "select session_user::text")[0][0]
    assert row[2] == connections.client()
    assert row[3:] == (DATE, "Zürich, 4:2", {"number": 4, "text": "naïve – ∑"})


def test_what_the_writer_says_of_number_time_actor_and_hashes_is_not_taken(log):
    before = events(log, "audit_id", "row_hash")[-1]
    storage.execute(
        log,
        "insert into margin_data.audit_log (audit_id, at, actor, client, event, previous_hash, row_hash) "
        "values (1, '1999-01-01', 'somebody else', 'elsewhere', 'forged', 'x', 'y')",
    )
    row = events(log, "audit_id", "extract(year from at)", "actor", "client", "previous_hash")[-1]
    assert row == (
        before[0] + 1,
        dt.datetime.now(dt.UTC).year,
        storage.execute(log, "select session_user::text")[0][0],
        connections.client(),
        before[1],
    )
    assert audit.verify(log).broken is None


@pytest.mark.parametrize(
    "statement",
    [
        "update margin_data.audit_log set event = 'other'",
        "update margin.audit_log set event = 'other'",
        "update margin_data.audit_log set event = 'other' where false",
        "delete from margin_data.audit_log",
        "truncate margin_data.audit_log",
        "insert into margin_data.audit_log (event) values ('x') on conflict (audit_id) do update set event = 'y'",
    ],
)
def test_its_owner_cannot_change_it_either(log, statement):
    before = events(log, "row_hash")
    with pytest.raises(StorageError, match=APPEND_ONLY):
        storage.execute(log, statement)
    with psycopg.connect(log.libpq) as connection:
        # What switches off ordinary triggers does not switch off these.
        connection.execute("set session_replication_role = replica")
        with pytest.raises(psycopg.Error, match=APPEND_ONLY):
            connection.execute(statement)
    assert events(log, "row_hash") == before


@pytest.fixture
def application(log):
    """A login that may add to the log and read it, nothing else."""
    name = f"application_{log.libpq.rpartition('/')[2].partition('?')[0]}"
    storage.execute(log, f'create role "{name}" login')
    storage.execute(log, f'grant usage on schema margin_data to "{name}"')
    storage.execute(log, f'grant insert, select on margin_data.audit_log to "{name}"')
    yield name
    storage.execute(log, f'drop owned by "{name}"')
    storage.execute(log, f'drop role "{name}"')


def as_role(urls, name, statement):
    with psycopg.connect(urls.libpq, user=name) as connection:
        return connection.execute(statement)


def test_the_application_adds_and_reads(log, application):
    as_role(log, application, "insert into margin_data.audit_log (event, details) values ('of_the_application', '{\"a\": 1}')")
    assert events(log, "event", "actor")[-1] == ("of_the_application", application)
    with psycopg.connect(log.libpq, user=application) as connection:
        assert connection.execute("select count(*) from margin_data.audit_log").fetchone()[0] == len(events(log))
        assert not connection.execute("select rolsuper from pg_roles where rolname = session_user").fetchone()[0]
    assert audit.verify(log).broken is None


def test_one_that_may_only_add_is_chained_too(log, application):
    storage.execute(log, f'revoke select on margin_data.audit_log from "{application}"')
    as_role(log, application, "insert into margin_data.audit_log (event) values ('blind')")
    assert audit.verify(log).broken is None
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(log, application, "select * from margin_data.audit_log")


@pytest.mark.parametrize(
    "statement",
    [
        "update margin_data.audit_log set event = 'other'",
        "delete from margin_data.audit_log where audit_id = 1",
        "truncate margin_data.audit_log",
        "alter table margin_data.audit_log disable trigger all",
        "alter table margin_data.audit_log drop column details",
        "drop table margin_data.audit_log",
        "drop trigger refuse_change on margin_data.audit_log",
        "create or replace function margin_data.audit_text(entry margin_data.audit_log) returns text language sql as 'select null::text'",
        "set session_replication_role = replica",
    ],
)
def test_the_application_can_do_nothing_else(log, application, statement):
    before = events(log, "row_hash")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(log, application, statement)
    assert events(log, "row_hash") == before


def test_two_writers_do_not_fork_the_chain(log):
    before = len(events(log))
    both = threading.Barrier(4)

    def write(name):
        both.wait()
        for number in range(15):
            audit.record(log, "together", details={"writer": name, "number": number})

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = audit.verify(log)
    assert (found.rows, found.broken) == (before + 60, None)


def test_a_writer_that_looks_at_an_older_state_fails_instead_of_forking(log):
    with psycopg.connect(log.libpq) as connection:
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("select 1 from margin_data.audit_log")
        audit.record(log, "meanwhile")
        with pytest.raises(psycopg.Error):
            connection.execute("insert into margin_data.audit_log (event) values ('late')")
    assert audit.verify(log).broken is None


def test_a_row_that_is_rolled_back_leaves_no_gap(log):
    before = len(events(log))
    with psycopg.connect(log.libpq) as connection:
        audit.record(connection, "undone")
        connection.rollback()
    audit.record(log, "done")
    assert events(log)[before:] == ["done"]
    assert audit.verify(log).broken is None


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update margin_data.audit_log set details = '{\"number\": 7}' where audit_id = 4", "row 4 was altered"),
        ("update margin_data.audit_log set actor = 'nobody' where audit_id = 3", "row 3 was altered"),
        ("update margin_data.audit_log set at = at + interval '1 microsecond' where audit_id = 5", "row 5 was altered"),
        ("update margin_data.audit_log set portfolio_id = null where audit_id = 5", "row 5 was altered"),
        ("delete from margin_data.audit_log where audit_id = 4", "row 4 is missing: the next one is 5"),
        ("delete from margin_data.audit_log where audit_id = 1", "row 1 is missing"),
        ("delete from margin_data.audit_log", "the log is empty"),
        (
            "update margin_data.audit_log l set details = '{}', row_hash = encode(sha256(convert_to("
            "margin_data.audit_text(jsonb_populate_record(l, '{\"details\": {}}')), 'UTF8')), 'hex') where audit_id = 4",
            "row 5 does not follow row 4",
        ),
    ],
)
def test_whatever_was_changed_is_found(log, statement, found):
    tamper(log, statement)
    assert found in audit.verify(log).broken


def test_the_query_for_those_without_the_command_finds_the_same(log):
    query = (storage.migrations.sql_folder() / "queries" / "is_the_audit_log_whole.sql").read_text().rstrip().rstrip(";")
    whole = storage.read_query(log, query)
    verified = audit.verify(log)
    assert whole[["is_whole", "rows", "last_hash"]].values.tolist() == [[True, verified.rows, verified.last_hash]]
    tamper(log, "update margin_data.audit_log set event = 'other' where audit_id = 4")
    assert storage.read_query(log, query)[["is_whole", "first_broken_row"]].values.tolist() == [[False, 4]]


def test_a_log_whose_end_was_cut_off_is_found_by_a_hash_noted_earlier(log):
    noted = audit.verify(log).last_hash
    audit.record(log, "later")
    assert audit.verify(log, noted).broken is None
    tamper(log, "delete from margin_data.audit_log where audit_id >= (select max(audit_id) - 1 from margin_data.audit_log)")
    assert audit.verify(log).broken is None
    assert noted in audit.verify(log, noted).broken


def test_a_calculation_whose_row_was_cut_off_is_found_without_a_hash(fresh_database, prices):
    calculation_id = storage.begin(fresh_database, DATE, "run", "1", {})
    storage.write_table(fresh_database, calculation_id, DATE, "prices", prices({DATE: 10.0}))
    storage.publish(fresh_database, calculation_id, input_hash="h", scope="chain", expected_tables=["prices"])
    assert audit.verify(fresh_database).broken is None
    tamper(fresh_database, "delete from margin_data.audit_log where event = 'calculation_published'")
    assert audit.verify(fresh_database).broken == f"calculation {calculation_id} has no row calculation_published: rows were removed"


def test_time_zone_and_date_style_of_a_session_change_no_hash(log):
    with psycopg.connect(log.libpq) as connection:
        connection.execute("set timezone = 'Asia/Kolkata'")
        connection.execute("set datestyle = 'German'")
        connection.execute("insert into margin_data.audit_log (event, as_of) values ('elsewhere', '2022-12-28')")
        right = connection.execute(
            "select bool_and(row_hash = encode(sha256(convert_to(margin_data.audit_text(l), 'UTF8')), 'hex')) from margin_data.audit_log l"
        ).fetchone()
    assert right == (True,)
    assert audit.verify(log).broken is None


@EXAMPLES
@given(st.lists(st.none() | st.text(max_size=6), min_size=2, max_size=5), st.lists(st.none() | st.text(max_size=6), min_size=2, max_size=5))
def test_no_two_rows_are_written_alike(one, other):
    assert (audit.row_hash(one) == audit.row_hash(other)) == (one == other)


def test_what_becomes_of_a_calculation_is_recorded_in_its_transaction(fresh_database, prices):
    before = len(events(fresh_database))

    def calculate(run_id, close):
        calculation_id = storage.begin(fresh_database, DATE, run_id, "1", {})
        storage.write_table(fresh_database, calculation_id, DATE, "prices", prices({DATE: close}))
        return calculation_id

    def publish(calculation_id, content):
        storage.publish(fresh_database, calculation_id, input_hash=content, scope="chain", expected_tables=["prices"], content_hash=content)

    first, second, again, given_up = (calculate(f"run {n}", close) for n, close in enumerate([10.0, 11.0, 11.0, 12.0]))
    publish(first, "a")
    publish(second, "b")
    publish(again, "b")
    storage.abandon(fresh_database, given_up)
    assert events(fresh_database, "event", "calculation_id")[before:] == [
        ("calculation_published", first),
        ("calculation_superseded", first),
        ("calculation_published", second),
        ("calculation_repeated", again),
        ("calculation_abandoned", given_up),
    ]
    details = events(fresh_database, "details")[before + 2]
    assert details == {
        "run_id": "run 1",
        "scope": "chain",
        "code_version": "1",
        "input_hash": "b",
        "content_hash": "b",
        "tables": 1,
        "rows": 1,
    }
    assert audit.verify(fresh_database).broken is None


def test_neither_publication_nor_its_row_is_there_without_the_other(fresh_database, prices):
    calculation_id = storage.begin(fresh_database, DATE, "run", "1", {})
    storage.write_table(fresh_database, calculation_id, DATE, "prices", prices({DATE: 10.0}))
    with psycopg.connect(fresh_database.libpq) as connection:
        # Whatever stops the row from being written stops the publication.
        connection.execute("alter table margin_data.audit_log add constraint full_disk check (event <> 'calculation_published')")
    with pytest.raises(StorageError, match="full_disk"):
        storage.publish(fresh_database, calculation_id, input_hash="h", scope="chain", expected_tables=["prices"])
    assert storage.published_dates(fresh_database) == []
    assert "calculation_published" not in events(fresh_database)


def test_a_state_that_somebody_changes_by_hand_is_recorded_too(fresh_database):
    calculation_id = storage.begin(fresh_database, DATE, "run", "1", {})
    storage.execute(fresh_database, "update margin_data.calculations set state = 'abandoned', finished_at = clock_timestamp()")
    storage.execute(fresh_database, "delete from margin_data.calculations")
    assert events(fresh_database, "event", "calculation_id")[-2:] == [
        ("calculation_abandoned", calculation_id),
        ("calculation_deleted", calculation_id),
    ]


def test_alerts_are_recorded_when_raised_cleared_and_acknowledged(fresh_database):
    storage.execute(
        fresh_database,
        "insert into margin_data.alerts (as_of, portfolio_id, kind, severity, threshold, episode, observed, message) "
        "values (%s, 'P', 'utilization', 'critical', 0.9, 1, 'infinity', 'used up')",
        (DATE,),
    )
    storage.execute(fresh_database, "update margin_data.alerts set acknowledged_by = 'me', acknowledged_at = clock_timestamp()")
    storage.execute(fresh_database, "update margin_data.alerts set cleared_at = clock_timestamp(), cleared_as_of = %s", (DATE,))
    rows = events(fresh_database, "event", "as_of", "portfolio_id", "details ->> 'observed'", "details ->> 'acknowledged_by'")[-3:]
    assert rows == [
        ("alert_raised", DATE, "P", "Infinity", None),
        ("alert_acknowledged", DATE, "P", "Infinity", "me"),
        ("alert_cleared", DATE, "P", "Infinity", "me"),
    ]


def test_a_statement_that_changes_something_is_recorded_and_one_that_does_not_is_not(fresh_database):
    before = len(events(fresh_database))
    with storage.QuerySession(fresh_database, write=True) as session:
        session.run("select 1 as one")
        session.run("create table public.notes (text text)")
        session.run("insert into public.notes values ('it''s')")
        with pytest.raises(StorageError):
            session.run("insert into public.notes values (1, 2)")
    with storage.QuerySession(fresh_database) as session:
        session.run("select * from public.notes")
    assert events(fresh_database, "event", "details")[before:] == [
        ("sql_write", {"statement": "create table public.notes (text text)", "result": "CREATE TABLE"}),
        ("sql_write", {"statement": "insert into public.notes values ('it''s')", "result": "INSERT 0 1"}),
    ]


def test_a_password_in_a_statement_is_not_recorded(fresh_database):
    with storage.QuerySession(fresh_database, write=True) as session:
        session.run("create role somebody_new login password 'se''cret' valid until '2030-01-01'")
        session.run("alter role somebody_new with encrypted PASSWORD $x$sec'ret$x$")
        session.run("drop role somebody_new")
    assert [details["statement"] for details in events(fresh_database, "details")[-3:]] == [
        "create role somebody_new login password '…' valid until '2030-01-01'",
        "alter role somebody_new with encrypted PASSWORD '…'",
        "drop role somebody_new",
    ]


def test_a_statement_that_would_do_away_with_the_log_is_undone(log):
    with storage.QuerySession(log, write=True) as session, pytest.raises(StorageError):
        session.run("drop table margin_data.audit_log cascade")
    assert audit.verify(log).broken is None


def test_the_client_says_who_and_which_command_but_not_what_it_was_given(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/margin-pipeline", "run", "--database-url", "postgresql://me:secret@host/x"])
    assert connections.client().endswith(": margin-pipeline run")
    monkeypatch.setattr("sys.argv", ["/usr/bin/margin-pipeline", "--database-url=postgresql://me:secret@host/x"])
    assert connections.client().endswith(": margin-pipeline")
