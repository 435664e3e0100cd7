"""Which pairs of a portfolio are matched and how far, and how near that comes to the best over all pairs.

Belongs here: small portfolios by one linear program over all pairs, large ones by prices, and the proof of either. Not here: rates, prices
and programs themselves (`cross_margin_rates`, `cross_margin_prices`, `cross_margin_greedy`, `cross_margin_program`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from margin_pipeline.margin.cross_margin_candidates import RateTable
from margin_pipeline.margin.cross_margin_correlation import ReturnCorrelation
from margin_pipeline.margin.cross_margin_greedy import Extra, fill
from margin_pipeline.margin.cross_margin_pairs import NetPositions, Pairs, qualifying_pairs
from margin_pipeline.margin.cross_margin_prices import Prices, scarcity_prices
from margin_pipeline.margin.cross_margin_program import optimum, within_capacity
from margin_pipeline.margin.cross_margin_rates import SavingRates
from margin_pipeline.parameters.cross_margin import CrossMarginRules

PROGRAMS = 3
"""Linear programs at most, each with the pairs that the prices of the last one call for."""


@dataclass(frozen=True)
class Matching:
    """Matches of one portfolio.

    Attributes
    ----------
    pairs : m pairs.
    matched : (m,) matched exposure of each.
    bound : no matching of any pairs saves more, base currency.
    """

    pairs: Pairs
    matched: np.ndarray
    bound: float

    @property
    def saving(self) -> float:
        """Saving of all matches, base currency."""
        return float(self.matched @ self.pairs.saving_rate)

    @property
    def proven_share(self) -> float:
        """Saving as a fraction of the bound: at least this part of the best possible saving is granted."""
        return min(1.0, self.saving / self.bound) if self.bound > 0 else 1.0


@dataclass(frozen=True)
class _Portfolio:
    held: NetPositions
    correlation: ReturnCorrelation
    benefit_table: np.ndarray
    rules: CrossMarginRules

    def pairs(self, first: np.ndarray, second: np.ndarray) -> tuple[Pairs, np.ndarray]:
        """Those of some pairs that qualify, each once and in order, and where they stood."""
        size = len(self.held.sign)
        key, where = np.unique(np.minimum(first, second) * size + np.maximum(first, second), return_index=True)
        found, qualifies = qualifying_pairs(self.held, self.correlation, self.benefit_table, self.rules, key // size, key % size)
        return found, where[qualifies]


def best_matching(held: NetPositions, correlation: ReturnCorrelation, benefit_table: np.ndarray, rules: CrossMarginRules) -> Matching:
    """Matches that save nearly the most margin, with a bound on what any could save.

    Parameters
    ----------
    held : net positions of one portfolio.
    correlation : of their returns.
    benefit_table : result of `group_benefits` for the groups of `held`.
    rules : rules in force.

    Returns
    -------
    Up to `all_pairs_up_to` pairs that qualify: the optimum of the linear program over all of them. Beyond: matches by scarcity prices;
    where the bound leaves more than 1 - `proven_share` open, also linear programs over likely pairs and what their prices call for.

    Notes
    -----
    The greatest rates alone will not do: they crowd on a few partners whose capacity is soon used up, so each rate is taken less the
    prices of both positions.
    """
    portfolio = _Portfolio(held, correlation, benefit_table, rules)
    table = _rate_table(portfolio)
    if table.count() <= rules.all_pairs_up_to:
        pairs, _ = portfolio.pairs(*table.pairs())
        matched = optimum(pairs, held.capacity).matched
        return Matching(pairs, matched, float(matched @ pairs.saving_rate))
    prices = scarcity_prices(table.rates, held.capacity[table.rows], held.capacity[table.columns], table.is_doubled)
    found = _filled(portfolio, table, prices)
    return found if found.proven_share >= rules.proven_share else _improved(portfolio, table, found, prices)


def _rate_table(portfolio: _Portfolio) -> RateTable:
    """Rates of long with short positions, and pairs of one sign beside; of all with all where those of one sign are many."""
    held, most = portfolio.held, portfolio.rules.all_pairs_up_to
    rates = SavingRates(held, portfolio.correlation, portfolio.benefit_table, portfolio.rules)
    order = np.argsort(held.group, kind="stable")
    long, short = order[held.sign[order] > 0], order[held.sign[order] < 0]
    first = rates.pairs_of_one_sign(long, most)
    second = rates.pairs_of_one_sign(short, most) if first is not None else None
    if first is None or second is None:
        none, _ = portfolio.pairs(order[:0], order[:0])
        return RateTable(rates.block(order, order), order, order, none)
    extra, _ = portfolio.pairs(*np.concatenate([first, second], axis=1))
    return RateTable(rates.block(long, short), long, short, extra)


def _filled(portfolio: _Portfolio, table: RateTable, prices: Prices) -> Matching:
    """Matches at given prices, the best first."""
    capacity, extra = portfolio.held.capacity, table.extra
    price = table.by_position(prices, len(capacity))
    beside = Extra(extra.first, extra.second, extra.saving_rate - price[extra.first] - price[extra.second])
    first, second, matched = fill(table.scores(prices, portfolio.rules.seed), table.rows, table.columns, capacity, beside)
    pairs, where = portfolio.pairs(first, second)
    return Matching(pairs, within_capacity(pairs, matched[where], capacity), table.bound(prices, capacity))


def _improved(portfolio: _Portfolio, table: RateTable, found: Matching, prices: Prices) -> Matching:
    """Best of linear programs over likely pairs, each with what the prices of the last one call for (column generation)."""
    capacity, rules = portfolio.held.capacity, portfolio.rules
    likely = table.called_for(table.scores(prices, rules.seed), rules.partners_per_symbol, -np.inf)
    columns = [found.pairs.first, table.extra.first, likely[0]], [found.pairs.second, table.extra.second, likely[1]]
    for _ in range(PROGRAMS):
        pairs, _ = portfolio.pairs(np.concatenate(columns[0]), np.concatenate(columns[1]))
        solution = optimum(pairs, capacity)
        prices = table.at(solution.price, 0.0)
        bound = min(found.bound, table.bound(prices, capacity))
        now = Matching(pairs, solution.matched, bound)
        found = now if now.saving > found.saving else replace(found, bound=bound)
        if found.proven_share >= rules.proven_share:
            break
        more = table.called_for(table.scores(prices, rules.seed), rules.partners_per_symbol, 0.0)
        columns = [pairs.first, more[0]], [pairs.second, more[1]]
    return found
