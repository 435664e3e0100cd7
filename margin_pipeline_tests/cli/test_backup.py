"""`margin-pipeline backup` and `restore` as a drill: what was there is there again, and nothing else is ever touched.

Belongs here: the commands on real databases. Not here: which tools are chosen and what they say (storage/test_dump_tools).
"""

from __future__ import annotations

import datetime as dt
import json
import stat
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from margin_pipeline import cli, storage
from margin_pipeline.storage import alerts, audit, automation, backup, migrations
from margin_pipeline.storage.embedded import EmbeddedServer
from margin_pipeline.storage.urls import DatabaseUrls

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BEFORE, NEWEST = dt.date(2022, 11, 30), dt.date(2022, 12, 28)
# What a clock or the size of the database says is another thing in another place.
OF_THE_MOMENT = ("age_seconds", "seen_at", "database_bytes", "instant", "known_at")


def portfolios(equity):
    frame = pd.DataFrame({"portfolio_id": ["P", 'Ü, "quoted"'], "account_type": "reg_t", "equity": [equity, 100.0]})
    return frame.assign(base_currency="USD", jurisdiction="US", entity_type="hedge_fund")


def prices(close, date):
    frame = pd.DataFrame({"date": pd.Timestamp(date), "symbol": ["AAPL", "NA"], "close": [close, 1e-300], "adjusted_close": float("nan")})
    return frame.astype({"symbol": "str"})


def calculate(urls, run, date, figure):
    number = storage.begin(urls, date, run, "1", {"thresholds": {}})
    storage.write_table(urls, number, date, "portfolios", portfolios(figure))
    storage.write_table(urls, number, date, "prices", prices(figure, date))
    storage.record_content(urls, number, f"files of {run}")
    return number


def fill(urls):
    """Publish two dates, one of them twice; leave a calculation running; raise, clear and acknowledge alerts; stop automation."""
    for run, date, figure in (("a", BEFORE, 10.0), ("b", NEWEST, 0.1 + 0.2), ("c", NEWEST, 11.0)):
        number = calculate(urls, run, date, figure)
        storage.publish(urls, number, input_hash=run, scope="chain", expected_tables=["portfolios", "prices"])
    calculate(urls, "killed", NEWEST, 12.0)
    key = {"portfolio_id": "P", "kind": "utilization", "subject": "", "threshold": 0.8, "as_of": NEWEST}
    about = {"calculation_id": 3, "severity": "warning", "episode": 1, "observed": 0.81, "message": "P: 0.81"}
    with alerts.AlertEvaluation(urls.libpq) as evaluation:
        evaluation.apply([{**key, **about}, {**key, **about, "threshold": 0.9}], [])
    with alerts.AlertEvaluation(urls.libpq) as evaluation:
        evaluation.apply([], [{**key, "threshold": 0.9}])
    alerts.acknowledge(urls.libpq, 1, "Ada", "seen")
    alerts.mark_failed(urls.libpq, [{"alert_id": 1, "event": "raised"}], "desk", "no answer")
    automation.stop(urls.libpq, "Ada", "a drill")
    audit.record(urls, "noted", details={"text": "line\nbreak, ü"})


def answers(urls):
    """What every view of margin and every file of sql/queries gives, as text, rows in one order."""
    questions = {file.stem: file.read_text(encoding="utf-8").rstrip().rstrip(";") for file in sorted((ROOT / "sql/queries").glob("*.sql"))}
    without = "".join(f" - '{name}'" for name in OF_THE_MOMENT)
    found = {}
    with psycopg.connect(urls.libpq) as connection:
        names = connection.execute("select viewname from pg_views where schemaname = 'margin' order by 1").fetchall()
        questions |= {f"margin.{name}": f'select * from margin."{name}"' for (name,) in names}
        for name, question in questions.items():
            rows = connection.execute(f"select (to_jsonb(asked){without})::text from ({question}\n) asked order by 1").fetchall()
            # Ages and sizes stand in rows there.
            found[name] = [text for (text,) in rows if name != "margin.pipeline_metrics" or not ("seconds" in text or "bytes" in text)]
    return found


