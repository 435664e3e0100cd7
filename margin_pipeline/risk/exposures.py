"""What each position is exposed to: a risk factor, currencies and, for options, the inputs of its revaluation.

Belongs here: the mapping from positions to risk factors and delta exposures. Not here: volatilities, scenarios, value at risk.

Conventions
-----------
- Risk factors are symbols with a price history and, named `fx:EUR`, currencies against the US dollar (the dollar has none).
  Options and futures map to their underlying, an option on a future on to what the future maps to; a future whose underlying
  has too short a history maps to itself. Everything else (stocks, bonds, currency pairs, commodities, coins, convertibles) is
  its own factor.
- A future, like any linear position, is exposed to quantity x multiplier x price x exchange rate; an option to that of its
  underlying times delta.
- An inverse contract pays multiplier / price coins a contract, so in its quote currency its result is linear in the price:
  quantity x multiplier x (price / entry price - 1). Without an entry price the present one is taken: risk from today on.
- What moves with an exchange rate is the market value of a position, not its notional: a future or a perpetual contract in another
  currency is settled, only its unsettled result is held in that currency.
- Options whose deliverable differs from the multiplier are priced on the deliverable per unit of multiplier; warrants on
  `conversion_ratio` shares.
- An option of unstated exercise style is American.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.market.option_inputs import option_inputs
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk.risk_factors import close_counts, risk_factor_of

COLUMNS = (
    "portfolio_id", "strategy", "symbol", "risk_factor", "currency", "base_currency", "quantity", "multiplier", "fx_rate", "price",
    "market_value", "delta_exposure", "currency_exposure", "unit_value", "is_option", "option_series", "spot", "strike", "years_to_expiry",
    "rate", "dividend_yield", "implied_volatility", "delta", "is_call", "is_american", "missing",
)  # fmt: skip


def risk_positions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Exposure of every position, and what is missing where there is none.

    Parameters
    ----------
    positions, instruments, portfolios, prices, rates, dividends : frames of those tables, histories resolved up to the date.
    as_of : business date; spot prices of underlyings are its closes.

    Returns
    -------
    A frame of the rows of `positions` with a quantity other than 0, ordered by portfolio, strategy and symbol, with `COLUMNS`:
    delta_exposure (base currency for a relative move of 1 of risk_factor), currency_exposure (base currency for a relative move of
    1 of currency against base_currency, 0 when they are the same), unit_value (base currency for a unit of instrument currency of
    price), option_series (rows with the same number have the same symbol and price, -1 for other instruments), the pricing inputs
    of options (NaN elsewhere), and missing: the reason for having no exposure, or missing.
    """
    held = positions[positions["quantity"] != 0].sort_values(["portfolio_id", "strategy", "symbol"], kind="stable").reset_index(drop=True)
    reference = instruments.set_index("symbol")
    row = reference.index.get_indexer(pd.Index(held["symbol"]))
    known = row >= 0
    base_currency = held["portfolio_id"].map(portfolios.set_index("portfolio_id")["base_currency"])
    frame = held[["portfolio_id", "strategy", "symbol", "currency", "quantity", "price", "market_value", "fx_rate"]].copy()
    frame["base_currency"] = base_currency
    frame["multiplier"] = np.where(known, reference["multiplier"].to_numpy(float)[row], np.nan) if len(reference) else np.nan
    counts = close_counts(prices, as_of)
    factors = risk_factor_of(instruments, counts, risk_settings(as_of).min_observations)
    frame["risk_factor"] = frame["symbol"].map(factors)
    frame["unit_value"] = frame["quantity"] * frame["multiplier"] * frame["fx_rate"]
    options = option_inputs(frame, instruments, prices, rates, dividends, as_of)
    frame = pd.concat([frame, options.drop(columns="missing")], axis=1)
    frame["currency_exposure"] = np.where(frame["currency"] == base_currency, 0.0, frame["market_value"].to_numpy(float))
    contract = reference["contract_type"].reindex(frame["symbol"]).to_numpy()
    linear = _linear_exposure(frame, held["entry_price"].to_numpy(float), contract == "inverse")
    optional = frame["delta"].to_numpy(float) * frame["spot"].to_numpy(float) * frame["unit_value"].to_numpy(float)
    frame["delta_exposure"] = np.where(frame["is_option"], optional, linear)
    frame["missing"] = _reasons(frame, options["missing"], known)
    return frame[list(COLUMNS)]


def _linear_exposure(frame: pd.DataFrame, entry_price: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    price = frame["price"].to_numpy(float)
    entry = np.where(np.isnan(entry_price) | (entry_price <= 0), price, entry_price)
    with np.errstate(divide="ignore", invalid="ignore"):
        price_a_contract = np.where(inverse, price / entry, price)
    return frame["unit_value"].to_numpy(float) * price_a_contract


def _reasons(frame: pd.DataFrame, option_reason: pd.Series, known: np.ndarray) -> pd.Series:
    """First thing that each position lacks, in words; missing where it lacks nothing."""
    reason = option_reason.astype(object).where(option_reason.notna(), None)
    other_currency = (frame["currency"] != frame["base_currency"]).to_numpy()
    tests = (
        (other_currency & frame["market_value"].isna().to_numpy(), "{symbol}: no market value to convert from {currency}"),
        (frame["fx_rate"].isna().to_numpy(), "{symbol}: no exchange rate from {currency} to {base_currency}"),
        (frame["price"].isna().to_numpy(), "{symbol}: no price"),
        (frame["base_currency"].isna().to_numpy(), "{symbol}: unknown portfolio {portfolio_id}"),
        (~known, "{symbol}: unknown instrument"),
    )
    # The later test names the more basic gap, so it overwrites.
    for lacks, text in tests:
        names = frame.loc[lacks, ["symbol", "currency", "base_currency", "portfolio_id"]]
        reason.loc[lacks] = [
            text.format(symbol=symbol, currency=currency, base_currency=base, portfolio_id=portfolio)
            for symbol, currency, base, portfolio in names.itertuples(index=False, name=None)
        ]
    return reason.astype("str")
