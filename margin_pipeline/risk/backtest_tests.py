"""Tests of a value at risk against what was lost: how often it was exceeded, and whether exceedances come in clusters.

Belongs here: likelihood ratios and zones from counts. Not here: how value at risk and profits come about (`backtest_series`).

An exception is a day on which the loss is greater than the value at risk. With n days, x exceptions and p = 1 − confidence the
likelihood ratios compare the probability of what was seen under p with the greatest one that any probability gives to it; 0·ln 0 = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]
ZONES = np.array(["green", "yellow", "red"], dtype=object)


@dataclass(frozen=True)
class LikelihoodRatio:
    """Test statistics >= 0 and the probability of a greater one if the model is right."""

    statistic: Floats
    p_value: Floats


def kupiec(exceptions: Floats, observations: Floats, confidence: float) -> LikelihoodRatio:
    """Proportion of failures: whether there are as many exceptions as the confidence says.

    Parameters
    ----------
    exceptions, observations : (m,) counts, 0 <= exceptions <= observations.
    confidence : fraction, in (0, 1).

    Returns
    -------
    LikelihoodRatio of (m,) figures, chi-squared with one degree of freedom; statistic 0 and p-value 1 without observations.

    Notes
    -----
    Kupiec (1995), "Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3(2):
    LR = 2·ln((1 − x/n)^(n−x)·(x/n)^x) − 2·ln((1 − p)^(n−x)·p^x). Both too many and too few exceptions give a great statistic.
    """
    x, n = np.asarray(exceptions, dtype=float), np.asarray(observations, dtype=float)
    rate = _share(x, n)
    return _ratio(_term(x, rate, 1 - confidence) + _term(n - x, 1 - rate, confidence), 1)


def transitions(is_exception: Flags, observed: Flags) -> Floats:
    """Count how a day without or with an exception is followed by one without or with.

    Parameters
    ----------
    is_exception, observed : (m, t); pairs of neighbouring days that are both observed count.

    Returns
    -------
    (m, 2, 2) counts, [i, j] of days in state i followed by one in state j; state 1: an exception.
    """
    both = observed[:, :-1] & observed[:, 1:]
    first, second = is_exception[:, :-1], is_exception[:, 1:]
    counts = [[(both & (first == i) & (second == j)).sum(axis=1) for j in (False, True)] for i in (False, True)]
    return np.moveaxis(np.array(counts, dtype=float), 2, 0)


def independence(counts: Floats) -> LikelihoodRatio:
    """Whether an exception is as likely after an exception as after none.

    Parameters
    ----------
    counts : (m, 2, 2) of `transitions`.

    Returns
    -------
    LikelihoodRatio of (m,) figures, chi-squared with one degree of freedom; statistic 0 and p-value 1 where nothing can be told
    (no pair of days, no exception, or nothing else).

    Notes
    -----
    Christoffersen (1998), "Evaluating interval forecasts", International Economic Review 39(4), section 3.2: a Markov chain with a
    probability of an exception after each state, against one probability for both.
    """
    after = _share(counts[:, :, 1], counts.sum(axis=2))
    overall = _share(counts[:, :, 1].sum(axis=1), counts.sum(axis=(1, 2)))[:, None]
    terms = _term(counts[:, :, 1], after, overall) + _term(counts[:, :, 0], 1 - after, 1 - overall)
    return _ratio(terms.sum(axis=1), 1)


def conditional_coverage(coverage: LikelihoodRatio, clustering: LikelihoodRatio) -> LikelihoodRatio:
    """Both at once: the sum of the two statistics, chi-squared with two degrees of freedom (Christoffersen 1998, section 3.3)."""
    return _ratio((coverage.statistic + clustering.statistic) / 2, 2)


def cumulative_probability(exceptions: Floats, observations: Floats, confidence: float) -> Floats:
    """(m,) probability of that number of exceptions or fewer when the confidence is right, binomial (BCBS 1996, table 1)."""
    from scipy.special import bdtr  # here: costs start-up time that most commands need not pay

    return np.asarray(bdtr(np.asarray(exceptions, float), np.asarray(observations, np.int64), 1 - confidence), dtype=float)


def traffic_light(exceptions: Floats, observations: Floats, confidence: float, yellow_from: float, red_from: float) -> npt.NDArray[Any]:
    """Zone of the Basel framework for backtesting, of any number of days and confidence.

    Parameters
    ----------
    exceptions, observations : (m,) counts.
    confidence : fraction.
    yellow_from, red_from : cumulative probabilities at which the zones begin.

    Returns
    -------
    (m,) "green", "yellow" or "red"; green without exceptions, however few the days.

    Notes
    -----
    BCBS (January 1996), "Supervisory framework for the use of backtesting", section III (now MAR99.9 ff.): yellow begins where that
    number or fewer has a probability of at least 95 %, red where it is at least 99.99 %. With 250 days at 99 %: 5 and 10 exceptions.
    """
    probability = cumulative_probability(exceptions, observations, confidence)
    some = np.asarray(exceptions) > 0
    zone = np.where(some & (probability >= yellow_from), 1, 0) + np.where(some & (probability >= red_from), 1, 0)
    return np.asarray(ZONES[zone], dtype=object)


def multiplier_addition(exceptions: npt.NDArray[np.int64], table: Sequence[float]) -> Floats:
    """(m,) what the number of exceptions adds to the multiplier of capital; the last entry of the table counts for more exceptions."""
    values = np.asarray(table, dtype=float)
    return np.asarray(values[np.minimum(exceptions, len(values) - 1)], dtype=float)


def _share(part: Floats, whole: Floats) -> Floats:
    """part / whole; 0 of nothing."""
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)


def _term(count: Floats, found: Floats, assumed: Floats | float) -> Floats:
    """count x ln(found / assumed); 0 where nothing was counted."""
    found, assumed = np.broadcast_arrays(np.asarray(found, dtype=float), np.asarray(assumed, dtype=float))
    counted = count > 0
    quotient = np.divide(found, assumed, out=np.ones(found.shape), where=counted)
    return np.asarray(count * np.log(quotient, out=np.zeros(found.shape), where=counted), dtype=float)


def _ratio(logarithm: Floats, degrees: int) -> LikelihoodRatio:
    from scipy.special import chdtrc

    # Rounding may leave a logarithm just below 0, where it is 0.
    statistic = np.maximum(2 * np.asarray(logarithm, dtype=float), 0.0)
    return LikelihoodRatio(statistic, np.asarray(chdtrc(degrees, statistic), dtype=float))
