"""Cheapest collateral, on small books worked by hand, against a grid of allocations, and by properties of the program."""

from __future__ import annotations

import datetime as dt
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.collateral import collateral_tables

AS_OF = dt.date(2022, 12, 28)
NO_REJECTIONS = pd.DataFrame(columns=["source", "row_number", "reason", "portfolio_id", "raw"])


def book(assets, requirements, terms, rejected=NO_REJECTIONS, usd_rates=(("EUR", 1.25),)):
    """Frames of portfolio P in US dollars.

    assets: name → (type, issuer, currency, value, cost); requirements: name → (amount, currency); terms: (requirement, type) → (haircut,
    fx_haircut, limit).
    """
    held = [("P", name, *of) for name, of in assets.items()]
    owned = ["portfolio_id", "asset", "asset_type", "issuer", "currency", "market_value", "carry_cost"]
    asked = [(name, "P", *of) for name, of in requirements.items()]
    accepted = [(*key, *of) for key, of in terms.items()]
    rates = pd.DataFrame(usd_rates, columns=["currency", "usd_rate"]).assign(date=pd.Timestamp(AS_OF))
    return {
        "collateral": pd.DataFrame(held, columns=owned),
        "collateral_requirements": pd.DataFrame(asked, columns=["requirement_id", "portfolio_id", "amount", "currency"]),
        "collateral_eligibility": pd.DataFrame(
            accepted, columns=["requirement_id", "asset_type", "haircut", "fx_haircut", "concentration_limit"]
        ).astype({"haircut": float, "fx_haircut": float, "concentration_limit": float}),
        "portfolios": pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]}),
        "fx_rates": rates,
        "rejected_rows": rejected,
    }


def allocated(frames, **options):
    return collateral_tables(**frames, as_of=AS_OF, **options)


def given_of(found):
    return found.allocations.set_index(["requirement_id", "asset"])["market_value"].to_dict()


CASH, BOND = ("cash", None, "USD", 100.0, 0.05), ("bond", "I", "USD", 100.0, 0.01)
FREE = (0.0, np.nan, np.nan)


def test_the_cheaper_asset_goes_first_and_its_haircut_counts():
    """80 asked: bonds of 100 at 10 % cover 80 with 88.89 at 1 %; cash would cost 5 %."""
    found = allocated(book({"CASH": CASH, "BOND": BOND}, {"R": (80.0, "USD")}, {("R", "cash"): FREE, ("R", "bond"): (0.1, np.nan, np.nan)}))
    row = found.allocations.iloc[0]
    assert (row["asset"], row["allocated_value"], row["haircut"]) == ("BOND", 80.0, pytest.approx(0.1))
    assert row["market_value"] == pytest.approx(80 / 0.9)
    assert row["cost"] == pytest.approx(80 / 0.9 * 0.01)
    assert found.summaries["marginal_cost"][0] == pytest.approx(0.01 / 0.9)
    assert found.summaries["status"][0] == "covered"


def test_a_haircut_may_make_the_cheaper_asset_the_dearer_one():
    """A unit covered costs 0.02 / (1 - 0.6) = 0.05 by the bond, 0.04 by cash."""
    assets = {"CASH": ("cash", None, "USD", 100.0, 0.04), "BOND": ("bond", None, "USD", 100.0, 0.02)}
    found = allocated(book(assets, {"R": (30.0, "USD")}, {("R", "cash"): FREE, ("R", "bond"): (0.6, np.nan, np.nan)}))
    assert given_of(found) == {("R", "CASH"): 30.0}


def test_an_asset_that_only_one_requirement_accepts_is_left_to_it():
    """Greedily R1 would take the cheap bond, and R2, which accepts nothing else, would be short."""
    terms = {("R1", "bond"): FREE, ("R1", "cash"): FREE, ("R2", "bond"): FREE}
    found = allocated(book({"CASH": CASH, "BOND": BOND}, {"R1": (100.0, "USD"), "R2": (100.0, "USD")}, terms))
    assert given_of(found) == {("R1", "CASH"): 100.0, ("R2", "BOND"): 100.0}
    assert found.summaries["shortfall"].tolist() == [0.0, 0.0]


