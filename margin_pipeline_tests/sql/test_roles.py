"""Roles: everybody sees and does what is theirs, in every table and view that there is, and nothing else. Not here: what rows mean."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from contextlib import contextmanager, nullcontext

import pandas as pd
import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError, alerts, audit, connections, live, migrations, retention
from margin_pipeline.storage.urls import with_user

DATE = dt.date(2022, 12, 28)
LOGINS = {"ann": "analyst", "desk_ben": "roles_test_desk", "chief": "analyst", "nobody": "analyst", "nightly": "pipeline", "eve": "auditor"}
LOGINS |= {"ticker": "feed", "stranger": None, "keeper": "owner"}
PORTFOLIOS = ("A", "B", "", "*", None)
"""Of two portfolios, of the firm in both spellings, and of a portfolio that is not known."""
NOT_FILLED = {
    *("calculations", "published_tables", "calculation_tables", "roles_applied", "view_files", "audit_log", "portfolio_access"),
    *("calculation_parameters", "parameter_sets", "retired_partitions"),
}
OF_A_PORTFOLIO_ELSEWHERE = ("alert_deliveries", "otc_trades", "crif", "collateral_eligibility")
COLUMNS = """
select c.relnamespace::regnamespace::text || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity::text
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and c.relkind = any(%s) and not c.relispartition
 order by 1, a.attnum