def storage_of_dagster(urls):
    """Stand in for what Dagster keeps: a table with a sequence."""
    with psycopg.connect(urls.dagster_libpq) as connection:
        connection.execute("create table if not exists kept (id bigserial primary key, body text)")
        connection.execute("insert into kept (body) select repeat('x', n) from generate_series(1, 500) n")


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    """Call the command on a database, or on the embedded server of a data folder; gives status, output and error stream."""

    def run(where, *arguments):
        if isinstance(where, DatabaseUrls):
            monkeypatch.setenv("MARGIN_DATABASE_URL", where.libpq)
            monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
        else:
            monkeypatch.delenv("MARGIN_DATABASE_URL", raising=False)
            monkeypatch.setenv("MARGIN_DATA_DIR", str(where))
        capsys.readouterr()
        status = cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def filled(fresh_database):
    """A database with rows of many kinds, and Dagster's beside it."""
    fill(fresh_database)
    with psycopg.connect(fresh_database.libpq, autocommit=True) as connection:
        connection.execute(f'create database "{psycopg.conninfo.conninfo_to_dict(fresh_database.dagster_libpq)["dbname"]}"')
    storage_of_dagster(fresh_database)
    yield fresh_database
    with psycopg.connect(fresh_database.libpq, autocommit=True) as connection:
        connection.execute(f'drop database "{psycopg.conninfo.conninfo_to_dict(fresh_database.dagster_libpq)["dbname"]}" with (force)')


@pytest.fixture
def made(filled, tmp_path):
    """A backup of the results."""
    return backup.backup(filled, tmp_path / "made", [backup.RESULTS])


def test_every_view_and_every_query_gives_the_same_after_a_restore(filled, bare_database, made):
    before = answers(filled)
    _, different = backup.restore(bare_database, made, [backup.RESULTS])
    after = answers(bare_database)
    assert different == []
    assert {name for name in before if before[name] != after[name]} == set()
    assert sum(map(len, before.values())) > 100
    found = audit.verify(bare_database, audit.verify(filled).last_hash)
    assert (found.broken, found.rows) == (None, audit.verify(filled).rows)
    # It is a database to go on with: numbers continue, keys and the log's protection hold.
    assert calculate(bare_database, "next", NEWEST, 13.0) == 5
    with psycopg.connect(bare_database.libpq) as connection, pytest.raises(psycopg.Error):
        connection.execute("delete from margin_data.audit_log")


def test_a_drill_into_an_empty_second_server(filled, call, tmp_path_factory, tmp_path):
    folder = tmp_path_factory.mktemp("second", numbered=True)
    folder.chmod(0o711)
    status, out, err = call(filled, "backup", "--to", tmp_path)
    assert (status, err) == (0, "")
    (made,) = tmp_path.glob("margin-*")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [path.name for path in sorted(made.iterdir())] == ["dagster.dump", "manifest.json", "results.dump"]
    assert list(tmp_path.glob(".*")) == []
    try:
        status, out, err = call(folder, "database", "restore", "--from", made, "--only", "results")
        assert (status, err) == (0, "")
        assert "calculation 4 was running at the time of the backup: given up" in out
        assert "restored what was there" in out
        assert "the newest published date is 2022-12-28" in out
        assert call(folder, "audit", "--verify")[0] == 0
        assert call(
            folder, "sql", "--format", "csv", "select figure from (select equity as figure from margin.portfolios) p order by 1 desc"
        )[1].split() == ["figure", "100.0", "100.0", "11.0", "10.0"]
        # Both parts are checked before either is touched.
        status, _, err = call(folder, "restore", "--from", made)
        assert (status, err.count("\n")) == (2, 1)
        assert "is not empty" in err
        status, _, err = call(folder, "restore", "--from", made, "--only", "dagster")
        assert (status, err) == (0, "")
        with psycopg.connect(EmbeddedServer(folder).start().dagster_libpq) as connection:
            assert connection.execute("select count(*), max(length(body)) from kept").fetchone() == (500, 500)
    finally:
        storage.connections.close_all()
        EmbeddedServer(folder).remove()


def test_roles_limit_who_sees_what_after_a_restore_too(filled, call, bare_database, tmp_path):
    migrations.apply_roles(filled)
    with psycopg.connect(filled.libpq, autocommit=True) as connection:
        connection.execute("create role kept_out nologin")
        connection.execute("create policy drill on margin_data.live_marks to kept_out using (false)")
        made = backup.backup(filled, tmp_path / "made", [backup.RESULTS])
        connection.execute("drop policy drill on margin_data.live_marks")
        connection.execute("drop role kept_out")
    status, out, err = call(bare_database, "restore", "--from", made, "--only", "results")
    assert (status, err) == (0, "")
    assert "roles and their rights: applied" in out
    rights = (
        "select has_schema_privilege('margin_analyst', 'margin', 'usage'), has_table_privilege('margin_auditor', log, 'select'), "
        "has_table_privilege('margin_analyst', log, 'select'), (select count(*) from pg_policy where polname <> 'drill') "
        "from (select 'margin_data.audit_log' as log) named"
    )
    assert storage.execute(bare_database, rights) == storage.execute(filled, rights)
    with psycopg.connect(bare_database.libpq, autocommit=True) as connection:
        connection.execute("drop policy drill on margin_data.live_marks")
        connection.execute("drop role kept_out")


