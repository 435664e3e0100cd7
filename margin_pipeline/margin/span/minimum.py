"""Short option minimum: what short options need however little the scenarios lose.

Belongs here: the minimum. Not here: which charge is in force (`terms`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def short_option_minimum(unit: Array, units: int, charge: Array, is_call: Array, count: str) -> Array:
    """Minimum of each portfolio group, (u,) money.

    Parameters
    ----------
    unit : (n,) portfolio group of each short option.
    units : count u of them.
    charge : (n,) contracts x charge a contract.
    is_call : (n,) whether it is a call.
    count : "both": short calls and puts add up; "greater": the greater of the two counts.
    """
    calls = np.bincount(unit, np.where(is_call, charge, 0.0), minlength=units)
    puts = np.bincount(unit, np.where(is_call, 0.0, charge), minlength=units)
    return np.asarray(calls + puts if count == "both" else np.maximum(calls, puts))