"""
DENIED = psycopg.errors.InsufficientPrivilege


def login(name: str) -> str:
    return f"roles_test_{name}"


def make_logins(connection: psycopg.Connection) -> None:
    made = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
    if "roles_test_desk" not in made:
        connection.execute("create role roles_test_desk nologin in role margin_analyst")
    for name, group in LOGINS.items():
        if login(name) not in made:
            role = "" if group is None else f"in role {group if '_' in group else 'margin_' + group}"
            connection.execute(f"create role {login(name)} login {role}")


def grant(connection: psycopg.Connection) -> None:
    granted = [(login("ann"), "A"), ("roles_test_desk", "B"), (login("chief"), "*")]
    connection.cursor().executemany("insert into margin_data.portfolio_access (role_name, portfolio_id) values (%s, %s)", granted)


def relations(connection: psycopg.Connection, kinds: str) -> dict[str, dict[str, tuple[str, bool, str]]]:
    found: dict[str, dict[str, tuple[str, bool, str]]] = {}
    for relation, column, *what in connection.execute(COLUMNS, (list(kinds),)).fetchall():
        found.setdefault(relation, {})[column] = tuple(what)
    return found


def value(column: str, kind: str, number: int) -> object:
    if column == "as_of":
        return DATE
    if column == "calculation_id":
        return 1
    if column == "portfolio_id":
        return PORTFOLIOS[number]
    if kind == "text":
        return f"text {number}"
    simple = {"date": DATE, "boolean": True, "jsonb": "{}", "json": "{}", "bytea": b"\0", "text[]": ["x"], "double precision[]": [1.0]}
    if kind.startswith("timestamp"):
        return dt.datetime(2022, 12, 28, 22, tzinfo=dt.UTC)
    return simple.get(kind, [1] if kind.endswith("[]") else number + 1)


def fill(connection: psycopg.Connection) -> None:
    """Rows of every portfolio in every table, whatever the table asks of them: what matters here is whose they are."""
    checks = "select conrelid::regclass, conname from pg_constraint where contype = 'c' and connamespace = 'margin_data'::regnamespace"
    for table, name in connection.execute(f"{checks} and conparentid = 0 and coninhcount = 0").fetchall():
        connection.execute(f'alter table {table} drop constraint if exists "{name}"')
    connection.execute("select margin_data.ensure_partitions(%s)", (DATE,))
    connection.execute("set session_replication_role = replica")
    connection.execute(
        "insert into margin_data.calculations (as_of, run_id, code_version, settings, state, scope, known_from, finished_at) "
        "values (%s, 'r', '1', '{}', 'published', 'chain', clock_timestamp(), clock_timestamp())",
        (DATE,),
    )
    for table, columns in relations(connection, "rp").items():
        name = table.removeprefix("margin_data.")
        if name in NOT_FILLED:
            continue
        connection.execute("insert into margin_data.published_tables values (%s, %s, 1)", (DATE, name))
        connection.execute("insert into margin_data.calculation_tables values (1, %s, 1, 5)", (name,))
        given = {column: kind for column, (kind, _, identity) in columns.items() if not identity}
        marks = ", ".join(f"%s::{kind}" for kind in given.values())
        names = ", ".join(f'"{column}"' for column in given)
        for number, portfolio in enumerate(PORTFOLIOS):
            if portfolio is None and columns.get("portfolio_id", ("", True, ""))[1]:
                continue
            row = [value(column, kind, number) for column, kind in given.items()]
            connection.execute(f"insert into {table} ({names}) values ({marks}) on conflict do nothing", row)
    connection.execute("set session_replication_role = default")


@contextmanager
def prepared(urls):
    storage.apply_roles(urls)
    with connections.connect(urls) as connection:
        make_logins(connection)
        grant(connection)
    yield urls


@pytest.fixture(scope="module")
def filled(database):
    """A database with roles, logins and rows of every portfolio in every table."""
    with prepared(database), connections.connect(database) as connection:
        fill(connection)
    return database


@pytest.fixture
def empty(fresh_database):
    """A database with roles and logins and nothing calculated."""
    with prepared(fresh_database) as urls:
        yield urls


def as_user(urls, name):
    return psycopg.connect(with_user(urls, login(name)).libpq, autocommit=True)


def shown(connection: psycopg.Connection, relation: str) -> set[str | None]:
    return {name for (name,) in connection.execute(f"select distinct portfolio_id from {relation}").fetchall()}


SEEN = [("ann", {"A"}), ("desk_ben", {"B"}), ("chief", set(PORTFOLIOS)), ("nobody", set()), ("eve", set(PORTFOLIOS))]


@pytest.mark.parametrize(("name", "granted"), SEEN)
def test_in_every_table_and_view_everybody_sees_the_portfolios_that_are_granted_and_no_other(filled, name, granted):
    with as_user(filled, name) as connection, psycopg.connect(filled.libpq) as superuser:
        looked_at = 0
        for relation, columns in relations(superuser, "rpv").items():
            if "portfolio_id" not in columns or relation == "margin_data.portfolio_access":
                continue
            there = shown(superuser, relation)
            if relation.endswith(".audit_log"):
                with pytest.raises(DENIED) if name != "eve" else nullcontext():
                    shown(connection, relation)
                continue
            assert shown(connection, relation) == there & granted, relation
            looked_at += {"A", "B", ""} <= there
        # So that the comparison says something: rows of both portfolios and of the firm were there nearly everywhere.
        assert looked_at > 120


def test_every_table_has_rows_of_both_portfolios_and_of_the_firm_to_be_told_apart(filled):
    with psycopg.connect(filled.libpq) as connection:
        for table, columns in relations(connection, "rp").items():
            if "portfolio_id" in columns and table.removeprefix("margin_data.") not in NOT_FILLED:
                assert {"A", "B", "", "*"} <= shown(connection, table), table


@pytest.mark.parametrize("table", OF_A_PORTFOLIO_ELSEWHERE)
def test_rows_that_belong_to_a_portfolio_by_what_they_refer_to_follow_it(filled, table):
    counts = {}
    for name in ("ann", "nobody", "chief", "eve"):
        with as_user(filled, name) as connection:
            counts[name] = connection.execute(f"select count(*) from margin.{table}").fetchone()[0]
    assert (counts["ann"], counts["nobody"]) == (1, 0)
    assert counts["chief"] == counts["eve"] >= 4


def test_an_analyst_sees_which_portfolios_are_granted_to_them_and_not_what_others_may_see(filled):
    with as_user(filled, "ann") as connection:
        assert connection.execute("select role_name, portfolio_id from margin_data.portfolio_access").fetchall() == [(login("ann"), "A")]


@pytest.mark.parametrize("name", ["ann", "nightly", "eve"])
def test_every_view_can_be_read_but_the_audit_log_by_those_it_is_not_for(filled, name):
    with as_user(filled, name) as connection, psycopg.connect(filled.libpq) as superuser:
        refused = set()
        for view in (view for view in relations(superuser, "v") if view.startswith("margin.")):
            try:
                connection.execute(f"select * from {view} limit 1")
            except DENIED:
                refused.add(view)
        assert refused == (set() if name == "eve" else {"margin.audit_log"})


def test_every_table_is_shown_to_analysts_by_portfolio_or_is_said_to_be_open_or_closed(filled):
    """A new table without a portfolio has to be named in sql/roles.sql: until then it is closed."""
    with psycopg.connect(filled.libpq) as connection:
        closed = connection.execute(
            "select relname from pg_class where relnamespace = 'margin_data'::regnamespace and relkind in ('r', 'p') "
            "and not relispartition and not has_table_privilege('margin_analyst', oid, 'select')"
        ).fetchall()
    assert closed == [("audit_log",)]


def test_every_view_runs_with_the_rights_of_whoever_asks(filled):
    with psycopg.connect(filled.libpq) as connection:
        assert connection.execute(
            "select count(*) > 100, array_agg(relname) filter (where 'security_invoker=true' <> all(coalesce(reloptions, '{}'))) "
            "from pg_class where relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and relkind = 'v'"
        ).fetchone() == (True, None)


def test_nobody_but_the_owner_has_any_right_on_a_partition(filled):
    with psycopg.connect(filled.libpq) as connection:
        roles = [f"margin_{name}" for name in ("pipeline", "analyst", "auditor", "feed")]
        assert connection.execute(
            "select count(distinct c.oid) > 80, count(*) filter (where has_table_privilege(r, c.oid, 'select, insert, update, delete')) "
            "from pg_class c, unnest(%s::text[]) as r where c.relispartition and c.relkind = 'r'",
            (roles,),
        ).fetchone() == (True, 0)
    with as_user(filled, "ann") as connection, pytest.raises(DENIED):
        connection.execute("select * from margin_data.positions_y2022m12")


WRITES = """
select c.oid::regclass::text from pg_class c
 where c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and c.relkind in ('r', 'p', 'v')
   and (has_table_privilege(%(role)s, c.oid, 'insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege(%(role)s, c.oid, 'insert, update'))
 order by 1
"""


@pytest.mark.parametrize(("role", "written"), [("analyst", ["margin_data.alerts"]), ("auditor", [])])
def test_readers_write_nothing(filled, role, written):
    with psycopg.connect(filled.libpq) as connection:
        assert [name for (name,) in connection.execute(WRITES, {"role": f"margin_{role}"}).fetchall()] == written


FORBIDDEN = [
    "delete from margin_data.positions",
    "update margin_data.positions set quantity = 0",
    "insert into margin_data.prices (as_of, calculation_id, date, symbol, close) values ('2022-12-28', 1, '2022-12-28', 'X', 1)",
    "truncate margin_data.positions",
    "insert into margin_data.portfolio_access (role_name, portfolio_id) values (current_user, '*')",
    "update margin_data.alerts set observed = 0",
    "update margin_data.calculations set state = 'superseded'",
    "insert into margin_data.audit_log (event) values ('invented')",
    "insert into margin.live_marks (symbol, price) values ('AAPL', 1)",
    "insert into margin_data.automation_stops (stopped_by, reason) values ('me', 'because')",
    "select margin_data.ensure_partitions('2023-01-01')",
    "select margin_data.discard_rows(1)",
    "select margin_data.drop_month('2022-11-01', array['positions'])",
    "select nextval('margin_data.live_versions')",
]
OF_NOBODY_BUT_THE_OWNER = [
    "drop table margin_data.positions",
    "drop view margin.positions",
    "drop schema margin cascade",
    "create table margin_data.mine (n int)",
    "create table public.mine (n int)",
    "create or replace view margin.positions as select * from margin_data.positions",
    "alter view margin.positions reset (security_invoker)",
    "alter table margin_data.positions disable row level security",
    "alter table margin_data.audit_log disable trigger refuse_change",
    "drop policy analyst on margin_data.positions",
    "create policy mine on margin_data.positions using (true)",
    "grant margin_owner to current_user",
    "truncate margin_data.positions",
    "set role margin_owner",
    "set session_replication_role = replica",
    "delete from margin_data.portfolio_access",
    "update margin_data.roles_applied set content_hash = ''",
    "select margin_data.create_reading_view('positions')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize("name", ["ann", "chief", "eve"])
def test_what_readers_must_not_do_is_refused(filled, name, statement):
    with as_user(filled, name) as connection, pytest.raises(DENIED):
        connection.execute(statement)


@pytest.mark.parametrize("statement", OF_NOBODY_BUT_THE_OWNER)
@pytest.mark.parametrize("name", ["ann", "eve", "nightly", "ticker"])
def test_what_only_the_owner_may_do_is_refused_to_the_others(filled, name, statement):
    with as_user(filled, name) as connection, pytest.raises(DENIED):
        connection.execute(statement)


def test_functions_give_an_analyst_rows_of_granted_portfolios_only(filled):
    ask = "select distinct portfolio_id from margin.rows_of(null::margin.positions, 1)"
    with as_user(filled, "ann") as connection:
        assert connection.execute(ask).fetchall() == [("A",)]
    with as_user(filled, "nobody") as connection:
        assert connection.execute(ask).fetchall() == []
    with psycopg.connect(filled.libpq) as connection:
        columns = "as_of || '/' || concat_ws('/', portfolio_id, scope, regime, line_item, netting_set_id, side)"
        identifiers = dict(connection.execute(f"select portfolio_id, {columns} from margin.regulatory_lines").fetchall())
    with as_user(filled, "ann") as connection:
        found = {
            name: len(connection.execute("select * from margin.find_line(%s)", (key,)).fetchall()) for name, key in identifiers.items()
        }
    assert found == {"A": 1, "B": 0, "": 0, "*": 0}


def test_a_query_that_would_look_at_rows_before_they_are_left_out_does_not(filled):
    """A condition of the reader's own is asked about granted rows only, else its errors would tell of others."""
    with as_user(filled, "ann") as connection:
        assert connection.execute("select count(*) from margin.positions where 1 / (portfolio_id <> 'B')::int > 0").fetchone() == (1,)


def test_who_has_no_role_cannot_connect(filled):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        as_user(filled, "stranger")


@pytest.fixture
def alerted(empty):
    """Two open alerts, of A and of B; gives the databases and their numbers."""
    with psycopg.connect(empty.libpq) as connection:
        rows = connection.execute(
            "insert into margin_data.alerts (as_of, portfolio_id, kind, severity, threshold, episode, observed, message) "
            "select %s, p, 'utilization', 'warning', 0.8, 1, 0.85, 'm' from unnest(array['A', 'B']) p returning portfolio_id, alert_id",
            (DATE,),
        ).fetchall()
    return empty, dict(rows)


def test_an_analyst_takes_note_of_alerts_of_granted_portfolios_once(alerted):
    urls, numbers = alerted
    mine = with_user(urls, login("ann")).libpq
    assert alerts.acknowledge(mine, numbers["A"], "Ann", "seen")
    assert not alerts.acknowledge(mine, numbers["A"], "Ann", "again")
    assert not alerts.acknowledge(mine, numbers["B"], "Ann", "not mine")
    with psycopg.connect(urls.libpq) as connection:
        taken = "select portfolio_id, acknowledged_by, acknowledgement from margin.alerts order by 1"
        assert connection.execute(taken).fetchall() == [("A", "Ann", "seen"), ("B", None, None)]
        log = "select actor, portfolio_id from margin.audit_log where event = 'alert_acknowledged'"
        assert connection.execute(log).fetchall() == [(login("ann"), "A")]
    with as_user(urls, "ann") as connection:
        undo = "update margin_data.alerts set acknowledged_by = null, acknowledged_at = null"
        assert connection.execute(undo).rowcount == 0
    with as_user(urls, "eve") as connection, pytest.raises(DENIED):
        connection.execute("select margin.acknowledge(%s, 'Eve')", (numbers["B"],))


def test_an_acknowledgement_cannot_be_left_open(alerted):
    urls, numbers = alerted
    with as_user(urls, "ann") as connection, pytest.raises(DENIED, match="row-level security"):
        connection.execute("update margin_data.alerts set acknowledged_by = 'Ann' where alert_id = %s", (numbers["A"],))


def test_listeners_are_told_that_there_is_an_alert_and_not_what_it_says(alerted):
    urls, _ = alerted
    with as_user(urls, "nobody") as listener, psycopg.connect(urls.libpq) as connection:
        listener.execute("listen margin_alerts")
        connection.execute(
            "insert into margin_data.alerts (as_of, portfolio_id, kind, severity, threshold, episode, observed, message) "
            "values (%s, 'A', 'stress', 'warning', 0.8, 1, 0.85, 'm')",
            (DATE,),
        )
        connection.commit()
        (told,) = listener.notifies(timeout=10, stop_after=1)
    assert set(json.loads(told.payload)) == {"alert_id", "event"}


def portfolios(equity: float) -> pd.DataFrame:
    frame = pd.DataFrame({"portfolio_id": ["A", "B"], "account_type": "reg_t", "equity": equity, "base_currency": "USD"})
    return frame.assign(jurisdiction=None, entity_type=None)


def prices() -> pd.DataFrame:
    return pd.DataFrame({"date": [pd.Timestamp(DATE)], "symbol": ["AAPL"], "close": [126.0], "adjusted_close": [float("nan")]})


def publish(urls, date: dt.date, equity: float, run_id: str) -> storage.Publication:
    calculation_id = storage.begin(urls, date, run_id, "1", {})
    for table, frame in (("portfolios", portfolios(equity)), ("prices", prices())):
        # Twice: a step that is repeated replaces its rows.
        storage.write_table(urls, calculation_id, date, table, frame)
        storage.write_table(urls, calculation_id, date, table, frame)
    storage.record_content(urls, calculation_id, f"files {equity}")
    seen = storage.input_hash(urls, calculation_id, date)
    return storage.publish(urls, calculation_id, input_hash=seen, scope="chain", expected_tables=["portfolios", "prices"])


def test_the_pipeline_publishes_repeats_and_supersedes_and_an_analyst_sees_their_part(empty):
    nightly, ann = with_user(empty, login("nightly")), with_user(empty, login("ann"))
    assert publish(nightly, DATE, 100.0, "first").row_counts == {"portfolios": 2, "prices": 1}
    assert publish(nightly, DATE, 100.0, "the same").state == "repeated"
    assert publish(nightly, DATE, 200.0, "second").state == "published"
    abandoned = storage.begin(nightly, DATE, "third", "1", {})
    storage.write_table(nightly, abandoned, DATE, "portfolios", portfolios(1.0))
    assert storage.abandon(nightly, abandoned)
    assert storage.read_query(nightly, "select equity from margin.portfolios")["equity"].tolist() == [200.0, 200.0]
    found = storage.read_query(ann, "select portfolio_id, equity from margin.portfolios")
    assert found.to_dict("records") == [{"portfolio_id": "A", "equity": 200.0}]
    events = storage.execute(empty, "select distinct event from margin.audit_log where actor = %s order by 1", (login("nightly"),))
    assert [event for (event,) in events] == [f"calculation_{what}" for what in ("abandoned", "published", "repeated", "superseded")]


def test_rows_that_do_not_fit_are_refused_to_the_pipeline_as_to_everybody(empty):
    nightly = with_user(empty, login("nightly"))
    calculation_id = storage.begin(nightly, DATE, "run", "1", {})
    with pytest.raises(StorageError, match=r"portfolios: the table refused the rows: .*check constraint"):
        storage.write_table(nightly, calculation_id, DATE, "portfolios", portfolios(1.0).assign(account_type="piggy_bank"))
    assert storage.write_table(nightly, calculation_id, DATE, "portfolios", portfolios(1.0)) == 2


def test_the_pipeline_retires_old_months_and_neither_the_newest_nor_one_that_is_written_to(empty):
    nightly = with_user(empty, login("nightly"))
    days = [dt.date(2022, 10, 13), dt.date(2022, 11, 30), DATE]
    for number, date in enumerate(days):
        publish(nightly, date, 100.0 + number, f"run {number}")
    done = retention.execute(nightly, dt.date(2022, 12, 1), retention.exempt_tables(["prices"]))
    assert [(p.table, p.rows) for p in done.dropped if p.rows] == [("portfolios", 2)]
    dates = storage.read_query(empty, "select distinct as_of from margin_data.portfolios order by 1")["as_of"].dt.date.tolist()
    assert dates == days[1:]
    with pytest.raises(StorageError, match="2022-12 holds the newest published date"):
        storage.execute(nightly, "select margin_data.drop_month('2022-12-01', array['portfolios'])")
    storage.begin(nightly, days[1], "still running", "1", {})
    with pytest.raises(StorageError, match="a calculation of 2022-11 is running"):
        storage.execute(nightly, "select margin_data.drop_month('2022-11-01', array['portfolios'])")


def test_the_pipeline_replaces_positions_during_the_day(empty):
    nightly = with_user(empty, login("nightly"))
    calculation_id = publish(nightly, DATE, 100.0, "run").calculation_id
    records = pd.DataFrame({"portfolio_id": ["A", "A"], "strategy": "s", "symbol": ["AAPL", "KO"], "quantity": [1.0, 2.0]})
    records = records.assign(entry_price=float("nan"), isolated_wallet=float("nan"))
    rejected = pd.DataFrame(columns=["source", "row_number", "column_name", "reason", "portfolio_id", "raw"])
    live.take_positions(nightly, calculation_id, "f" * 64, {"A": 100.0}, records, rejected, "positions.intraday.csv")
    found = live.books(nightly, calculation_id)
    assert found.records["symbol"].tolist() == ["AAPL", "KO"]
    assert found.records["entry_price"].isna().all()


@pytest.mark.parametrize("name", ["nightly", "keeper"])
def test_rows_of_the_audit_log_can_be_added_and_not_changed(empty, name):
    urls = with_user(empty, login(name))
    audit.record(urls, "something_done", details={"n": 1})
    for change in ("update margin_data.audit_log set event = 'x'", "delete from margin_data.audit_log", "truncate margin_data.audit_log"):
        with as_user(empty, name) as connection, pytest.raises(DENIED):
            connection.execute(change)
    (row,) = storage.execute(empty, "select actor, details from margin.audit_log where event = 'something_done'")
    assert row == (login(name), {"n": 1})


def test_the_pipeline_cannot_read_the_audit_log_and_an_auditor_verifies_it(empty):
    with as_user(empty, "nightly") as connection, pytest.raises(DENIED):
        connection.execute("select * from margin_data.audit_log")
    found = audit.verify(with_user(empty, login("eve")))
    assert found.broken is None
    assert found.rows >= 5
    assert len(audit.rows(with_user(empty, login("eve")), last=100)[1]) == found.rows


def test_who_granted_and_took_back_a_portfolio_is_in_the_audit_log(empty):
    with as_user(empty, "keeper") as connection:
        connection.execute("insert into margin_data.portfolio_access (role_name, portfolio_id) values (%s, 'B')", (login("nobody"),))
        connection.execute("delete from margin_data.portfolio_access where role_name = %s", (login("nobody"),))
    log = "select event, portfolio_id, details ->> 'role_name' from margin.audit_log where actor = %s order by audit_id"
    assert storage.execute(empty, log, (login("keeper"),)) == [
        ("access_granted", "B", login("nobody")),
        ("access_revoked", "B", login("nobody")),
    ]


def test_a_feed_upserts_marks_and_does_nothing_else(empty):
    upsert = (
        "insert into margin.live_marks (symbol, price, marked_at, source) values ('AAPL', %s, now(), 'feed') "
        "on conflict (symbol) do update set price = excluded.price, marked_at = excluded.marked_at, source = excluded.source"
    )
    with as_user(empty, "ticker") as connection:
        for price in (100.0, 101.0):
            connection.execute(upsert, (price,))
        assert connection.execute("select price, version > 1 from margin.live_marks").fetchall() == [(101.0, True)]
        for refused in (
            "delete from margin.live_marks",
            "update margin_data.live_marks set version = 0",
            "insert into margin_data.live_marks (symbol, price, version) values ('KO', 1, 0)",
            "select * from margin.positions",
            "select * from margin_data.prices",
            "select setval('margin_data.live_versions', 1)",
        ):
            with pytest.raises(DENIED):
                connection.execute(refused)


@pytest.fixture
def sql_copy(tmp_path, monkeypatch):
    """The SQL files in a folder that the test may add to."""
    shutil.copytree(migrations.sql_folder(), tmp_path / "sql")
    monkeypatch.setattr(migrations, "sql_folder", lambda: tmp_path / "sql")
    return tmp_path / "sql"


LATER = """
create table margin_data.later_figures (as_of date not null, calculation_id bigint not null, portfolio_id text not null)
  partition by range (as_of);
create table margin_data.later_secrets (n bigint);
create view margin.later_secrets as select * from margin_data.later_secrets;
create or replace view margin.portfolios as select t.* from margin_data.portfolios t
  join margin_data.published_tables p on p.as_of = t.as_of and p.calculation_id = t.calculation_id and p.table_name = 'portfolios';
insert into margin_data.later_secrets values (1);
"""


def test_what_a_later_migration_adds_is_shown_by_portfolio_or_closed(empty, sql_copy):
    publish(with_user(empty, login("nightly")), DATE, 100.0, "run")
    (sql_copy / "migrations" / "0098.later.sql").write_text(LATER)
    # By a member of the owner who is no superuser and owns no database.
    assert storage.upgrade(with_user(empty, login("keeper"))) == ["0098.later"]
    storage.execute(empty, "select margin_data.ensure_partitions(%s)", (DATE,))
    storage.execute(empty, "insert into margin_data.later_figures select %s, 1, p from unnest(array['A', 'B']) p", (DATE,))
    with as_user(empty, "ann") as connection:
        assert shown(connection, "margin_data.later_figures") == {"A"}
        # Views that a migration makes anew run with the rights of whoever asks again.
        assert shown(connection, "margin.portfolios") == {"A"}
        for closed in ("margin_data.later_secrets", "margin.later_secrets"):
            with pytest.raises(DENIED):
                connection.execute(f"select * from {closed}")
    owners = (
        "select distinct relowner::regrole::text from pg_class where relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace)"
    )
    assert storage.execute(empty, owners) == [("margin_owner",)]
    publish(with_user(empty, login("nightly")), DATE, 200.0, "after it")


def test_a_migration_that_ends_half_way_leaves_analysts_out_until_the_upgrade_is_done(empty, sql_copy):
    publish(with_user(empty, login("nightly")), DATE, 100.0, "run")
    (sql_copy / "migrations" / "0098.later.sql").write_text(LATER)
    (sql_copy / "migrations" / "0099.broken.sql").write_text("select nothing")
    with pytest.raises(StorageError, match=r"0099\.broken"):
        storage.upgrade(empty)
    with as_user(empty, "ann") as connection, pytest.raises(DENIED):
        connection.execute("select * from margin.portfolios")
    (sql_copy / "migrations" / "0099.broken.sql").unlink()
    assert storage.upgrade(empty) == []
    with as_user(empty, "ann") as connection:
        assert shown(connection, "margin.portfolios") == {"A"}


def test_an_upgrade_by_somebody_who_may_not_says_who_may(empty, sql_copy):
    (sql_copy / "migrations" / "0098.later.sql").write_text(LATER)
    for name in ("ann", "nightly"):
        with pytest.raises(StorageError, match="member of margin_owner") as refused:
            storage.upgrade(with_user(empty, login(name)))
        assert "\n" not in str(refused.value)
    (sql_copy / "migrations" / "0098.later.sql").unlink()
    for name in ("ann", "nightly", "eve"):
        assert storage.upgrade(with_user(empty, login(name))) == []


def test_roles_stay_out_of_databases_where_nobody_asked_for_them(fresh_database):
    storage.upgrade(fresh_database)
    assert storage.execute(fresh_database, "select count(*) from pg_policies") == [(0,)]
    assert storage.execute(fresh_database, "select count(*) from margin_data.roles_applied") == [(0,)]


def test_the_migration_of_roles_can_be_undone_where_they_are_in_force(empty):
    undone = storage.rollback(empty, "0027.intraday")
    assert undone[-1] == "0028.roles"
    assert storage.execute(empty, "select count(*) from pg_policies") == [(0,)]
    with as_user(empty, "ann") as connection, pytest.raises(DENIED):
        connection.execute("select * from margin_data.positions")
    assert storage.upgrade(empty) == undone[::-1]
    storage.apply_roles(empty)
    publish(with_user(empty, login("nightly")), DATE, 100.0, "run")
