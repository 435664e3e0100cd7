"""The choice among models by instrument, product, account and asset class."""

import dataclasses
import datetime as dt
from importlib import resources

import pytest
import yaml

from margin_pipeline.margin.models.book import build_book
from margin_pipeline.margin.registry import BUILT_IN
from margin_pipeline.margin.selection import chosen_models
from margin_pipeline.parameters.margin_models import model_choice, product_rule
from margin_pipeline_tests.margin.models.conftest import AS_OF, margin_book

FUTURE = {"symbol": "CLH3", "asset_class": "future", "multiplier": 1000.0, "root": "CL", "underlying": "OIL", "quantity": 1}
OPTION = {"symbol": "CLO", "asset_class": "future_option", "multiplier": 1000.0, "underlying": "CLH3", "quantity": 1}
CURVE = {"products": ["CL", "GC"], "asset_classes": ["future_option"], "account_types": ["futures"], "model": "future_option_curve"}


def model_of(position, rules, account="futures"):
    tables = margin_book([position, FUTURE], account=account)
    frames = (tables[name] for name in ("positions", "instruments", "portfolios", "prices", "symbol_risk"))
    choice = dataclasses.replace(model_choice(AS_OF), by_product=tuple(product_rule(rule) for rule in rules))
    return dict(zip(tables["positions"]["symbol"], chosen_models(build_book(*frames, {"USD": 1.0}, AS_OF), choice), strict=True))[
        position["symbol"]
    ]


@pytest.mark.parametrize(
    ("change", "account", "model"),
    [
        ({}, "futures", "future_option_curve"),  # by the root of its underlying
        ({"root": "GC"}, "futures", "future_option_curve"),  # by its own
        ({"underlying": "ESH3"}, "futures", "future_option_fixed"),  # another product
        ({}, "reg_t", "future_option_fixed"),  # another account
        ({"asset_class": "equity_option"}, "futures", "option_naked"),  # another asset class
        ({"margin_model": "null"}, "futures", "null"),  # the instrument's own comes first
    ],
)
def test_rule_of_a_product_holds_for_its_products_classes_and_accounts_only(change, account, model):
    assert model_of({**OPTION, **change}, [CURVE], account) == model


@pytest.mark.parametrize("product", ["A", "OIL", "CLH3"])
def test_product_is_a_symbol_or_an_underlying_too(product):
    rule = {"products": [product], "asset_classes": ["equity", "future", "future_option"], "account_types": ["reg_t"], "model": "null"}
    chosen = {symbol: model_of(p, [rule], "reg_t") for symbol, p in (("A", {"symbol": "A", "quantity": 1}), ("O", OPTION))}
    assert chosen == {"A": "null" if product == "A" else "reg_t", "O": "null" if product == "CLH3" else "future_option_fixed"}


def test_first_rule_that_fits_counts_and_comes_before_schedules_and_contracts():
    rules = [{**CURVE, "products": ["B"], "asset_classes": ["crypto"], "model": name} for name in ("leverage", "per_unit")]
    perpetual = {"symbol": "B", "asset_class": "crypto", "contract_type": "linear", "margin_schedule": "S", "quantity": 1}
    assert model_of(perpetual, rules) == "leverage"
    assert model_of(perpetual, []) == "tiered"


def test_examples_in_the_file_are_rules_of_built_in_models():
    text = (resources.files("margin_pipeline.parameters") / "data" / "model_choice.yaml").read_text(encoding="utf-8")
    examples = yaml.safe_load("\n".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#     - {")))
    rules = [product_rule(example) for example in examples]
    assert [rule.model for rule in rules] == ["future_option_curve", "pattern_day_trading"]
    assert all(rule.model in BUILT_IN for rule in rules)


def test_every_model_that_is_chosen_by_product_is_built_in():
    assert all(rule.model in BUILT_IN for rule in model_choice(dt.date(2026, 11, 27)).by_product)
