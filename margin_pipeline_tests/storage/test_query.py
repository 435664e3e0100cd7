"""Statements that a person types. Not here: how rows are printed."""

import pytest

from margin_pipeline import storage
from margin_pipeline.storage import QuerySession, StorageError


@pytest.fixture
def session(database):
    with QuerySession(database) as opened:
        yield opened


def test_a_query_gives_columns_and_rows(session):
    found = session.run("select 1 as one, 'a%b' as text;")
    assert (list(found.columns), found.rows) == (["one", "text"], [(1, "a%b")])


@pytest.mark.parametrize(
    "statement",
    [
        "create table margin_data.mine (n bigint)",
        "delete from margin_data.prices",
        "select margin_data.ensure_partitions('2030-01-01')",
        "commit; create table margin_data.mine (n bigint)",
        "set transaction read write; delete from margin_data.prices",
        "select set_config('transaction_read_only', 'off', false)",
    ],
)
def test_nothing_can_be_changed_unless_asked_for(session, statement):
    with pytest.raises(StorageError):
        session.run(statement)
    assert session.run("select 1").rows == [(1,)]


@pytest.mark.parametrize("statement", ["set default_transaction_read_only = off", "set transaction read write", "commit"])
def test_a_statement_cannot_open_the_door_for_the_next(session, statement):
    session.run(statement)
    with pytest.raises(StorageError, match="--write"):
        session.run("create table margin_data.mine (n bigint)")


def test_with_write_changes_are_kept(database):
    with QuerySession(database, write=True) as session:
        assert session.run("create table public.mine (n bigint)").message == "CREATE TABLE"
        assert session.run("insert into public.mine values (1), (2)").message == "INSERT 0 2"
    assert storage.execute(database, "select count(*) from public.mine") == [(2,)]


def test_an_error_is_one_line_and_the_session_goes_on(session):
    with pytest.raises(StorageError, match="nowhere") as refused:
        session.run("select 1\nfrom nowhere")
    assert "\n" not in str(refused.value)
    assert session.run("select 2").rows == [(2,)]
