"""Live marks: any feed upserts them, the newer stands, changes are numbered as they are committed. Not here: margin at them."""

import datetime as dt
import threading

import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import connections, live

UPSERT = (
    "insert into margin.live_marks (symbol, price, marked_at, source) values (%s, %s, %s, 'feed') on conflict (symbol) do update "
    "set price = excluded.price, marked_at = excluded.marked_at, source = excluded.source"
)
NOON = dt.datetime(2023, 1, 4, 17, tzinfo=dt.UTC)


def mark(urls, symbol, price, minutes=0):
    with connections.connect(urls) as connection:
        connection.execute(UPSERT, (symbol, price, NOON + dt.timedelta(minutes=minutes)))


def rows(urls):
    return live.marks(urls).set_index("symbol")


def test_a_mark_that_is_older_than_the_one_that_stands_does_not_replace_it(empty_tables):
    mark(empty_tables, "A", 10.0, minutes=5)
    before = rows(empty_tables)
    mark(empty_tables, "A", 11.0, minutes=4)
    assert rows(empty_tables).equals(before)
    mark(empty_tables, "A", 12.0, minutes=5)
    assert (rows(empty_tables)["price"]["A"], rows(empty_tables)["version"]["A"]) > (11.0, before["version"]["A"])


def test_a_mark_that_confirms_the_price_is_no_change_but_makes_it_younger(empty_tables):
    mark(empty_tables, "A", 10.0)
    before = rows(empty_tables).loc["A"]
    mark(empty_tables, "A", 10.0, minutes=3)
    after = rows(empty_tables).loc["A"]
    assert (after["version"], after["marked_at"] - before["marked_at"]) == (before["version"], dt.timedelta(minutes=3))


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(empty_tables, price):
    with pytest.raises(psycopg.errors.CheckViolation):
        mark(empty_tables, "A", price)


def test_a_mark_from_the_future_is_refused_because_nothing_could_replace_it(empty_tables):
    with pytest.raises(psycopg.errors.RaiseException, match=r"mark of A .* lies in the future"), connections.connect(empty_tables) as open_:
        open_.execute(UPSERT, ("A", 1.0, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)))


def test_plain_sql_needs_nothing_but_symbol_and_price(empty_tables):
    storage.execute(empty_tables, "insert into margin.live_marks (symbol, price) values ('A', 1.5)")
    row = rows(empty_tables).loc["A"]
    assert (row["price"], row["version"] > 0, abs(row["marked_at"] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)) == (
        1.5,
        True,
        True,
    )


def test_a_change_that_is_committed_later_never_has_the_smaller_number(empty_tables):
    """Whoever has seen number n would miss a smaller one that is committed after it."""
    with psycopg.connect(empty_tables.libpq) as first:
        first.execute(UPSERT, ("A", 1.0, NOON))
        second = threading.Thread(target=mark, args=(empty_tables, "B", 2.0))
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert rows(empty_tables).empty
        first.commit()
    second.join(10)
    versions = rows(empty_tables)["version"]
    assert versions["A"] < versions["B"]


def test_nothing_published_is_nothing_to_look_at(empty_tables):
    mark(empty_tables, "A", 1.0)
    assert live.newest(empty_tables) is None
