"""What-if for people and programs: remarks on what is compared. Not here: the figures (decisions/test_what_if)."""

import datetime as dt
import io
import json

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.decisions.what_if import FIGURES, WhatIf
from margin_pipeline.reports.comparison import remarks, show


@pytest.fixture
def found():
    """A method that is determined before only, and a group that is undetermined after."""
    row = {"method": "strategy_based", "is_governing": True}
    for name in FIGURES:
        row |= {f"{name}_before": 1_000.0, f"{name}_after": np.nan, f"{name}_change": np.nan}
    row |= {"utilization_before": 0.5, "status_before": "safe", "status_after": "undetermined"}
    row |= {"missing_before": [], "missing_after": [f"price of S{n}" for n in range(7)]}
    amounts = {"units": 0.0, "initial_margin": np.nan, "maintenance_margin": np.nan}
    sides = {f"{name}_{side}": value for name, value in amounts.items() for side in ("before", "after", "change")}
    groups = pd.DataFrame([{"underlying": "S", "structure": "naked_call", "legs_a_unit": "-1 C", **sides}])
    empty = pd.DataFrame()
    trades = pd.DataFrame({"symbol": ["A=B"], "quantity": [-2.5], "price": [10.0], "currency": ["USD"], "cost": [-25.0]})
    return WhatIf(pd.DataFrame([row]), empty, groups, empty, trades)


def published(**figures):
    return pd.DataFrame([{"method": "strategy_based", "maintenance_margin": 1_000.0, "excess": 1_000.0, **figures}])


def test_before_that_is_published_needs_no_remark(found):
    assert len(remarks(found, published(), "1+abc")) == 1
    assert len(remarks(found, published(excess=1_000.0 + 1e-9), "1+abc")) == 1


@pytest.mark.parametrize("figures", [{"maintenance_margin": 1_000.01}, {"excess": -5.0}, {"excess": np.nan}, {"method": "reg_t"}])
def test_before_that_is_not_published_is_told_with_the_version_that_published(found, figures):
    told = remarks(found, published(**figures), "1+abc")[-1]
    assert "strategy_based" in told
    assert "1+abc" in told


def printed(found, form):
    out = io.StringIO()
    show(found, "P", dt.date(2022, 12, 28), "USD", ["A remark."], form, out)
    return out.getvalue()


def test_text_says_what_is_missing_and_shows_no_figure_for_it(found):
    text = " ".join(printed(found, "table").split())
    assert "A=B -2.5 at 10 USD brings 25.00" in text
    assert "maintenance margin 1,000.00 - -" in text
    assert "missing after: price of S0; price of S1; price of S2; price of S3; price of S4; and 2 more" in text
    assert text.endswith("A remark.")


def test_json_has_nothing_where_nothing_is_known(found):
    whole = json.loads(printed(found, "json"), parse_constant=pytest.fail)
    assert (whole["portfolio_id"], whole["as_of"], whole["remarks"]) == ("P", "2022-12-28", ["A remark."])
    assert whole["margins"][0]["excess_after"] is None
    assert whole["groups"][0]["maintenance_margin_after"] is None
