"""All regulatory lines of a date.

Belongs here: which regimes there are. Not here: their rules (a module each), dated values (`parameters`).
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from margin_pipeline.regulation import basel, clearing_thresholds, finra, initial_margin, net_capital, portfolio_margin_equity
from margin_pipeline.regulation.incomplete import withheld
from margin_pipeline.regulation.inputs import FIRM, RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, table
from margin_pipeline.regulation.sa_ccr import lines as sa_ccr
from margin_pipeline.regulation.uncleared import lines as uncleared

PRODUCERS: tuple[Callable[[RegulatoryInputs], list[RegulatoryLine]], ...] = (
    finra.lines,
    portfolio_margin_equity.lines,
    net_capital.lines,
    basel.lines,
    initial_margin.lines,
    uncleared.lines,
    clearing_thresholds.lines,
    sa_ccr.lines,
)
"""What gives lines of every portfolio, the entity behind it and the firm; each says so where its rules do not apply."""


def regulatory_lines(inputs: RegulatoryInputs) -> pd.DataFrame:
    """Lines of every portfolio under every regime; what does not apply says why, what is missing is never a pass.

    Parameters
    ----------
    inputs : tables of the date.

    Returns
    -------
    Frame as margin_data.regulatory_lines, ordered by portfolio, scope, regime, line item, netting set and side.
    """
    found = [line for produce in PRODUCERS for line in produce(inputs)]
    return table(withheld(found, inputs.table("rejected_rows"), FIRM))
