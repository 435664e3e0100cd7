"""Stress scenarios as data: the shipped file, and what is refused."""

import copy
import datetime as dt
from importlib import resources

import pytest
import yaml

from margin_pipeline.parameters.reader import ParameterError
from margin_pipeline.parameters.stress import rules_of, stress_rules

AS_OF = dt.date(2022, 12, 28)


@pytest.fixture(scope="module")
def shipped():
    text = (resources.files("margin_pipeline.parameters") / "data" / "stress_scenarios.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["versions"][-1]["values"]


def test_shipped_history_is_that_of_the_index_levels_it_names():
    found = {s.name: s for s in stress_rules(AS_OF).scenarios}
    levels = {"black_monday_1987": (282.70, 224.84), "financial_crisis_2008": (1251.70, 752.44), "pandemic_2020": (3386.15, 2237.40)}
    for name, (first, last) in levels.items():
        assert found[name].market == pytest.approx(last / first - 1, abs=5e-5)
        assert f"{first:.2f} to {last:.2f}" in found[name].source
    assert len(found) >= 10
    assert all(s.source and s.description and s.criteria.can_fail for s in found.values())


def changed(shipped, scenario, **entries):
    values = copy.deepcopy(shipped)
    values["scenarios"][scenario].update(entries)
    return values


@pytest.mark.parametrize(
    "entries",
    [
        {"market": -1.5},
        {"currencies": {"EUR": -1.0}},
        {"liquidity": {"default": 1.5}},
        {"weather": 1},
        {"pass_criteria": {"luck": 1}},
        {"pass_criteria": {"largest_loss_of_equity": None, "utilization_below": None, "requires_positive_equity": False}},
        {"volatility": {"by_term": [{"up_to_days": 30, "relative": 1}]}},
        {"volatility": {"by_term": [{"up_to_days": 90, "relative": 1}, {"up_to_days": 30, "relative": 1}, {"relative": 0}]}},
        {"replay": {"from": dt.date(2020, 3, 23), "to": dt.date(2020, 2, 19)}},
    ],
)
def test_scenarios_that_cannot_be_computed_or_failed_are_refused(shipped, entries):
    with pytest.raises(ParameterError):
        rules_of(changed(shipped, "market_crash", **entries), "test")


def test_no_scenario_at_all_is_refused(shipped):
    with pytest.raises(ParameterError):
        rules_of({**shipped, "scenarios": {}}, "test")


def test_user_rows_of_an_unknown_kind_are_refused():
    for row in (("s", "weather", "", 1.0), ("s", "sector", "", -0.1), ("s", "market", "SP500", -0.1)):
        with pytest.raises(ParameterError):
            stress_rules(AS_OF).with_user_scenarios([row])


def test_no_version_before_the_first():
    with pytest.raises(ParameterError):
        stress_rules(dt.date(1970, 1, 1))
