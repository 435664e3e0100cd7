"""What positions carry of scenario margin, and how it composes into portfolios, against figures worked by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline.margin.attribution import margin_attribution
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.margin.scenario_tables import ScenarioTables, scenario_shares
from margin_pipeline_tests.decisions.test_what_if import THRESHOLDS, tables
from margin_pipeline_tests.margin.scenario_book import ScenarioBook

AS_OF = dt.date(2022, 12, 28)
NO_SPAN = pd.DataFrame(columns=["portfolio_id", "class_group", "scan_risk", "initial_margin", "maintenance_margin", "missing"])
SPAN_POSITIONS = ["portfolio_id", "strategy", "symbol", "class_group", "loss"]


def scenario_tables(found, margins=NO_SPAN, positions=None):
    covered = pd.DataFrame(columns=SPAN_POSITIONS) if positions is None else positions
    return ScenarioTables(found.classes, found.groups, found.positions, margins, covered)


def empty_portfolio_margin():
    book = ScenarioBook(account_type="cash")
    book.instrument("X", "equity", 100.0)
    return portfolio_margin(**book.hold("X", 1, 100.0).frames())


def span(losses, margin, scan_risk, ratio=1.0, missing=None):
    """Tables of one class group with these losses of its positions."""
    margins = pd.DataFrame(
        {
            "portfolio_id": ["P"],
            "class_group": ["ES"],
            "scan_risk": [scan_risk],
            "initial_margin": [margin * ratio],
            "maintenance_margin": [margin],
            "missing": [missing],
        }
    )
    held = [("P", "s", f"F{n}", "ES", loss) for n, loss in enumerate(losses)]
    return scenario_tables(empty_portfolio_margin(), margins, pd.DataFrame(held, columns=SPAN_POSITIONS))


def test_a_future_carries_its_loss_and_its_part_of_the_charges():
    shares = scenario_shares(span([900.0, -300.0], margin=720.0, scan_risk=600.0, ratio=1.1))
    # A charge of 120 goes three to one, as the sizes of the losses.
    assert shares["maintenance_margin"].tolist() == pytest.approx([900 + 90, -300 + 30])
    assert shares["initial_margin"].tolist() == pytest.approx([1.1 * 990, 1.1 * -270])
    assert set(shares["method"]) == {"futures"}


def test_what_the_short_option_minimum_asks_is_shared_evenly_where_nothing_is_lost():
    shares = scenario_shares(span([0.0, 0.0], margin=50.0, scan_risk=0.0))
    assert shares["maintenance_margin"].tolist() == pytest.approx([25.0, 25.0])


def test_a_group_that_lacks_something_leaves_its_positions_without_a_share():
    shares = scenario_shares(span([np.nan], margin=np.nan, scan_risk=np.nan, missing="price of F0"))
    assert shares["maintenance_margin"].isna().all()
    assert shares["missing"].tolist() == ["price of F0"]


def test_shares_of_product_groups_add_up():
    book = ScenarioBook()
    book.instrument("XYZ", "equity", 100.0)
    book.hold("XYZ", 300, 100.0, strategy="a").hold(book.option("XYZ", "put", 95), 2, 2.0, strategy="b")
    found = portfolio_margin(**book.frames())
    shares = scenario_shares(scenario_tables(found))
    assert shares["maintenance_margin"].sum() == pytest.approx(found.groups["maintenance_margin"].sum())
    assert (shares["initial_margin"] == shares["maintenance_margin"]).all()


BOOK = {("a", "S"): 300, ("a", "C105"): -3, ("b", "F"): -100, ("b", "P95"): 2}


def recomputed(account):
    given = tables(BOOK, account)
    return recalculate(given, given["position_records"], given["portfolios"], Setting(AS_OF, THRESHOLDS)), given


def test_a_portfolio_margin_account_is_governed_by_its_product_groups():
    found, given = recomputed("portfolio_margin")
    governing = found.portfolio_margins.set_index("method").loc["portfolio_margin"]
    terms = (given["instruments"], given["portfolios"], given["prices"], given["fx_rates"], given["rates"], given["dividends"])
    groups = portfolio_margin(found.positions, *terms, AS_OF).groups
    assert governing["is_governing"]
    assert governing["maintenance_margin"] == pytest.approx(groups["maintenance_margin"].sum())
    assert governing["margin_equity"] == governing["equity"]
    assert governing["status"] == "safe"


@pytest.mark.parametrize("account", ["portfolio_margin", "reg_t"])
def test_components_of_scenario_margin_add_up_and_offsets_only_relieve(account):
    found, _ = recomputed(account)
    parts = found.portfolio_margin_components.query("method == 'portfolio_margin'").set_index("component")["maintenance_margin"]
    total = found.portfolio_margins.set_index("method").loc["portfolio_margin", "maintenance_margin"]
    assert parts.sum() == pytest.approx(total)
    assert parts["product_group_offsets"] <= 0
    assert total > 0


def test_margin_goes_to_strategies_by_what_they_lose():
    found, given = recomputed("portfolio_margin")
    terms = (given["instruments"], given["portfolios"], given["prices"], given["fx_rates"], given["rates"], given["dividends"])
    shares = scenario_shares(scenario_tables(portfolio_margin(found.positions, *terms, AS_OF)))
    legs = pd.DataFrame(columns=["portfolio_id", "group_id", "strategy", "symbol", "requirement_share"]).astype(
        {"requirement_share": float}
    )
    offsets = pd.DataFrame(columns=["portfolio_id", "benefit_id", "symbol_1", "symbol_2", "saving"])
    carried = margin_attribution(found.portfolio_margins, found.position_margins, found.strategy_groups, legs, offsets, shares=shares)
    by_strategy = shares.groupby("strategy")["maintenance_margin"].sum()
    assert carried.set_index("strategy")["margin_contribution"].to_dict() == pytest.approx(by_strategy.to_dict())
    assert carried["margin_share"].sum() == pytest.approx(1.0)
