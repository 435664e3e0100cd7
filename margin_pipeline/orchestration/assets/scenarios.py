"""Risk-based margin of securities accounts.

Belongs here: the asset of scenario margin. Not here: valuation points, offsets (`margin.scenario`), totals of portfolios (`margins`).
"""

import pandas as pd

from margin_pipeline.compute import run_on
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.orchestration import checks_scenarios as checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.reports import figures_margin


@table_asset(
    group_name="margins",
    tables=["portfolio_margin_classes", "portfolio_margin_groups", "portfolio_margin_positions", "eligibility_notes"],
    checks=[
        Check("portfolio_margin_groups", checks.requirement_is_the_greatest_loss),
        Check("portfolio_margin_groups", checks.groups_need_no_more_than_their_classes),
        Check("portfolio_margin_positions", checks.positions_carry_the_requirement),
    ],
    history={"prices": 10, "fx_rates": 10, "rates": None},
    metrics=lambda f: {
        "maintenance_margin": float(f["portfolio_margin_groups"]["maintenance_margin"].sum()),
        "class_groups": len(f["portfolio_margin_classes"]),
        "class_groups_without_margin": int(f["portfolio_margin_classes"]["missing"].notna().sum()),
    },
    pictures={"scenario_ladder": lambda f: figures_margin.scenario_ladder(f["portfolio_margin_classes"])},
    pool="compute",
)
def portfolio_margin_classes(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    house_margins: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Losses of every class group at the valuation points, product groups with their offsets, and what each position carries."""
    inputs = (positions, instruments, portfolios, prices, fx_rates, rates, dividends, context.as_of, house_margins)
    backend = context.compute.backend("elementwise", 10 * len(positions), context.notes)
    found, report = run_on(backend, lambda b: portfolio_margin(*inputs, backend=b, threads=context.compute.threads))
    context.notes.update(report.as_metadata())
    return found.classes, found.groups, found.positions, found.notes
