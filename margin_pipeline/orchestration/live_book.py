"""The newest published date in memory, with what has changed of its positions since.

Belongs here: reading it, which portfolios are computed together, preparing them. Not here: rounds (`intraday`), margin (`decisions`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions.intraday import PublishedBook, gains, live_symbols, published_book, shelves, with_positions
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.orchestration import partitions
from margin_pipeline.parameters.intraday import IntradayRules, intraday_rules
from margin_pipeline.parameters.stress import stress_rules
from margin_pipeline.storage import live
from margin_pipeline.storage.snapshot import snapshot
from margin_pipeline.storage.urls import DatabaseUrls

SESSIONS = 10
"""Sessions of prices and exchange rates that the stages of the chain read."""
BY_SCENARIOS = ("portfolio_margin", "futures")
"""Accounts whose governing method looks at scenarios."""
HISTORIES = ("fx_rates", "rates", "futures_margins", "margin_schedules", "margin_rates", "span_parameters")
TABLES = (
    "positions", "instruments", "portfolios", "house_margins", "symbol_risk", "strategy_groups", "rejected_rows", "dividends",
    "risk_arrays",
)  # fmt: skip


@dataclass
class LiveBook:
    """The newest published date: its tables, what its portfolios depend on, and portfolios prepared so far.

    Attributes
    ----------
    newest : date and calculation, and the change of intraday positions that is in it.
    since : instant of the published marks: live marks count from then on.
    thresholds : utilization thresholds and hysteresis of the calculation.
    rules : budget and sizes.
    published, inputs : tables as published, and with the positions that replaced published ones.
    depends : symbols that each portfolio depends on.
    shelves : portfolios that are computed together.
    at, calendar_open : instant whose intraday rules apply.
    sources : where positions that replaced published ones come from, by portfolio.
    books : prepared portfolios by the number of their shelf.
    """

    newest: live.Newest
    since: dt.datetime
    thresholds: Mapping[str, float]
    rules: IntradayRules
    published: MarginInputs
    inputs: MarginInputs
    depends: pd.DataFrame
    shelves: list[list[str]]
    at: dt.datetime | None
    calendar_open: bool
    sources: Mapping[str, str] = field(default_factory=dict)
    books: dict[int, PublishedBook] = field(default_factory=dict)

    def book(self, number: int) -> PublishedBook:
        """Prepared portfolios of a shelf."""
        if number not in self.books:
            self.books[number] = self._prepared(self.inputs, self.shelves[number])
        return self.books[number]

    def equity_after(self, records: pd.DataFrame, names: set[str], marks: pd.Series) -> dict[str, float]:
        """Equity that other positions of portfolios would have at the published marks, if trades at live marks led to them."""
        holding = {number for number, shelf in enumerate(self.shelves) if names.intersection(shelf)}
        gained: dict[str, float] = {}
        for number in holding:
            gained |= gains(self.book(number), marks)
        own = self.inputs.portfolios.set_index("portfolio_id")["equity"].astype(float)
        before = {name: float(own[name]) for name in sorted(names)}
        none = self.inputs.rejected_rows.iloc[:0]
        other = with_positions(self.inputs, records, before, none, self.newest.as_of)
        later = gains(self._prepared(other, sorted(names)), marks)
        return {name: before[name] + gained.get(name, 0.0) - later.get(name, 0.0) for name in sorted(names)}

    def taken(self, books: live.Books, newest: live.Newest) -> LiveBook:
        """The same date with the positions that replace published ones."""
        equity = dict(zip(books.books["portfolio_id"], books.books["equity"], strict=True))
        inputs = with_positions(self.published, books.records, equity, books.rejected_rows, newest.as_of) if equity else self.published
        names = set(books.books.loc[books.books["version"] > self.newest.books_version, "portfolio_id"])
        untouched = {number: book for number, book in self.books.items() if not names.intersection(self.shelves[number])}
        texts = books.books["source"] + " " + books.books["content_hash"].str[:12]
        return replace(
            self,
            newest=newest,
            inputs=inputs,
            depends=live_symbols(inputs.positions, inputs.instruments),
            sources=dict(zip(books.books["portfolio_id"], texts, strict=True)),
            books=untouched,
        )

    def _prepared(self, inputs: MarginInputs, portfolios: list[str]) -> PublishedBook:
        part = _part(inputs, portfolios)
        as_of = self.newest.as_of
        return published_book(part, stress_rules(as_of), as_of, at=self.at, calendar_open=self.calendar_open)


def read_book(urls: DatabaseUrls, newest: live.Newest, calendar: str) -> LiveBook:
    """Read the newest published date, all of one moment, as it was published.

    Raises
    ------
    StorageError : the database cannot be reached.
    """
    as_of = newest.as_of
    with snapshot(urls) as found:
        calculations = found.calculations()
        settings = json.loads(str(calculations.loc[calculations["calculation_id"] == newest.calculation_id, "settings"].iloc[0]))
        tables = {name: found.rows(name, as_of) for name in TABLES}
        tables |= {name: found.history(name, as_of, sessions=SESSIONS if name == "fx_rates" else None) for name in HISTORIES}
        prices = found.history("prices", as_of, sessions=SESSIONS)
    # Netting sets of derivatives have no positions.
    owners = tables["portfolios"][tables["portfolios"]["account_type"] != "otc"].reset_index(drop=True)
    positions = tables["positions"][tables["positions"]["portfolio_id"].isin(owners["portfolio_id"])].reset_index(drop=True)
    given = {**tables, "portfolios": owners, "positions": positions}
    inputs = MarginInputs(**given, prices=prices, symbols=(), correlation=np.zeros((0, 0)))
    rules = intraday_rules(as_of)
    by_scenarios = owners.set_index("portfolio_id")["account_type"].isin(BY_SCENARIOS)
    together = shelves(positions.groupby("portfolio_id").size(), by_scenarios, rules.alone_from_positions, rules.together_up_to_positions)
    at = dt.datetime.fromisoformat(settings["at"]) if settings.get("at") else None
    return LiveBook(
        newest=replace(newest, books_version=0),
        since=at or partitions.close_of(calendar, as_of),
        thresholds=settings["thresholds"],
        rules=rules,
        published=inputs,
        inputs=inputs,
        depends=live_symbols(positions, inputs.instruments),
        shelves=together,
        at=at,
        calendar_open=at is not None and partitions.is_open_and_not_closing_soon(calendar, at, as_of),
    )


def _part(inputs: MarginInputs, portfolios: list[str]) -> MarginInputs:
    """The part of the tables that concerns some portfolios."""

    def rows(frame: pd.DataFrame, column: str, values: Any) -> pd.DataFrame:
        return frame[frame[column].isin(values)].reset_index(drop=True)

    positions = rows(inputs.positions, "portfolio_id", portfolios)
    # What nobody holds any more may still be what other instruments are on.
    symbols = set(live_symbols(positions.assign(quantity=1.0), inputs.instruments)["symbol"])
    return replace(
        inputs,
        positions=positions,
        portfolios=rows(inputs.portfolios, "portfolio_id", portfolios),
        strategy_groups=rows(inputs.strategy_groups, "portfolio_id", portfolios),
        instruments=rows(inputs.instruments, "symbol", symbols),
        prices=rows(inputs.prices, "symbol", symbols),
        dividends=rows(inputs.dividends, "symbol", symbols),
        risk_arrays=rows(inputs.risk_arrays, "symbol", symbols),
    )
