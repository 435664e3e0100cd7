"""Tables of a backtest: the days, and what the tests say of them.

Belongs here: from series to rows, and the verdict. Not here: series, formulas of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.parameters.backtest import BacktestSettings
from margin_pipeline.risk import backtest_tests
from margin_pipeline.risk.backtest_series import exceptions

Floats = npt.NDArray[Any]
KEY = ["portfolio_id", "method", "confidence"]
TESTS = ("kupiec", "independence", "conditional_coverage")


@dataclass(frozen=True)
class Series:
    """Value at risk of all portfolios under one method and confidence, beside their profits.

    Attributes
    ----------
    method, confidence : what the value at risk is of.
    all_sessions, all_profit : (t,) datetime64 and (portfolios, t) base currency.
    value_at_risk : (portfolios, days) of the newest days, base currency, loss positive; NaN: none.
    gross_exposure : (portfolios,) base currency.
    """

    method: str
    confidence: float
    all_sessions: npt.NDArray[np.datetime64]
    all_profit: Floats
    value_at_risk: Floats
    gross_exposure: Floats

    @property
    def profit(self) -> Floats:
        """(portfolios, days) profits of the days tested."""
        return self.all_profit[:, self.all_profit.shape[1] - self.value_at_risk.shape[1] :]

    @property
    def sessions(self) -> npt.NDArray[np.datetime64]:
        """(days,) the days tested."""
        return self.all_sessions[len(self.all_sessions) - self.value_at_risk.shape[1] :]

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """(portfolios, days) where there is a value at risk."""
        return ~np.isnan(self.value_at_risk)

    @cached_property
    def is_exception(self) -> npt.NDArray[np.bool_]:
        """(portfolios, days) where the loss is greater."""
        return exceptions(self.profit, self.value_at_risk, self.gross_exposure)


def day_rows(portfolios: pd.Index, tested: Sequence[Series], reasons: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    """Frame of table backtest_days: every day with a value at risk, of portfolios that lack nothing.

    Parameters
    ----------
    portfolios : portfolio_id of each row of the series.
    tested : one series a method and confidence.
    reasons : what each portfolio lacks.
    """
    complete = np.array([not found for found in reasons], dtype=bool)
    parts = []
    for series in tested:
        row, day = np.nonzero(series.observed & complete[:, None])
        parts.append(
            pd.DataFrame(
                {
                    "portfolio_id": portfolios[row].astype("str"),
                    "method": series.method,
                    "confidence": series.confidence,
                    "session": pd.DatetimeIndex(series.sessions[day]).as_unit("us"),
                    "profit": series.profit[row, day],
                    "var": series.value_at_risk[row, day],
                    "is_exception": series.is_exception[row, day],
                }
            )
        )
    return pd.concat(parts, ignore_index=True).sort_values([*KEY, "session"], kind="stable", ignore_index=True)


def result_rows(
    portfolios: pd.Index, tested: Sequence[Series], reasons: Sequence[tuple[str, ...]], settings: BacktestSettings
) -> pd.DataFrame:
    """Frame of table backtest_results: every portfolio under every method and confidence; no figure where something is missing."""
    complete = np.array([not found for found in reasons], dtype=bool)
    parts = []
    for series in tested:
        count = np.where(complete, series.observed.sum(axis=1), 0)
        failed = np.where(complete, series.is_exception.sum(axis=1), 0)
        figures = _figures(series, failed, count, settings)
        part: dict[str, Any] = {"portfolio_id": portfolios.astype("str"), "method": series.method, "confidence": series.confidence}
        part |= {name: pd.array(n, dtype="Int64") for name, n in (("observations", count), ("exceptions", failed))}
        part |= {name: pd.Series(value).where(complete) for name, value in figures.items()}
        part["passed"] = pd.array(np.isin(figures["verdict"], ["adequate", "too_high"]), dtype="boolean")
        part["missing"] = pd.Series([list(found) or None for found in reasons], dtype=object)
        frame = pd.DataFrame(part)
        frame.loc[~complete, ["observations", "exceptions", "passed"]] = pd.NA
        parts.append(frame)
    table = pd.concat(parts, ignore_index=True).sort_values(KEY, kind="stable", ignore_index=True)
    return table.astype({"traffic_light": "str", "verdict": "str"})


def _figures(series: Series, failed: Floats, count: Floats, settings: BacktestSettings) -> dict[str, Floats]:
    kupiec = backtest_tests.kupiec(failed, count, series.confidence)
    independence = backtest_tests.independence(backtest_tests.transitions(series.is_exception, series.observed))
    both = backtest_tests.conditional_coverage(kupiec, independence)
    expected = count - count * series.confidence
    figures: dict[str, Floats] = {"expected_exceptions": expected}
    for name, test in zip(TESTS, (kupiec, independence, both), strict=True):
        figures |= {f"{name}_statistic": test.statistic, f"{name}_p_value": test.p_value}
    zones = (settings.yellow_from, settings.red_from)
    figures["traffic_light"] = backtest_tests.traffic_light(failed, count, series.confidence, *zones)
    made_for = (count == settings.multiplier_days) & np.isclose(series.confidence, settings.multiplier_confidence, rtol=0, atol=1e-12)
    addition = backtest_tests.multiplier_addition(failed, settings.multiplier_additions)
    figures["multiplier_addition"] = np.where(made_for, addition, np.nan)
    rejected = kupiec.p_value < settings.significance
    figures["verdict"] = np.select(
        [rejected & (failed > expected), independence.p_value < settings.significance, rejected],
        ["too_low", "dependent", "too_high"],
        "adequate",
    ).astype(object)
    return figures
