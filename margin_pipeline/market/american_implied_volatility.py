"""Volatility that the price of an American option implies, early exercise included.

Belongs here: the solver for American values. Not here: the values (`american_options`), the reasons and European volatilities
(`implied_volatility`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.market import implied_volatility as european
from margin_pipeline.market.american_options import american_value, certain_values
from margin_pipeline.market.greeks import european_greeks
from margin_pipeline.market.implied_volatility import ImpliedVolatility

Array = npt.NDArray[Any]

GREATEST_VOLATILITY = 20.0
"""Annualised volatility beyond which none is looked for: at one year the value is its upper bound to ten digits."""
PRICE_TOLERANCE = 1e-9
"""Part of the strike by which value and price may differ."""
_VOLATILITY_TOLERANCE = 1e-12
_STEPS = 100
_DOUBTED_STEPS = 12
"""Steps after which every second one halves the bracket, whatever the secant proposes."""


def american_implied_volatility(
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    is_call: npt.ArrayLike,
    *,
    threads: int = 1,
) -> ImpliedVolatility:
    """Volatility at which `american_options.american_value` equals the price; always answers, with a reason where there is none.

    Parameters
    ----------
    price : (n,) price per unit of the underlying, >= 0.
    spot, strike, years, rate, dividend_yield, is_call : (n,) as in `option_pricing.black_scholes_merton`.
    threads : chunks of values at once; the result does not depend on it.

    Returns
    -------
    ImpliedVolatility of n options, with the reasons of `implied_volatility`.

    Notes
    -----
    A price at or below the intrinsic value, or below what the option is worth without any volatility, has volatility 0. A call at or above
    its spot (S·exp(−qT) where the yield is negative), or a put at or above its strike (K·exp(−rT) where the rate is negative), has none;
    nor does a price that takes more than `GREATEST_VOLATILITY`.

    An American option is worth at least the European one, so the European implied volatility, where there is one, is an upper bound, and
    the answer where early exercise is worth nothing. The solver keeps a bracket, takes secant steps inside it and halves it where they fail
    (Numerical Recipes, section 9.2).
    """
    named = (price, spot, strike, years, rate, dividend_yield)
    given = [np.array(x) for x in np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in named))]
    call = np.broadcast_to(np.asarray(is_call, dtype=bool), given[0].shape)
    reason = _reasons(given, call)
    volatility = np.where((reason == european.AT_OR_BELOW_INTRINSIC) | (reason == european.EXPIRED), 0.0, np.nan)
    rows = np.flatnonzero(reason == european.SOLVED)
    price_, *terms = (x[rows] for x in given)

    def excess(volatilities: Array, chosen: Array) -> Array:
        own = [x[chosen] for x in terms]
        value = american_value(own[0], own[1], own[2], own[3], own[4], volatilities, call[rows][chosen], threads=threads)
        return np.asarray((value - price_[chosen]) / own[1])

    start, slope = _start(price_, terms, call[rows])
    found, code = _root(excess, start, slope, terms[2])
    volatility[rows], reason[rows] = found, code
    return ImpliedVolatility(volatility, reason)


def _reasons(given: list[Array], call: Array) -> Array:
    """Why options have no volatility to solve for; `SOLVED` for the others."""
    price, spot, strike, years, rate, dividend_yield = given
    missing = ~np.isfinite(np.stack(given)).all(axis=0)
    invalid = ~missing & ((spot <= 0) | (strike <= 0) | (price < 0))
    known = ~missing & ~invalid
    without = np.full(price.shape, np.nan)
    spot_, strike_, years_, rate_, yield_ = (x[known] for x in given[1:])
    with np.errstate(over="ignore", invalid="ignore"):
        without[known] = certain_values(spot_, strike_, years_, rate_, yield_, call[known]).value
    time = np.maximum(years, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        most = np.where(call, spot * np.exp(np.maximum(-dividend_yield, 0) * time), strike * np.exp(np.maximum(-rate, 0) * time))
    reason = np.full(price.shape, european.SOLVED, dtype=object)
    # The later line names the more basic reason, so it overwrites.
    for applies, code in (
        (price >= most, european.AT_OR_ABOVE_UPPER_BOUND),
        (price <= without, european.AT_OR_BELOW_INTRINSIC),
        (years <= 0, european.EXPIRED),
        (invalid, european.INVALID_INPUT),
        (missing, european.MISSING_INPUT),
    ):
        reason[applies] = code
    return reason


def _start(price: Array, terms: list[Array], call: Array) -> tuple[Array, Array]:
    """European implied volatilities, and the slope of the European value there, in strikes; NaN where there is none."""
    spot, strike, years, rate, dividend_yield = terms
    with np.errstate(over="ignore", invalid="ignore"):
        bound = european.implied_volatility(price, spot, strike, years, rate, dividend_yield, call)
        start = np.where((bound.reason == european.SOLVED) & (bound.volatility < GREATEST_VOLATILITY), bound.volatility, np.nan)
        return start, european_greeks(spot, strike, years, rate, dividend_yield, start, call).vega / strike


def _root(excess: Callable[[Array, Array], Array], start: Array, slope: Array, years: Array) -> tuple[Array, Array]:
    """Volatilities at which `excess(volatilities, rows)` is 0, and the reason of each.

    `start` is an upper bound and `slope` about the change of the excess there, or both are NaN.
    """
    count = len(start)
    rows = np.arange(count)
    high = np.where(np.isfinite(start), start, np.minimum(1.0 / np.sqrt(years), GREATEST_VOLATILITY))
    low, at_high = np.zeros(count), excess(high, rows)
    # Where the bound is the answer, or is rounding away from it, early exercise is worth nothing.
    done = np.isfinite(start) & (np.abs(at_high) <= PRICE_TOLERANCE)
    found = np.where(done, high, np.nan)
    reason = np.full(count, european.NOT_CONVERGED, dtype=object)
    reason[done] = european.SOLVED
    while (short := np.flatnonzero(~done & (at_high < 0) & (high < GREATEST_VOLATILITY))).size:
        low[short] = high[short]
        high[short] = np.minimum(2 * high[short], GREATEST_VOLATILITY)
        at_high[short] = excess(high[short], short)
    reason[~done & (at_high < 0)] = european.AT_OR_ABOVE_UPPER_BOUND
    return _bracketed(excess, (low, high, at_high), slope, found, reason)


def _bracketed(
    excess: Callable[[Array, Array], Array], bracket: tuple[Array, Array, Array], guessed: Array, found: Array, reason: Array
) -> tuple[Array, Array]:
    """Secant steps inside brackets for the options that are still `NOT_CONVERGED`."""
    low, high, at_high = bracket
    previous, at_previous = np.full_like(high, np.nan), np.full_like(high, np.nan)
    current, at_current = high.copy(), at_high.copy()
    for step in range(_STEPS):
        open_ = np.flatnonzero(reason == european.NOT_CONVERGED)
        if not open_.size:
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (at_current[open_] - at_previous[open_]) / (current[open_] - previous[open_])
            proposed = current[open_] - at_current[open_] / (guessed[open_] if step == 0 else slope)
        if step == 0:  # without a slope, or with one of little use, a step of a tenth starts the secants
            proposed = np.where((proposed > low[open_]) & (proposed < high[open_]), proposed, 0.9 * high[open_])
        halve = (step > _DOUBTED_STEPS) & (step % 2 == 1)
        usable = (proposed > low[open_]) & (proposed < high[open_]) & ~halve
        following = np.where(usable, proposed, (low[open_] + high[open_]) / 2)
        at_following = excess(following, open_)
        previous[open_], at_previous[open_] = current[open_], at_current[open_]
        current[open_], at_current[open_] = following, at_following
        below = at_following < 0
        low[open_], high[open_] = np.where(below, following, low[open_]), np.where(below, high[open_], following)
        close = (np.abs(at_following) <= PRICE_TOLERANCE) | (high[open_] - low[open_] <= _VOLATILITY_TOLERANCE)
        found[open_[close]], reason[open_[close]] = following[close], european.SOLVED
    return found, reason
