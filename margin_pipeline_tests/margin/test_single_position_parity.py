"""A group of one position needs what the position needs on its own, whatever it is."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.margin.components import GROUPED_CLASSES
from margin_pipeline.margin.portfolio import compose
from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline_tests.margin.models.conftest import margin_book

OPTION = {"underlying": "U", "strike": 100.0, "expiry": "2023-03-17", "multiplier": 100.0, "price": 4.0}
CALL = {**OPTION, "symbol": "C", "asset_class": "equity_option", "option_type": "call"}
PUT = {**OPTION, "symbol": "P", "asset_class": "equity_option", "option_type": "put"}
INDEX = {"asset_class": "index_option"}
SINGLE = {
    "long stock": {"symbol": "A", "price": 40.0, "quantity": 100},
    "short stock": {"symbol": "A", "price": 40.0, "quantity": -100},
    "short stock, $5 a share": {"symbol": "A", "price": 10.0, "quantity": -100},
    "short stock, low price": {"symbol": "A", "price": 2.0, "quantity": -100},
    "long fund, leveraged": {"symbol": "A", "asset_class": "etf", "leverage_factor": 3.0, "price": 40.0, "quantity": 10},
    "short fund, leveraged": {"symbol": "A", "asset_class": "etf", "leverage_factor": 2.0, "price": 40.0, "quantity": -10},
    "long convertible": {"symbol": "A", "asset_class": "convertible", "underlying": "U", "price": 90.0, "quantity": 10},
    "long warrant": {"symbol": "A", "asset_class": "warrant", "underlying": "U", "price": 9.0, "quantity": 10},
    "long call": {**CALL, "quantity": 2},
    "long call, long dated": {**CALL, "expiry": "2024-06-21", "quantity": 2},
    "short call": {**CALL, "quantity": -2},
    "short call, out of the money": {**CALL, "strike": 180.0, "quantity": -2},
    "long put": {**PUT, "quantity": 2},
    "short put": {**PUT, "quantity": -2},
    "short put, out of the money": {**PUT, "strike": 40.0, "quantity": -2},
    "short index call": {**CALL, **INDEX, "quantity": -2},
    "short index put": {**PUT, **INDEX, "quantity": -2},
    "stock in euros": {"symbol": "A", "price": 40.0, "quantity": -100, "currency": "EUR"},
}
HOUSE = pd.DataFrame(
    {"symbol": [None] * 3, "asset_class": ["equity", "etf", "equity_option"], "initial_rate": 0.7, "maintenance_rate": 0.45}
).astype({"symbol": "str", "asset_class": "str"})
MARKET = {"closes": {"U": 100.0}, "usd": {"EUR": 1.25}}
ELSEWHERE = {
    "future": {"symbol": "F", "asset_class": "future", "root": "ES", "multiplier": 50.0, "price": 4000.0},
    "future_option": {"symbol": "F", "asset_class": "future_option", "root": "ES", "multiplier": 50.0, "price": 40.0},
    "bond": {"symbol": "B", "asset_class": "bond", "modified_duration": 5.0, "price": 99.0},
    "fx": {"symbol": "EURUSD", "asset_class": "fx", "price": 1.1},
    "crypto": {"symbol": "BTC", "asset_class": "crypto", "price": 20_000.0},
    "commodity": {"symbol": "GOLD", "asset_class": "commodity", "price": 1_800.0},
}


def both(position, account, house_margins=None):
    underlying = {"symbol": "U", "asset_class": "index" if position.get("asset_class") == "index_option" else "equity"}
    tables = margin_book([position], account=account, instruments=[underlying], house_margins=house_margins, **MARKET)
    frames = (tables[name] for name in ("positions", "instruments", "portfolios", "prices", "fx_rates", "as_of"))
    return tables["position_margins"], group_positions(*frames, house_margins=house_margins).groups


@pytest.mark.parametrize("house", [None, HOUSE], ids=["rule", "house"])
@pytest.mark.parametrize("name", SINGLE)
def test_group_of_one_needs_what_its_position_needs(name, house):
    alone, groups = both(SINGLE[name], "reg_t", house)
    assert len(groups) == 1
    for column in ("initial_margin", "maintenance_margin"):
        assert groups[column].tolist() == pytest.approx(alone[column].tolist(), rel=1e-12)
    assert alone["maintenance_margin"].iloc[0] > 0 or name in ("long call", "long put")


@pytest.mark.parametrize("name", ["long stock", "long call", "long put", "short put"])
def test_group_of_one_needs_what_its_position_needs_in_a_cash_account(name):
    alone, groups = both(SINGLE[name], "cash", HOUSE)
    for column in ("initial_margin", "maintenance_margin"):
        assert groups[column].tolist() == pytest.approx(alone[column].tolist(), rel=1e-12)


@pytest.mark.parametrize("name", ["short stock", "short call"])
def test_what_a_cash_account_does_not_admit_has_no_margin_either_way(name):
    alone, groups = both(SINGLE[name], "cash")
    assert np.isnan(alone["maintenance_margin"].iloc[0])
    assert np.isnan(groups["maintenance_margin"].iloc[0])
    assert alone["missing"].notna().all()
    assert groups["missing"].notna().all()


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("quantity", [3, -3])
def test_portfolio_of_one_other_position_needs_what_the_position_needs(name, quantity):
    assert ELSEWHERE[name]["asset_class"] not in GROUPED_CLASSES
    futures = [("ES", "2022-01-03", 12_320, 11_200, 6_160, 5_600)]
    tables = margin_book([{**ELSEWHERE[name], "quantity": quantity}], account="reg_t", futures=futures)
    frames = (tables[n] for n in ("positions", "instruments", "portfolios", "prices", "fx_rates", "as_of"))
    groups = group_positions(*frames).groups
    assert groups.empty
    benefits = pd.DataFrame({"portfolio_id": [], "saving": []}).astype({"portfolio_id": "str", "saving": float})
    netting = pd.DataFrame(columns=["netting_set_id", "portfolio_id", "side", "model", "initial_margin", "missing"])
    rejected = pd.DataFrame(columns=["source", "row_number", "reason", "portfolio_id", "raw"])
    composed = compose(
        *(tables[n] for n in ("portfolios", "positions", "instruments", "position_margins")),
        groups,
        benefits,
        netting,
        rejected,
        tables["fx_rates"],
        {"warning": 0.8, "critical": 0.9, "emergency": 0.95},
        tables["as_of"],
    )
    found = composed.portfolio_margins.set_index("method")
    for method in ("reg_t", "strategy_based"):
        for column in ("initial_margin", "maintenance_margin"):
            needed = tables["position_margins"][column].iloc[0]
            if column == "initial_margin":  # the minimum equity of the account is a component of its own
                own = composed.components.query("method == @method and component != 'minimum'")
                assert own[column].sum() == pytest.approx(needed)
            else:
                assert found.loc[method, column] == pytest.approx(needed)
