"""Portfolio margins: worked accounts, what a missing input does, totals that add up."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.methods import METHODS
from margin_pipeline.margin.portfolio import COMPONENT_COLUMNS, MARGIN_COLUMNS, margin_attribution
from margin_pipeline_tests.margin.accounts import composition, tables


def composed(given_tables):
    found = composition(given_tables)
    assert list(found.portfolio_margins.columns) == MARGIN_COLUMNS
    assert list(found.components.columns) == COMPONENT_COLUMNS
    assert found.portfolio_margins["is_governing"].sum() == 1
    rows, notes = set(found.portfolio_margins["method"]), set(found.notes["method"])
    assert rows | notes == set(METHODS)
    assert not rows & notes
    return found


def by_method(held, **settings_of_account):
    return composed(tables(held, **settings_of_account)).portfolio_margins.set_index("method")


def governing(held, **settings_of_account):
    margins = composed(tables(held, **settings_of_account)).portfolio_margins
    return margins[margins["is_governing"]].iloc[0]


def figures(row):
    return tuple(row[["initial_margin", "maintenance_margin", "margin_equity"]])


def test_long_and_short_stock_in_a_margin_account():
    row = governing([("s", "A", 100), ("s", "B", -200)], equity=20_000)
    assert (row["method"], *figures(row)) == ("strategy_based", 9_000, 2_500 + 2_400, 20_000)
    assert (row["excess"], row["utilization"], row["status"]) == (15_100, pytest.approx(0.245), "safe")


def test_free_margin_stands_in_both_meanings_beside_the_margin_level():
    row = governing([("s", "A", 100)], equity=4_000)
    assert (row["available_to_open"], row["excess"], row["margin_ratio"]) == (-1_000, 1_500, 0.625)
    assert (row["is_safe"], row["is_warning"], row["is_liquidatable"]) == (False, True, False)
    unknown = governing([("s", "Z", 1)])
    assert unknown[["available_to_open", "margin_ratio", "is_safe", "is_warning", "is_liquidatable"]].isna().all()


def test_stock_held_long_and_short_needs_five_percent_of_the_matched_part_under_reg_t():
    rows = by_method([("a", "A", 300), ("b", "A", -100), ("c", "A", -100)], equity=40_000)
    assert figures(rows.loc["reg_t"])[:2] == (pytest.approx(5_000 + 0.05 * 20_000), pytest.approx(2_500 + 0.05 * 20_000))
    assert figures(rows.loc["strategy_based"])[:2] == (5_000, 2_500)


def test_covered_call_is_less_than_its_parts_and_equity_adds_the_short_premium():
    rows = by_method([("s", "A", 100), ("s", "C110", -1)], equity=10_000)
    assert figures(rows.loc["strategy_based"]) == (5_000, 2_500, 10_200)
    naked = 200 + 100 * max(20.0 - 10.0, 10.0)
    assert figures(rows.loc["reg_t"]) == (5_000 + naked, 2_500 + naked, 10_200)
    assert rows.loc["cross_margin", "margin_equity"] == 10_000


def test_long_option_leaves_margin_equity_unless_it_has_loan_value():
    short_dated = by_method([("s", "C100", 2)], equity=10_000)
    assert figures(short_dated.loc["strategy_based"])[1:] == (0, 9_000)
    long_dated = by_method([("s", "LEAP", 4)], equity=10_000)
    for method in ("strategy_based", "reg_t"):
        assert figures(long_dated.loc[method]) == (3_600, 3_600, 10_000)


def test_long_dated_option_in_a_spread_has_no_loan_value():
    rows = by_method([("s", "LEAP", 1), ("s", "C110", -1)], equity=10_000)
    assert rows.loc["strategy_based", "maintenance_margin"] == 0
    assert rows.loc["strategy_based", "margin_equity"] == 10_000 - 1_200 + 200
    assert rows.loc["reg_t", "margin_equity"] == 10_000 + 200


def test_series_held_long_and_short_by_two_strategies_is_net_under_the_strategy_based_method():
    rows = by_method([("a", "LEAP", 3), ("b", "LEAP", -3)], equity=10_000)
    assert figures(rows.loc["strategy_based"])[1:] == (0, 10_000)
    assert rows.loc["reg_t", "margin_equity"] == 10_000 + 3_600


def test_cash_account_measures_cash_against_what_puts_are_secured_with():
    row = governing([("s", "A", 100), ("s", "C110", -1), ("s", "P90", -2)], account="cash", equity=30_000)
    assert figures(row) == (18_000, 18_000, 30_000 - 10_000 + 200 + 300)
    assert (row["status"], row["utilization"]) == ("warning", pytest.approx(18_000 / 20_500))


def test_uncovered_call_in_a_cash_account_is_undetermined():
    row = governing([("s", "C110", -1)], account="cash")
    assert (row["status"], np.isnan(row["maintenance_margin"])) == ("undetermined", True)
    assert "C110" in json.loads(row["missing"])[0]


@pytest.mark.parametrize(
    ("held", "minimum"), [([("s", "B", 20)], 400), ([("s", "B", 75)], 500), ([("s", "B", 200)], 0), ([("s", "B", -20)], 1_600)]
)
def test_minimum_equity_is_initial_and_not_above_the_cost_of_what_is_bought(held, minimum):
    found = composed(tables(held))
    part = found.components.query("method == 'strategy_based' and component == 'minimum'")
    assert part["initial_margin"].sum() == minimum
    assert part["maintenance_margin"].sum() == 0


def test_minimum_that_cannot_be_converted_leaves_the_initial_margin_alone_empty():
    row = governing([("s", "EUB", 20)], base="EUR", equity=1_000)
    assert (row["status"], row["maintenance_margin"], np.isnan(row["initial_margin"])) == ("safe", 50, True)
    assert json.loads(row["missing"]) == ["exchange rate of USD into EUR 2022-12-28"]
    known = governing([("s", "EUB", 20)], base="EUR", equity=1_000, usd=[("EUR", 1.25)])
    assert (known["initial_margin"], known["missing"] is None or known["missing"] != known["missing"]) == (200, True)


def test_futures_account_adds_up_exchange_margin_against_equity():
    row = governing([("s", "ES", -2)], account="futures", equity=30_000)
    assert (row["method"], *figures(row), row["status"]) == ("futures", 26_400, 24_000, 30_000, "warning")


def test_crypto_account_is_margined_by_schedule():
    row = governing([("s", "BTC", -2)], account="crypto_cross", equity=2_000)
    assert (row["method"], *figures(row), row["status"]) == ("tiered", 4_000, 2_000, 2_000, "liquidatable")


def test_method_that_is_not_computed_never_looks_safe():
    rows = by_method([("s", "A", 100)], account="portfolio_margin")
    row = rows.loc["portfolio_margin"]
    assert (row["is_governing"], row["status"]) == (True, "undetermined")
    assert json.loads(row["missing"]) == ["method portfolio_margin is not available in this version"]
    assert rows.loc["strategy_based", "status"] == "safe"


NETTING = [("P", "N1", "schedule", "post", 300.0, None), ("P", "N1", "schedule", "call", 900.0, None)]


def test_otc_account_posts_the_margin_of_its_netting_sets():
    row = governing([], account="otc", equity=1_000, netting_sets=[*NETTING, ("P", "N2", "schedule", "post", 600.0, None)])
    assert (row["method"], *figures(row), row["status"]) == ("schedule_im", 900, 900, 1_000, "critical")


def test_netting_set_without_a_margin_leaves_the_account_undetermined():
    reason = "model simm of netting set N2 is not computed; only the schedule is"
    mixed = governing([], account="otc", netting_sets=[*NETTING, ("P", "N2", "simm", "post", np.nan, reason)])
    assert (mixed["method"], json.loads(mixed["missing"])) == ("schedule_im", [reason])
    unvalued = governing([], account="otc", netting_sets=[("P", "N3", "schedule", "post", np.nan, "market value of trade T")])
    assert json.loads(unvalued["missing"]) == ["netting set N3: market value of trade T"]
    simm = governing([], account="otc", netting_sets=[("P", "N2", "simm", "post", np.nan, "no")])
    assert (simm["method"], simm["status"], simm["missing"]) == ("simm", "undetermined", '["netting set N2: no"]')


SIMM = ("P", "N2", "simm", "post", 4_000.0, None)


def test_account_whose_sets_all_agreed_on_simm_is_governed_by_it():
    found = composed(tables([], account="otc", netting_sets=[SIMM, ("P", "N2", "simm", "call", 9_000.0, None)]))
    row = found.portfolio_margins.iloc[0]
    assert (row["method"], row["is_governing"], row["maintenance_margin"], row["status"]) == ("simm", True, 4_000.0, "safe")
    assert found.components[["method", "component", "initial_margin"]].values.tolist() == [["simm", "simm", 4_000.0]]
    notes = found.notes.set_index("method")["reason"]
    assert notes["schedule_im"] == "all netting sets of the account agreed on SIMM"


def test_account_of_both_models_is_margined_by_the_agreed_model_of_each_set_in_one_requirement():
    schedule = ("P", "N1", "schedule", "post", 10_000.0, None)
    found = composed(tables([], account="otc", netting_sets=[schedule, SIMM]))
    assert found.portfolio_margins[["method", "is_governing", "initial_margin"]].values.tolist() == [["schedule_im", True, 14_000.0]]
    parts = found.components.set_index("component")["maintenance_margin"].to_dict()
    assert parts == {"schedule_im": 10_000.0, "simm": 4_000.0}
    assert "not all netting sets" in found.notes.set_index("method").loc["simm", "reason"]
    lacking = composed(tables([], account="otc", netting_sets=[schedule, ("P", "N2", "simm", "post", np.nan, "no CRIF rows")]))
    row = lacking.portfolio_margins.iloc[0]
    assert (row["status"], row["missing"]) == ("undetermined", '["netting set N2: no CRIF rows"]')


def test_rejected_sensitivity_concerns_the_portfolio_of_its_netting_set():
    bad = rejection("is no bucket", source="crif.csv", portfolio=None, raw='{"netting_set_id": "N2"}')
    row = governing([], account="otc", netting_sets=[SIMM], rejected=[bad])
    assert (row["status"], json.loads(row["missing"])) == ("undetermined", ["crif.csv row 17: is no bucket"])


@pytest.mark.parametrize("account", ["cash", "reg_t", "futures", "crypto_cross", "crypto_isolated", "otc"])
def test_account_without_positions_needs_nothing(account):
    row = governing([], account=account, equity=0.0)
    assert (*figures(row), row["utilization"], row["status"]) == (0, 0, 0, 0, "safe")
    assert governing([], account=account, equity=-1.0)["status"] == "liquidatable"


def test_missing_price_leaves_only_the_methods_that_use_it_undetermined():
    rows = by_method([("s", "A", 100), ("s", "Z", 1)])
    assert set(rows["status"]) == {"undetermined"}
    assert json.loads(rows.loc["strategy_based", "missing"]) == ["price of Z 2022-12-28"]
    assert rows[["initial_margin", "maintenance_margin", "excess", "utilization"]].isna().all(axis=None)
    found = composed(tables([("s", "A", 100), ("s", "Z", 1)]))
    assert found.components.empty


def test_option_without_a_price_that_two_strategies_net_away_does_not_matter_to_the_strategy_based_method():
    given_tables = tables([("a", "C100", 2), ("b", "C100", -2), ("a", "A", 10)])
    hidden = given_tables["positions"]["symbol"] == "C100"
    given_tables["positions"].loc[hidden, ["price", "market_value"]] = np.nan
    rows = composed(given_tables).portfolio_margins.set_index("method")
    assert rows.loc["strategy_based", "status"] == "safe"
    assert json.loads(rows.loc["reg_t", "missing"]) == ["price of C100 2022-12-28"]


def test_foreign_share_in_a_cash_account_without_a_rate_leaves_it_undetermined():
    row = governing([("s", "EUB", 10)], account="cash")
    assert json.loads(row["missing"]) == ["exchange rate of EUR into USD 2022-12-28"]


def rejection(reason, source="positions.csv", portfolio="P", raw="{}"):
    return (source, 17, "quantity", reason, portfolio, raw)


def test_rejected_position_leaves_its_portfolio_undetermined_and_an_expired_one_does_not():
    row = governing([("s", "A", 100)], rejected=[rejection('"ten" is not a number')])
    assert (row["status"], json.loads(row["missing"])) == ("undetermined", ['positions.csv row 17: "ten" is not a number'])
    assert governing([("s", "A", 100)], rejected=[rejection("expired on 2022-12-16: X")])["status"] == "safe"
    assert governing([("s", "A", 100)], rejected=[rejection("bad", source="prices.csv", portfolio=None)])["status"] == "safe"
    assert governing([("s", "A", 100)], rejected=[rejection("bad", portfolio="Q")])["status"] == "safe"


def test_rejected_trade_concerns_the_portfolio_of_its_netting_set():
    bad = rejection("no notional", source="otc_trades.csv", portfolio=None, raw='{"netting_set_id": "N1"}')
    row = governing([], account="otc", netting_sets=NETTING, rejected=[bad])
    assert json.loads(row["missing"]) == ["otc_trades.csv row 17: no notional"]
    other = rejection("no notional", source="otc_trades.csv", portfolio=None, raw='{"netting_set_id": "N9"}')
    assert governing([], account="otc", netting_sets=NETTING, rejected=[other])["status"] == "safe"


def test_what_the_house_adds_is_a_component_of_its_own():
    house = [("A", "", 0.6, 0.4), ("", "future", 0.1, 0.08), ("C110", "", 0.3, 0.25)]
    held = [("s", "A", 100), ("s", "B", 100), ("s", "C110", -2), ("s", "ES", 1)]
    found = composed(tables(held, house=house))
    parts = found.components.set_index(["method", "component"])[["initial_margin", "maintenance_margin"]]
    future = (0.1 * 190_000 - 13_200, 0.08 * 190_000 - 12_000)
    naked = 200 + 100 * max(20.0 - 10.0, 10.0)
    alone = (6_000 - 5_000 + 2 * (0.3 * 10_000 - naked) + future[0], 4_000 - 2_500 + 2 * (0.25 * 10_000 - naked) + future[1])
    assert parts.loc["reg_t", "house"].tolist() == pytest.approx(alone)
    assert parts.loc["reg_t", "stock"].tolist() == [5_000 + 2_000, 2_500 + 1_000]
    assert parts.loc["reg_t", "futures"].tolist() == pytest.approx([13_200, 12_000])
    grouped = (6_000 - 5_000 + 0.3 * 10_000 - naked + future[0], 4_000 - 2_500 + 0.25 * 10_000 - naked + future[1])
    assert parts.loc["strategy_based", "house"].tolist() == pytest.approx(grouped)
    without = composed(tables(held))
    for method in ("reg_t", "strategy_based"):
        rules = without.components.query("method == @method").set_index("component")["maintenance_margin"]
        assert parts.loc[method].drop("house")["maintenance_margin"].to_dict() == pytest.approx(rules.to_dict())


def test_house_asks_nothing_of_a_cash_account_and_nothing_adds_nothing():
    house = [("A", "", 0.6, 0.4)]
    assert tables([("s", "A", 100)], account="cash", house=house)["house_additions"].empty
    assert tables([("s", "B", 100)], house=house)["house_additions"].empty
    assert tables([("s", "A", 100)], house=[("A", "", 0.5, 0.25)])["house_additions"].empty


def test_rejected_house_rate_leaves_those_who_hold_what_it_names_undetermined():
    by_symbol = rejection("is above 1", source="house_margins.csv", portfolio=None, raw='{"symbol": "A", "asset_class": null}')
    by_class = rejection("is above 1", source="house_margins.csv", portfolio=None, raw='{"symbol": "", "asset_class": "Equity"}')
    other = rejection("is above 1", source="house_margins.csv", portfolio=None, raw='{"symbol": "B", "asset_class": ""}')
    for rejected in (by_symbol, by_class):
        row = governing([("s", "A", 100)], rejected=[rejected])
        assert json.loads(row["missing"]) == ["house_margins.csv row 17: is above 1"]
    assert governing([("s", "A", 100)], rejected=[other])["status"] == "safe"
    assert governing([("s", "A", 100)], account="cash", rejected=[by_symbol])["status"] == "safe"
    option = rejection("is above 1", source="house_margins.csv", portfolio=None, raw='{"symbol": "C100"}')
    assert governing([("s", "C100", 1)], rejected=[option])["status"] == "safe"


def test_offsets_are_a_negative_component_of_cross_margin_alone():
    found = composed(tables([("s", "A", 100), ("s", "B", -100)], benefits=[("P", "1", "A", "B", 700.0)]))
    rows = found.portfolio_margins.set_index("method")["maintenance_margin"]
    assert rows["cross_margin"] == rows["reg_t"] - 700
    parts = found.components.set_index(["method", "component"])["maintenance_margin"]
    assert parts["cross_margin", "offsets"] == -700
    assert ("strategy_based", "offsets") not in parts.index


held_symbols = st.sampled_from(["A", "B", "C100", "C110", "P90", "LEAP", "ES", "BTC"])
books = st.lists(st.tuples(st.sampled_from("ab"), held_symbols, st.integers(-5, 5).filter(bool)), max_size=7, unique_by=lambda row: row[:2])


house_rows = st.tuples(st.sampled_from(["A", "C110", "ES"]), st.floats(0, 1), st.floats(0, 1))
houses = st.lists(house_rows.map(lambda row: (row[0], "", *row[1:])), max_size=2, unique_by=lambda row: row[0])
margin_accounts = st.sampled_from(["reg_t", "portfolio_margin", "cash", "futures", "crypto_cross", "crypto_isolated"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(books, margin_accounts, st.floats(-1e4, 1e6), houses)
def test_components_and_strategies_add_up_and_row_order_changes_nothing(held, account, equity, house):
    given_tables = tables(held, account=account, equity=equity, house=house)
    found = composed(given_tables)
    house_part = found.components.query("component == 'house' and method != 'strategy_based'")
    assert (house_part[["initial_margin", "maintenance_margin"]] >= 0).all(axis=None)
    assert (found.components.query("component == 'house'")["maintenance_margin"] >= -1e-6).all()
    known = found.portfolio_margins[found.portfolio_margins["status"] != "undetermined"].set_index("method")
    sums = found.components.groupby("method")[["initial_margin", "maintenance_margin"]].sum().reindex(known.index).fillna(0.0)
    for name in ("initial_margin", "maintenance_margin"):
        assert sums[name].to_numpy() == pytest.approx(known[name].to_numpy(), rel=1e-9, abs=1e-9)
    assert known["excess"].tolist() == (known["margin_equity"] - known["maintenance_margin"]).tolist()
    names = ("position_margins", "strategy_groups", "legs", "cross_margin_benefits")
    for method in known.index:
        carried = margin_attribution(found.portfolio_margins, *(given_tables[n] for n in names), method=method)
        assert carried["margin_contribution"].sum() == pytest.approx(known.loc[method, "maintenance_margin"], rel=1e-9, abs=1e-9)
        assert carried["margin_share"].isna().all() or carried["margin_share"].sum() == pytest.approx(1.0)
    again = composed({name: frame.iloc[::-1].reset_index(drop=True) for name, frame in given_tables.items()})
    pd.testing.assert_frame_equal(found.portfolio_margins, again.portfolio_margins)
    pd.testing.assert_frame_equal(found.components, again.components)


def test_strategies_carry_their_legs_their_own_positions_and_their_part_of_offsets():
    given_tables = tables([("a", "A", 100), ("b", "B", 300), ("b", "ES", 1)], equity=1e5, benefits=[("P", "1", "A", "B", 550.0)])
    margins = composed(given_tables).portfolio_margins
    names = ("position_margins", "strategy_groups", "legs", "cross_margin_benefits")
    carried = margin_attribution(margins, *(given_tables[n] for n in names)).set_index("strategy")
    assert carried["margin_contribution"].to_dict() == {"a": 2_500, "b": 3_000 + 12_000}
    assert carried["margin_share"].sum() == pytest.approx(1.0)
    offset = margin_attribution(margins, *(given_tables[n] for n in names), method="cross_margin").set_index("strategy")
    assert offset.loc["a", "margin_contribution"] == pytest.approx(2_500 - 550 * 2_500 / 5_500)


def test_strategies_of_an_undetermined_portfolio_carry_nothing_known_and_of_a_free_one_no_share():
    for held, contribution in (([("a", "Z", 1)], np.nan), ([("a", "C100", 1)], 0.0)):
        given_tables = tables(held)
        margins = composed(given_tables).portfolio_margins
        names = ("position_margins", "strategy_groups", "legs", "cross_margin_benefits")
        row = margin_attribution(margins, *(given_tables[n] for n in names)).iloc[0]
        assert row["margin_contribution"] == pytest.approx(contribution, nan_ok=True)
        assert np.isnan(row["margin_share"])
