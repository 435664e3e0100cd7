"""Backtest of value at risk and margin of a large book: seconds, and what the series of value at risk alone take.

Belongs here: timing of backtests. Not here: correctness (margin_pipeline_tests/risk).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.attribution_book import AS_OF, book_frames
from benchmarks.harness import Result, least_seconds
from margin_pipeline.parameters.backtest import backtest_settings
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk.backtest import backtest
from margin_pipeline.risk.backtest_series import gaussian_series, historical_series

PORTFOLIOS, SESSIONS = 50, 760


def run() -> list[Result]:
    """50 portfolios over 250 days: the series alone, and a whole backtest of 50,000 positions with options revalued in full."""
    risk, estimation, settings = risk_settings(AS_OF), estimation_settings(AS_OF), backtest_settings(AS_OF)
    profit = np.random.default_rng(6).normal(0, 1000, (PORTFOLIOS, 750))
    given = (profit, risk.confidences, settings.days)
    gaussian = least_seconds(lambda: gaussian_series(*given, estimation.window, estimation.half_life, settings.min_window))
    historical = least_seconds(lambda: historical_series(*given, risk.historical_window, settings.min_window))
    book = book_frames(50_000, portfolios=PORTFOLIOS, sessions=SESSIONS)
    frames = {name: book[name] for name in ("positions", "instruments", "portfolios", "prices", "fx_rates", "rates", "dividends")}
    margins = pd.DataFrame({"portfolio_id": frames["portfolios"]["portfolio_id"], "method": "reg_t", "is_governing": True, "missing": None})
    margins = margins.assign(maintenance_margin=1e6, equity=2e6, margin_equity=2e6)
    whole = least_seconds(
        lambda: backtest(**frames, portfolio_margins=margins, risk=risk, estimation=estimation, settings=settings, as_of=AS_OF), 3
    )
    return [
        Result("gaussian value at risk, 50 portfolios x 250 days of up to 756 profits", gaussian, "s", target=0.5),
        Result("historical value at risk, 50 portfolios x 250 days of 500 profits", historical, "s", target=0.5),
        Result(
            "backtest of 50,000 positions, 2,000 factors, 8,000 option series", whole, "s", target=10.0, note="revaluation of options most"
        ),
    ]
