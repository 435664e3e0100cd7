"""Values of the position margin models in force on a date, as frozen records.

Belongs here: reading model_choice.yaml, asset_class_rates.yaml and futures.yaml. Not here: computing a requirement (`margin`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force


@dataclass(frozen=True)
class ProductRule:
    """Model of some products, in some accounts.

    Attributes
    ----------
    products : roots, underlyings or symbols.
    asset_classes, account_types : to which it is limited.
    model : name of the margin model.
    """

    products: frozenset[str]
    asset_classes: frozenset[str]
    account_types: frozenset[str]
    model: str


@dataclass(frozen=True)
class ModelChoice:
    """Which margin model a position gets; meanings stand in model_choice.yaml.

    Attributes
    ----------
    label : file and version.
    by_asset_class : model by asset class.
    by_account_type : model by account type and asset class; comes before `by_asset_class`.
    leveraged_contract_model : model of instruments with a contract type.
    accounts_without_contracts : account types that do not get it.
    scheduled_model : model of instruments with a margin schedule.
    scheduled_classes : asset classes that get it, by account type ("default": all others).
    by_product : rules of single products, the first that fits counts; they come before all of these.
    """

    label: str
    by_asset_class: Mapping[str, str]
    by_account_type: Mapping[str, Mapping[str, str]]
    leveraged_contract_model: str
    accounts_without_contracts: frozenset[str]
    scheduled_model: str
    scheduled_classes: Mapping[str, frozenset[str]]
    by_product: tuple[ProductRule, ...] = ()


@dataclass(frozen=True)
class AssetClassRates:
    """Rates by asset class with their add-ons; meanings stand in asset_class_rates.yaml.

    Attributes
    ----------
    label : file and version.
    rates : (initial, maintenance) by asset class, fractions of notional.
    volatility_threshold : annualised volatility, fraction.
    volatility_multipliers : by asset class, with "default".
    concentration_threshold_usd : US dollars of gross notional in one symbol.
    concentration_add_on : fraction of the rate.
    duration_initial, duration_maintenance : fraction of notional a year of modified duration.
    """

    label: str
    rates: Mapping[str, tuple[float, float]]
    volatility_threshold: float
    volatility_multipliers: Mapping[str, float]
    concentration_threshold_usd: float
    concentration_add_on: float
    duration_initial: float
    duration_maintenance: float

    def __post_init__(self) -> None:
        """Refuse rates that no rule can mean."""
        if not all(0 <= maintenance <= initial <= 1 for initial, maintenance in self.rates.values()):
            raise ParameterError(f"{self.label}: rates must satisfy 0 <= maintenance <= initial <= 1")


@dataclass(frozen=True)
class CurveShape:
    """Logistic curve of the requirement of futures options over their strike.

    Attributes
    ----------
    growth : growth rate; negative falls with the strike.
    price_factor : centre of the curve over the price of the future.
    requirement_factor : highest requirement over that of the future.
    """

    growth: float
    price_factor: float
    requirement_factor: float


@dataclass(frozen=True)
class FuturesRules:
    """Rules of futures that no exchange file brings.

    Attributes
    ----------
    label : file and version.
    option_factor : requirement of a futures option over that of its future.
    curves : shape of the curve by side (long, short) and right (call, put).
    """

    label: str
    option_factor: float
    curves: Mapping[tuple[str, str], CurveShape]

    def __post_init__(self) -> None:
        """Refuse factors that no rule can mean."""
        factors = (self.option_factor, *(f for shape in self.curves.values() for f in (shape.price_factor, shape.requirement_factor)))
        if not all(factor > 0 for factor in factors):
            raise ParameterError(f"{self.label}: factors must be above 0")


def model_choice(as_of: dt.date) -> ModelChoice:
    """Choice of margin models in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("model_choice", as_of)
    v = found.values
    return ModelChoice(
        label=found.label,
        by_asset_class=dict(v["by_asset_class"]),
        by_account_type={str(account): dict(models) for account, models in v["by_account_type"].items()},
        leveraged_contract_model=str(v["leveraged_contract_model"]),
        accounts_without_contracts=frozenset(v["accounts_without_contracts"]),
        scheduled_model=str(v["scheduled_model"]),
        scheduled_classes={str(account): frozenset(classes) for account, classes in v["scheduled_classes"].items()},
        by_product=tuple(product_rule(rule) for rule in v["by_product"]),
    )


def product_rule(values: Mapping[str, Any]) -> ProductRule:
    """Rule of products from its values in model_choice.yaml."""

    def texts(name: str) -> frozenset[str]:
        return frozenset(str(text) for text in values[name])

    return ProductRule(texts("products"), texts("asset_classes"), texts("account_types"), str(values["model"]))


def asset_class_rates(as_of: dt.date) -> AssetClassRates:
    """Rates by asset class in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("asset_class_rates", as_of)
    v = found.values
    return AssetClassRates(
        label=found.label,
        rates={str(name): (float(initial), float(maintenance)) for name, (initial, maintenance) in v["rates"].items()},
        volatility_threshold=float(v["volatility_threshold"]),
        volatility_multipliers={str(name): float(m) for name, m in v["volatility_multipliers"].items()},
        concentration_threshold_usd=float(v["concentration_threshold_usd"]),
        concentration_add_on=float(v["concentration_add_on"]),
        duration_initial=float(v["duration_initial"]),
        duration_maintenance=float(v["duration_maintenance"]),
    )


def futures_rules(as_of: dt.date) -> FuturesRules:
    """Rules of futures in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("futures", as_of)
    curves = {
        (str(side), str(right)): CurveShape(**{name: float(value) for name, value in shape.items()})
        for side, shapes in found.values["curves"].items()
        for right, shape in shapes.items()
    }
    return FuturesRules(label=found.label, option_factor=float(found.values["option_factor"]), curves=curves)
