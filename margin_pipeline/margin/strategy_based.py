"""Strategy-based grouping of stock and options: Regulation T, FINRA 4210 and the Cboe margin manual.

Belongs here: the entry that a pipeline stage calls. Not here: the rules (structures), the optimisation (grouping).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.grouping import assembly, programs
from margin_pipeline.margin.grouping.greedy import greedy_units
from margin_pipeline.margin.grouping.netting import net_book
from margin_pipeline.margin.grouping.optimise import solve
from margin_pipeline.margin.structures import find_candidates, single_amounts


@dataclass(frozen=True)
class Grouping:
    """Frames of the tables ``strategy_groups``, ``strategy_group_legs`` and ``grouping_proofs``."""

    groups: pd.DataFrame
    legs: pd.DataFrame
    proofs: pd.DataFrame


def group_positions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> Grouping:
    """Groups of least total maintenance margin for reg_t, portfolio_margin and cash accounts.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates : frames of the tables of these names.
    as_of : business date; rates in force on it apply.

    Returns
    -------
    Grouping : base currency. Every net stock and option position is in the groups with its whole quantity. A group with a missing input,
        or one that a cash account does not admit, has empty amounts and says why.

    Notes
    -----
    The least maintenance over all partitions into the declared structures, by integer programming; among equals fewest groups (counted
    in units), then structure names, then symbols. Series are net over strategies first; ``grouping.netting`` says how legs are shared.
    """
    book = net_book(positions, instruments, portfolios, prices, fx_rates, as_of)
    with np.errstate(invalid="ignore"):
        singles = single_amounts(book.table)
        candidates = find_candidates(book.table)
        choice = programs.build(book.table, candidates, singles)
        solution = solve(choice.program, int(book.table.block.max(initial=-1)) + 1)
        greedy = greedy_units(choice.program)
        groups = assembly.chosen_groups(book, candidates, choice, solution.units, singles)
        frame = assembly.group_frame(book, groups, as_of)
        legs = assembly.leg_frame(book, groups, frame, choice.alone)
        proofs = assembly.proof_frame(book, groups, choice, solution, greedy)
    texts = dict.fromkeys(["portfolio_id", "group_id", "underlying", "structure", "legs", "missing", "explanation"], "str")
    ordered = frame[assembly.GROUP_COLUMNS].astype(texts).reset_index(drop=True)
    return Grouping(ordered, legs, proofs)
