"""The programs against exhaustive search."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.grouping.greedy import greedy_units
from margin_pipeline.margin.grouping.optimise import Program, solve


def program_of(columns, capacity, block=None):
    """Columns: (saving, {leg: use})."""
    block = [0] * len(columns) if block is None else block
    uses = [use for _, use in columns]
    return Program(
        saving=np.array([saving for saving, _ in columns], dtype=float),
        order=np.arange(len(columns)),
        units_joined=np.array([sum(use.values()) for use in uses]),
        block=np.array(block),
        start=np.concatenate([[0], np.cumsum([len(use) for use in uses])]).astype(int),
        leg=np.array([leg for use in uses for leg in use], dtype=int),
        use=np.array([u for use in uses for u in use.values()], dtype=float),
        capacity=np.array(capacity, dtype=float),
    )


def feasible(program, units):
    used = program.use * np.asarray(units, dtype=float)[program.candidate_of_entry()]
    used = np.bincount(program.leg, used, minlength=len(program.capacity))
    return bool((used <= program.capacity + 1e-9).all())


def exhaustive(program):
    ranges = [range(int(m) + 1) for m in program.most_units()]
    return max(float(program.saving @ units) for units in itertools.product(*ranges) if feasible(program, units))


def test_an_odd_cycle_needs_branching_and_is_solved_exactly():
    """Three legs, three pairs: the relaxation takes half of each and saves 15; whole units save 10."""
    cycle = program_of([(10, {0: 1, 1: 1}), (10, {1: 1, 2: 1}), (10, {0: 1, 2: 1})], [1, 1, 1])
    solution = solve(cycle, 1)
    assert cycle.saving @ solution.units == 10.0
    assert solution.bound.tolist() == [10.0]


def test_greedy_takes_the_best_first_and_can_lose():
    chain = program_of([(6, {0: 1, 2: 1}), (10, {0: 1, 3: 1}), (9, {1: 1, 3: 1})], [1, 1, 1, 1])
    assert greedy_units(chain).tolist() == [0.0, 1.0, 0.0]
    assert solve(chain, 1).units.tolist() == [1.0, 0.0, 1.0]


def test_ties_go_to_fewest_groups_then_to_the_order_given():
    pairs_or_four = program_of(
        [(5, {0: 1, 1: 1}), (5, {2: 1, 3: 1}), (10, {0: 1, 1: 1, 2: 1, 3: 1}), (5, {0: 1, 3: 1}), (5, {1: 1, 2: 1})], [3, 3, 3, 3]
    )
    assert solve(pairs_or_four, 1).units.tolist() == [0.0, 0.0, 3.0, 0.0, 0.0]
    either = program_of([(5, {0: 1, 1: 1}), (5, {0: 1, 2: 1})], [4, 4, 4])
    assert solve(either, 1).units.tolist() == [4.0, 0.0]


@st.composite
def programs(draw):
    blocks = draw(st.integers(1, 3))
    columns, block, capacity = [], [], []
    for b in range(blocks):
        legs = draw(st.integers(2, 4))
        first = len(capacity)
        capacity += draw(st.lists(st.integers(1, 3), min_size=legs, max_size=legs))
        for _ in range(draw(st.integers(1, 5))):
            chosen = draw(st.sets(st.integers(0, legs - 1), min_size=2, max_size=3))
            columns.append((draw(st.integers(0, 20)), {first + leg: draw(st.integers(1, 2)) for leg in sorted(chosen)}))
            block.append(b)
    return program_of(columns, capacity, block)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_the_optimum_is_that_of_exhaustive_search_in_every_block(program):
    blocks = int(program.block.max()) + 1
    solution = solve(program, blocks)
    assert feasible(program, solution.units)
    assert (solution.units == np.round(solution.units)).all()
    for block in range(blocks):
        own = np.flatnonzero(program.block == block)
        best = exhaustive(program.part(own))
        assert program.saving[own] @ solution.units[own] == pytest.approx(best)
        assert solution.bound[block] == pytest.approx(best)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_greedy_is_feasible_and_never_saves_more(program):
    units = greedy_units(program)
    assert feasible(program, units)
    assert program.saving @ units <= program.saving @ solve(program, int(program.block.max()) + 1).units + 1e-9
