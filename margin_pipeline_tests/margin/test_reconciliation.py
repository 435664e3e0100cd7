"""Our margins against the broker's: each hypothesis by hand, sides that are missing, figures that add up."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.our_margins import OurMargins, symbol_margins
from margin_pipeline.margin.reconciliation import TABLE_COLUMNS, reconcile
from margin_pipeline.margin.scenario_tables import SHARE_COLUMNS
from margin_pipeline_tests.margin.accounts import AS_OF, REJECTED, composition, tables

BROKER = ["portfolio_id", "symbol", "initial_margin", "maintenance_margin"]
COVERED_AND_SHORT = [("s", "A", 100), ("s", "C110", -1), ("s", "B", -200)]
NAKED_CALL = 200 + 100 * max(20.0 - 10.0, 10.0)


def ours_of(given_tables):
    found = composition(given_tables)
    return OurMargins(
        found.portfolio_margins,
        found.components,
        given_tables["position_margins"],
        given_tables["positions"],
        given_tables["strategy_groups"],
        given_tables["legs"],
        given_tables["grouping_proofs"],
        given_tables["margin_schedule_positions"],
        given_tables.get("scenario_shares", pd.DataFrame(columns=SHARE_COLUMNS)),
    )


def reconciled(held, stated=(), rejected=(), **account):
    """The table by symbol and measure; `stated`: (symbol, initial, maintenance), None where the broker says nothing."""
    given_tables = account.pop("given_tables", None) or tables(held, **account)
    rows = [("P", symbol, *(np.nan if x is None else float(x) for x in amounts)) for symbol, *amounts in stated]
    broker = pd.DataFrame(rows, columns=BROKER).astype({"initial_margin": float, "maintenance_margin": float})
    rejected_rows = pd.DataFrame(rejected, columns=REJECTED).astype({"source": "str"})
    found = reconcile(ours_of(given_tables), broker, rejected_rows, given_tables["portfolios"], given_tables["fx_rates"], AS_OF)
    assert list(found.columns) == TABLE_COLUMNS
    return found.set_index(["symbol", "measure"])


def whole(held, measure, broker, **account):
    stated = ("", broker, None) if measure == "initial" else ("", None, broker)
    return reconciled(held, [stated], **account).loc[("", measure)]


@pytest.mark.parametrize(
    ("held", "measure", "ours", "broker", "hypothesis", "account"),
    [
        (COVERED_AND_SHORT, "maintenance", 4_900, 4_900 + NAKED_CALL, "method:reg_t", {}),
        (COVERED_AND_SHORT, "maintenance", 4_900, 2_400, "without_component:options", {}),
        (COVERED_AND_SHORT, "maintenance", 4_900, 4_900 + 8_000, "short_stock_with_proceeds", {}),
        ([("s", "C110", -1)], "maintenance", NAKED_CALL, NAKED_CALL - 200, "premium_left_out", {}),
        ([("s", "A", 100), ("s", "C80", -1)], "maintenance", 4_000, 2_000, "in_the_money_left_out", {}),
        ([("s", "A", 100)], "maintenance", 4_000, 2_500, "without_component:house", {"house": [("A", "", 0.6, 0.4)]}),
        ([("s", "A", 100)], "initial", 6_000, 5_000, "without_component:house", {"house": [("A", "", 0.6, 0.4)]}),
        ([("s", "A", 10)], "initial", 1_000, 500, "without_component:minimum", {}),
        ([("s", "A", 10)], "maintenance", 250, 2_000, "minimum_equity_in_maintenance", {}),
        ([("s", "A", 100)], "maintenance", 2_500, 5_000, "our_initial_margin", {}),
        ([("s", "A", 100)], "initial", 5_000, 2_500, "our_maintenance_margin", {}),
        ([("s", "BTC", -10)], "maintenance", 15_000, 20_000, "other_reading_of_the_schedule", {"account": "crypto_cross"}),
        ([("s", "A", 100), ("s", "B", -200), ("s", "ES", 1)], "maintenance", 16_900, 14_500, "position_left_out:B", {}),
        (
            [("s", "A", 100), ("s", "C110", -1), ("s", "ES", 1)], "maintenance", 14_500, 2_500 + NAKED_CALL,
            "method:reg_t,without_component:futures", {},
        ),
        ([("a", "A", 300), ("b", "A", -100)], "maintenance", 5_000, 5_000 + 500 + 5_000, "method:reg_t,without_component:boxed", {}),
    ],
)  # fmt: skip
def test_difference_is_explained_by_what_the_broker_counts_otherwise(held, measure, ours, broker, hypothesis, account):
    row = whole(held, measure, broker, **account)
    assert (row["ours"], row["broker"], row["difference"]) == pytest.approx((ours, broker, broker - ours))
    assert (row["status"], row["hypothesis"]) == ("explained", hypothesis)
    assert row["explained"] == pytest.approx(broker - ours)
    assert row["residual"] == pytest.approx(0.0, abs=1e-9)
    explanation = json.loads(row["explanation"])
    assert explanation["text"].endswith("; nothing stays unexplained.")
    assert f"{broker:,.2f} against our {ours:,.2f}" in explanation["text"]


def test_net_call_and_gross_of_the_manual_are_recognised():
    held = [("s", "C110", -9), ("s", "C100", 9), ("s", "P90", -9)]
    groups = tables(held)["strategy_groups"]
    row = whole(held, "initial", groups["net_call"].sum())
    assert (row["status"], row["hypothesis"]) == ("explained", "net_call_of_the_manual")
    assert whole(held, "initial", groups["gross_requirement"].sum())["hypothesis"] == "gross_of_the_manual"


def test_greedy_grouping_is_recognised_by_the_proof():
    given_tables = tables(COVERED_AND_SHORT)
    given_tables["grouping_proofs"]["greedy_margin"] = given_tables["grouping_proofs"]["optimum"] + 700.0
    row = whole([], "maintenance", 5_600, given_tables=given_tables)
    assert (row["status"], row["hypothesis"]) == ("explained", "greedy_grouping")


def test_one_group_that_the_broker_does_not_recognise_is_named():
    held = [("s", "A", 100), ("s", "C110", -1), ("s", "LEAP", 1), ("s", "C100", -1)]
    given_tables = tables(held)
    groups, alone = given_tables["strategy_groups"], given_tables["position_margins"].set_index("symbol")["maintenance_margin"]
    group = groups[groups["structure"] != "covered_call"].iloc[0]
    legs = [leg["symbol"] for leg in json.loads(group["legs"])]
    assert len(legs) == 2
    broker = groups["maintenance_margin"].sum() - group["maintenance_margin"] + alone[legs].sum()
    row = whole(held, "maintenance", broker)
    assert (row["status"], row["hypothesis"]) == ("explained", f"structure_not_recognised:{group['group_id']}")


def test_agreement_says_so_and_counts_rounding_to_whole_units():
    row = whole(COVERED_AND_SHORT, "maintenance", 4_900.49)
    assert (row["status"], row["explained"]) == ("match", 0.0)
    assert row["residual"] == pytest.approx(0.49)
    assert pd.isna(row["hypothesis"])
    assert json.loads(row["explanation"])["text"] == "Broker and we agree: 4,900.49 against our 4,900.00."


def test_what_stays_unexplained_is_said_in_money():
    row = whole(COVERED_AND_SHORT, "maintenance", 6_050)
    assert (row["status"], row["hypothesis"], row["explained"], row["residual"]) == ("partly_explained", "method:reg_t", 1_200, -50)
    gross = whole(COVERED_AND_SHORT, "maintenance", 4_900 + 8_000 + 37)
    assert (gross["status"], gross["hypothesis"], gross["residual"]) == ("partly_explained", "short_stock_with_proceeds", 37)
    none = whole(COVERED_AND_SHORT, "maintenance", 4_950)
    assert (none["status"], none["explained"], none["residual"]) == ("unexplained", 0, 50)
    tested = json.loads(none["explanation"])["tested"]
    assert {"hypothesis": "method:reg_t", "amount": 6_100.0, "residual": -1_150.0} in tested


def test_undetermined_margin_of_ours_is_missing_and_not_zero():
    row = whole([("s", "A", 100), ("s", "Z", 1)], "maintenance", 2_500)
    assert (row["status"], row["missing"]) == ("missing", "ours: price of Z 2022-12-28")
    assert row[["ours", "difference", "explained", "residual"]].isna().all()


def test_symbols_are_compared_with_their_part_of_the_groups_and_with_themselves_outside():
    rows = reconciled([*COVERED_AND_SHORT, ("s", "ES", 1)], [("A", None, 2_500), ("C110", None, 0), ("ES", None, 13_200)])
    part = 2_500 * 2_500 / (2_500 + NAKED_CALL)
    assert rows.loc[("A", "maintenance"), ["base", "ours"]].tolist() == ["groups", pytest.approx(part)]
    assert rows.loc[("A", "maintenance"), "hypothesis"] == "stand_alone"
    assert rows.loc[("C110", "maintenance"), "hypothesis"] == "nothing_for_the_symbol"
    assert rows.loc[("ES", "maintenance"), ["base", "ours", "hypothesis"]].tolist() == ["positions", 12_000, "our_initial_margin"]


@pytest.mark.parametrize(
    ("held", "symbol", "broker", "hypothesis"),
    [
        ([("s", "C110", -1)], "C110", NAKED_CALL - 200, "premium_left_out"),
        ([("s", "B", -200)], "B", 2_400 + 8_000, "short_stock_with_proceeds"),
        ([("s", "C110", -1)], "A", NAKED_CALL, None),
        ([("s", "A", 100), ("s", "C110", -3)], "C110", 2_500 + 2 * NAKED_CALL, "whole_groups_at_this_leg"),
        ([("s", "A", 100), ("s", "C110", -3)], "A", 2_500 + 2 * NAKED_CALL, "everything_on_the_underlying"),
    ],
)
def test_difference_of_a_symbol_is_explained(held, symbol, broker, hypothesis):
    row = reconciled(held, [(symbol, None, broker)]).loc[(symbol, "maintenance")]
    if hypothesis is None:
        assert (row["status"], row["missing"]) == ("missing", "ours: the portfolio holds no position in A")
    else:
        assert (row["status"], row["hypothesis"]) == ("explained", hypothesis)


def test_house_rate_of_a_symbol_is_recognised():
    row = reconciled([("s", "ES", 1)], [("ES", None, 12_000)], house=[("ES", "", 0.1, 0.08)]).loc[("ES", "maintenance")]
    assert (row["ours"], row["hypothesis"]) == (pytest.approx(15_200), "without_house_rates")


def test_symbol_that_one_side_does_not_have_is_missing_there():
    rows = reconciled(COVERED_AND_SHORT, [("A", None, 2_500), ("TSLA", None, 10)])
    assert rows.loc[("TSLA", "maintenance"), "missing"] == "ours: the portfolio holds no position in TSLA"
    assert rows.loc[("TSLA", "maintenance"), "base"] == "none"
    unlisted = rows.loc[("B", "maintenance")]
    assert (unlisted["ours"], unlisted["status"], unlisted["missing"]) == (2_400, "missing", "broker: does not list the symbol")
    assert np.isnan(unlisted["broker"])
    assert ("B", "initial") not in rows.index


def test_statement_that_was_rejected_is_missing_with_its_reason():
    raw = '{"portfolio_id": "P", "symbol": null, "maintenance_margin": "ten"}'
    bad = ("broker_margins.csv", 3, "maintenance_margin", '"ten" is not a number', "P", raw)
    rows = reconciled(COVERED_AND_SHORT, rejected=[bad])
    assert set(rows["missing"]) == {'broker: broker_margins.csv row 3: "ten" is not a number'}
    assert rows.loc[("", "maintenance"), "ours"] == 4_900


def test_netting_sets_hold_no_symbols():
    netting = [("P", "N1", "schedule", "post", 300.0, None)]
    rows = reconciled([], [("", 300, 300), ("SWAP", None, 10)], account="otc", netting_sets=netting)
    assert rows.loc[("", "initial"), "status"] == "match"
    assert rows.loc[("SWAP", "maintenance"), "missing"] == "ours: method schedule_im margins netting sets, not symbols"


def test_without_a_statement_there_is_nothing_to_compare():
    assert reconciled(COVERED_AND_SHORT).empty


held_symbols = st.sampled_from(["A", "B", "C80", "C100", "C110", "P90", "LEAP", "ES", "BTC"])
books = st.lists(st.tuples(st.sampled_from("ab"), held_symbols, st.integers(-5, 5).filter(bool)), max_size=6, unique_by=lambda row: row[:2])


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(books, st.sampled_from(["reg_t", "cash", "futures", "crypto_cross"]), st.integers(0, 40_000), st.integers(0, 10_000))
def test_figures_add_up_and_symbols_add_up_to_the_groups_and_positions(held, account, total, single):
    given_tables = tables(held, account=account)
    stated = [("", total, total), *((symbol, single, single) for symbol in sorted({symbol for _, symbol, _ in held}))]
    rows = reconciled(held, stated, given_tables=given_tables)
    both = rows[rows["status"] != "missing"]
    assert both["difference"].to_numpy() == pytest.approx((both["broker"] - both["ours"]).to_numpy())
    assert (both["explained"] + both["residual"]).to_numpy() == pytest.approx(both["difference"].to_numpy())
    assert (both["residual"].abs() <= both["difference"].abs() + 1e-9).all()
    margins = ours_of(given_tables)
    parts = symbol_margins(margins).groupby("measure")["ours"].agg(lambda x: x.sum(skipna=False))
    components = margins.portfolio_margin_components
    without = components[~components["component"].isin(["minimum", "boxed"])]
    governing = margins.portfolio_margins.query("is_governing").iloc[0]
    if governing["status"] != "undetermined" and held:
        sums = without[without["method"] == governing["method"]][["initial_margin", "maintenance_margin"]].sum()
        assert parts[["initial", "maintenance"]].to_numpy() == pytest.approx(sums.to_numpy(), rel=1e-9, abs=1e-6)
    shuffled = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in given_tables.items()}
    pd.testing.assert_frame_equal(rows, reconciled(held, stated[::-1], given_tables=shuffled))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(books)
def test_total_of_any_other_method_is_explained_without_rest(held):
    given_tables = tables(held)
    margins = composition(given_tables).portfolio_margins.set_index("method")["maintenance_margin"]
    row = whole(held, "maintenance", margins["reg_t"], given_tables=given_tables)
    assert row["status"] in ("match", "explained")
