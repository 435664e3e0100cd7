"""Opening the databases of a command. Not here: the embedded server itself."""

import shutil
import tempfile
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy

from margin_pipeline import storage
from margin_pipeline.storage import StorageError
from margin_pipeline.storage.urls import DatabaseUrls, database_name, with_database


@pytest.fixture
def data_dir():
    folder = Path(tempfile.mkdtemp(prefix="margin-session-"))
    folder.chmod(0o711)
    yield folder
    storage.EmbeddedServer(folder).remove()
    shutil.rmtree(folder)


def test_without_a_url_the_embedded_server_is_up_to_date_inside_and_down_after(data_dir):
    with storage.open_database(data_dir, None, None) as urls:
        assert all(migration.applied_at for migration in storage.status(urls))
        assert storage.database_urls(data_dir, None, None) == urls
        assert storage.read_query(urls, "select * from margin.calculations").empty
    assert not storage.EmbeddedServer(data_dir).is_running()


def test_dagsters_database_is_made_on_a_server_of_somebody_else(bare_database, tmp_path):
    with storage.open_database(tmp_path, bare_database.libpq, None) as urls:
        assert storage.execute(storage.DatabaseUrls(urls.dagster_libpq, ""), "select current_database()")[0][0].endswith("_dagster")
        storage.execute(urls, "select 1 from margin.calculations")
    name = urls.dagster_libpq.partition("?")[0].rpartition("/")[2]
    with storage.QuerySession(bare_database, write=True) as session:
        session._connection.autocommit = True
        session.run(f'drop database "{name}" with (force)')


def test_a_user_who_may_not_make_dagsters_database_is_told(bare_database, tmp_path):
    storage.execute(bare_database, "drop role if exists visitor")
    storage.execute(bare_database, "create role visitor login")
    url = bare_database.libpq.replace("postgres@", "visitor@")
    with pytest.raises(StorageError, match="MARGIN_DAGSTER_DATABASE_URL"), storage.open_database(tmp_path, url, None):
        pass
    storage.execute(bare_database, "drop role visitor")


def test_a_database_that_is_not_there_is_said_without_the_password(bare_database, tmp_path):
    url = with_database(bare_database.libpq, "nowhere").replace("postgres@", "postgres:secret@")
    with pytest.raises(StorageError, match="nowhere") as refused, storage.open_database(tmp_path, url, None):
        pass
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="MARGIN_DATA_DIR"), storage.open_database(tmp_path / "file" / "data", None, None):
        pass


def test_tables_of_dagster_that_were_not_all_made_are_made_anew_unless_runs_are_recorded(bare_database):
    urls = DatabaseUrls(bare_database.libpq, bare_database.libpq)
    tables = {"runs", "event_logs", "concurrency_slots"}

    def there():
        return {name for (name,) in storage.execute(urls, "select tablename from pg_tables where schemaname = 'public'")}

    def make(*names):
        for name in names:
            storage.execute(urls, f"create table {name} (id bigint)")

    assert not storage.forget_half_made(urls, tables)
    make("runs", "event_logs", "of_somebody_else")
    assert storage.forget_half_made(urls, tables)
    assert there() == {"of_somebody_else"}
    # The version is written last.
    make(*tables, "alembic_version")
    assert storage.forget_half_made(urls, tables)
    make(*tables, "alembic_version")
    storage.execute(urls, "insert into alembic_version values (1)")
    assert not storage.forget_half_made(urls, tables)
    storage.execute(urls, "drop table concurrency_slots")
    storage.execute(urls, "insert into runs values (1)")
    assert not storage.forget_half_made(urls, tables)
    assert {"runs", "event_logs"} <= there()


def test_a_connection_that_is_ended_is_told_from_a_mistake(fresh_database):
    engine = sqlalchemy.create_engine(
        with_database(fresh_database.dagster, database_name(fresh_database.libpq)), poolclass=sqlalchemy.pool.NullPool
    )
    with engine.connect() as connection:
        with pytest.raises(sqlalchemy.exc.DBAPIError) as mistake:
            connection.execute(sqlalchemy.text("select 1 / 0"))
        connection.rollback()
        (number,) = connection.execute(sqlalchemy.text("select pg_backend_pid()")).one()
        storage.execute(fresh_database, f"select pg_terminate_backend({number})")
        with pytest.raises(sqlalchemy.exc.DBAPIError) as ended:
            connection.execute(sqlalchemy.text("select 1"))
    assert (storage.is_lost_connection(mistake.value), storage.is_lost_connection(ended.value)) == (False, True)


@pytest.mark.parametrize(
    "said", ["server closed the connection unexpectedly", "error with status PGRES_TUPLES_OK and no message from the libpq"]
)
def test_a_connection_that_ends_within_an_answer_is_lost(said):
    """What psycopg2 raises when the server is killed while it answers: its base class, without a code of the server."""
    assert storage.is_lost_connection(sqlalchemy.exc.DatabaseError("select 1", {}, psycopg2.DatabaseError(said)))
    assert not storage.is_lost_connection(ValueError(said))
