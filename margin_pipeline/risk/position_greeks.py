"""Greeks of positions, per unit of the underlying and in money.

Belongs here: volatilities, values and sensitivities of held options, and what they amount to in base currency. Not here: formulas
(`market.greeks`), exposures and pricing inputs (`exposures`).

Conventions
-----------
- An American option has the volatility at which its American value is its price, so its delta differs a little from the one behind
  `delta_exposure`, which comes from European values floored at intrinsic, the convention of risk-based margin.
- A unit is a unit of multiplier: where the deliverable differs from the multiplier, or a warrant pays a part of a share, the underlying
  counts as often as a unit delivers it.
- The rate of an option on a future moves its yield along, so that its rho is that of discounting.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.market.american_implied_volatility import american_implied_volatility
from margin_pipeline.market.greeks import option_greeks
from margin_pipeline.market.implied_volatility import implied_volatility
from margin_pipeline.market.option_pricing import black_scholes_merton

VOLATILITY_POINT = 0.01

_TERMS = ("spot", "strike", "years_to_expiry", "rate", "dividend_yield")
_SENSITIVITIES = ("delta", "gamma", "vega", "theta", "rho")
_UNIT_FIGURES = ("implied_volatility", "american_value", "early_exercise_premium", *_SENSITIVITIES)
_MONEY = ("dollar_delta", "dollar_gamma", "dollar_vega", "dollar_theta")
COLUMNS = (
    "portfolio_id", "strategy", "symbol", "risk_factor", "is_option", "implied_volatility", "implied_volatility_reason", "american_value",
    "early_exercise_premium", *_SENSITIVITIES, *_MONEY, "missing",
)  # fmt: skip


def position_greeks(exposures: pd.DataFrame, instruments: pd.DataFrame, *, threads: int = 1) -> pd.DataFrame:
    """Greeks of every position, and what is missing where there are none.

    Parameters
    ----------
    exposures : frame of `risk.exposures.risk_positions`.
    instruments : frame of that table; options whose asset class is future_option are on futures.
    threads : chunks of American values at once; the result does not depend on it.

    Returns
    -------
    A frame of the rows of `exposures` with `COLUMNS`. Linear positions have delta and dollar_delta alone; European options have neither
    american_value nor premium. implied_volatility_reason is missing where the volatility reproduces the price. missing says what a
    position lacks; then it has no figures, but for an option exactly at its strike without time or volatility, which lacks a gamma alone.
    """
    frame = exposures.reset_index(drop=True)
    result = frame[["portfolio_id", "strategy", "symbol", "risk_factor", "is_option"]].copy()
    for column in (*_UNIT_FIGURES, *_MONEY):
        result[column] = np.nan
    result["implied_volatility_reason"], result["missing"] = None, frame["missing"].astype(object).where(frame["missing"].notna(), None)
    usable = frame["missing"].isna()
    _fill_linear(result, frame, (usable & ~frame["is_option"]).to_numpy())
    _fill_options(result, frame, (usable & frame["is_option"]).to_numpy(), instruments, threads)
    for column in ("implied_volatility_reason", "missing"):
        result[column] = result[column].astype("str")
    return result[list(COLUMNS)]


def _fill_linear(result: pd.DataFrame, frame: pd.DataFrame, rows: np.ndarray) -> None:
    """Delta of positions that are no options: 1, but for inverse contracts, whose result is linear in another measure of price."""
    price = frame["price"].to_numpy(float)[rows]
    exposure = frame["delta_exposure"].to_numpy(float)[rows]
    at_price = frame["unit_value"].to_numpy(float)[rows] * price
    result.loc[rows, "delta"] = np.where(at_price == 0, 1.0, exposure / np.where(at_price == 0, 1.0, at_price))
    result.loc[rows, "dollar_delta"] = exposure


def _fill_options(result: pd.DataFrame, frame: pd.DataFrame, rows: np.ndarray, instruments: pd.DataFrame, threads: int) -> None:
    """Figures of options: once per series and price, then spread over positions."""
    if not rows.any():
        return
    held = frame[rows]
    _, first, number = np.unique(held["option_series"].to_numpy(), return_index=True, return_inverse=True)
    on_future = held["symbol"].map(instruments.set_index("symbol")["asset_class"]).to_numpy(object) == "future_option"
    series = _series_figures(held.iloc[first], on_future[first], threads)
    for column in _UNIT_FIGURES:
        result.loc[rows, column] = series[column].to_numpy()[number]
    reason = series["reason"].to_numpy(object)[number]
    result.loc[rows, "implied_volatility_reason"] = [text or None for text in reason]
    size, spot = held["unit_value"].to_numpy(float), held["spot"].to_numpy(float)
    unit = {name: series[name].to_numpy(float)[number] for name in _SENSITIVITIES}
    result.loc[rows, "dollar_delta"] = unit["delta"] * spot * size
    result.loc[rows, "dollar_gamma"] = unit["gamma"] * spot**2 * size
    result.loc[rows, "dollar_vega"] = unit["vega"] * VOLATILITY_POINT * size
    result.loc[rows, "dollar_theta"] = unit["theta"] * size
    symbol, volatility = held["symbol"].to_numpy(object), series["implied_volatility"].to_numpy(float)[number]
    lacking = np.full(len(held), None, dtype=object)
    for i in np.flatnonzero(np.isnan(unit["gamma"])):
        lacking[i] = f"{symbol[i]}: gamma has no bound at the strike, without time or volatility"
    for i in np.flatnonzero(np.isnan(volatility)):
        lacking[i] = f"{symbol[i]}: no implied volatility ({str(reason[i]).replace('_', ' ')})"
    result.loc[rows, "missing"] = lacking


def _series_figures(series: pd.DataFrame, on_future: np.ndarray, threads: int) -> pd.DataFrame:
    """Volatility, its reason, American value and premium, and sensitivities of option series, per unit."""
    price, is_call, american = (series[c].to_numpy() for c in ("price", "is_call", "is_american"))
    spot, strike, years, rate, dividend_yield = (series[c].to_numpy(float) for c in _TERMS)
    found = implied_volatility(price, spot, strike, years, rate, dividend_yield, is_call)
    volatility, reason = found.volatility.copy(), found.reason.copy()
    early = american_implied_volatility(
        price[american], spot[american], strike[american], years[american], rate[american], dividend_yield[american], is_call[american],
        threads=threads,
    )  # fmt: skip
    volatility[american], reason[american] = early.volatility, early.reason
    greeks = option_greeks(spot, strike, years, rate, dividend_yield, volatility, is_call, american, on_future, threads=threads)
    european = black_scholes_merton(spot, strike, years, rate, dividend_yield, volatility, is_call)
    value = np.where(american, greeks.value, np.nan)
    figures = {name: getattr(greeks, name) for name in _SENSITIVITIES}
    figures["gamma"] = np.where(np.isfinite(greeks.gamma), greeks.gamma, np.nan)
    return pd.DataFrame(
        {"implied_volatility": volatility, "reason": reason, "american_value": value}
        # Rounding may leave a value below the European one by the last bits.
        | {"early_exercise_premium": np.maximum(value - european, 0.0)}
        | figures
    )
