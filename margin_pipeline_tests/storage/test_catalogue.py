"""What the catalogue tells, and that the schema explains itself. Not here: rows."""

import pytest

from margin_pipeline import storage
from margin_pipeline.storage import Column, StorageError


def test_columns_have_type_nullability_and_comment(database):
    found = {column.name: column for column in storage.columns(database, "position_margins")}
    assert found["maintenance_margin"].type == "double precision"
    assert found["maintenance_margin"].nullable
    assert "base currency" in found["maintenance_margin"].comment
    assert found["portfolio_id"] == Column("portfolio_id", "text", False, False, "Portfolio.")


def test_the_key_of_a_frame_is_the_tables_without_date_and_calculation(database):
    table = storage.columns(database, "prices")
    assert table.primary_key == ("as_of", "calculation_id", "date", "symbol")
    assert table.frame_key == ("date", "symbol")
    assert table.frame_names == ("date", "symbol", "close", "adjusted_close")


def test_the_tables_of_calculations_are_the_partitioned_ones(database):
    names = storage.table_names(database)
    assert {"positions", "prices", "portfolio_margins"} <= set(names)
    assert not {"calculations", "alerts", "view_files"} & set(names)


def test_an_unknown_table_says_what_to_do(database):
    with pytest.raises(StorageError, match="margin-pipeline database upgrade"):
        storage.columns(database, "nothing")


def test_every_table_and_view_has_a_comment(database):
    missing = storage.execute(
        database,
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname in ('margin', 'margin_data') and c.relkind in ('r', 'p', 'v', 'm') "
        "and not c.relispartition and obj_description(c.oid, 'pg_class') is null",
    )
    assert missing == []


def test_every_column_has_a_comment(database):
    missing = storage.execute(
        database,
        "select n.nspname, c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where n.nspname in ('margin', 'margin_data') and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition "
        "and col_description(c.oid, a.attnum) is null",
    )
    assert missing == []


def test_every_function_has_a_comment(database):
    missing = storage.execute(
        database,
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
        "where n.nspname in ('margin', 'margin_data') and obj_description(p.oid, 'pg_proc') is null",
    )
    assert missing == []


def test_every_stored_table_of_calculations_has_a_view(database):
    views = {name for (name,) in storage.execute(database, "select viewname from pg_views where schemaname = 'margin'")}
    assert set(storage.table_names(database)) <= views
