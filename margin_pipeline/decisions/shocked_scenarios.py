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

ACCOUNTS: Mapping[str, tuple[str, ...]] = {"portfolio_margin": ("portfolio_margin", "reg_t"), "futures": ("futures",)}
"""Account types of each method that looks at scenarios."""
_NUMBER = SEPARATOR + r"\d+"
_LONGEST_CHAIN = 3


@dataclass(frozen=True)
class _Book:
    """Frames of the tables of these names, portfolios and symbols by their name in a scenario; class groups of the symbols."""

    positions: pd.DataFrame
    portfolios: pd.DataFrame
    instruments: pd.DataFrame
    prices: pd.DataFrame
    rates: pd.DataFrame
    dividends: pd.DataFrame
    risk_arrays: pd.DataFrame
    span_parameters: pd.DataFrame
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
    first = next(iter(after.values()))
    book = _stacked(inputs, after, by_scenarios, "portfolio_margin", classes)
    market = (book.prices, first.fx_rates, book.rates, book.dividends, first.as_of)
    found = portfolio_margin(book.positions, book.instruments, book.portfolios, *market, classes=book.classes, threads=threads)
    book = _stacked(inputs, after, by_scenarios, "futures", classes)
    terms = (book.prices, book.rates, book.risk_arrays, book.span_parameters, first.as_of)
    futures = span_margins(book.positions, book.instruments, book.portfolios, *terms, threads=threads)
    return ScenarioTables(*map(_plain, (found.classes, found.groups, found.positions, futures.margins, futures.covered)))


def _stacked(
    inputs: MarginInputs, after: Mapping[int, AfterShock], by_scenarios: frozenset[str], method: str, classes: pd.DataFrame
) -> _Book:
    """The book of all scenarios under a method, with the instruments and terms that it needs.

    Rates move with the scenario, so that currencies go by their name in it, too; positions bring their exchange rates.
    """
    owners = inputs.portfolios.loc[inputs.portfolios["account_type"].isin(ACCOUNTS[method]), "portfolio_id"]
    names = set(owners) & by_scenarios
    held = inputs.positions["portfolio_id"].isin(names).to_numpy()
    symbols = _with_underlyings(set(inputs.positions.loc[held, "symbol"]), inputs.instruments)
    frames = {name: getattr(inputs, name) for name in ("instruments", "dividends", "risk_arrays")}
    given = {name: frame[frame["symbol"].isin(symbols)] for name, frame in frames.items()}
    instruments = given["instruments"]
    # Terms of futures go by class group, which is the root where none is given.
    instruments = instruments.assign(class_group=instruments["class_group"].where(instruments["class_group"].notna(), instruments["root"]))
    groups = classes[classes.index.isin(symbols)]
    parts: dict[str, list[pd.DataFrame]] = {field.name: [] for field in fields(_Book)}
    for number, moved in after.items():
        owned = moved.portfolios[moved.portfolios["portfolio_id"].isin(names)]
        for name, frame, columns in (
            ("positions", moved.positions[held], ("symbol", "currency")),
            ("instruments", instruments, ("symbol", "underlying", "currency", "class_group")),
            ("prices", moved.prices[moved.prices["symbol"].isin(symbols)], ("symbol",)),
            ("rates", moved.rates, ("currency",)),
            ("dividends", given["dividends"], ("symbol",)),
            ("risk_arrays", given["risk_arrays"], ("symbol",)),
            ("span_parameters", inputs.span_parameters, ("class_group", "currency")),
        ):
            parts[name].append(frame.assign(**{column: frame[column].astype("str") + f"{SEPARATOR}{number}" for column in columns}))
        terms = parts["span_parameters"][-1]
        second = terms["class_group_2"].astype("str")
        parts["span_parameters"][-1] = terms.assign(class_group_2=second.where(second == "", second + f"{SEPARATOR}{number}"))
        parts["positions"][-1]["portfolio_id"] = in_scenario(parts["positions"][-1]["portfolio_id"], number)
        parts["portfolios"].append(owned.assign(portfolio_id=in_scenario(owned["portfolio_id"], number)))
        parts["classes"].append(groups.set_axis(groups.index.astype("str") + f"{SEPARATOR}{number}"))
    return _Book(**{name: pd.concat(frames, ignore_index=name != "classes") for name, frames in parts.items()})


def _with_underlyings(symbols: set[str], instruments: pd.DataFrame) -> set[str]:
    """Symbols and what is beneath them."""
    beneath = instruments.set_index("symbol")["underlying"].dropna()
    for _ in range(_LONGEST_CHAIN):
        symbols = symbols | set(beneath[beneath.index.isin(symbols)])
    return symbols


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Symbols, class groups and reasons that name them, without the number of the scenario; portfolios keep theirs."""
    plain = {
        name: frame[name].astype("str").str.replace(_NUMBER, "", regex=True) for name in ("symbol", "missing") if name in frame.columns
    }
    return frame.assign(**plain)
