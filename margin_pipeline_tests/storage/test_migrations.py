"""Migrations: applied once, reversible, under a lock that a killed process cannot keep. Not here: what they define."""

import shutil
import threading

import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError, migrations

pytestmark = pytest.mark.slow

EVERYTHING = """
select n.nspname, c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       col_description(c.oid, a.attnum)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where n.nspname in ('margin', 'margin_data') and c.relkind <> 'i' order by 1, 2, 3, a.attnum
"""


def test_every_migration_is_reversible_and_none_prints_a_result(bare_database, capsys):
    names = storage.upgrade(bare_database)
    before = storage.execute(bare_database, EVERYTHING)
    assert storage.rollback(bare_database) == names[::-1]
    assert storage.execute(bare_database, "select nspname from pg_namespace where nspname like 'margin%'") == []
    assert storage.upgrade(bare_database) == names
    assert storage.execute(bare_database, EVERYTHING) == before
    # What a query gives would be printed, in the middle of what a command prints.
    assert capsys.readouterr().out == ""


NEWEST = 4
"""Migrations that are undone and applied again one by one; all older ones on one way down and up, which need not be gone 400 times."""


def test_each_migration_alone_is_reversible(bare_database):
    names = storage.upgrade(bare_database)
    before = storage.execute(bare_database, EVERYTHING)
    for kept in range(len(names) - 1, len(names) - 1 - NEWEST, -1):
        assert storage.rollback(bare_database, names[kept - 1]) == names[kept:][::-1]
        assert storage.upgrade(bare_database) == names[kept:]
        assert storage.execute(bare_database, EVERYTHING) == before
    for kept in range(len(names) - 1, 0, -1):
        assert storage.rollback(bare_database, names[kept - 1]) == [names[kept]]
    assert storage.upgrade(bare_database) == names[1:]
    assert storage.execute(bare_database, EVERYTHING) == before


def test_an_upgraded_database_needs_nothing(database):
    assert storage.upgrade(database) == []
    assert all(migration.applied_at and migration.known for migration in storage.status(database))


def test_two_commands_at_once_apply_each_migration_once(bare_database):
    applied = []
    threads = [threading.Thread(target=lambda: applied.append(storage.upgrade(bare_database))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, applied)) == [0, 0, len(migrations.known_names())]


def test_a_lock_row_left_by_a_killed_yoyo_does_not_block(bare_database):
    storage.upgrade(bare_database)
    storage.rollback(bare_database, migrations.known_names()[-2])
    storage.execute(bare_database, "insert into yoyo_lock (locked, ctime, pid) values (1, now(), 1)")
    assert storage.upgrade(bare_database) == migrations.known_names()[-1:]


def test_a_database_of_a_newer_version_is_not_touched(bare_database):
    storage.upgrade(bare_database)
    storage.execute(
        bare_database, "insert into _yoyo_migration (migration_hash, migration_id, applied_at_utc) values ('x', '9999.future', now())"
    )
    with pytest.raises(StorageError, match=r"newer version \(it has 9999\.future\)"):
        storage.upgrade(bare_database)
    assert not storage.status(bare_database)[-1].known


def test_an_unknown_migration_to_go_back_to_is_named(database):
    with pytest.raises(StorageError, match="there is no migration 0000"):
        storage.rollback(database, "0000")


@pytest.fixture
def sql_copy(tmp_path, monkeypatch):
    """The SQL files in a folder that the test may change."""
    shutil.copytree(migrations.sql_folder() / "migrations", tmp_path / "migrations")
    (tmp_path / "views").mkdir()
    monkeypatch.setattr(migrations, "sql_folder", lambda: tmp_path)
    return tmp_path


def test_changed_view_files_are_applied_again(bare_database, sql_copy):
    base, upon = sql_copy / "views" / "a.sql", sql_copy / "views" / "b.sql"
    base.write_text("create or replace view margin.first_view as select 1 as one")
    upon.write_text("create or replace view margin.second_view as select one from margin.first_view")
    storage.upgrade(bare_database)
    assert storage.execute(bare_database, "select one from margin.second_view") == [(1,)]
    base.write_text("create or replace view margin.first_view as select 2::bigint as one, 3 as three")
    storage.upgrade(bare_database)
    assert storage.execute(bare_database, "select one from margin.second_view") == [(2,)]
    upon.unlink()
    storage.upgrade(bare_database)
    assert storage.execute(bare_database, "select to_regclass('margin.second_view')") == [(None,)]


def test_a_view_file_that_cannot_be_applied_leaves_the_views_that_were_there(bare_database, sql_copy):
    file = sql_copy / "views" / "a.sql"
    file.write_text("create or replace view margin.first_view as select 1 as one")
    storage.upgrade(bare_database)
    file.write_text("create or replace view margin.first_view as select nothing")
    with pytest.raises(StorageError, match=r"sql/views/a\.sql"):
        storage.upgrade(bare_database)
    assert storage.execute(bare_database, "select one from margin.first_view") == [(1,)]


def test_a_view_of_a_users_own_is_not_dropped_with_ours(bare_database, sql_copy):
    file = sql_copy / "views" / "a.sql"
    file.write_text("create or replace view margin.first_view as select 1 as one")
    storage.upgrade(bare_database)
    storage.execute(bare_database, "create view public.of_mine as select one from margin.first_view")
    file.write_text("create or replace view margin.first_view as select 2 as one")
    with pytest.raises(StorageError, match="of_mine"):
        storage.upgrade(bare_database)
    assert storage.execute(bare_database, "select one from public.of_mine") == [(1,)]


def test_a_migration_that_fails_is_named_and_leaves_nothing(bare_database, sql_copy):
    storage.upgrade(bare_database)
    (sql_copy / "migrations" / "0099.broken.sql").write_text("create table margin_data.half (n bigint);\nselect nothing;")
    with pytest.raises(StorageError, match=r"migration 0099\.broken cannot be applied: .*nothing"):
        storage.upgrade(bare_database)
    assert storage.execute(bare_database, "select to_regclass('margin_data.half')") == [(None,)]


def test_the_lock_goes_with_its_session(bare_database):
    held = psycopg.connect(bare_database.libpq, autocommit=True)
    held.execute("select pg_advisory_lock(%s)", (migrations._LOCK,))
    thread = threading.Thread(target=storage.upgrade, args=(bare_database,))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    held.close()
    thread.join(20)
    assert not thread.is_alive()
