"""The greedy matcher: what a system asks that takes the best structure at hand again and again.

Belongs here: that matcher, as a yardstick for the optimum. Not here: anything that a margin is computed from.
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.margin.grouping.optimise import Array, Program


def greedy_units(program: Program) -> Array:
    """Units of each candidate when every block takes as many units as fit of the candidate that saves the most a unit, then of the next.

    Parameters
    ----------
    program : candidates sorted by block.

    Returns
    -------
    (c,) units. Equal savings go by the order that breaks ties. Candidates that save nothing are not taken.
    """
    units, left = np.zeros(len(program.saving)), program.capacity.astype(np.float64).copy()
    worthwhile = np.flatnonzero(program.saving > 0.0)
    if not len(worthwhile):
        return units
    active = worthwhile[np.lexsort((program.order[worthwhile], -program.saving[worthwhile], program.block[worthwhile]))]
    while len(active):
        part = program.part(active)
        fit = np.floor(np.minimum.reduceat(left[part.leg] / part.use, part.start[:-1]) + 1e-9)
        active, fit = active[fit >= 1.0], fit[fit >= 1.0]
        first = np.flatnonzero(np.diff(program.block[active], prepend=-1))
        taken = program.part(active[first])
        np.subtract.at(left, taken.leg, taken.use * fit[first][taken.candidate_of_entry()])
        units[active[first]] += fit[first]
    return units
