"""How prices of instruments, currencies and implied volatilities move in stress scenarios.

Belongs here: resolving what a scenario names into one move of each symbol. Not here: the scenarios (`parameters`), profits (`stress`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.market.option_pricing import DAYS_A_YEAR
from margin_pipeline.parameters.stress import Scenario
from margin_pipeline.risk.risk_factors import NUMERAIRE, close_counts, risk_factor_of

Floats = npt.NDArray[Any]

REPLAY_SLACK_DAYS = 7
"""A close so many calendar days before an end of an episode stands for the day itself."""
_PAIR = r"^([A-Z]{3})[^A-Z]?([A-Z]{3})$"


@dataclass(frozen=True)
class PriceMoves:
    """Moves of n symbols in k scenarios.

    Attributes
    ----------
    symbols : (n,) instruments and what they are on, ascending.
    moves : (n, k) relative moves of the price, at least -1; NaN where they are not known. Of an option: of what it is on.
    lacks : (n,) what a symbol without a move lacks, in words.
    """

    symbols: pd.Index
    moves: Floats
    lacks: Floats

    def of(self, symbols: pd.Series) -> Floats:
        """(m, k) moves of some symbols; NaN for unknown ones."""
        at = self.symbols.get_indexer(pd.Index(symbols))
        return np.vstack([self.moves, np.full((1, self.moves.shape[1]), np.nan)])[at]

    def reasons(self, symbols: pd.Series) -> list[str]:
        """Why symbols have no move."""
        at = self.symbols.get_indexer(pd.Index(symbols))
        return [f"{name}: {self.lacks[row] if row >= 0 else 'unknown instrument'}" for name, row in zip(symbols, at, strict=True)]


def price_moves(
    instruments: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    prices: pd.DataFrame,
    scenarios: Sequence[Scenario],
    benchmark: str,
    min_observations: int,
    as_of: dt.date,
) -> PriceMoves:
    """Move of every symbol in every scenario, by the precedence that stress_scenarios.yaml states.

    Parameters
    ----------
    instruments, symbol_risk, prices : frames of the tables; prices as a history, for replays and for what futures move with.
    scenarios : k scenarios.
    benchmark : symbol whose beta is 1.
    min_observations : closes without which a future does not move with what it is on (as in `risk_factor_of`).
    as_of : business date.
    """
    terms = instruments.drop_duplicates("symbol").set_index("symbol")
    symbols = pd.Index(sorted({*instruments["symbol"], *instruments["underlying"].dropna(), benchmark}), dtype=object)
    factors = risk_factor_of(instruments, close_counts(prices, as_of), min_observations)
    own = symbols.to_series()
    factor = own.map(factors).fillna(own).astype(object)
    # An option's own price is not moved but valued again: its row holds the move of what it is on.
    option = terms["option_type"].notna().reindex(symbols, fill_value=False).to_numpy(bool)
    beneath = terms["underlying"].reindex(symbols).astype(object)
    driver = own.where(~option | beneath.isna().to_numpy(), beneath)
    named = _Named(
        factor=pd.Index(factor),
        sector=_of(terms, "sector", factor),
        asset_class=_of(terms, "asset_class", factor),
        duration=_numbers(terms, "modified_duration", factor),
        beta=_betas(symbol_risk, benchmark, factor),
    )
    resolved = np.column_stack([_resolved(named, scenario, prices) for scenario in scenarios])
    for column, scenario in enumerate(scenarios):
        itself = own.map(dict(scenario.symbols)).to_numpy(float)
        resolved[:, column] = np.where(np.isnan(itself), resolved[:, column], itself)
    lacks = np.where(named.asset_class == "bond", "no modified duration", "no beta").astype(object)
    at = symbols.get_indexer(pd.Index(driver))
    return PriceMoves(symbols, resolved[at], lacks[at])


def currency_moves(currencies: pd.Series, scenarios: Sequence[Scenario]) -> Floats:
    """(n, k) moves of currencies against the US dollar; 0 where a scenario does not name them."""
    code, names = pd.factorize(currencies)
    moves = np.array([[scenario.currencies.get(str(name), 0.0) for scenario in scenarios] for name in names]).reshape(-1, len(scenarios))
    return np.vstack([moves, np.zeros((1, len(scenarios)))])[code]


def volatility_moves(volatility: Floats, years: Floats, scenarios: Sequence[Scenario]) -> Floats:
    """(n, k) changes of implied volatility, to be added.

    Parameters
    ----------
    volatility : (n,) implied volatilities, fractions a year.
    years : (n,) time to expiry, years of 365 days.
    """
    days = np.asarray(years, dtype=float) * DAYS_A_YEAR
    found = np.zeros((len(days), len(scenarios)))
    for column, scenario in enumerate(scenarios):
        # From the last term to the first: the shortest that an option fits into counts.
        for shock in reversed(scenario.volatility):
            fits = days <= (np.inf if shock.up_to_days is None else shock.up_to_days)
            found[:, column] = np.where(fits, volatility * shock.relative + shock.absolute, found[:, column])
    return found


@dataclass(frozen=True)
class _Named:
    """What the risk factor of each symbol is, (n,) each."""

    factor: pd.Index
    sector: Floats
    asset_class: Floats
    duration: Floats
    beta: Floats


def _of(terms: pd.DataFrame, column: str, symbols: pd.Series) -> Floats:
    if column not in terms:
        return np.full(len(symbols), None, dtype=object)
    found = terms[column].reindex(symbols).astype(object)
    return found.where(found.notna(), None).to_numpy(object)


def _numbers(terms: pd.DataFrame, column: str, symbols: pd.Series) -> Floats:
    return terms[column].reindex(symbols).to_numpy(float) if column in terms else np.full(len(symbols), np.nan)


def _betas(symbol_risk: pd.DataFrame, benchmark: str, factor: pd.Series) -> Floats:
    beta = symbol_risk.drop_duplicates("symbol").set_index("symbol")["beta"].astype(float).reindex(factor).to_numpy(float)
    return np.where((factor == benchmark).to_numpy(), 1.0, beta)


def _resolved(named: _Named, scenario: Scenario, prices: pd.DataFrame) -> Floats:
    """(n,) moves in one scenario, from the last in precedence to the first."""
    market = 0.0 if scenario.market is None else np.maximum(named.beta * scenario.market, -1.0)
    moves = np.broadcast_to(np.asarray(market, dtype=float), named.beta.shape).copy()
    shift = scenario.rate_shift + scenario.spread_shift
    bond = named.asset_class == "bond"
    moves[bond] = np.maximum(-named.duration[bond] * shift, -1.0) if shift else 0.0
    pair = _pairs(named, scenario)
    moves = np.where(np.isnan(pair), moves, pair)
    steps: list[tuple[Any, dict[Any, float]]] = [
        (named.asset_class, dict(scenario.asset_classes)),
        (named.sector, dict(scenario.sectors)),
        (named.factor, _replayed(prices, scenario, set(named.factor))),
        (named.factor, dict(scenario.symbols)),
    ]
    for names, shocks in steps:
        if shocks:
            shocked = pd.Series(names, dtype=object).map(shocks).to_numpy(float)
            moves = np.where(np.isnan(shocked), moves, shocked)
    return moves


def _pairs(named: _Named, scenario: Scenario) -> Floats:
    """(n,) moves of currency pairs whose currencies the scenario names; NaN elsewhere."""
    found = np.full(len(named.factor), np.nan)
    rows = np.flatnonzero(named.asset_class == "fx")
    if not len(rows) or not scenario.currencies:
        return found
    codes = pd.Series(named.factor[rows], dtype="str").str.extract(_PAIR)
    shocks = {NUMERAIRE: 0.0, **scenario.currencies}
    first, second = (codes[side].map(shocks) for side in (0, 1))
    touched = codes[0].isin(list(scenario.currencies)) | codes[1].isin(list(scenario.currencies))
    relative = (1 + first.fillna(0.0)) / (1 + second.fillna(0.0)) - 1
    found[rows] = relative.where(touched).to_numpy(float)
    return found


def _replayed(prices: pd.DataFrame, scenario: Scenario, symbols: set[Any]) -> dict[Any, float]:
    """Moves over an episode of the symbols with closes at both ends, adjusted ones where both are."""
    if scenario.replay is None or prices.empty:
        return {}
    dates = pd.to_datetime(prices["date"])
    ends = []
    for name, day in zip(("first", "last"), scenario.replay, strict=True):
        end = pd.Timestamp(day)
        near = (dates <= end) & (dates > end - pd.Timedelta(days=REPLAY_SLACK_DAYS)) & prices["symbol"].isin(symbols)
        rows = prices[near].reindex(columns=["symbol", "close", "adjusted_close"]).assign(day=dates[near]).sort_values("day", kind="stable")
        ends.append(rows.drop_duplicates("symbol", keep="last").set_index("symbol").add_suffix(f"_{name}"))
    both = ends[0].join(ends[1], how="inner")
    adjusted = both["adjusted_close_last"] / both["adjusted_close_first"]
    move = adjusted.where(adjusted.notna(), both["close_last"] / both["close_first"])
    return (move - 1.0).to_dict()
