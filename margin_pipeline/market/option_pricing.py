"""Values and deltas of options under Black, Scholes and Merton and under Black (1976).

Belongs here: closed formulas, on one array or on a grid of scenarios. Not here: volatilities implied by prices
(`implied_volatility`), quantities and portfolios.

Rates and yields are continuously compounded, time is calendar days / 365. An option on a future is an option on an asset that
yields the risk-free rate (Black 1976), so one formula serves both.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend

Array = npt.NDArray[Any]

DAYS_A_YEAR = 365.0
_LEAST_RATIO = 1e-30
"""Ratio at which a worthless underlying enters the logarithm; its option is decided long before."""


def years_to_expiry(expiry: npt.ArrayLike, as_of: dt.date) -> Array:
    """Time to expiry in years of 365 calendar days.

    Parameters
    ----------
    expiry : (n,) dates (datetime64); missing ones give NaN.
    as_of : day of the valuation.

    Returns
    -------
    (n,) years; negative after expiry.
    """
    days = (np.asarray(expiry).astype("datetime64[D]") - np.datetime64(as_of, "D")).astype("float64")
    return np.where(np.isnat(np.asarray(expiry).astype("datetime64[D]")), np.nan, days / DAYS_A_YEAR)


def intrinsic_value(spot: npt.ArrayLike, strike: npt.ArrayLike, is_call: npt.ArrayLike) -> Array:
    """Value of exercising now, per unit of the underlying, >= 0."""
    return np.maximum(option_sign(is_call) * (np.asarray(spot, float) - np.asarray(strike, float)), 0.0)


def option_sign(is_call: npt.ArrayLike) -> Array:
    """1 for calls, -1 for puts."""
    return np.where(np.asarray(is_call, dtype=bool), 1.0, -1.0)


def value_of_discounted(discounted_spot: Any, discounted_strike: Any, total_volatility: Any, sign: Any, backend: Backend = NUMPY) -> Any:
    """European value from what the two legs of the option are worth today; on any backend, for grids.

    Parameters
    ----------
    discounted_spot : S·exp(−qT), arrays of the backend that broadcast against each other.
    discounted_strike : K·exp(−rT), > 0.
    total_volatility : volatility·√T, >= 0; at 0 the value is what the forward is in the money, discounted.
    sign : 1 for calls, −1 for puts.
    backend : whose arrays these are; call inside its `on_device()`.

    Returns
    -------
    Values per unit of the underlying, of the broadcast shape.

    Notes
    -----
    φ(A·N(φ·d₁) − B·N(φ·d₂)), d₁ = ln(A/B)/x + x/2, d₂ = d₁ − x, with A and B the legs, x the total volatility and φ the sign
    (Black and Scholes 1973, Merton 1973; Hull, Options, Futures, and Other Derivatives, eq. 17.4 and 17.5).
    """
    moves = total_volatility > 0
    spread = backend.where(moves, total_volatility, 1.0 + 0.0 * total_volatility)
    ratio = discounted_spot / discounted_strike
    d1 = backend.log(backend.maximum(ratio, _LEAST_RATIO + 0.0 * ratio)) / spread + spread * 0.5
    d2 = d1 - spread
    risky = sign * (discounted_spot * backend.normal_cdf(sign * d1) - discounted_strike * backend.normal_cdf(sign * d2))
    # Without a volatility there is no value, which 0 times it keeps.
    certain = sign * (discounted_spot - discounted_strike) + 0.0 * total_volatility
    chosen = backend.where(moves, risky, certain)
    return backend.maximum(chosen, 0.0 * chosen)


def black_scholes_merton(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
) -> Array:
    """Value of European options on an asset that pays a continuous yield.

    Parameters
    ----------
    spot, strike : (n,) price of the underlying and exercise price, same currency, > 0.
    years : (n,) time to expiry, years of 365 days; at or below 0 the value is the intrinsic one.
    rate, dividend_yield : (n,) continuously compounded, fractions a year.
    volatility : (n,) annualised, fraction, >= 0.
    is_call : (n,) booleans.

    Returns
    -------
    (n,) value per unit of the underlying; NaN where an input is.

    Notes
    -----
    Merton (1973); Hull, eq. 17.4 and 17.5.
    """
    discounted_spot, discounted_strike, total = discounted_legs(spot, strike, years, rate, dividend_yield, volatility)
    return np.asarray(value_of_discounted(discounted_spot, discounted_strike, total, option_sign(is_call)))


def black_76(
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
) -> Array:
    """Value of European options on a future, (n,) per unit; parameters as `black_scholes_merton`, `forward` the future's price.

    Notes
    -----
    Black (1976); Hull, eq. 18.9 and 18.10: the Merton formula with a yield equal to the rate.
    """
    return black_scholes_merton(forward, strike, years, rate, rate, volatility, is_call)


def option_value(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_american: npt.ArrayLike,
) -> Array:
    """Value of options of either exercise style: American ones are worth at least their intrinsic value.

    Parameters are those of `black_scholes_merton`, and `is_american`, (n,) booleans.

    Notes
    -----
    The floor stands for the right to exercise early, as in the theoretical values of risk-based margin; the remaining premium
    of early exercise is in the implied volatility, which comes from the option's own price.
    """
    european = black_scholes_merton(spot, strike, years, rate, dividend_yield, volatility, is_call)
    return np.where(np.asarray(is_american, dtype=bool), np.maximum(european, intrinsic_value(spot, strike, is_call)), european)


def option_delta(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_american: npt.ArrayLike,
) -> Array:
    """Change of `option_value` for a unit change of the underlying's price; parameters are those of `option_value`.

    Returns
    -------
    (n,) in [−1, 1] for yields >= 0; NaN where an input is.

    Notes
    -----
    φ·exp(−qT)·N(φ·d₁) (Hull, section 19.4 and table 19.6); ±1 where an American option stands at its intrinsic floor. Without volatility
    the derivative of the discounted payoff, half of it at the kink.
    """
    sign = option_sign(is_call)
    discounted_spot, discounted_strike, total = discounted_legs(spot, strike, years, rate, dividend_yield, volatility)
    moves = total > 0
    spread = np.where(moves, total, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        d1 = np.log(discounted_spot / discounted_strike) / spread + spread / 2
        carry = discounted_spot / np.asarray(spot, float)
    in_the_money = np.heaviside(sign * (discounted_spot - discounted_strike), 0.5)
    probability = np.where(moves, NUMPY.normal_cdf(sign * d1), in_the_money)
    european = np.asarray(value_of_discounted(discounted_spot, discounted_strike, total, sign))
    exercised = np.asarray(is_american, dtype=bool) & (intrinsic_value(spot, strike, is_call) > european)
    delta = np.where(exercised, sign, sign * carry * probability)
    return np.where(np.isnan(european), np.nan, delta)


def discounted_legs(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
) -> tuple[Array, Array, Array]:
    """S·exp(−qT), K·exp(−rT) and volatility·√T, time not below 0: the three numbers that a European value depends on."""
    time = np.maximum(np.asarray(years, float), 0.0)
    discounted_spot = np.asarray(spot, float) * np.exp(-np.asarray(dividend_yield, float) * time)
    discounted_strike = np.asarray(strike, float) * np.exp(-np.asarray(rate, float) * time)
    return discounted_spot, discounted_strike, np.asarray(volatility, float) * np.sqrt(time)
