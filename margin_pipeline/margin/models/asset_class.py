"""Model `asset_class_rate`: a fraction of notional by asset class, with add-ons.

Belongs here: rates and add-ons of the class. Not here: rates of stock in margin accounts (`stock`), the table's values.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    price_missing,
)


def asset_class_rate(book: Book, terms: Terms) -> Requirement:
    """Requirement as a fraction of notional.

    Notes
    -----
    rate = (class rate + duration add-on) x (1 + volatility add-on + concentration add-on), at most 1. The class rate is that of
    margin_rates in force, else the shipped one. Duration (bonds under the shipped rate): a fraction a year of modified duration.
    Volatility: what the annualised volatility exceeds the threshold by, times a multiplier. Concentration: a fixed fraction where the
    portfolio's gross notional in the symbol exceeds a threshold in US dollars. A missing rate, volatility or duration fails closed.
    """
    rules = terms.asset_classes
    asset_class, fx_rate = book.text("asset_class"), book.number("fx_rate")
    given = asset_class.among(*terms.given_rates)
    table = {**rules.rates, **terms.given_rates}
    rates = [asset_class.numbers({name: pair[side] for name, pair in table.items()}) for side in (0, 1)]
    bond = asset_class.among("bond") & ~given
    years = np.where(bond, np.abs(book.number("modified_duration")), 0.0)
    volatility = book.number("volatility")
    multipliers = dict(rules.volatility_multipliers)
    multiplier = asset_class.numbers({name: multipliers.get(name, multipliers["default"]) for name in asset_class.texts})
    volatility_add_on = np.maximum(volatility - rules.volatility_threshold, 0.0) * multiplier
    gross = book.gross_notional_usd()
    concentrated = gross > rules.concentration_threshold_usd
    factor = 1.0 + volatility_add_on + np.where(concentrated, rules.concentration_add_on, 0.0)
    initial_rate = np.minimum((rates[0] + rules.duration_initial * years) * factor, 1.0)
    maintenance_rate = np.minimum((rates[1] + rules.duration_maintenance * years) * factor, 1.0)
    notional = np.abs(book.instrument_notional())
    reasons = _reasons(book, terms, rates[0], years, gross)

    def explanation() -> pd.Series:
        fields = {
            "rule": "(class rate + duration add-on) x (1 + volatility add-on + concentration add-on) x notional",
            "parameter_set": rules.label,
            "rates_from_file": given,
            "asset_class": asset_class,
            "notional": notional,
            "initial_rate": initial_rate,
            "maintenance_rate": maintenance_rate,
            "volatility": volatility,
            "volatility_add_on": volatility_add_on,
            "concentrated": concentrated,
            "duration_years": years,
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    return finished(initial_rate * notional * fx_rate, maintenance_rate * notional * fx_rate, reasons, explanation)


def _reasons(book: Book, terms: Terms, rate: Array, years: Array, gross: Array) -> Reasons:
    reasons = Reasons(len(book))
    symbol, factor, classes = book.text("symbol"), book.text("risk_symbol"), book.text("asset_class")
    own = book.text("currency")
    reasons.add(np.isnan(rate), lambda row: f"margin rate of asset class {classes[row]}")
    price_missing(book, reasons, terms.as_of)
    exchange_rate_missing(book, reasons, terms.as_of)
    reasons.add(np.isnan(years), lambda row: f"modified duration of {symbol[row]}")
    reasons.add(np.isnan(book.number("volatility")), lambda row: f"volatility of {factor[row]}")
    unconverted = np.isnan(gross) & ~np.isnan(book.number("price")) & ~np.isnan(book.number("fx_rate"))
    reasons.add(unconverted, lambda row: f"exchange rate of {own[row]} into USD {terms.as_of}")
    return reasons


def rates_in_force(margin_rates: pd.DataFrame, terms_date: pd.Timestamp) -> dict[str, tuple[float, float]]:
    """(initial, maintenance) by asset class from margin_rates: the newest effective date by the date."""
    effective = pd.to_datetime(margin_rates["effective_date"])
    current = margin_rates.assign(effective_date=effective)[effective <= terms_date]
    newest = current.sort_values("effective_date", kind="stable").drop_duplicates("asset_class", keep="last")
    columns = (newest["asset_class"], newest["initial_rate"], newest["maintenance_rate"])
    return {str(name): (float(initial), float(maintenance)) for name, initial, maintenance in zip(*columns, strict=True)}
