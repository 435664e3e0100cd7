"""Blocking checks of stress tests.

Belongs here: what must hold of the tables of stress tests before any is written. Not here: that portfolios fail them, which is a result.
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome


def strategies_add_up_to_the_portfolio(frames: Frames) -> Outcome:
    """Profits and costs of the strategies add up to those of the portfolio in every scenario, to 1e-9 of their size."""
    key, amounts = ["portfolio_id", "scenario"], ["pnl", "liquidity_cost"]
    whole = frames["stress_results"].dropna(subset=["pnl"]).drop_duplicates(key).set_index(key)[amounts]
    parts = frames["stress_strategy_results"].groupby(key)[amounts]
    sums = parts.sum(min_count=0).reindex(whole.index).fillna(0.0)
    rows = frames["stress_strategy_results"]
    size = rows["pnl"].abs().add(rows["liquidity_cost"]).groupby([rows[name] for name in key]).sum().reindex(whole.index).fillna(0.0)
    gap = (sums - whole).abs().max(axis=1) / size.clip(lower=1.0)
    wrong = int((~(gap <= 1e-9)).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "portfolios_and_scenarios": len(whole)})


def there_is_a_scenario(frames: Frames) -> Outcome:
    """Every portfolio with a margin has a result in at least one scenario."""
    expected = set(frames["portfolios"]["portfolio_id"])
    lost = sorted(expected - set(frames["stress_results"]["portfolio_id"]))
    return Outcome(not lost, {"without_result": lost, "scenarios": int(frames["stress_results"]["scenario"].nunique())})


def undetermined_is_never_passed(frames: Frames) -> Outcome:
    """A result with an unknown profit, margin or status is neither passed nor failed, and says what is missing."""
    rows = frames["stress_results"]
    unknown = rows[["pnl", "liquidity_cost", "margin_after"]].isna().any(axis=1) | (rows["status_after"] == "undetermined")
    judged = int((unknown & rows["passed"].notna()).sum())
    silent = int((rows["passed"].isna() & rows["missing"].isna()).sum())
    contradicted = int((rows["passed"].notna() & (rows["passed"].fillna(False) != (rows["failed_criteria"] == "[]"))).sum())
    return Outcome(
        judged + silent + contradicted == 0, {"judged_without_figures": judged, "without_reason": silent, "contradicted": contradicted}
    )


def reverse_stress_meets_its_loss(frames: Frames) -> Outcome:
    """The loss at the nearest shock is the excess, to 1e-6 of it; portfolios without excess are at no distance."""
    rows = frames["reverse_stress"]
    reached = rows[rows["reachable"].fillna(False).astype(bool)]
    gap = (reached["loss"] - reached["excess"]).abs().to_numpy(float)
    allowed = 1e-6 * np.maximum(reached["excess"].abs().to_numpy(float), 1.0)
    wrong = int((~(gap <= allowed)).sum())
    return Outcome(wrong == 0 and len(rows) == len(frames["portfolios"]), {"wrong": wrong, "portfolios": len(rows)})
