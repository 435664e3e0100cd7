"""The declared structures themselves."""

import pytest

from margin_pipeline.margin.grouping.explanations import SINGLE_RULES
from margin_pipeline.margin.structures import SINGLES, STRUCTURES
from margin_pipeline.margin.structures.catalogue import CALL, STOCK
from margin_pipeline.margin.structures.requirements import REQUIREMENTS


def test_names_are_distinct():
    assert len({s.name for s in STRUCTURES} | set(SINGLES.values())) == len(STRUCTURES) + len(set(SINGLES.values()))


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.name)
def test_every_structure_names_a_known_requirement_and_a_rule(structure):
    assert structure.requirement in REQUIREMENTS
    assert structure.reference
    assert all(max(a, b) < len(structure.legs) for _, a, _, b in structure.conditions)


@pytest.mark.parametrize("structure", [s for s in STRUCTURES if s.requirement == "maximum_loss"], ids=lambda s: s.name)
def test_what_is_margined_at_its_maximum_loss_has_one(structure):
    assert sum(leg.side * leg.ratio for leg in structure.legs if leg.kind == CALL) >= 0
    assert all(leg.kind != STOCK for leg in structure.legs)


@pytest.mark.parametrize("structure", [s for s in STRUCTURES if s.legs[0].kind == STOCK], ids=lambda s: s.name)
def test_stock_comes_first_and_once(structure):
    assert sum(leg.kind == STOCK for leg in structure.legs) == 1


def test_every_single_leg_has_a_rule_in_words():
    assert set(SINGLES.values()) == set(SINGLE_RULES)
