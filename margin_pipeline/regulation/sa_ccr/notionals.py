"""Adjusted notional of each trade, in the base currency of its portfolio.

Belongs here: the amount that a trade's delta and maturity factor scale. Not here: those (`deltas`, `maturities`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion
from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Column, Reasons, Texts, numbered
from margin_pipeline.regulation.sa_ccr.classification import Classification
from margin_pipeline.regulation.sa_ccr.years import Floats


def base_rates(currency: Column, base: Column, usd: Mapping[str, float]) -> Floats:
    """Units of the base currency for one of each trade's currency; NaN where a rate is missing."""
    number, row = numbered(currency.codes, base.codes)
    one, other = (pd.Series(column.texts[row], dtype=object) for column in (currency, base))
    return conversion(one, other, usd)[number]


def missing_rate(currency: Column, base: Column) -> Texts:
    """What is missing where a rate is."""
    number, row = numbered(currency.codes, base.codes)
    pairs = zip(currency.texts[row], base.texts[row], strict=True)
    return np.array([f"exchange rate of {one} to {other}" for one, other in pairs], dtype=object)[number]


def adjusted_notionals(
    book: Book, kinds: Classification, duration: Floats, rate: Floats, usd: Mapping[str, float], rules: SaCcrRules, reasons: Reasons
) -> Floats:
    """Adjusted notional of all trades, base currency; NaN where something is missing.

    Parameters
    ----------
    duration : (n,) supervisory duration, years; NaN outside rates and credit.
    rate : (n,) base currency for one of the trade's.
    usd : US dollars for one unit, by currency.

    Notes
    -----
    CRE52.34-CRE52.36; BCBS 279, paragraph 157. Rates and credit: notional x duration. Exchange rates: see `_fx_notionals`. Equity and
    commodity: the notional, which is the current price times units; in volatility trades `underlying_price`, the volatility or variance
    in its own unit, times the notional, which is money for one such unit (CRE52.36, FAQ1). Digital options: their payoff (the notional)
    buys payoff / (0.1 x strike) units of the collar that stands for them.
    """
    amount = book.numbers("notional") * rate
    has_duration = np.isin(kinds.asset_class, ["interest_rate", "credit"])
    adjusted = np.where(has_duration, amount * duration, amount)
    is_fx = kinds.asset_class == "fx"
    if is_fx.any():
        adjusted = np.where(is_fx, _fx_notionals(book, kinds, amount, usd, reasons), adjusted)
    price, strike = book.numbers("underlying_price"), book.numbers("strike")
    by_volatility = (kinds.kind == "volatility") & np.isin(kinds.asset_class, ["equity", "commodity"])
    reasons.add(by_volatility & ~kinds.is_option & ~(price > 0), "underlying_price above 0")
    adjusted = np.where(by_volatility, amount * price, adjusted)
    reasons.add(kinds.is_digital & has_duration, "the two options that stand for a digital one on rates or credit, as trades of their own")
    low, high = rules.digital_strikes
    with np.errstate(invalid="ignore", divide="ignore"):
        collar = amount * price / ((high - low) * strike)
    found = np.where(kinds.is_digital, np.where(has_duration, np.nan, collar), adjusted)
    return np.where(found >= 0, found, np.nan)


def _fx_notionals(book: Book, kinds: Classification, amount: Floats, usd: Mapping[str, float], reasons: Reasons) -> Floats:
    """The foreign leg of each exchange-rate trade, the larger one where both are foreign (CRE52.35), converted.

    A leg whose notional is not given is worth as much as the other.
    """
    base = book.base_currency.texts
    first, second = book.names("currency").texts, book.names("second_currency").texts
    second_notional = book.numbers("second_notional")
    rate = base_rates(book.names("second_currency"), book.base_currency, usd)
    other = second_notional * rate
    wanted = (kinds.asset_class == "fx") & (second != "") & ~np.isnan(second_notional) & (second != base)
    reasons.add(wanted & np.isnan(rate), missing_rate(book.names("second_currency"), book.base_currency))
    given = ~np.isnan(second_notional)
    both_foreign = np.where(given, np.maximum(amount, other), amount)
    first_is_base = np.where(given, other, amount)
    return np.select([first == base, second == base], [first_is_base, amount], both_foreign)
