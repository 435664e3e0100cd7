"""What every position loses at every valuation point.

Belongs here: moves of positions and their revaluation. Not here: which class group (`class_groups`), offsets, requirements.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.market.option_inputs import option_inputs
from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values
from margin_pipeline.parameters.portfolio_margin import PortfolioMarginRules

Floats = npt.NDArray[np.float64]
KEY = ["portfolio_id", "strategy", "symbol"]


@dataclass(frozen=True)
class PositionLosses:
    """Losses of n positions at k points, base currency, positive = money lost.

    Attributes
    ----------
    positions : frame of n rows, ordered by portfolio, strategy and symbol: `KEY`, quantity, value (base currency), is_option, contracts'
        minimum a contract (base currency), and the columns of `class_groups` but the notes.
    losses : (n, k); NaN where an input is missing.
    moves : (n, k) relative move of the class group at each point.
    missing : (n,) reason, None where nothing is missing.
    """

    positions: pd.DataFrame
    losses: Floats
    moves: Floats
    missing: npt.NDArray[np.object_]


def position_losses(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    classes: pd.DataFrame,
    rules: PortfolioMarginRules,
    as_of: dt.date,
    *,
    backend: Backend = NUMPY,
    threads: int = 1,
) -> PositionLosses:
    """Losses of positions whose instruments are eligible.

    Parameters
    ----------
    positions : rows of that table with a quantity.
    instruments, prices, rates, dividends : frames of those tables, histories resolved up to the date.
    classes : frame of `class_groups`.
    rules : rules in force.
    as_of : business date.
    backend, threads : where options are revalued.

    Notes
    -----
    A linear position loses in proportion to its price; an option what its theoretical value differs from its mark. The volatility of
    each option stays the one that its mark implies; time does not pass.
    """
    eligible = positions["symbol"].map(classes["eligible"]).fillna(False).to_numpy(dtype=bool) & (positions["quantity"] != 0).to_numpy()
    held = positions[eligible].sort_values(KEY, kind="stable").reset_index(drop=True)
    own = classes.reindex(held["symbol"]).reset_index(drop=True)
    multiplier = held["symbol"].map(instruments.drop_duplicates("symbol").set_index("symbol")["multiplier"]).to_numpy(dtype=np.float64)
    options = option_inputs(held, instruments, prices, rates, dividends, as_of)
    moves = rules.moves(own["move_down"], own["move_up"])
    unit_value = held["quantity"].to_numpy(np.float64) * multiplier * held["fx_rate"].to_numpy(np.float64)
    is_option = options["is_option"].to_numpy(dtype=bool)
    price = held["price"].to_numpy(np.float64)
    # No price falls below nothing, whatever the leverage of the fund.
    own_moves = np.maximum(own["factor"].to_numpy(np.float64)[:, None] * moves, -1.0)
    losses = -(unit_value * price)[:, None] * own_moves
    values = _option_values(options[is_option], own_moves[is_option], backend, threads)
    losses[is_option] = -unit_value[is_option, None] * (values - price[is_option, None])
    frame = held[[*KEY, "quantity"]].assign(
        value=unit_value * price,
        is_option=is_option,
        minimum_a_contract=np.where(is_option, rules.minimum_a_unit * multiplier * held["fx_rate"].to_numpy(np.float64), 0.0),
        **{name: own[name] for name in own.columns if name not in ("eligible", "note")},
    )
    return PositionLosses(frame, losses, moves, _reasons(held, options, losses, as_of))


def _option_values(options: pd.DataFrame, moves: Floats, backend: Backend, threads: int) -> Floats:
    """(m, k) values per unit; each series is valued once, however many positions hold it."""
    series = options.drop_duplicates("option_series")
    place = pd.Index(series["option_series"]).get_indexer(pd.Index(options["option_series"]))
    numbers = {name: series[name].to_numpy(np.float64) for name in ("spot", "strike", "rate", "dividend_yield")}
    terms = OptionTerms(
        years=series["years_to_expiry"].to_numpy(np.float64),
        volatility=series["implied_volatility"].to_numpy(np.float64),
        is_call=series["is_call"].to_numpy(dtype=bool),
        is_american=series["is_american"].to_numpy(dtype=bool),
        **numbers,
    )
    return scenario_values(terms, moves[_first_rows(options)], backend=backend, threads=threads)[place]


def _first_rows(options: pd.DataFrame) -> npt.NDArray[np.int64]:
    return np.flatnonzero(~options["option_series"].duplicated().to_numpy())


def _reasons(held: pd.DataFrame, options: pd.DataFrame, losses: Floats, as_of: dt.date) -> npt.NDArray[np.object_]:
    """First thing that each position lacks, in words."""
    reason = np.full(len(held), None, dtype=object)
    unknown = np.isnan(losses).any(axis=1)
    symbol, currency = held["symbol"].to_numpy(object), held["currency"].to_numpy(object)
    given = options["missing"].to_numpy(object)
    no_rate, no_price = held["fx_rate"].isna().to_numpy(), held["price"].isna().to_numpy()
    for row in np.flatnonzero(unknown | pd.notna(given)):
        if no_price[row]:
            reason[row] = f"price of {symbol[row]} {as_of}"
        elif no_rate[row]:
            reason[row] = f"exchange rate of {currency[row]} {as_of}"
        else:
            reason[row] = str(given[row]) if pd.notna(given[row]) else f"{symbol[row]}: no value at the valuation points"
    return reason
