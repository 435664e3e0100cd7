"""Scenario margin of futures and options on them.

Belongs here: the asset of scenario margin. Not here: arrays, charges, credits (`margin.span`), totals of portfolios (`margins`).
"""

import pandas as pd

from margin_pipeline.compute import run_on
from margin_pipeline.margin import span
from margin_pipeline.orchestration import checks_span as checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset


@table_asset(
    group_name="margins",
    tables=["span_margins", "span_positions"],
    checks=[
        Check("span_margins", checks.scan_risk_is_the_greatest_loss),
        Check("span_positions", checks.positions_lose_the_scan_risk),
        Check("span_margins", checks.parts_add_up_to_the_margin),
        Check("span_margins", checks.no_credit_exceeds_its_scan_risk),
        Check("span_margins", checks.each_delta_is_credited_once),
        Check("span_margins", checks.every_class_group_has_a_margin_or_a_reason),
    ],
    history={"prices": 10, "rates": None, "span_parameters": None},
    metrics=lambda f: {
        "maintenance_margin": float(f["span_margins"]["maintenance_margin"].sum()),
        "class_groups": len(f["span_margins"]),
        "class_groups_without_margin": int(f["span_margins"]["missing"].notna().sum()),
    },
    pool="compute",
)
def span_margins(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Greatest loss over 16 scenarios of every portfolio's futures and options on futures, charges, credits and the minimum."""
    inputs = (positions, instruments, portfolios, prices, rates, risk_arrays, span_parameters, context.as_of)
    backend = context.compute.backend("elementwise", 16 * instruments["option_type"].notna().sum(), context.notes)
    found, report = run_on(backend, lambda b: span.span_margins(*inputs, backend=b, threads=context.compute.threads))
    context.notes.update(report.as_metadata())
    return found.margins, found.covered
