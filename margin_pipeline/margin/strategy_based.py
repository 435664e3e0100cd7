"""Strategy-based grouping of stock and options: Regulation T, FINRA 4210 and the Cboe margin manual.

Belongs here: the entry that a pipeline stage calls. Not here: the rules (structures), the optimisation (grouping).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from margin_pipeline.margin.grouping import assembly
from margin_pipeline.margin.grouping.choose import Chosen, choose
from margin_pipeline.margin.grouping.greedy import greedy_units
from margin_pipeline.margin.grouping.netting import net_book
from margin_pipeline.margin.grouping.programs import Choice, build
from margin_pipeline.margin.structures import Amounts, LegTable, find_candidates, single_amounts


@dataclass(frozen=True)
class Grouping:
    """Frames of the tables ``strategy_groups``, ``strategy_group_legs`` and ``grouping_proofs``."""

    groups: pd.DataFrame
    legs: pd.DataFrame
    proofs: pd.DataFrame


@dataclass(frozen=True)
class Optimum:
    """What is chosen for a table of legs, with the amounts of legs on their own, the program of named structures and the greedy units."""

    singles: Amounts
    choice: Choice
    greedy: np.ndarray
    chosen: Chosen


def optimum(table: LegTable, threads: int = 1) -> Optimum:
    """The groups of least maintenance margin for a table of legs, with proof; `threads` blocks are solved at once."""
    singles = single_amounts(table)
    candidates = find_candidates(table)
    choice = build(table, candidates, singles)
    greedy = greedy_units(choice.program)
    return Optimum(singles, choice, greedy, choose(table, candidates, choice, singles, greedy, threads))


def group_positions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
    house_margins: pd.DataFrame | None = None,
    *,
    universal_spread: str | None = None,
    threads: int = 1,
) -> Grouping:
    """Groups of least total maintenance margin for reg_t, portfolio_margin and cash accounts.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates : frames of the tables of these names.
    as_of : business date; rates in force on it apply.
    house_margins : frame of the table: what the house asks at least of securities and short options; None: nothing.
    universal_spread : "none", "balanced" or "limited_risk" instead of the setting in force (`OptionRates`); None: that setting.
    threads : underlyings that are solved at once; the result does not depend on it.

    Returns
    -------
    Grouping : base currency. Every net stock and option position is in the groups with its whole quantity. A group with a missing input,
        or one that a cash account does not admit, has empty amounts and says why.

    Notes
    -----
    The least maintenance over all partitions into the declared structures and, where they are admitted, universal spreads, by integer
    programming. Among equals: named structures before universal spreads, then fewest groups, then structure names, then symbols. Series
    are net over strategies first; ``grouping.netting`` says how legs are shared.
    """
    book = net_book(positions, instruments, portfolios, prices, fx_rates, as_of, house_margins)
    if universal_spread is not None:
        options = replace(book.table.options, universal_spread=universal_spread)
        book = replace(book, table=replace(book.table, options=options))
    with np.errstate(invalid="ignore", divide="ignore"):
        best = optimum(book.table, threads)
        groups = assembly.chosen_groups(book, best.chosen, best.singles)
        frame = assembly.group_frame(book, groups, as_of)
        legs = assembly.leg_frame(book, groups, frame, best.choice.alone)
        proofs = assembly.proof_frame(book, groups, best.choice, best.chosen, best.greedy)
    texts = dict.fromkeys(["portfolio_id", "group_id", "underlying", "structure", "legs", "missing", "explanation"], "str")
    ordered = frame[assembly.GROUP_COLUMNS].astype(texts).reset_index(drop=True)
    return Grouping(ordered, legs, proofs)
