"""Which sensitivities of a netting set count for which side under which regulation.

Belongs here: reading the regulations that rows name. Not here: what a regulation requires (`uncleared`), the model (`engine`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.regulation.simm.sensitivities import ADD_ONS

COLUMNS = {"call": "collect_regulations", "post": "post_regulations"}
UNSPECIFIED = "Unspecified"
EXCLUDED = "Excluded"


@dataclass(frozen=True)
class Scope:
    """Rows that count for a side under a regulation.

    Attributes
    ----------
    side : call or post.
    regulation : its name.
    rows : (n,) numbers of net sensitivities.
    counted, left_out : rows of the file that count, and those of the set that do not.
    missing : why the side has no margin; None: it has one.
    """

    side: str
    regulation: str
    rows: np.ndarray
    counted: int
    left_out: int
    missing: str | None = None


def scopes(net: pd.DataFrame, netting_set: str) -> list[Scope]:
    """Scopes of one netting set, sides and regulations in order.

    Parameters
    ----------
    net : its net sensitivities, index 0 … n - 1.
    netting_set : its name, for messages.

    Notes
    -----
    A set that names no regulation at all is margined as a whole. Otherwise each regulation margins the rows that name it for the side; rows
    that name none for the side are out of its scope, but for add-ons: these count under every regulation. Rows under SEC include those
    under CFTC where both are named. A side that no row names a regulation for, while the other side has some, has no margin and says so.
    """
    lists = {side: pd.factorize(net[column]) for side, column in COLUMNS.items()}
    sets = {side: [set(text.split(",")) - {""} for text in distinct] for side, (_, distinct) in lists.items()}
    named = {side: any(found) for side, found in sets.items()}
    counts = net["count"].to_numpy()
    whole = int(counts.sum())
    everything = np.arange(len(net))
    if not any(named.values()):
        return [Scope(side, UNSPECIFIED, everything, whole, 0) for side in COLUMNS]
    add_on = net["risk_type"].isin(ADD_ONS).to_numpy()
    result = []
    for side, found in sets.items():
        regulations = sorted(set().union(*found) - {EXCLUDED})
        if not named[side]:
            other = next(name for name in COLUMNS if name != side)
            text = f"{COLUMNS[side]} of netting set {netting_set}: no CRIF row names one, while rows name {COLUMNS[other]}"
            result.append(Scope(side, UNSPECIFIED, everything[:0], 0, whole, text))
        elif not regulations:
            result.append(Scope(side, EXCLUDED, everything[:0], 0, whole))
        for regulation in regulations:
            under = {regulation, "CFTC"} if regulation == "SEC" else {regulation}
            codes = lists[side][0]
            names_it = np.array([bool(own & under) for own in found])[codes]
            names_none = np.array([not own for own in found])[codes]
            rows = np.flatnonzero(names_it | (names_none & add_on))
            counted = int(counts[rows].sum())
            result.append(Scope(side, regulation, rows, counted, whole - counted))
    return result
