"""Publication: all tables of a date at once, repetitions not kept, nothing outdated carried over. Not here: loading."""

import datetime as dt
import threading

import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError

DATE = dt.date(2022, 12, 28)
NEXT = dt.date(2022, 12, 29)


def closes(urls, table="margin.prices"):
    return [row[0] for row in storage.execute(urls, f"select close from {table} order by date")]


def states(urls):
    return dict(storage.execute(urls, "select run_id, state from margin.calculations"))


def test_nothing_is_seen_before_publication_and_everything_after(empty_tables, calculate, prices):
    calculation_id = calculate("first", {"prices": prices({DATE: 10.0})})
    assert closes(empty_tables) == []
    published = storage.publish(empty_tables, calculation_id, input_hash="h", scope="chain", expected_tables=["prices"])
    assert (published.state, published.tables, published.row_counts) == ("published", {"prices": calculation_id}, {"prices": 1})
    assert closes(empty_tables) == [10.0]


def test_a_reader_never_sees_tables_of_two_calculations(empty_tables, publish, prices, portfolios):
    mixtures, seen, done = [], set(), threading.Event()

    def read():
        with psycopg.connect(empty_tables.libpq, autocommit=True) as connection:
            while not done.is_set():
                pair = connection.execute("select (select close from margin.prices), (select equity from margin.portfolios)").fetchone()
                seen.add(pair[0])
                if pair[0] != pair[1]:
                    mixtures.append(pair)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 13):
        publish(
            f"run {number}", {"prices": prices({DATE: float(number)}), "portfolios": portfolios(float(number))}, content=f"files {number}"
        )
    done.set()
    reader.join()
    assert mixtures == []
    assert len(seen) > 2


def test_a_new_calculation_supersedes_the_old_one_which_stays_readable(empty_tables, publish, prices):
    publish("first", {"prices": prices({DATE: 10.0})}, content="a")
    between = storage.execute(empty_tables, "select clock_timestamp()")[0][0]
    publish("second", {"prices": prices({DATE: 11.0})}, content="b")
    assert closes(empty_tables) == [11.0]
    assert states(empty_tables) == {"first": "superseded", "second": "published"}
    assert storage.known_at(empty_tables, between, DATE, "prices")["close"].tolist() == [10.0]
    assert storage.known_at(empty_tables, dt.datetime.now(dt.UTC), DATE, "prices")["close"].tolist() == [11.0]
    known = storage.execute(empty_tables, "select known_from, known_to from margin.calculations order by calculation_id")
    assert known[0][1] == known[1][0]
    assert known[1][1] is None


def test_nothing_was_known_before_the_first_publication(empty_tables, publish, prices):
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    publish("first", {"prices": prices({DATE: 10.0})})
    with pytest.raises(StorageError, match="was not published at"):
        storage.known_at(empty_tables, before, DATE, "prices")
    with pytest.raises(StorageError, match="no time zone"):
        storage.known_at(empty_tables, dt.datetime(2022, 12, 28), DATE, "prices")


def test_an_identical_repetition_is_not_kept(empty_tables, publish, prices):
    first = publish("first", {"prices": prices({DATE: 10.0})})
    again = publish("again", {"prices": prices({DATE: 10.0})})
    assert (again.state, again.calculation_id, again.tables) == ("repeated", first.calculation_id, first.tables)
    assert storage.execute(empty_tables, "select distinct calculation_id from margin_data.prices") == [(first.calculation_id,)]
    assert states(empty_tables) == {"first": "published", "again": "repeated"}


@pytest.mark.parametrize("change", [{"content": "others"}, {"code_version": "2"}, {"settings": {"compute": "mlx-cpu"}}])
def test_other_input_code_or_settings_are_no_repetition(publish, prices, change):
    publish("first", {"prices": prices({DATE: 10.0})})
    assert publish("again", {"prices": prices({DATE: 10.0})}, **change).state == "published"


def test_input_of_an_earlier_date_is_input_too(empty_tables, publish, calculate, prices):
    publish("first", {"prices": prices({NEXT: 10.0})}, as_of=NEXT)
    publish("earlier", {"prices": prices({DATE: 9.0})})
    assert publish("again", {"prices": prices({NEXT: 10.0})}, as_of=NEXT).state == "published"


def test_a_later_date_is_no_input(publish, prices):
    publish("first", {"prices": prices({DATE: 10.0})})
    publish("later", {"prices": prices({NEXT: 11.0})}, as_of=NEXT)
    assert publish("again", {"prices": prices({DATE: 10.0})}).state == "repeated"


def test_publishing_twice_changes_nothing(empty_tables, calculate, prices):
    calculation_id = calculate("first", {"prices": prices({DATE: 10.0})})
    once = storage.publish(empty_tables, calculation_id, input_hash="h", scope="chain", expected_tables=[])
    before = storage.execute(empty_tables, "select * from margin.calculations")
    assert storage.publish(empty_tables, calculation_id, input_hash="h", scope="chain", expected_tables=[]) == once
    assert storage.execute(empty_tables, "select * from margin.calculations") == before


