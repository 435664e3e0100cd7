"""Scan risk: the greatest loss of a portfolio in a class group over the 16 scenarios, and what of it is price risk.

Belongs here: losses over scenarios. Not here: arrays of contracts (`arrays`), charges and credits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.margin.span.arrays import PAIRED, SCENARIOS

Array = npt.NDArray[Any]
_TIE = 1e-9


@dataclass(frozen=True)
class ScanRisk:
    """Risk of u portfolio groups; NaN where a loss is.

    Attributes
    ----------
    risk : (u,) greatest loss, at least 0.
    worst : (u, 16) whether the scenario has that loss; none where nothing is lost.
    price_risk : (u,) part of the scan risk that comes from the price alone, in [0, risk].
    volatility_risk, time_risk : (u,) the other parts.
    """

    risk: Array
    worst: Array
    price_risk: Array
    volatility_risk: Array
    time_risk: Array

    @property
    def first_worst(self) -> Array:
        """(u,) number of the first worst scenario, 0 where nothing is lost."""
        return np.where(self.worst.any(axis=1), self.worst.argmax(axis=1) + 1, 0)


def scenario_losses(unit: Array, units: int, amount: Array, row: Array, arrays: Array) -> Array:
    """Losses of portfolio groups.

    Parameters
    ----------
    unit : (n,) number of the portfolio group of each holding.
    units : count u of them.
    amount : (n,) net contracts x exchange rate into base currency.
    row : (n,) row of each holding in `arrays`.
    arrays : (m, 16) gains of one long contract.

    Returns
    -------
    (u, 16) money lost, base currency; NaN where a held contract has no array.
    """
    losses = np.zeros((units, SCENARIOS))
    held = amount != 0
    unit, amount, row = unit[held], amount[held], row[held]
    for scenario in range(SCENARIOS):
        gain = amount * arrays[row, scenario]
        losses[:, scenario] = 0.0 - np.bincount(unit, gain, minlength=units)
    return losses


def scan_risk(losses: Array) -> ScanRisk:
    """Scan risk of (u, 16) losses.

    Notes
    -----
    Time risk is the mean loss of the two scenarios without a price move; volatility risk is half the difference between the worst
    scenario and the one with the same price and the other volatility; price risk is what remains of the scan risk.
    """
    risk = np.maximum(losses.max(axis=1, initial=0.0), 0.0)
    size = np.abs(losses).max(axis=1, initial=0.0)
    with np.errstate(invalid="ignore"):
        worst = (losses >= (risk - _TIE * size)[:, None]) & (risk > _TIE * size)[:, None]
    at = worst.argmax(axis=1)
    rows = np.arange(len(losses))
    volatility_risk = (losses[rows, at] - losses[rows, PAIRED[at]]) / 2
    time_risk = (losses[:, 0] + losses[:, 1]) / 2
    price_risk = np.clip(risk - volatility_risk - time_risk, 0.0, risk)
    return ScanRisk(risk, worst, price_risk, volatility_risk, time_risk)
