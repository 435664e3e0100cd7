"""Checks of SA-CCR: what they let pass and what they stop."""

import pytest

from margin_pipeline.orchestration import checks_sa_ccr
from margin_pipeline_tests.regulation.sa_ccr_book import EXAMPLE_1, EXAMPLE_3, MARGINED_EXAMPLE, sets_frame, tables, trades_frame

SETS = ({"netting_set_id": "A", **MARGINED_EXAMPLE}, {"netting_set_id": "B"}, {"netting_set_id": "EMPTY"})
TRADES = [
    *({**trade, "netting_set_id": "A"} for trade in EXAMPLE_1 + EXAMPLE_3),
    *({**trade, "netting_set_id": "B", "direction": None} for trade in EXAMPLE_3),
]
PRODUCT, GROSS, PARTS, ALL = (
    checks_sa_ccr.effective_notional_is_its_product,
    checks_sa_ccr.no_hedging_set_exceeds_its_gross,
    checks_sa_ccr.exposure_is_made_of_its_parts,
    checks_sa_ccr.every_netting_set_is_there_or_the_rule_is_not,
)


@pytest.fixture(scope="module")
def frames():
    names = ("sa_ccr_trades", "sa_ccr_hedging_sets", "sa_ccr_netting_sets")
    return {**dict(zip(names, tables(TRADES, SETS), strict=True)), "netting_sets": sets_frame(SETS), "otc_trades": trades_frame(TRADES)}


def test_undetermined_exposures_pass_the_checks(frames):
    assert frames["sa_ccr_netting_sets"]["exposure_at_default"].isna().tolist() == [False, True, False]
    assert all(check(frames).passed for check in (PRODUCT, GROSS, PARTS, ALL))
    assert all(check({name: frame.iloc[:0] for name, frame in frames.items()}).passed for check in (PRODUCT, GROSS, PARTS, ALL))


@pytest.mark.parametrize(
    ("check", "table", "column", "change"),
    [
        (PRODUCT, "sa_ccr_trades", "effective_notional", lambda x: x * 1.01),
        (PRODUCT, "sa_ccr_trades", "missing", lambda x: None),
        (GROSS, "sa_ccr_hedging_sets", "add_on", lambda x: x * 10),
        (PARTS, "sa_ccr_hedging_sets", "add_on", lambda x: x + 1),
        (PARTS, "sa_ccr_netting_sets", "exposure_at_default", lambda x: x * 0.99),
        (PARTS, "sa_ccr_netting_sets", "exposure_at_default", lambda x: x.fillna(0.0)),
        (PARTS, "sa_ccr_netting_sets", "missing", lambda x: None),
        (ALL, "sa_ccr_netting_sets", "trades", lambda x: x - 1),
    ],
)
def test_each_check_stops_what_it_is_about(frames, check, table, column, change):
    assert not check({**frames, table: frames[table].assign(**{column: change(frames[table][column])})}).passed


def test_a_lost_netting_set_or_trade_is_stopped(frames):
    assert not ALL({**frames, "sa_ccr_netting_sets": frames["sa_ccr_netting_sets"].iloc[1:]}).passed
    assert not ALL({**frames, "sa_ccr_trades": frames["sa_ccr_trades"].iloc[1:]}).passed