def test_tables_that_were_not_written_are_carried_over(empty_tables, publish, prices, portfolios):
    first = publish("first", {"prices": prices({DATE: 10.0}), "portfolios": portfolios(1.0)})
    second = publish("second", {"portfolios": portfolios(2.0)}, content="others", expected=["prices", "portfolios"])
    assert second.tables == {"prices": first.calculation_id, "portfolios": second.calculation_id}
    third = publish("third", {"portfolios": portfolios(3.0)}, content="more")
    assert third.tables["prices"] == first.calculation_id
    assert closes(empty_tables) == [10.0]


def test_a_table_made_from_a_rewritten_one_is_not_carried_over(empty_tables, publish, prices, portfolios):
    publish("first", {"prices": prices({DATE: 10.0}), "portfolios": portfolios(1.0)})
    with pytest.raises(StorageError, match="portfolios of 2022-12-28 was made from the old prices"):
        publish("second", {"prices": prices({DATE: 11.0})}, content="others", downstream={"prices": {"portfolios"}})
    assert closes(empty_tables) == [10.0]


def test_a_chain_with_a_missing_table_is_not_published(empty_tables, publish, prices):
    with pytest.raises(StorageError, match="positions of 2022-12-28 has not been calculated"):
        publish("first", {"prices": prices({DATE: 10.0})}, expected=["prices", "positions"])
    assert closes(empty_tables) == []


def test_landing_alone_needs_no_other_table_and_the_chain_repeats_nothing_of_it(publish, prices, portfolios):
    assert publish("landing", {"prices": prices({DATE: 10.0})}, scope="landing", expected=["prices", "positions"]).state == "published"
    assert publish("chain", {"prices": prices({DATE: 10.0}), "portfolios": portfolios(1.0)}).state == "published"
    assert publish("landing again", {"prices": prices({DATE: 10.0})}, scope="landing").state == "repeated"


def test_results_of_the_same_files_do_not_give_way_to_landed_files_alone(empty_tables, publish, calculate, prices, portfolios):
    publish("chain", {"prices": prices({NEXT: 10.0}), "portfolios": portfolios(1.0)}, as_of=NEXT)
    # A run of another date lands this one, too, and sees more of earlier dates than its own run did.
    publish("earlier", {"prices": prices({DATE: 9.0})}, content="earlier files")
    assert publish("landing", {"prices": prices({NEXT: 10.0})}, as_of=NEXT, scope="landing").state == "repeated"
    assert storage.published_dates(empty_tables, "chain") == [DATE, NEXT]
    assert publish("corrected", {"prices": prices({NEXT: 11.0})}, as_of=NEXT, scope="landing", content="other").state == "published"


def test_what_was_carried_over_must_not_have_changed_meanwhile(empty_tables, publish, calculate, prices, portfolios):
    publish("first", {"prices": prices({DATE: 10.0}), "portfolios": portfolios(1.0)})
    slow = calculate("slow", {"portfolios": portfolios(3.0)}, content="slow files")
    publish("quick", {"prices": prices({DATE: 12.0}), "portfolios": portfolios(2.0)}, content="quick files")
    with pytest.raises(StorageError, match="another calculation of 2022-12-28 was published while this one ran"):
        storage.publish(empty_tables, slow, input_hash="h", scope="chain", expected_tables=[])
    assert closes(empty_tables) == [12.0]


def test_two_publications_of_a_date_at_once_leave_one_published(empty_tables, calculate, prices):
    ids = [calculate(f"run {number}", {"prices": prices({DATE: float(number)})}, content=f"files {number}") for number in range(1, 5)]
    how = {"scope": "chain", "expected_tables": ["prices"]}
    threads = [
        threading.Thread(target=storage.publish, args=(empty_tables, calculation_id), kwargs=how | {"input_hash": str(calculation_id)})
        for calculation_id in ids
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(states(empty_tables).values())
    assert sorted(found) == ["published", "superseded", "superseded", "superseded"]
    gaps = storage.execute(
        empty_tables,
        "select known_to, lead(known_from) over (order by known_from) from margin.calculations order by known_from",
    )
    assert all(known_to == following for known_to, following in gaps)


def test_a_calculation_that_was_given_up_cannot_be_published(empty_tables, calculate, prices):
    calculation_id = calculate("first", {"prices": prices({DATE: 10.0})})
    storage.abandon(empty_tables, calculation_id)
    with pytest.raises(StorageError, match="is abandoned"):
        storage.publish(empty_tables, calculation_id, input_hash="h", scope="chain", expected_tables=[])


def test_published_rows_cannot_be_discarded(empty_tables, publish, prices):
    published = publish("first", {"prices": prices({DATE: 10.0})})
    assert not storage.abandon(empty_tables, published.calculation_id)
    with pytest.raises(StorageError, match="its rows are kept"):
        storage.execute(empty_tables, "select margin_data.discard_rows(%s)", [published.calculation_id])


def test_published_content_and_dates_are_told(empty_tables, publish, prices):
    assert storage.published_content(empty_tables, DATE) is None
    publish("first", {"prices": prices({DATE: 10.0})}, content="abc")
    publish("next", {"prices": prices({NEXT: 10.0})}, as_of=NEXT, scope="landing")
    assert storage.published_content(empty_tables, DATE) == "abc"
    assert storage.published_dates(empty_tables) == [DATE, NEXT]
    assert storage.published_dates(empty_tables, "chain") == [DATE]
