"""Margin calls in the database: issued once, followed, met, withdrawn; and the date before. Not here: what is called."""

import datetime as dt

import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage.margin_calls import CallEvaluation

FIRST, SECOND = dt.date(2022, 12, 27), dt.date(2022, 12, 28)
CALL = {"portfolio_id": "P", "kind": "maintenance", "subject": "", "due_date": dt.date(2023, 1, 5), "amount": 100.0, "currency": "USD"}
FIGURES = {"special_memorandum_account": None, "buying_power": 0.0, "reference": "rule"}
NOTHING = {"issued": [], "seen": [], "met": [], "withdrawn": []}


@pytest.fixture
def calculation_id(publish, portfolios):
    return publish("run", {"portfolios": portfolios(1.0)}, FIRST).calculation_id


def apply(urls, as_of, calculation_id, **changes):
    with CallEvaluation(urls.libpq) as evaluation:
        evaluation.apply(as_of, calculation_id, **{**NOTHING, **changes})


def calls(urls):
    return storage.read_query(urls, "select * from margin.margin_calls order by portfolio_id, kind, as_of")


def test_a_call_is_issued_once_however_often_it_is_issued(empty_tables, calculation_id):
    for amount in (100.0, 100.0, 120.0):
        apply(empty_tables, FIRST, calculation_id, issued=[{**CALL, **FIGURES, "as_of": FIRST, "amount": amount}])
    found = calls(empty_tables)
    assert list(found["amount"]) == list(found["outstanding"]) == [120.0]


def test_a_call_is_met_the_next_day_and_may_open_again_when_that_day_is_calculated_anew(empty_tables, calculation_id):
    row = {**CALL, "as_of": FIRST}
    apply(empty_tables, FIRST, calculation_id, issued=[{**row, **FIGURES}])
    apply(empty_tables, SECOND, calculation_id, met=[row])
    assert list(calls(empty_tables)["met_as_of"].dt.date) == [SECOND]
    with CallEvaluation(empty_tables.libpq) as evaluation:
        assert [call["amount"] for call in evaluation.calls(SECOND)] == [100.0]
        assert evaluation.calls(dt.date(2022, 12, 29)) == []
    apply(empty_tables, SECOND, calculation_id, seen=[{**row, "outstanding": 30.0}])
    found = calls(empty_tables)
    assert found["met_at"].isna().all()
    assert list(found["outstanding"]) == [30.0]


def test_a_withdrawn_call_leaves_room_for_another(empty_tables, calculation_id):
    row = {**CALL, "as_of": FIRST}
    apply(empty_tables, FIRST, calculation_id, issued=[{**row, **FIGURES}])
    apply(empty_tables, FIRST, calculation_id, withdrawn=[row], issued=[{**row, **FIGURES, "due_date": dt.date(2023, 1, 6)}])
    assert list(calls(empty_tables)["withdrawn_at"].notna()) in ([True, False], [False, True])


def test_two_open_calls_of_a_kind_are_refused(empty_tables, calculation_id):
    rows = [{**CALL, **FIGURES, "as_of": FIRST}, {**CALL, **FIGURES, "as_of": FIRST, "due_date": dt.date(2023, 1, 6)}]
    with pytest.raises(psycopg.errors.UniqueViolation):
        apply(empty_tables, FIRST, calculation_id, issued=rows)
    assert calls(empty_tables).empty


def test_an_evaluation_that_dies_writes_nothing(empty_tables, calculation_id):
    evaluation = CallEvaluation(empty_tables.libpq).__enter__()
    evaluation.apply(FIRST, calculation_id, **{**NOTHING, "issued": [{**CALL, **FIGURES, "as_of": FIRST}]})
    evaluation.__exit__(KeyboardInterrupt, None, None)
    assert calls(empty_tables).empty


def test_the_date_before_is_the_newest_whole_one(empty_tables, publish, portfolios, calculation_id):
    publish("landed", {"portfolios": portfolios(2.0)}, dt.date(2022, 12, 29), scope="landing")
    assert storage.previous_calculation(empty_tables, FIRST) is None
    found = storage.previous_calculation(empty_tables, dt.date(2022, 12, 30))
    assert (found.as_of, found.calculation_id, found.tables) == (FIRST, calculation_id, {"portfolios"})
