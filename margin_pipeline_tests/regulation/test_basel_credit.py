"""Risk weights of credit exposures: rows of the tables, loans on property, short claims, and what is missing."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters.basel import basel_rules
from margin_pipeline.regulation.basel.credit_risk import risk_weights
from margin_pipeline.regulation.basel.ratings import BUCKETS
from margin_pipeline_tests.regulation.basel_bank import BEFORE_2023, IN_2023, IN_2028, assets_of, exposures

LETTERS = ("aaa", "a", "bbb", "bb", "b", "below_b")


def weight(as_of=IN_2023, **row):
    found, reasons = risk_weights(exposures([{"amount": 1.0, **row}]), basel_rules(as_of))
    assert (reasons[0] is not None) == np.isnan(found[0])
    return found[0], reasons[0]


@pytest.mark.parametrize(
    ("exposure_class", "weights"),
    [  # AA, A, BBB, BB, B, CCC, unrated: CRE20.7, 20.11 (option 2), 20.14, 20.18, 20.43
        ("sovereign", (0, 0.2, 0.5, 1, 1, 1.5, 1)),
        ("public_sector", (0.2, 0.5, 0.5, 1, 1, 1.5, 0.5)),
        ("multilateral_development_bank", (0.2, 0.3, 0.5, 1, 1, 1.5, 0.5)),
        ("bank", (0.2, 0.3, 0.5, 1, 1, 1.5, 1.5)),
        ("corporate", (0.2, 0.5, 0.75, 1, 1.5, 1.5, 1)),
    ],
)
def test_rated_exposures_follow_the_tables_of_cre20(exposure_class, weights):
    ratings = ("AA", "A", "BBB", "BB", "B", "CCC", None)
    assert tuple(weight(exposure_class=exposure_class, rating=r)[0] for r in ratings) == weights


@pytest.mark.parametrize(("grade", "usual", "short"), [("grade_a", 0.4, 0.2), ("Grade B", 0.75, 0.5), ("GRADE C", 1.5, 1.5)])
def test_unrated_banks_follow_their_grade(grade, usual, short):
    assert weight(exposure_class="bank", rating=grade)[0] == usual
    assert weight(exposure_class="bank", rating=grade, is_short_term=True)[0] == short


@pytest.mark.parametrize(
    ("as_of", "weights"),
    [(BEFORE_2023, (0.2, 0.2, 0.2, 0.5, 0.5, 1.5, 0.2)), (IN_2023, (0.2, 0.2, 0.2, 0.5, 0.5, 1.5, 1.5))],
)
def test_short_claims_on_banks_have_weights_of_their_own_and_others_do_not(as_of, weights):
    """Basel II, paragraph 63 (option 2), and CRE20.18."""
    ratings = ("AA", "A", "BBB", "BB", "B", "CCC", None)
    assert tuple(weight(as_of, exposure_class="bank", rating=r, is_short_term=True)[0] for r in ratings) == weights
    usual = weight(as_of, exposure_class="corporate", rating="A")
    assert weight(as_of, exposure_class="corporate", rating="A", is_short_term=True) == usual


@pytest.mark.parametrize(
    ("exposure_class", "rows"),
    [
        (
            "residential_mortgage",
            {0.3: 0.2, 0.5: 0.2, 0.51: 0.25, 0.6: 0.25, 0.8: 0.3, 0.81: 0.4, 0.9: 0.4, 1.0: 0.5, 1.01: 0.7, 3: 0.7},
        ),
        ("income_producing_residential_mortgage", {0.5: 0.3, 0.6: 0.35, 0.8: 0.45, 0.9: 0.6, 1.0: 0.75, 1.2: 1.05}),
        ("income_producing_commercial_real_estate", {0.6: 0.7, 0.61: 0.9, 0.8: 0.9, 0.81: 1.1}),
        ("commercial_real_estate", {0.0: 0.6, 0.6: 0.6, 0.61: 1.0}),
    ],
)
def test_loans_on_property_are_weighted_by_loan_to_value_from_2023(exposure_class, rows):
    found = {ratio: weight(exposure_class=exposure_class, loan_to_value=ratio)[0] for ratio in rows}
    assert found == rows


def test_the_borrower_of_commercial_property_counts_where_it_is_better_than_the_cap():
    assert weight(exposure_class="commercial_real_estate", rating="AA", loan_to_value=0.4)[0] == 0.2
    assert weight(exposure_class="commercial_real_estate", rating="BBB", loan_to_value=0.4)[0] == 0.6
    assert weight(exposure_class="commercial_real_estate", rating="BBB", loan_to_value=0.7)[0] == 0.75


@pytest.mark.parametrize("exposure_class", ["residential_mortgage", "commercial_real_estate", "income_producing_commercial_real_estate"])
def test_a_loan_on_property_without_its_ratio_has_no_weight(exposure_class):
    found, reason = weight(exposure_class=exposure_class)
    assert np.isnan(found)
    assert reason == "loan to value of exposure E0"


def test_basel_ii_weighs_property_without_loan_to_value():
    assert weight(BEFORE_2023, exposure_class="residential_mortgage")[0] == 0.35
    assert weight(BEFORE_2023, exposure_class="commercial_real_estate", loan_to_value=0.3)[0] == 1.0


@pytest.mark.parametrize(
    ("as_of", "equity", "speculative"),
    [("2023-12-29", 1.0, 1.0), ("2024-01-02", 1.3, 1.6), ("2025-06-30", 1.6, 2.2), ("2026-06-30", 1.9, 2.8), ("2027-06-30", 2.2, 3.4),
     ("2028-01-03", 2.5, 4.0)],
)  # fmt: skip
def test_equity_grows_into_its_weight_over_five_years(as_of, equity, speculative):
    date = dt.date.fromisoformat(as_of)
    assert weight(date, exposure_class="equity")[0] == equity
    assert weight(date, exposure_class="speculative_unlisted_equity")[0] == speculative


def test_names_of_classes_are_read_with_blanks_and_in_any_case():
    assert weight(exposure_class="Residential Mortgage", loan_to_value=0.55)[0] == 0.25


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"exposure_class": "moon_base"}, "risk weight of exposure E0: class moon_base is not known"),
        ({"exposure_class": "corporate", "rating": "five stars"}, "risk weight of exposure E0: rating FIVE STARS is not on the scale"),
        ({"exposure_class": "covered_bond"}, "risk weight of exposure E0: rating unrated is not on the scale of class covered_bond"),
        ({"exposure_class": "commercial_real_estate", "rating": "?", "loan_to_value": 0.7}, "risk weight of exposure E0: rating ?"),
    ],
)
def test_what_is_on_no_scale_has_no_weight_and_says_why(row, reason):
    found, given_reason = weight(**row)
    assert np.isnan(found)
    assert given_reason.startswith(reason)


@pytest.mark.parametrize("as_of", [BEFORE_2023, IN_2023, IN_2028])
def test_every_rating_is_in_one_bucket_and_worse_ratings_never_weigh_less(as_of):
    ratings = [r for bucket in LETTERS for r in BUCKETS[bucket]]
    assert len(set(ratings)) == len(ratings)
    rules = basel_rules(as_of)
    for is_short, table in ((False, rules.risk_weights), (True, rules.short_term_risk_weights)):
        for exposure_class in [c for c, w in table.items() if isinstance(w, dict)]:
            rows = [{"exposure_class": exposure_class, "rating": BUCKETS[b][-1], "is_short_term": is_short} for b in LETTERS]
            assert (np.diff(risk_weights(exposures(rows), rules)[0]) >= 0).all()


def test_higher_loan_to_value_never_weighs_less():
    rules = basel_rules(IN_2023)
    for exposure_class in [*rules.loan_to_value_risk_weights, *rules.property_caps]:
        rows = [{"exposure_class": exposure_class, "loan_to_value": ratio} for ratio in np.linspace(0, 2, 41)]
        assert (np.diff(risk_weights(exposures(rows), rules)[0]) >= 0).all()


BOOKS = st.lists(
    st.fixed_dictionaries(
        {
            "exposure_class": st.sampled_from(["sovereign", "bank", "corporate", "retail", "residential_mortgage", "equity"]),
            "rating": st.sampled_from([None, "AAA", "A+", "BBB", "BB-", "B", "CCC"]),
            "amount": st.floats(0, 1e9),
            "loan_to_value": st.floats(0, 2),
            "is_short_term": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=6, deadline=None)
@given(BOOKS, st.randoms(use_true_random=False))
def test_rows_may_come_in_any_order_and_another_exposure_never_lowers_the_sum(book, random):
    numbered = [{"exposure_id": f"E{i}", **row} for i, row in enumerate(book)]
    first = assets_of(book=numbered)
    shuffled = random.sample(numbered, len(numbered))
    pd.testing.assert_frame_equal(assets_of(book=shuffled), first)
    assert assets_of(book=numbered[:-1] or numbered)["risk_weighted_assets"].sum() <= first["risk_weighted_assets"].sum() + 1e-6


def test_a_row_holds_exposure_weight_and_product_or_says_what_it_lacks():
    rows = assets_of(book=[{"exposure_class": "bank", "rating": "A", "amount": 50.0}, {"exposure_class": "moon_base", "amount": 7.0}])
    assert rows.loc[0, ["exposure", "risk_weight", "risk_weighted_assets"]].tolist() == [50.0, 0.3, 15.0]
    assert rows.loc[1, "exposure"] == 7.0
    assert rows["missing"].notna().tolist() == rows["risk_weighted_assets"].isna().tolist() == [False, True]