def test_another_currency_takes_its_own_haircut_on_top():
    """EUR 40 are USD 50; 1 - 0.02 - 0.08 of them count: 45 of the 45 asked."""
    assets = {"BUND": ("bond", "Germany", "EUR", 40.0, 0.01)}
    found = allocated(book(assets, {"R": (45.0, "USD")}, {("R", "bond"): (0.02, 0.08, np.nan)}))
    assert found.allocations["market_value"][0] == pytest.approx(50.0)
    assert found.summaries[["status", "shortfall"]].iloc[0].tolist() == ["covered", 0.0]


def test_another_currency_without_its_haircut_is_not_accepted():
    assets = {"BUND": ("bond", "Germany", "EUR", 400.0, 0.01)}
    found = allocated(book(assets, {"R": (45.0, "USD")}, {("R", "bond"): (0.02, np.nan, np.nan)}))
    assert found.allocations.empty
    assert found.summaries[["status", "shortfall"]].iloc[0].tolist() == ["short", 45.0]


def test_a_requirement_in_the_currency_of_the_asset_takes_no_currency_haircut():
    found = allocated(book({"BUND": ("bond", None, "EUR", 40.0, 0.01)}, {"R": (36.0, "EUR")}, {("R", "bond"): (0.1, 0.08, np.nan)}))
    assert found.summaries[["requirement", "shortfall"]].iloc[0].tolist() == [45.0, 0.0]


def test_a_type_covers_no_more_than_its_limit_after_haircuts():
    terms = {("R", "cash"): FREE, ("R", "bond"): (0.1, np.nan, 0.5)}
    found = allocated(book({"CASH": CASH, "BOND": BOND}, {"R": (100.0, "USD")}, terms))
    assert found.allocations.set_index("asset")["allocated_value"].to_dict() == {"BOND": pytest.approx(50.0), "CASH": pytest.approx(50.0)}
    limit = json.loads(found.summaries["binding_limits"][0])[0]
    assert (limit["limit_of"], limit["name"], limit["limit"]) == ("asset_type", "bond", 0.5)
    assert limit["value"] == pytest.approx(0.05 - 0.01 / 0.9)


def test_one_issuer_covers_no_more_than_the_greatest_limit_of_its_types():
    """Bonds and shares of I may be half and 0.3 of the requirement each, but I at most half."""
    assets = {"B": ("bond", "I", "USD", 100.0, 0.01), "E": ("equity", "I", "USD", 100.0, 0.02), "C": CASH}
    terms = {("R", "bond"): (0.0, np.nan, 0.5), ("R", "equity"): (0.0, np.nan, 0.3), ("R", "cash"): FREE}
    found = allocated(book(assets, {"R": (100.0, "USD")}, terms)).allocations.set_index("asset")["allocated_value"]
    assert found["B"] + found.get("E", 0.0) == pytest.approx(50.0)
    assert found["C"] == pytest.approx(50.0)


def test_what_cannot_be_covered_is_the_least_possible_and_the_rest_is_cheapest():
    terms = {("R1", "cash"): FREE, ("R2", "cash"): FREE, ("R2", "bond"): (0.2, np.nan, np.nan)}
    found = allocated(book({"CASH": CASH, "BOND": BOND}, {"R1": (100.0, "USD"), "R2": (100.0, "USD")}, terms))
    rows = found.summaries.set_index("requirement_id")
    assert rows["shortfall"].sum() == pytest.approx(20.0)
    assert set(rows.loc[rows["shortfall"] > 0, "status"]) == {"short"}
    assert found.allocations["market_value"].sum() == pytest.approx(200.0)
    assert rows["marginal_cost"].isna().all()


def test_a_requirement_that_accepts_nothing_is_short_of_all_of_it():
    found = allocated(book({"CASH": CASH}, {"R": (10.0, "USD")}, {}))
    assert found.summaries[["status", "shortfall", "allocated_value"]].iloc[0].tolist() == ["short", 10.0, 0.0]


