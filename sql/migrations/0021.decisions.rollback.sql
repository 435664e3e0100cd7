drop view margin.liquidity, margin.collateral, margin.collateral_requirements, margin.collateral_eligibility, margin.liquidation_plans,
    margin.liquidation_plan_summaries, margin.collateral_allocations, margin.collateral_summaries;
drop table margin_data.liquidity, margin_data.collateral, margin_data.collateral_requirements, margin_data.collateral_eligibility,
    margin_data.liquidation_plans, margin_data.liquidation_plan_summaries, margin_data.collateral_allocations,
    margin_data.collateral_summaries;
