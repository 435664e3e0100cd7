"""Supervisory delta of each trade: its side, and how far its value follows the primary risk factor.

Belongs here: the formulas, and whose side a trade is on. Not here: amounts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Flags, Integers, Reasons, numbered
from margin_pipeline.regulation.sa_ccr.classification import Classification
from margin_pipeline.regulation.sa_ccr.years import Floats


def option_delta(price: Floats, strike: Floats, years: Floats, volatility: Floats, is_call: Flags, side: Floats) -> Floats:
    """Supervisory delta of European, American, Bermudan and Asian options.

    Parameters
    ----------
    price, strike : (n,) of the underlying, > 0.
    years : (n,) until the last exercise day, > 0.
    volatility : (n,) supervisory, fraction.
    is_call : (n,) calls; the others are puts.
    side : (n,) 1 bought, -1 sold.

    Returns
    -------
    (n,) in [-1, 1]: bought calls and sold puts are positive (CRE52.40; BCBS 279, paragraph 159).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        d = (np.log(price / strike) + 0.5 * volatility**2 * years) / (volatility * np.sqrt(years))
    sign = np.where(is_call, 1.0, -1.0)
    return side * sign * ndtr(sign * d)


def tranche_delta(attachment: Floats, detachment: Floats, side: Floats, rules: SaCcrRules) -> Floats:
    """Supervisory delta of tranches of collateralised debt: positive where protection is bought (CRE52.41; BCBS 279, paragraph 159)."""
    numerator, slope = rules.tranche
    return side * numerator / ((1 + slope * attachment) * (1 + slope * detachment))


def rate_shift(price: Floats, strike: Floats, group: Integers, rules: SaCcrRules) -> Floats:
    """What is added to price and strike of rate options where the quotient of the two cannot be taken.

    Parameters
    ----------
    price, strike : (n,) rates, fractions.
    group : (n,) number of the portfolio and currency; one shift serves all options of a group.
    rules : value that the lowest rate is shifted to.

    Returns
    -------
    (n,) fractions >= 0: 0 in groups whose rates are all positive, else what brings the lowest one to `least_shifted_rate` (CRE52.40, FAQ2).
    """
    lowest = pd.Series(np.fmin(price, strike)).groupby(group).transform("min").to_numpy(dtype=np.float64)
    return np.where(lowest <= 0, rules.least_shifted_rate - lowest, 0.0)


def supervisory_deltas(book: Book, kinds: Classification, exercise: Floats, rules: SaCcrRules, reasons: Reasons) -> Floats:
    """Supervisory delta of all trades in the direction of their hedging set; NaN where something is missing.

    Notes
    -----
    The side of options is `option_position`, else `direction` (long: bought); of others `direction`, long being the side that gains when
    the primary risk factor rises: rates, credit spreads (protection bought), prices, the exchange rate of `currency` in
    `second_currency`. A digital option is the collar of two options that reproduces it outside their strikes (CRE52.42(3)).
    """
    position, signs = book.words("option_position"), {"long": 1.0, "short": -1.0}
    by_position = kinds.is_option & ~position.among({""})
    side = np.where(by_position, position.numbers({"bought": 1.0, "sold": -1.0}), book.words("direction").numbers(signs))
    reasons.add(np.isnan(side) & ~by_position, "direction")
    reasons.add(np.isnan(side) & by_position, "option_position (bought or sold)")

    delta = side.copy()
    if kinds.is_tranche.any():
        attachment, detachment = book.numbers("attachment"), book.numbers("detachment")
        reasons.add(kinds.is_tranche & np.isnan(attachment), "attachment")
        reasons.add(kinds.is_tranche & np.isnan(detachment), "detachment")
        reasons.add(kinds.is_tranche & (attachment >= detachment), "attachment below detachment")
        delta = np.where(kinds.is_tranche, tranche_delta(attachment, detachment, side, rules), delta)
    options = np.flatnonzero(kinds.is_option)
    if len(options):
        delta[options] = _option_deltas(book, kinds, exercise, side, options, rules, reasons)
    return np.where(kinds.is_reversed, -delta, delta)


def _option_deltas(
    book: Book, kinds: Classification, exercise: Floats, side: Floats, options: Integers, rules: SaCcrRules, reasons: Reasons
) -> Floats:
    """Deltas of the trades that are options."""
    price, strike = book.numbers("underlying_price"), book.numbers("strike")
    option_type = book.words("option_type")
    is_call, has_type = option_type.among({"call"}), option_type.among({"call", "put"})
    is_rate = kinds.asset_class == "interest_rate"
    reasons.add(kinds.is_option & ~has_type, "option_type")
    for name, values in (("underlying_price", price), ("strike", strike)):
        reasons.add(kinds.is_option & np.isnan(values), name)
        reasons.add(kinds.is_option & ~is_rate & (values <= 0), f"{name} above 0")
    rated = np.flatnonzero(kinds.is_option & is_rate)
    if len(rated):
        group, _ = numbered(book.portfolio_id.codes[rated], book.names("currency").codes[rated])
        shift = rate_shift(price[rated], strike[rated], group, rules)
        price, strike = price.copy(), strike.copy()
        price[rated], strike[rated] = price[rated] + shift, strike[rated] + shift

    terms = (exercise[options], kinds.option_volatility[options], is_call[options])
    plain = option_delta(price[options], strike[options], *terms, side[options])
    low, high = (option_delta(price[options], factor * strike[options], *terms, side[options]) for factor in rules.digital_strikes)
    digital = np.where(terms[2], low - high, high - low)
    found = np.where(kinds.is_digital[options], digital, plain)
    return np.where(has_type[options], found, np.nan)
