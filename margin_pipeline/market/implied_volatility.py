"""Volatility that a price of an option implies under Black, Scholes and Merton.

Belongs here: the solver and the reasons it gives. Not here: the pricing formulas themselves (`option_pricing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.market.option_pricing import discounted_legs, intrinsic_value, option_sign

Array = npt.NDArray[Any]

SOLVED = ""
AT_OR_BELOW_INTRINSIC = "at_or_below_intrinsic"
EXPIRED = "expired"
AT_OR_ABOVE_UPPER_BOUND = "at_or_above_upper_bound"
MISSING_INPUT = "missing_input"
INVALID_INPUT = "invalid_input"
NOT_CONVERGED = "not_converged"

_GREATEST_TOTAL_VOLATILITY = 60.0
"""Volatility·√T at which a value equals its upper bound in double precision by far."""
_NEWTON_STEPS = 40
_STEPS = 140
_TOLERANCE = 4e-15


@dataclass(frozen=True)
class ImpliedVolatility:
    """Implied volatilities and, where there is none or it is zero by rule, why.

    Attributes
    ----------
    volatility : (n,) annualised fractions; 0 for `at_or_below_intrinsic` and `expired`, NaN for the other reasons.
    reason : (n,) "" where the volatility reproduces the price, else one of the codes of this module.
    """

    volatility: Array
    reason: Array


def implied_volatility(
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    is_call: npt.ArrayLike,
) -> ImpliedVolatility:
    """Volatility at which the Black-Scholes-Merton value equals the price; always answers, with a reason where there is none.

    Parameters
    ----------
    price : (n,) price per unit of the underlying, >= 0.
    spot, strike, years, rate, dividend_yield, is_call : (n,) as in `option_pricing.black_scholes_merton`.

    Returns
    -------
    ImpliedVolatility of n options.

    Notes
    -----
    A price at or below the intrinsic value, or below what the option is worth without any volatility, has volatility 0 (convention
    of risk-based margin, whatever the exercise style). A price at or above its bound (a call S·exp(−qT), a put K·exp(−rT)) has none.

    The price less its value without volatility is, by parity, the price of the out-of-the-money option with the same strike;
    divided by √(A·B) it depends on ln(A/B) and on x = volatility·√T alone, and increases in x. The solver takes Newton steps on the
    logarithm of that normalised price inside a bracket that always holds the root, and halves the bracket where a step leaves it
    (normalisation: Jäckel, "Let's be rational", Wilmott 2015, eq. 2.1-2.9; safeguard: Numerical Recipes, section 9.4).
    """
    given = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in (price, spot, strike, years, rate, dividend_yield)))
    price_, spot_, strike_, years_, rate_, yield_ = given
    call = np.broadcast_to(np.asarray(is_call, dtype=bool), price_.shape)
    leg_spot, leg_strike, _ = discounted_legs(spot_, strike_, years_, rate_, yield_, np.ones_like(price_))
    without_volatility = np.maximum(option_sign(call) * (leg_spot - leg_strike), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(leg_spot * leg_strike)
        moneyness = -np.abs(np.log(leg_spot / leg_strike))
        normalised = (price_ - without_volatility) / scale
    reason = np.full(price_.shape, SOLVED, dtype=object)
    # The later line names the more basic reason, so it overwrites.
    for applies, code in (
        (normalised >= np.exp(moneyness / 2), AT_OR_ABOVE_UPPER_BOUND),
        (price_ <= np.maximum(intrinsic_value(spot_, strike_, call), without_volatility), AT_OR_BELOW_INTRINSIC),
        (years_ <= 0, EXPIRED),
        ((spot_ <= 0) | (strike_ <= 0) | (price_ < 0), INVALID_INPUT),
        (~np.isfinite(np.stack(given)).all(axis=0), MISSING_INPUT),
    ):
        reason[applies] = code
    return _solved(reason, moneyness, normalised, years_)


def _solved(reason: Array, moneyness: Array, normalised: Array, years: Array) -> ImpliedVolatility:
    """Solve what no reason decides yet."""
    volatility = np.where((reason == AT_OR_BELOW_INTRINSIC) | (reason == EXPIRED), 0.0, np.nan)
    open_ = reason == SOLVED
    total, converged = _total_volatility(moneyness[open_], normalised[open_])
    volatility[open_] = np.where(converged, total / np.sqrt(years[open_]), np.nan)
    reason[np.flatnonzero(open_)[~converged]] = NOT_CONVERGED
    return ImpliedVolatility(volatility, reason)


def _total_volatility(moneyness: Array, target: Array) -> tuple[Array, Array]:
    """Root x of log b(x) = log target, and whether the bracket or the step became small enough."""
    log_target = np.log(target)
    low, high = np.zeros_like(target), np.full_like(target, _GREATEST_TOTAL_VOLATILITY)
    x = np.clip(np.maximum(np.sqrt(-2 * moneyness), target * np.sqrt(2 * np.pi)), 1e-12, _GREATEST_TOTAL_VOLATILITY / 2)
    converged = np.zeros(target.shape, dtype=bool)
    for step_number in range(_STEPS):
        log_value, slope = _log_normalised_price(moneyness, x)
        error = log_value - log_target
        low, high = np.where(error < 0, x, low), np.where(error < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            proposed = x - error / slope
        usable = np.isfinite(proposed) & (proposed > low) & (proposed < high) & (step_number < _NEWTON_STEPS)
        following = np.where(usable, proposed, (low + high) / 2)
        converged |= (np.abs(following - x) <= _TOLERANCE * x) | (error == 0)
        x = np.where(converged, x, following)
        if converged.all():
            break
    return x, converged


def _log_normalised_price(moneyness: Array, x: Array) -> tuple[Array, Array]:
    """Logarithm of the normalised out-of-the-money price and its derivative in x.

    With scaled complementary error functions, so that neither the difference of two nearly equal probabilities nor an
    underflow decides (Jäckel 2015, eq. 6.11).
    """
    from scipy.special import erfcx  # here: costs start-up time that most commands need not pay

    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        ratio = moneyness / x
        exponent = -0.5 * (ratio**2 + x**2 / 4)
        scaled = 0.5 * (erfcx(-(ratio + x / 2) / np.sqrt(2)) - erfcx(-(ratio - x / 2) / np.sqrt(2)))
        return exponent + np.log(scaled), 1 / (np.sqrt(2 * np.pi) * scaled)
