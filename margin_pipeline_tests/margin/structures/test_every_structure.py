"""Every declared structure, held alone, is recognised under its name, and its parts and doubles behave as they must."""

import itertools
import json

import pytest

from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.margin.structures import COMPOSITES, STRUCTURES
from margin_pipeline.margin.structures.candidates import COMPARISONS
from margin_pipeline.margin.structures.catalogue import CALL, CONVERTIBLE, LONG, STOCK, WARRANT

SPOT = 100.0
STRIKES = (90.0, 95.0, 100.0, 105.0, 110.0)
SECURITY = {STOCK: "stock", CONVERTIBLE: "convertible", WARRANT: "warrant"}


def _terms(structure):
    """Strikes and expiries that meet the conditions, the first in the order of the list, each leg a series of its own."""
    options = [k for k, leg in enumerate(structure.legs) if leg.kind not in SECURITY]
    for expiry in itertools.product((0, 1), repeat=len(options)):
        for strike in itertools.product(STRIKES, repeat=len(options)):
            by_leg = {
                "strike": dict.fromkeys(range(len(structure.legs)), 0.0) | dict(zip(options, strike, strict=True)),
                "expiry": dict.fromkeys(range(len(structure.legs)), 9) | dict(zip(options, expiry, strict=True)),
            }
            if all(
                COMPARISONS[comparison](by_leg[field][a], by_leg[field][b])
                for field, a, comparison, b in structure.conditions
                if field != "american"
            ):
                yield by_leg


def legs_of(structure, units=1):
    """The legs of some units of a structure; options are priced at their intrinsic value and a little time value."""
    by_leg = next(_terms(structure))
    legs = []
    for k, leg in enumerate(structure.legs):
        if leg.kind in SECURITY:
            price = 3.0 if leg.kind == WARRANT else SPOT
            more = {"exercise": 90.0, "conversion_ratio": 1.0} if leg.kind == WARRANT else {}
            legs.append({"type": SECURITY[leg.kind], "quantity": 100 * leg.side * units, "price": price, **more})
            continue
        right, strike, expiry = "call" if leg.kind == CALL else "put", by_leg["strike"][k], by_leg["expiry"][k]
        intrinsic = max(SPOT - strike if right == "call" else strike - SPOT, 0.0)
        time_value = (2.0 + expiry) * (1 - abs(strike - SPOT) / 50)
        legs.append(
            {
                "type": "option",
                "right": right,
                "strike": strike,
                "expiry_index": expiry,
                "quantity": leg.side * leg.ratio * units,
                "price": round(intrinsic + time_value, 2),
            }
        )
    return legs


EVERY = pytest.mark.parametrize("structure", [*STRUCTURES, *COMPOSITES], ids=lambda s: s.name)


@EVERY
def test_it_is_one_group_under_its_name(structure, option_book):
    groups = group_positions(*option_book(legs_of(structure, 3), SPOT)).groups
    assert groups["structure"].tolist() == [structure.name]
    assert groups["units"].tolist() == [3.0]
    held = {leg["symbol"]: leg["quantity"] for leg in json.loads(groups["legs"].iloc[0])}
    assert sorted(held.values()) == sorted(float(leg["quantity"]) for leg in legs_of(structure, 3))


@EVERY
def test_it_needs_no_more_than_its_legs_apart_and_in_proportion_to_its_units(structure, option_book):
    one, three = (group_positions(*option_book(legs_of(structure, n), SPOT)).groups["maintenance_margin"].sum() for n in (1, 3))
    assert three == pytest.approx(3 * one)
    apart = sum(group_positions(*option_book([leg], SPOT)).groups["maintenance_margin"].sum() for leg in legs_of(structure))
    assert one <= apart + 1e-9


@pytest.mark.parametrize("structure", COMPOSITES, ids=lambda s: s.name)
def test_a_composite_needs_what_its_parts_need(structure, option_book):
    groups = group_positions(*option_book(legs_of(structure, 2), SPOT)).groups
    parts = json.loads(groups["explanation"].iloc[0])["parts"]
    assert [part["structure"] for part in parts] in [[name for name, _ in alternative] for alternative in structure.parts]
    assert 2 * sum(part["maintenance_a_unit"] for part in parts) == pytest.approx(groups["maintenance_margin"].iloc[0])


@pytest.mark.parametrize("structure", COMPOSITES, ids=lambda s: s.name)
def test_the_parts_of_a_composite_take_all_its_legs(structure):
    known = {s.name: s for s in STRUCTURES}
    for alternative in structure.parts:
        taken = [0] * len(structure.legs)
        for name, slots in alternative:
            for position, slot in enumerate(slots):
                taken[slot] += known[name].legs[position].ratio if name in known else 1
                side = known[name].legs[position].side if name in known else (LONG if name == "long_option" else -LONG)
                assert side == structure.legs[slot].side
        assert taken == [leg.ratio for leg in structure.legs]
