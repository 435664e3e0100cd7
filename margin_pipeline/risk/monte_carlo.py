"""Profits of strategies in drawn scenarios: straight lines by one product, option books from tables.

Belongs here: scenarios in chunks of bounded memory. Not here: draws (`draws`), tables (`option_grids`), statistics (`simulation`).

What is kept is one number a strategy, scenario and horizon; everything else lives as long as its chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from margin_pipeline.compute import NUMPY, Backend, each_chunk, map_chunks, pinned_threads
from margin_pipeline.parameters.risk import MonteCarloSettings
from margin_pipeline.risk.book import Book, CurrencyGroup
from margin_pipeline.risk.draws import Chunk, chunks, is_mirrored, standard_returns
from margin_pipeline.risk.estimates import FactorEstimates
from margin_pipeline.risk.option_grids import NORMAL_REACH, Block, Spacing, add_option_profits, option_blocks
from margin_pipeline.risk.roots import root_of

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class _Line:
    """What is linear in the returns of one currency group: (strategies, factors) for a standardised return of 1, and two factors."""

    exposure: Any
    held_value: Floats
    currency: int
    base: int


def grid_spacing(settings: MonteCarloSettings) -> Spacing:
    """Knots for the draws of the settings: 8 standard deviations, and as many times more as Student's t may have."""
    if settings.distribution == "normal":
        return Spacing(settings.grid_knots, NORMAL_REACH, is_stretched=False)
    from scipy.special import gammaincinv  # here: costs start-up time that most commands need not pay

    least = 2 * gammaincinv(settings.degrees_of_freedom / 2, 0.01 / settings.scenarios)
    return Spacing(settings.grid_knots, NORMAL_REACH * max(1.0, float(np.sqrt((settings.degrees_of_freedom - 2) / least))), True)


def drawn_profits(
    book: Book,
    estimates: FactorEstimates,
    horizons_days: tuple[int, ...],
    settings: MonteCarloSettings,
    backend: Backend = NUMPY,
    threads: int = 1,
) -> list[Floats]:
    """Profit of each strategy in each scenario, by horizon.

    Parameters
    ----------
    book : the book.
    estimates : of its factors; those without have no return.
    horizons_days : horizons; all use the same draws, scaled by the square root of time.
    settings : draws and knots.
    backend : where products and option values are computed.
    threads : chunks at once on a processor; the result does not depend on it.

    Returns
    -------
    (strategies, scenarios) base currency, one array a horizon.
    """
    results = [np.zeros((len(book.strategies), settings.scenarios)) for _ in horizons_days]
    volatility = estimates.daily_volatility
    spacing = grid_spacing(settings)
    blocks = option_blocks(book, estimates.columns, volatility, horizons_days, spacing, backend)
    lines = [_line(group, book, estimates) for group in book.currency_groups]
    root = root_of(estimates.correlation)[0]
    with backend.on_device():
        on_device = backend.array(root, "float32")
    deviations = [volatility * np.sqrt(horizon) for horizon in horizons_days]

    def profits(returns: npt.NDArray[np.float32], straight: list[Floats]) -> list[Floats]:
        parts = [[np.sqrt(horizon) * part for part in straight] for horizon in horizons_days]
        found = [np.zeros((len(book.strategies), returns.shape[1])) for _ in horizons_days]
        _add_profits(returns, parts, lines, blocks, spacing, deviations, found)
        return found

    def of_chunk(chunk: Chunk) -> list[tuple[int, list[Floats]]]:
        """First scenario and profits of a chunk, and of its mirror image."""
        returns = standard_returns(chunk, settings, on_device, root.shape[1], backend)
        wide = returns.astype(np.float64)
        straight = [line.exposure @ wide for line in lines]
        drawn = [(chunk.first, profits(returns, straight))]
        if is_mirrored(settings):
            drawn.append((chunk.first + settings.scenarios // 2, profits(-returns, [-part for part in straight])))
        return drawn

    def keep(drawn: list[tuple[int, list[Floats]]]) -> None:
        for first, found in drawn:
            for result, own in zip(results, found, strict=True):
                result[:, first : first + own.shape[1]] = own

    # Chunks at once are faster than each product on many threads, and give the same bits for any number of them.
    with pinned_threads(1):
        if backend.name == NUMPY.name:
            each_chunk(of_chunk, chunks(settings), keep, workers=threads)
        else:
            # What is on a device of this machine stays here.
            map_chunks(lambda chunk: keep(of_chunk(chunk)), chunks(settings))
    return results


def _add_profits(
    returns: npt.NDArray[np.float32],
    parts: list[list[Floats]],
    lines: list[_Line],
    blocks: list[Block],
    spacing: Spacing,
    deviations: list[Floats],
    results: list[Floats],
) -> None:
    """Add to results, by horizon, the price results of the lines (parts, by horizon and line) and of options, converted."""
    if blocks:
        position = spacing.positions(returns)
        for block in blocks:
            add_option_profits(block, position, parts)
    for deviation, by_group, result in zip(deviations, parts, results, strict=True):
        for line, price_result in zip(lines, by_group, strict=True):
            result += _converted(line, price_result, returns, deviation)


def _line(group: CurrencyGroup, book: Book, estimates: FactorEstimates) -> _Line:
    exposure = sparse.csr_array(group.exposure[:, estimates.columns] @ sparse.diags_array(estimates.daily_volatility))
    place = {name: row for row, name in enumerate(book.factors[estimates.columns])}
    return _Line(exposure, group.held_value, place.get(group.currency_factor, -1), place.get(group.base_factor, -1))


def _converted(line: _Line, price_result: Floats, returns: npt.NDArray[np.float32], deviation: Floats) -> Floats:
    """Price results at the exchange rates of the scenarios, with the change of the rates on the value held."""
    if line.currency < 0 and line.base < 0:
        return price_result
    currency, base = (_growth(factor, returns, deviation) for factor in (line.currency, line.base))
    relative = currency / base - 1
    return price_result * (1 + relative) + line.held_value[:, None] * relative


def _growth(factor: int, returns: npt.NDArray[np.float32], deviation: Floats) -> Floats:
    """(draws,) price of a currency in dollars, 1 before; the dollar itself has the number -1."""
    if factor < 0:
        return np.ones(returns.shape[1])
    return np.asarray(1 + deviation[factor] * returns[factor].astype(np.float64))
