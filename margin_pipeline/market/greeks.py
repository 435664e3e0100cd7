"""Sensitivities of options of either exercise style.

Belongs here: delta, gamma, vega, theta and rho per unit of the underlying. Not here: quantities, money (`risk.position_greeks`).

Units: delta and gamma per unit of the price of the underlying, vega per 1.00 of volatility, theta a calendar day (negative: value is
lost), rho per 1.00 of the rate.

Limits: at expiry (and after it) and without volatility the derivatives are those of the payoff that remains. There gamma is 0 but at the
kink, where it has no bound (inf) and delta is half the jump. From expiry on vega, theta and rho are 0. A missing input gives NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY
from margin_pipeline.market.american_options import LEAST_TOTAL_VOLATILITY, american_value, american_values, certain_values
from margin_pipeline.market.option_pricing import DAYS_A_YEAR, discounted_legs, option_sign, value_of_discounted

Array = npt.NDArray[Any]
Six = tuple[Array, Array, Array, Array, Array, Array]
"""Spot, strike, years, rate, yield and volatility."""

VOLATILITY_STEP = 1e-3
RATE_STEP = 1e-4
"""Half widths of the central differences; the error of the values is smooth, and cancels."""


@dataclass(frozen=True)
class Greeks:
    """Value and sensitivities of n options, each (n,), per unit of the underlying, in the units of this module."""

    value: Array
    delta: Array
    gamma: Array
    vega: Array
    theta: Array
    rho: Array


def european_greeks(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_on_future: npt.ArrayLike = False,
) -> Greeks:
    """Sensitivities of European options, in closed form.

    Parameters
    ----------
    spot, strike, years, rate, dividend_yield, volatility, is_call : (n,) as in `option_pricing.black_scholes_merton`.
    is_on_future : (n,) booleans; the yield is the rate and moves with it, so that rho is −T·value (Black 1976).

    Notes
    -----
    Hull, Options, Futures, and Other Derivatives, table 19.6.
    """
    given, call, on_future = _prepared(spot, strike, years, rate, dividend_yield, volatility, is_call, is_on_future)
    spot_, _, years_, rate_, yield_, volatility_ = given
    time = np.maximum(years_, 0.0)
    spot_leg, strike_leg, total = discounted_legs(*given)
    sign = option_sign(call)
    moves = total > 0
    spread = np.where(moves, total, 1.0)
    certain = sign * (spot_leg - strike_leg)
    with np.errstate(divide="ignore", invalid="ignore"):
        upper = np.log(spot_leg / strike_leg) / spread + spread / 2
        density = np.where(moves, np.exp(-(upper**2) / 2), certain == 0) / np.sqrt(2 * np.pi)
        in_spot = np.where(moves, NUMPY.normal_cdf(sign * upper), np.heaviside(certain, 0.5))
        in_strike = np.where(moves, NUMPY.normal_cdf(sign * (upper - spread)), np.heaviside(certain, 0.5))
        gamma = np.where(moves, spot_leg * density / (spot_**2 * spread), np.where(certain == 0, np.inf, 0.0))
        decay = np.where(time > 0, spot_leg * density * volatility_ / (2 * np.sqrt(time)), 0.0)
    value = np.asarray(value_of_discounted(spot_leg, strike_leg, total, sign))
    interest, paid = rate_ * strike_leg * in_strike, yield_ * spot_leg * in_spot
    theta = np.where(time > 0, sign * (paid - interest) - decay, 0.0) / DAYS_A_YEAR
    rho = np.where(on_future, -time * value, sign * time * strike_leg * in_strike)
    missing = _missing(given)
    figures = (value, sign * spot_leg / spot_ * in_spot, gamma, spot_leg * density * np.sqrt(time), theta, rho)
    return Greeks(*[np.where(missing, np.nan, x) for x in figures])


def american_greeks(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_on_future: npt.ArrayLike = False,
    *,
    threads: int = 1,
) -> Greeks:
    """Sensitivities of American options, of `american_options.american_value`; parameters are those of `european_greeks`.

    Notes
    -----
    Delta and gamma are formulas; theta follows from the equation of Black, Scholes and Merton, which the value obeys where waiting is best:
    θ = r·V − (r−q)·S·Δ − σ²S²Γ/2. Vega and rho are central differences of the value. Where exercise is best now, delta is ±1 and the
    others are 0.
    """
    given, call, on_future = _prepared(spot, strike, years, rate, dividend_yield, volatility, is_call, is_on_future)
    spot_, _, _, rate_, yield_, volatility_ = given
    values = american_values(*given, call, threads=threads)
    with np.errstate(invalid="ignore"):
        theta = rate_ * values.value - (rate_ - yield_) * spot_ * values.delta - volatility_**2 * spot_**2 * values.gamma / 2
    result = {"vega": np.zeros(len(call)), "theta": np.where(values.exercised, 0.0, theta), "rho": np.zeros(len(call))}
    waits = np.flatnonzero(~values.exercised & np.isfinite(values.value))
    moved = _rows(given, waits)
    step = np.minimum(VOLATILITY_STEP, moved[5] / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = _difference(moved, call[waits], {5: step}, threads)
        result["vega"][waits] = np.where(step > 0, difference / (2 * step), 0.0)
    both = {3: np.full(len(waits), RATE_STEP), 4: np.where(on_future[waits], RATE_STEP, 0.0)}
    result["rho"][waits] = _difference(moved, call[waits], both, threads) / (2 * RATE_STEP)
    _without_volatility(given, call, on_future, result)
    missing = np.isnan(values.value)
    vega, theta, rho = (np.where(missing, np.nan, result[name]) for name in ("vega", "theta", "rho"))
    return Greeks(values.value, values.delta, values.gamma, vega, theta / DAYS_A_YEAR, rho)


def option_greeks(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_american: npt.ArrayLike,
    is_on_future: npt.ArrayLike = False,
    *,
    threads: int = 1,
) -> Greeks:
    """Sensitivities of options of either exercise style; parameters are those of `european_greeks`, and `is_american`, (n,) booleans."""
    given, call, on_future = _prepared(spot, strike, years, rate, dividend_yield, volatility, is_call, is_on_future)
    american = np.broadcast_to(np.asarray(is_american, dtype=bool), call.shape)
    result = np.stack(list(vars(european_greeks(*given, call, on_future)).values()))
    early = american_greeks(*_rows(given, american), call[american], on_future[american], threads=threads)
    result[:, american] = np.stack(list(vars(early).values()))
    return Greeks(*result)


def _prepared(*arrays: npt.ArrayLike) -> tuple[Six, Array, Array]:
    """The six numbers, and the two conditions, all of one length."""
    numbers = [np.atleast_1d(np.asarray(x, float)) for x in arrays[:6]]
    conditions = [np.atleast_1d(np.asarray(x, dtype=bool)) for x in arrays[6:]]
    spot, strike, years, rate, dividend_yield, volatility, call, on_future = np.broadcast_arrays(*numbers, *conditions)
    return (spot, strike, years, rate, dividend_yield, volatility), call, on_future


def _rows(given: Six, chosen: Array) -> Six:
    spot, strike, years, rate, dividend_yield, volatility = given
    return spot[chosen], strike[chosen], years[chosen], rate[chosen], dividend_yield[chosen], volatility[chosen]


def _missing(given: Six) -> Array:
    """Options without a value: an input is missing, or a price is not above 0, or a volatility below it."""
    return ~np.isfinite(np.stack(given)).all(axis=0) | (given[0] <= 0) | (given[1] <= 0) | (given[5] < 0)


def _difference(given: Six, call: Array, steps: dict[int, Array], threads: int) -> Array:
    """Value with some of the six numbers moved up less the value with them moved down."""
    up, down = ([x + way * steps.get(i, 0.0) for i, x in enumerate(given)] for way in (1.0, -1.0))
    above = american_value(up[0], up[1], up[2], up[3], up[4], up[5], call, threads=threads)
    return above - american_value(down[0], down[1], down[2], down[3], down[4], down[5], call, threads=threads)


def _without_volatility(given: Six, call: Array, on_future: Array, result: dict[str, Array]) -> None:
    """Put the limits where no volatility or no time is left, in which differences and the equation say nothing."""
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(~_missing(given) & (given[5] * np.sqrt(np.maximum(given[2], 0.0)) < LEAST_TOTAL_VOLATILITY))
    spot, strike, years, rate, dividend_yield, _ = (x[rows] for x in given)
    certain = certain_values(spot, strike, years, rate, dividend_yield, call[rows])
    result["vega"][rows] = 0.0
    result["theta"][rows] = certain.theta
    result["rho"][rows] = np.where(on_future[rows], -certain.exercise_time * certain.value, certain.rho)
