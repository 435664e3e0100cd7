"""Capital and leverage of a bank: hand-computed figures, dates of the minimums, and what is missing."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters.basel import basel_rules
from margin_pipeline.regulation.basel import bank_figures, basel_lines
from margin_pipeline.regulation.credit_risk import BUCKETS, risk_weights
from margin_pipeline.regulation.line import table

BEFORE_2023, IN_2023 = dt.date(2022, 12, 28), dt.date(2023, 6, 30)
BANK = {"portfolio_id": "BANK", "base_currency": "USD", "entity_type": "bank"}
CAPITAL = {"cet1": 60.0, "tier1": 75.0, "total_capital": 100.0, "other_leverage_exposure": 500.0}
BOOK = [("sovereign", "AA", 500.0), ("bank", "A-", 200.0), ("corporate", "BBB", 300.0), ("corporate", None, 100.0), ("retail", None, 400.0)]
RATES = pd.Series({"USD": 1.0, "EUR": 1.1})


def lines_of(as_of=BEFORE_2023, capital=CAPITAL, book=BOOK, portfolio=BANK, currency="USD"):
    """Lines of one bank, by line item."""
    given_figures = pd.DataFrame({"figure": list(capital), "value": list(capital.values()), "currency": currency})
    exposures = pd.DataFrame(book, columns=["exposure_class", "rating", "amount"]).astype({"rating": "str", "amount": float})
    exposures = exposures.assign(currency=currency, exposure_id=[f"E{i}" for i in range(len(book))])
    rules = basel_rules(as_of)
    figures = bank_figures(portfolio, given_figures, exposures, RATES, rules)
    return table(basel_lines(portfolio, figures, rules)).set_index("line_item")


def test_ratios_follow_the_risk_weights_of_basel_ii_before_2023():
    found = lines_of()
    assets = 500 * 0.0 + 200 * 0.5 + 300 * 1.0 + 100 * 1.0 + 400 * 0.75
    assert found.loc["credit_risk_weighted_assets", "value"] == pytest.approx(assets)
    assert found.loc["cet1_ratio", "value"] == pytest.approx(60 / assets)
    assert found.loc["tier1_ratio", "value"] == pytest.approx(75 / assets)
    assert found.loc["total_capital_ratio", "value"] == pytest.approx(100 / assets)
    assert found.loc["capital_conservation_buffer", "value"] == pytest.approx(min(60 / 800 - 0.045, 75 / 800 - 0.06, 100 / 800 - 0.08))
    assert found.loc["leverage_ratio", "value"] == pytest.approx(75 / (1500 + 500))
    assert (found["status"].drop("credit_risk_weighted_assets") == "pass").all()


def test_ratios_follow_cre20_from_2023():
    found = lines_of(IN_2023)
    assert found.loc["credit_risk_weighted_assets", "value"] == pytest.approx(200 * 0.3 + 300 * 0.75 + 100 * 1.0 + 400 * 0.75)
    assert found.loc["credit_risk_weighted_assets", "reference"].startswith("Basel Framework CRE20")
    assert found.loc["leverage_ratio", "parameter_set"] == "basel:2023"
    assert found.loc["leverage_ratio", "effective_date"] == pd.Timestamp("2023-01-01")


@pytest.mark.parametrize(("tier1", "status"), [(60.0, "pass"), (59.9, "breach")])
def test_a_leverage_ratio_below_three_percent_is_a_breach(tier1, status):
    found = lines_of(capital={**CAPITAL, "tier1": tier1}, book=[("sovereign", "AAA", 1500.0)])
    assert found.loc["leverage_ratio", "limit_value"] == 0.03
    assert found.loc["leverage_ratio", "status"] == status


def test_a_buffer_used_up_is_no_breach_of_the_minimums():
    found = lines_of(capital={**CAPITAL, "cet1": 50.0, "tier1": 50.0, "total_capital": 70.0})
    assert found.loc["capital_conservation_buffer", "value"] == pytest.approx(min(50 / 800 - 0.045, 50 / 800 - 0.06, 70 / 800 - 0.08))
    assert found.loc["capital_conservation_buffer", "status"] == "breach"
    assert (found.loc[["cet1_ratio", "tier1_ratio", "total_capital_ratio"], "status"] == "pass").all()


@pytest.mark.parametrize(
    ("as_of", "cet1", "buffer", "leverage"),
    [
        ("1990-01-02", None, None, None),
        ("2012-12-31", None, None, None),
        ("2013-06-28", 0.035, None, None),
        ("2015-01-02", 0.045, None, None),
        ("2016-01-04", 0.045, 0.00625, None),
        ("2018-01-02", 0.045, 0.01875, 0.03),
        ("2019-01-02", 0.045, 0.025, 0.03),
    ],
)
def test_minimums_apply_from_the_dates_of_the_phase_in(as_of, cet1, buffer, leverage):
    found = lines_of(dt.date.fromisoformat(as_of))
    for item, limit in (("cet1_ratio", cet1), ("capital_conservation_buffer", buffer), ("leverage_ratio", leverage)):
        if limit is None:
            assert found.loc[item, "status"] == "not_applicable"
            assert "not in force" in found.loc[item, "reason"]
        else:
            assert found.loc[item, "limit_value"] == limit


@pytest.mark.parametrize(
    ("figure", "items"),
    [("cet1", {"cet1_ratio", "capital_conservation_buffer"}), ("tier1", {"tier1_ratio", "capital_conservation_buffer", "leverage_ratio"}),
     ("other_leverage_exposure", {"leverage_ratio"})],
)  # fmt: skip
def test_a_missing_figure_leaves_its_lines_undetermined_and_is_named(figure, items):
    found = lines_of(capital={name: value for name, value in CAPITAL.items() if name != figure})
    assert set(found.index[found["status"] == "undetermined"]) == items
    assert all(f"entity figure {figure}" in reason for reason in found.loc[sorted(items), "reason"])
    assert found.loc[sorted(items), "value"].isna().all()


@pytest.mark.parametrize(("exposure_class", "rating"), [("moon_base", "AAA"), ("corporate", "five stars"), ("covered_bond", "AAA")])
def test_an_unknown_class_or_rating_is_not_taken_for_another(exposure_class, rating):
    found = lines_of(book=[*BOOK, (exposure_class, rating, 1.0)])
    assert found.loc["total_capital_ratio", "status"] == "undetermined"
    assert "exposure E5" in found.loc["total_capital_ratio", "reason"]
    assert found.loc["leverage_ratio", "status"] == "pass"  # needs no risk weight


def test_a_bank_without_exposures_has_undetermined_ratios():
    found = lines_of(book=[])
    assert (found["status"] == "undetermined").all()


def test_a_missing_exchange_rate_leaves_everything_undetermined():
    assert (lines_of(currency="CHF")["status"] == "undetermined").all()


def test_ratios_do_not_depend_on_the_currency_of_the_figures():
    dollars, euros = lines_of(), lines_of(currency="EUR")
    assert euros["value"].drop("credit_risk_weighted_assets").to_numpy() == pytest.approx(
        dollars["value"].drop("credit_risk_weighted_assets").to_numpy()
    )
    assert euros.loc["credit_risk_weighted_assets", "value"] == pytest.approx(1.1 * dollars.loc["credit_risk_weighted_assets", "value"])


@pytest.mark.parametrize("entity_type", ["hedge_fund", None, np.nan])
def test_what_is_no_bank_says_why_the_lines_do_not_apply(entity_type):
    rules = basel_rules(BEFORE_2023)
    found = table(basel_lines({**BANK, "entity_type": entity_type}, None, rules))
    assert len(found) == 6
    assert not found["applicable"].any()
    assert found["reason"].str.contains("entity type").all()


def test_every_line_of_capital_says_what_its_denominator_covers():
    inputs = json.loads(lines_of().loc["cet1_ratio", "inputs"])
    assert inputs["covers"].startswith("standardised credit risk of the exposures given")
    assert inputs["risk_weighted_assets"] == pytest.approx(800)


def test_every_rating_is_in_one_bucket_and_worse_ratings_never_weigh_less():
    ratings = [r for bucket in ("aaa", "a", "bbb", "bb", "b", "below_b") for r in BUCKETS[bucket]]
    assert len(set(ratings)) == len(ratings)
    for as_of in (BEFORE_2023, IN_2023):
        weights = basel_rules(as_of).risk_weights
        for exposure_class in [c for c, w in weights.items() if isinstance(w, dict)]:
            rows = pd.DataFrame(
                {"exposure_id": "E", "exposure_class": exposure_class, "rating": [BUCKETS[b][-1] for b in list(BUCKETS)[:6]]}
            )
            found, _ = risk_weights(rows, weights)
            assert (np.diff(found) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 1e6))
def test_scaling_bank_and_book_alike_changes_no_ratio(scale):
    first = lines_of()["value"].drop("credit_risk_weighted_assets")
    scaled = lines_of(capital={n: v * scale for n, v in CAPITAL.items()}, book=[(c, r, a * scale) for c, r, a in BOOK])
    assert scaled["value"].drop("credit_risk_weighted_assets").to_numpy() == pytest.approx(first.to_numpy())
