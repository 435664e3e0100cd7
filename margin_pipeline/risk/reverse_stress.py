"""Reverse stress: the most likely shock that exhausts what a portfolio has beyond its requirement.

Belongs here: the least distance at which a loss is reached, for one book. Not here: which loss (the excess of margin equity over the
requirement, held at today's amount), tables.

The distance of moves r is the square root of r' Σ⁻¹ r, with Σ the covariance of the risk factors over the horizon. On linear books the
nearest moves with a loss x are -x Σδ / (δ'Σδ), at a distance of x / √(δ'Σδ). With options they solve a fixed-point equation: they lie
in the direction of Σ times the gradient of the loss where it is reached (Hasofer and Lind 1974; Rackwitz and Fiessler 1978). No move
is below -100 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from margin_pipeline.market.option_pricing import option_delta
from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values

Floats = npt.NDArray[Any]

MOST_DEVIATIONS = 60.0
"""Distance beyond which a loss counts as out of reach."""
ITERATIONS = 30
DIRECTION_TOLERANCE = 1e-7
OVERTAKE = 1.5
"""A search from another start goes on only as long as it is not farther than so many times the nearest shock so far."""
GRID = 24


@dataclass(frozen=True)
class FactorBook:
    """One portfolio on n risk factors.

    Attributes
    ----------
    delta : (n,) exposure of what is linear, base currency for a relative move of 1.
    terms : its m option series.
    factor : (m,) risk factor of each series.
    size : (m,) base currency for one unit of the price of each series.
    """

    delta: Floats
    terms: OptionTerms
    factor: npt.NDArray[np.int64]
    size: Floats

    @cached_property
    def today(self) -> Floats:
        """(m, 1) model values of the options without a move."""
        return scenario_values(self.terms, np.zeros(1))

    def losses(self, moves: Floats) -> Floats:
        """(k,) losses at (n, k) moves, none of which counts below -1; options are valued in full."""
        bounded = np.maximum(moves, -1.0)
        loss = -(self.delta @ bounded)
        if len(self.terms):
            after = scenario_values(self.terms, np.ascontiguousarray(bounded[self.factor]))
            loss = loss - self.size @ (after - self.today)
        return np.asarray(loss)

    def gradient(self, moves: Floats) -> Floats:
        """(n,) derivative of the loss at (n,) moves; 0 for a factor that cannot fall further."""
        slope = -self.delta.astype(float)
        if len(self.terms):
            t = self.terms
            spot = t.spot * np.maximum(1.0 + moves[self.factor], 1e-9)
            delta = option_delta(spot, t.strike, t.years, t.rate, t.dividend_yield, t.volatility, t.is_call, t.is_american)
            slope = slope - np.bincount(self.factor, self.size * delta * t.spot, minlength=len(slope))
        return np.where(moves <= -1.0, 0.0, slope)


@dataclass(frozen=True)
class NearestShock:
    """The nearest shock with a loss.

    Attributes
    ----------
    moves : (n,) relative moves of the factors; NaN where the loss is out of reach.
    distance : standard deviations; NaN likewise.
    loss : reached at the moves, base currency; the greatest that was found where the loss is out of reach.
    is_reachable : whether the loss is reached.
    """

    moves: Floats
    distance: float
    loss: float
    is_reachable: bool


def nearest_shock(book: FactorBook, covariance: Floats, loss: float) -> NearestShock:
    """The most likely moves at which a book loses an amount.

    Parameters
    ----------
    book : n risk factors.
    covariance : (n, n) of their simple returns over the horizon, positive semi-definite.
    loss : amount, base currency; at or below 0 it is lost without any move.

    Returns
    -------
    NearestShock. With options it is nearest among the shocks that the search from several directions ends at.

    Notes
    -----
    From each start the search goes as far in the present direction as the loss needs, and turns towards Σ times the gradient there, until
    the two agree. Starts: the gradient today, and for books with options up and down the factors whose options bend their value most.
    """
    n = len(book.delta)
    if loss <= 0:
        return NearestShock(np.zeros(n), 0.0, float(loss), True)
    best, greatest = None, 0.0
    for start in _starts(book, covariance):
        found = _descended(book, covariance, loss, start, best.distance if best is not None else MOST_DEVIATIONS)
        greatest = max(greatest, found.loss)
        if found.is_reachable and (best is None or found.distance < best.distance):
            best = found
    return best or NearestShock(np.full(n, np.nan), np.nan, greatest, False)


def market_move(book: FactorBook, beta: Floats, loss: float, lowest: float = -1.0, highest: float = 2.0) -> float:
    """The move of the market nearest to 0 at which a book loses an amount, every factor moving by its beta.

    Parameters
    ----------
    book, loss : as in `nearest_shock`.
    beta : (n,) of the factors.
    lowest, highest : moves looked at.

    Returns
    -------
    Fraction; NaN where no move between the bounds loses it. Losses are looked for on a grid of 2 % first.
    """
    if loss <= 0:
        return 0.0
    found = []
    for end in (lowest, highest):
        steps = np.linspace(0.0, end, max(2, round(abs(end) / 0.02) + 1))
        lost = book.losses(np.outer(beta, steps)) - loss
        hits = np.flatnonzero(lost >= 0)
        if len(hits):
            found.append(_root(book, beta, loss, steps[hits[0] - 1], steps[hits[0]]))
    return min(found, key=abs) if found else float("nan")


def _starts(book: FactorBook, covariance: Floats) -> Sequence[Floats]:
    """(n,) gradients to start from."""
    first = book.gradient(np.zeros(len(book.delta)))
    if not len(book.terms):
        return [first]
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    up, down = (book.gradient(sign * 2.0 * deviation) for sign in (1.0, -1.0))
    bends = np.abs(up - down) * deviation
    steepest = int(np.argmax(bends))
    unit = np.zeros(len(first))
    unit[steepest] = 1.0
    return [gradient for gradient in (first, unit, -unit, up, down) if gradient.any()]


def _descended(book: FactorBook, covariance: Floats, loss: float, gradient: Floats, most: float) -> NearestShock:
    """The end of the search from one gradient, or the best point on its way; only its first step may be beyond `most`."""
    best, greatest = None, 0.0
    for _ in range(ITERATIONS):
        toward = covariance @ gradient
        variance = float(gradient @ toward)
        if not variance > 0:
            break
        direction = toward / np.sqrt(variance)
        distance, lost = _reached(book, direction, loss)
        greatest = max(greatest, lost)
        if np.isnan(distance):
            break
        if best is not None and distance > min(best.distance, OVERTAKE * most) * (1 - DIRECTION_TOLERANCE):
            break
        best = NearestShock(np.maximum(distance * direction, -1.0), distance, lost, True)
        gradient = book.gradient(best.moves)
    return best or NearestShock(np.full(len(book.delta), np.nan), np.nan, greatest, False)


def _reached(book: FactorBook, direction: Floats, loss: float) -> tuple[float, float]:
    """Distance at which a loss is first reached in a direction of length 1, and the loss there; NaN and the greatest loss otherwise."""
    slope = float(book.gradient(np.zeros(len(direction))) @ direction)
    near = loss / slope if slope > 0 else 1.0
    reach = min(max(4.0 * near, 1e-9), MOST_DEVIATIONS)
    greatest = 0.0
    while True:
        steps = np.linspace(0.0, reach, GRID + 1)
        lost = book.losses(np.outer(direction, steps))
        hits = np.flatnonzero(lost >= loss)
        if len(hits):
            root = _root(book, direction, loss, steps[hits[0] - 1], steps[hits[0]])
            return root, float(book.losses(root * direction[:, None])[0])
        greatest = max(greatest, float(lost.max()))
        if reach >= MOST_DEVIATIONS:
            return float("nan"), greatest
        reach = min(4.0 * reach, MOST_DEVIATIONS)


def _root(book: FactorBook, direction: Floats, loss: float, low: float, high: float) -> float:
    def beyond(step: float) -> float:
        return float(book.losses(step * direction[:, None])[0]) - loss

    # Sums over a grid and over one column round differently, so an end may lie on the other side by a last bit.
    if beyond(low) >= 0:
        return float(low)
    if beyond(high) <= 0:
        return float(high)
    return float(brentq(beyond, low, high, xtol=1e-13, rtol=1e-13, maxiter=100))