def test_without_an_exchange_rate_a_requirement_is_undetermined_and_an_asset_is_not_used():
    assets = {"CASH": CASH, "YEN": ("cash", None, "JPY", 1e6, 0.0)}
    found = allocated(
        book(assets, {"R1": (10.0, "JPY"), "R2": (10.0, "USD")}, {("R1", "cash"): (0, 0, np.nan), ("R2", "cash"): (0, 0, np.nan)})
    )
    rows = found.summaries.set_index("requirement_id")
    assert rows.loc["R1", "status"] == "undetermined"
    assert "exchange rate of JPY" in rows.loc["R1", "missing"]
    assert np.isnan(rows.loc["R1", "shortfall"])
    assert given_of(found) == {("R2", "CASH"): 10.0}
    assert "YEN" in json.loads(rows.loc["R2", "explanation"])["not_valued"][0]


def test_a_rejected_requirement_is_undetermined_and_not_forgotten():
    rejected = pd.DataFrame(
        [("collateral_requirements.csv", 3, '"ten" is not a number', "P", '{"requirement_id": "R9", "portfolio_id": "P"}')],
        columns=NO_REJECTIONS.columns,
    )
    found = allocated(book({"CASH": CASH}, {"R": (10.0, "USD")}, {("R", "cash"): FREE}, rejected))
    rows = found.summaries.set_index("requirement_id")
    assert rows.loc["R9", "status"] == "undetermined"
    assert "row 3" in rows.loc["R9", "missing"]


def test_collateral_of_one_portfolio_does_not_cover_another():
    frames = book({"CASH": CASH}, {"R": (10.0, "USD")}, {("R", "cash"): FREE})
    frames["collateral"] = frames["collateral"].assign(portfolio_id="Q")
    frames["portfolios"] = pd.DataFrame({"portfolio_id": ["P", "Q"], "base_currency": "USD"})
    assert allocated(frames).summaries["shortfall"].tolist() == [10.0]


def test_an_asset_that_earns_its_keep_is_given_no_more_of_than_is_asked():
    found = allocated(book({"CASH": ("cash", None, "USD", 100.0, -0.01)}, {"R": (40.0, "USD")}, {("R", "cash"): FREE}))
    assert found.allocations["allocated_value"].tolist() == [40.0]


# What the program may hold: three assets of whole tens, two requirements, haircuts that keep tens whole enough for a grid.
ASSETS = st.fixed_dictionaries(
    {name: st.tuples(st.sampled_from(["cash", "bond", "equity"]), st.sampled_from(["I", "J", None]), st.just("USD"),
                     st.sampled_from([0.0, 20.0, 40.0]), st.sampled_from([0.01, 0.02, 0.03, 0.05])) for name in "ABC"}
)  # fmt: skip
AMOUNTS = st.fixed_dictionaries({name: st.tuples(st.sampled_from([10.0, 20.0, 40.0]), st.just("USD")) for name in ("R1", "R2")})
TERMS = st.dictionaries(
    st.tuples(st.sampled_from(["R1", "R2"]), st.sampled_from(["cash", "bond", "equity"])),
    st.tuples(st.sampled_from([0.0, 0.5]), st.just(np.nan), st.sampled_from([np.nan, 0.5])),
    max_size=6,
)


def best_on_the_grid(assets, requirements, terms):
    """Least shortfall and least cost of allocations on a grid of market values, limits of types and issuers kept."""
    pairs = [(a, r) for a in assets for r in requirements if (r, assets[a][0]) in terms and assets[a][3] > 0]
    best = (sum(amount for amount, _ in requirements.values()), 0.0)
    steps = [np.arange(0.0, assets[a][3] + 1e-9, {0: 5.0, 1: 5.0, 2: 5.0, 3: 10.0}.get(len(pairs), 20.0)) for a, _ in pairs]
    for values in itertools.product(*steps):
        given = dict(zip(pairs, values, strict=True))
        if any(sum(v for (b, _), v in given.items() if b == a) > assets[a][3] + 1e-9 for a in assets):
            continue
        covered = {pair: v * (1 - terms[pair[1], assets[pair[0]][0]][0]) for pair, v in given.items()}
        short, admissible = 0.0, True
        for r, (amount, _) in requirements.items():
            total = sum(v for (_, s), v in covered.items() if s == r)
            admissible &= total <= amount + 1e-9
            short += max(amount - total, 0.0)
            for kind in ("cash", "bond", "equity"):
                limit = terms.get((r, kind), (0, 0, np.nan))[2]
                of_type = sum(v for (a, s), v in covered.items() if s == r and assets[a][0] == kind)
                admissible &= bool(np.isnan(limit)) or of_type <= limit * amount + 1e-9
            for issuer in ("I", "J"):
                mine = [(a, v) for (a, s), v in covered.items() if s == r and assets[a][1] == issuer]
                limits = [terms[r, assets[a][0]][2] for a, _ in mine]
                if limits and not np.isnan(limits).any():
                    admissible &= sum(v for _, v in mine) <= max(limits) * amount + 1e-9
        if admissible:
            best = min(best, (round(short, 9), sum(v * assets[a][4] for (a, _), v in given.items())))
    return best


