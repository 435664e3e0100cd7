"""Scenario margin after shocks, of all of them at once.

Belongs here: one book in which every shock has its own instruments, so that the margin stages run once. Not here: the stages (`margin`),
which portfolios (`shocked_margins`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import pandas as pd

from margin_pipeline.decisions.shocked_tables import SEPARATOR, AfterShock, MarginInputs, in_scenario
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.margin.scenario_tables import ScenarioTables
from margin_pipeline.margin.span import span_margins

ACCOUNTS = {"portfolio_margin": ("portfolio_margin", "reg_t"), "futures": ("futures",)}
"""Account types of each method that looks at scenarios."""
_NUMBER = SEPARATOR + r"\d+"
_LONGEST_CHAIN = 3


@dataclass(frozen=True)
class _Book:
    """Frames of the tables of these names, portfolios and symbols by their name in a scenario."""

    positions: pd.DataFrame
    portfolios: pd.DataFrame
    instruments: pd.DataFrame
    prices: pd.DataFrame
    dividends: pd.DataFrame
    risk_arrays: pd.DataFrame
    classes: pd.DataFrame


def shocked_scenario_tables(
    inputs: MarginInputs, after: Mapping[int, AfterShock], by_scenarios: frozenset[str], classes: pd.DataFrame, threads: int = 1
) -> ScenarioTables:
    """Scenario margin of securities and of futures after shocks.

    Parameters
    ----------
    inputs : the book before.
    after : the book after each scenario, by its number.
    by_scenarios : portfolios whose scenario margin is computed again.
    classes : class group of every instrument, see `margin.scenario.class_groups`.
    threads : chunks of options at once; the result does not depend on it.

    Returns
    -------
    ScenarioTables, portfolios by the name of `in_scenario`. Volatilities are those that the marks after the shock imply. Risk arrays that
    an exchange gave stay as they are.
    """
    by_rates: dict[tuple[float, ...], list[int]] = {}
    for number, moved in after.items():
        by_rates.setdefault(tuple(moved.rates["rate"]), []).append(number)
    found = [_tables(inputs, {n: after[n] for n in numbers}, by_scenarios, classes, threads) for numbers in by_rates.values()]
    joined = {
        field.name: pd.concat([getattr(tables, field.name) for tables in found], ignore_index=True) for field in fields(ScenarioTables)
    }
    return ScenarioTables(**{name: _plain(frame) for name, frame in joined.items()})


def _tables(
    inputs: MarginInputs, after: Mapping[int, AfterShock], by_scenarios: frozenset[str], classes: pd.DataFrame, threads: int
) -> ScenarioTables:
    """Tables of scenarios that share rates."""
    first = next(iter(after.values()))
    books = {method: _stacked(inputs, after, by_scenarios, accounts, classes) for method, accounts in ACCOUNTS.items()}
    book = books["portfolio_margin"]
    market = (book.prices, first.fx_rates, first.rates, book.dividends, first.as_of)
    securities = portfolio_margin(book.positions, book.instruments, book.portfolios, *market, classes=book.classes, threads=threads)
    book = books["futures"]
    terms = (book.prices, first.rates, book.risk_arrays, inputs.span_parameters, first.as_of)
    futures = span_margins(book.positions, book.instruments, book.portfolios, *terms, threads=threads)
    return ScenarioTables(securities.classes, securities.groups, securities.positions, futures.margins, futures.covered)


def _stacked(
    inputs: MarginInputs, after: Mapping[int, AfterShock], by_scenarios: frozenset[str], accounts: tuple[str, ...], classes: pd.DataFrame
) -> _Book:
    """The book of all scenarios, with the instruments that it needs."""
    owners = inputs.portfolios.loc[inputs.portfolios["account_type"].isin(accounts), "portfolio_id"]
    names = set(owners) & by_scenarios
    held = inputs.positions["portfolio_id"].isin(names)
    symbols = _with_underlyings(set(inputs.positions.loc[held, "symbol"]), inputs.instruments)
    instruments = inputs.instruments[inputs.instruments["symbol"].isin(symbols)]
    arrays = inputs.risk_arrays[inputs.risk_arrays["symbol"].isin(symbols)]
    dividends = inputs.dividends[inputs.dividends["symbol"].isin(symbols)]
    groups = classes[classes.index.isin(symbols)]
    parts: dict[str, list[pd.DataFrame]] = {field.name: [] for field in fields(_Book)}
    for number, moved in after.items():
        mark = f"{SEPARATOR}{number}"
        positions = moved.positions[held.to_numpy()]
        prices = moved.prices[moved.prices["symbol"].isin(symbols)]
        own = moved.portfolios[moved.portfolios["portfolio_id"].isin(names)]
        parts["positions"].append(
            positions.assign(portfolio_id=in_scenario(positions["portfolio_id"], number), symbol=positions["symbol"].astype("str") + mark)
        )
        parts["portfolios"].append(own.assign(portfolio_id=in_scenario(own["portfolio_id"], number)))
        named = {name: instruments[name].astype("str") + mark for name in ("symbol", "underlying")}
        parts["instruments"].append(instruments.assign(**named))
        for name, frame in (("prices", prices), ("dividends", dividends), ("risk_arrays", arrays)):
            parts[name].append(frame.assign(symbol=frame["symbol"].astype("str") + mark))
        parts["classes"].append(groups.set_axis(groups.index.astype("str") + mark))
    return _Book(**{name: pd.concat(frames, ignore_index=name != "classes") for name, frames in parts.items()})


def _with_underlyings(symbols: set[str], instruments: pd.DataFrame) -> set[str]:
    """Symbols and what is beneath them."""
    beneath = instruments.set_index("symbol")["underlying"].dropna()
    for _ in range(_LONGEST_CHAIN):
        symbols = symbols | set(beneath[beneath.index.isin(symbols)])
    return symbols


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Symbols, and reasons that name them, without the number of the scenario; portfolios keep theirs."""
    plain = {
        name: frame[name].astype("str").str.replace(_NUMBER, "", regex=True) for name in ("symbol", "missing") if name in frame.columns
    }
    return frame.assign(**plain)
