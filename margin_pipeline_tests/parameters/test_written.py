"""Parameter sets are given back as they were written, and stand in for the files while they should. Not here: storing them."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters import ParameterError, ParameterSet, in_force, reader, written
from margin_pipeline.parameters.stress import stress_rules

DATE = dt.date(2022, 12, 28)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(max_size=5).filter(lambda name: name != written.DATE)
LEAVES = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | FINITE | st.text(max_size=5) | st.dates()
VALUES = st.recursive(LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=3), max_leaves=6)


def of(values):
    return ParameterSet("rule", "1", dt.date(2022, 1, 1), "a paper", MappingProxyType(values))


def spelled(value):
    """Value with the types and the order of everything in it."""
    if isinstance(value, dict):
        return [(name, spelled(part)) for name, part in value.items()]
    return [spelled(part) for part in value] if isinstance(value, list) else repr(value)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_set_is_given_back_as_it_was_in_types_and_order(values):
    found = written.from_text(written.to_text(of(values)))
    assert found == of(values)
    assert spelled(dict(found.values)) == spelled(values)


@pytest.mark.parametrize("name", reader.names())
def test_every_shipped_set_is_given_back_as_it_was(name):
    shipped = in_force(name, DATE)
    found = written.from_text(written.to_text(shipped))
    assert found == shipped
    assert spelled(dict(found.values)) == spelled(dict(shipped.values))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {"$date": "x"}, dt.datetime(2022, 1, 1), {1, 2}])
def test_what_could_not_be_given_back_is_refused(value):
    with pytest.raises(ParameterError, match="rule:1"):
        written.to_text(of({"value": value}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "rule"}'])
def test_what_is_no_set_is_refused(text):
    with pytest.raises(ParameterError, match="this is no parameter set"):
        written.from_text(text)


def test_a_given_set_stands_in_for_its_file_and_for_no_other_while_it_should():
    shipped, others = in_force("finra", DATE), in_force("basel", DATE)
    given_set = ParameterSet("finra", "of old", DATE, "stored", shipped.values)
    with reader.replaced([given_set]):
        assert in_force("finra", DATE) is given_set
        assert in_force("basel", DATE) == others
        assert [found.version for found in reader.all_in_force(DATE) if found.name == "finra"] == ["of old"]
        with reader.replaced([]):
            assert in_force("finra", DATE) is given_set
    assert in_force("finra", DATE) == shipped


def test_the_shipped_set_is_back_after_an_error():
    shipped = in_force("finra", DATE)
    with pytest.raises(RuntimeError), reader.replaced([of({})]):
        raise RuntimeError
    assert in_force("finra", DATE) == shipped


def test_records_made_of_a_set_follow_it():
    shipped = in_force("stress_scenarios", DATE)
    name, scenario = min(shipped.values["scenarios"].items())
    half = dict(shipped.values) | {"scenarios": {name: scenario}}
    with reader.replaced([ParameterSet("stress_scenarios", "short", DATE, "stored", half)]):
        assert [found.name for found in stress_rules(DATE).scenarios] == [name]
    assert len(stress_rules(DATE).scenarios) == len(shipped.values["scenarios"]) > 1
