"""Dated rates and rules of position margin: in force on any date from 1990 on, and refused when no rule can mean them."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from margin_pipeline.parameters import ParameterError
from margin_pipeline.parameters.margin_models import asset_class_rates, futures_rules, model_choice
from margin_pipeline.parameters.option_rates import option_rates
from margin_pipeline.parameters.stock_rates import day_trading_rules, stock_rates


@pytest.mark.parametrize("reader", [stock_rates, day_trading_rules, option_rates, asset_class_rates, futures_rules, model_choice])
def test_every_record_is_there_on_any_date_from_1990_on(reader):
    for day in (dt.date(1990, 1, 2), dt.date(2010, 12, 1), dt.date(2010, 12, 2), dt.date(2030, 1, 2)):
        assert ":" in reader(day).label
    with pytest.raises(ParameterError):
        reader(dt.date(1989, 12, 29))


def test_rule_book_changes_when_finra_4210_takes_effect():
    assert stock_rates(dt.date(2010, 12, 1)).long_reference.startswith("NYSE")
    assert stock_rates(dt.date(2010, 12, 2)).long_reference == "FINRA 4210(c)(1)"


@pytest.mark.parametrize(
    ("as_of", "last_day"),
    [("2022-12-28", "2023-09-28"), ("2022-05-31", "2023-02-28"), ("2023-05-31", "2024-02-29"), ("2022-01-31", "2022-10-31")],
)
def test_nine_months_end_on_the_same_day_or_the_last_of_the_month(as_of, last_day):
    assert option_rates(dt.date(2022, 1, 3)).long_dated_after(dt.date.fromisoformat(as_of)) == np.datetime64(last_day)


def test_rates_that_no_rule_can_mean_are_refused():
    for record, change in (
        (stock_rates, {"long_maintenance": 1.2}),
        (stock_rates, {"low_price": -5.0}),
        (option_rates, {"broad_rate": -0.1}),
        (asset_class_rates, {"rates": {"bond": (0.1, 0.2)}}),
    ):
        with pytest.raises(ParameterError):
            dataclasses.replace(record(dt.date(2022, 12, 28)), **change)


def test_every_model_that_is_chosen_is_built_in():
    from margin_pipeline.margin.registry import BUILT_IN

    choice = model_choice(dt.date(2022, 12, 28))
    chosen = {choice.leveraged_contract_model, choice.scheduled_model, *choice.by_asset_class.values()}
    assert chosen | {m for models in choice.by_account_type.values() for m in models.values()} <= set(BUILT_IN)