@settings(max_examples=8, deadline=None)
@given(ASSETS, AMOUNTS, TERMS)
def test_no_allocation_of_a_grid_is_short_of_less_or_cheaper(assets, requirements, terms):
    found = allocated(book(assets, requirements, terms))
    shortfall, cost = found.summaries["shortfall"].sum(), found.allocations["cost"].sum()
    least, cheapest = best_on_the_grid(assets, requirements, terms)
    assert shortfall <= least + 1e-6
    if shortfall >= least - 1e-6:
        assert cost <= cheapest + 1e-6


@settings(max_examples=8, deadline=None)
@given(ASSETS, AMOUNTS, TERMS, st.randoms())
def test_rows_add_up_keep_capacity_and_do_not_depend_on_row_order(assets, requirements, terms, random):
    frames = book(assets, requirements, terms)
    found = allocated(frames)
    sums = found.allocations.groupby("requirement_id")["allocated_value"].sum()
    for row in found.summaries.itertuples():
        assert sums.get(row.requirement_id, 0.0) + row.shortfall == pytest.approx(row.requirement, rel=1e-12)
    given = found.allocations.groupby("asset")["market_value"].sum()
    assert all(value <= assets[a][3] * (1 + 1e-7) + 1e-9 for a, value in given.items())
    np.testing.assert_allclose(
        found.allocations["allocated_value"], found.allocations["market_value"] * (1 - found.allocations["haircut"]), rtol=1e-12
    )
    shuffled = {
        name: frame.sample(frac=1, random_state=random.randrange(1000)).reset_index(drop=True) if name.startswith("coll") else frame
        for name, frame in frames.items()
    }
    again = allocated(shuffled)
    pd.testing.assert_frame_equal(found.allocations, again.allocations)
    pd.testing.assert_frame_equal(found.summaries, again.summaries)


@settings(max_examples=5, deadline=None)
@given(ASSETS, AMOUNTS, TERMS)
def test_cost_is_the_value_of_the_dual_program(assets, requirements, terms):
    found = allocated(book(assets, requirements, terms))
    told = json.loads(found.summaries["explanation"][0])
    assert told["total_cost"] == pytest.approx(told["proven_bound"], abs=1e-6)


def test_dual_prices_are_what_one_more_unit_costs_or_saves():
    assets = {"CASH": ("cash", None, "USD", 100.0, 0.05), "B": ("bond", "I", "USD", 60.0, 0.01), "E": ("equity", "J", "USD", 30.0, 0.02)}
    terms = {("R", "cash"): FREE, ("R", "bond"): (0.1, np.nan, np.nan), ("R", "equity"): (0.2, np.nan, 0.15)}

    def cost(amount=100.0, more=0.0):
        held = assets | {"B": ("bond", "I", "USD", 60.0 + more, 0.01)}
        return allocated(book(held, {"R": (amount, "USD")}, terms))

    found, step = cost(), 0.5
    dearer, richer = cost(amount=100.0 + step), cost(more=step)
    total = [f.allocations["cost"].sum() for f in (found, dearer, richer)]
    assert found.summaries["marginal_cost"][0] == pytest.approx((total[1] - total[0]) / step)
    shadow = found.allocations.set_index("asset")["shadow_value"]
    assert shadow["B"] == pytest.approx((total[0] - total[2]) / step)
    assert shadow["CASH"] == 0.0
