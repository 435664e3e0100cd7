"""What a portfolio gains by holding its strategies together: stand-alone sum, diversification, volatility.

Belongs here: the table risk_summaries. Not here: figures of strategies (`figures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.risk.book import Book
from margin_pipeline.risk.figures import RiskFigures


def summary_table(book: Book, figures: Sequence[RiskFigures]) -> pd.DataFrame:
    """Frame of table risk_summaries: every portfolio under every method, confidence and horizon.

    Notes
    -----
    diversification_benefit = sum of the values at risk of the strategies on their own, less that of the portfolio;
    diversification_ratio = portfolio over sum: in (0, 1] where the measure is subadditive, as the Gaussian one is (McNeil, Frey and
    Embrechts, section 8.1). The ratio is missing where the sum is not positive, everything where the portfolio has no figure; where a
    strategy has none of its own, sum, benefit and ratio are missing.
    """
    parts = []
    for given in figures:
        complete = given.gaps.portfolio_is_complete
        alone = np.where(given.gaps.strategy_is_complete, given.strategy["var"], np.nan)
        # Adding by portfolio in the order of strategies: NaN of one makes the sum NaN.
        total = np.zeros(len(book.portfolios))
        np.add.at(total, book.portfolio_of, alone)
        total = np.where(complete, total, np.nan)
        value_at_risk = np.where(complete, given.portfolio["var"], np.nan)
        part: dict[str, Any] = {
            "portfolio_id": book.portfolios.astype("str"),
            "method": given.method,
            "confidence": given.confidence,
            "horizon_days": np.int64(given.horizon_days),
            "stand_alone_var": total,
            "diversification_benefit": total - value_at_risk,
            "diversification_ratio": np.divide(value_at_risk, total, out=np.full_like(total, np.nan), where=total > 0),
            "portfolio_volatility": np.where(complete, given.annual_volatility, np.nan),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True).sort_values(["portfolio_id", "method", "confidence", "horizon_days"], ignore_index=True)