def test_a_target_that_is_not_empty_is_refused_and_stays_as_it_is(filled, call, made, make_database):
    other = make_database()
    before = answers(other)
    status, out, err = call(other, "restore", "--from", made, "--only", "results")
    assert (status, out) == (2, "")
    assert "is not empty" in err
    assert "MARGIN_DATABASE_URL" in err
    assert err.count("\n") == 1
    assert answers(other) == before


def damaged(made, how):
    dump, manifest = made / "results.dump", made / "manifest.json"
    if how == "truncated":
        dump.write_bytes(dump.read_bytes()[:-1])
    elif how == "altered":
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
    elif how == "gone":
        dump.unlink()
    elif how == "no manifest":
        manifest.unlink()
    elif how == "half a manifest":
        manifest.write_text(manifest.read_text()[:-40])
    elif how == "a newer schema":
        content = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(content | {"migrations": [*content["migrations"], "9999.later"]}))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("truncated", "is damaged"),
        ("altered", "is damaged"),
        ("gone", "results.dump cannot be read"),
        ("no manifest", "is no backup"),
        ("half a manifest", "manifest.json cannot be read"),
        ("a newer schema", "it has 9999.later"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(call, made, bare_database, how, said):
    damaged(made, how)
    status, out, err = call(bare_database, "restore", "--from", made, "--only", "results")
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    backup.require_empty(bare_database)


def test_a_dump_that_cannot_be_restored_whole_leaves_the_database_empty(call, made, bare_database):
    # Its manifest is right: what is damaged was damaged before it was written.
    dump, manifest = made / "results.dump", made / "manifest.json"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 2 // 3])
    content = json.loads(manifest.read_text())
    content["databases"]["results"] |= {"bytes": dump.stat().st_size, "sha256": backup.backup_manifest.sha256(dump)}
    manifest.write_text(json.dumps(content))
    status, _, err = call(bare_database, "restore", "--from", made, "--only", "results")
    assert (status, err.count("\n")) == (2, 1)
    assert "pg_restore gave up" in err
    backup.require_empty(bare_database)


def test_a_restore_that_lost_rows_says_so(made, bare_database):
    manifest = made / "manifest.json"
    content = json.loads(manifest.read_text())
    content["databases"]["results"]["tables"]["margin_data.alerts"] += 1
    manifest.write_text(json.dumps(content))
    _, different = backup.restore(bare_database, made, [backup.RESULTS])
    assert different == ["results, table margin_data.alerts: 2 rows where the backup had 3"]


def test_a_backup_that_fails_is_not_there(filled, bare_database, call, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    for where, target, said in (
        (bare_database, tmp_path / "new", "holds no results yet"),
        (filled, tmp_path / "file", "is there already"),
        (filled, tmp_path / "no" / "such", "cannot be written"),
        (DatabaseUrls("postgresql://ann:secret@127.0.0.1:1/none", ""), tmp_path / "new", "cannot be reached"),
    ):
        status, _, err = call(where, "backup", "--to", target, "--only", "results")
        assert (status, err.count("\n")) == (2, 1), err
        assert said in err
        assert "secret" not in err
    assert not (tmp_path / "new").exists()
    assert list(tmp_path.glob(".*")) == []


def test_a_backup_is_one_moment_while_rows_are_added(filled, bare_database, tmp_path):
    # Begun before, committed after: neither the counts nor the dump may see it.
    with psycopg.connect(filled.libpq) as writer:
        writer.execute("insert into margin_data.live_marks (symbol, price) values ('AAPL', 1)")
        made = backup.backup(filled, tmp_path / "made", [backup.RESULTS])
    manifest, different = backup.restore(bare_database, made, [backup.RESULTS])
    assert different == []
    assert manifest.databases["results"].tables["margin_data.live_marks"] == 0
