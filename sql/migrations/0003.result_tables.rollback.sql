drop view margin.alerts;
drop view margin.positions, margin.symbol_risk, margin.correlations, margin.correlation_matrices, margin.position_margins,
    margin.strategy_groups, margin.strategy_group_legs, margin.grouping_proofs, margin.netting_set_margins, margin.cross_margin_benefits, margin.portfolio_margins,
    margin.portfolio_margin_components, margin.portfolio_method_notes, margin.liquidation_prices, margin.portfolio_risk,
    margin.strategy_risk, margin.regulatory_lines;
drop table margin_data.alert_deliveries;
drop table margin_data.alerts;
drop table margin_data.positions, margin_data.symbol_risk, margin_data.correlations, margin_data.correlation_matrices,
    margin_data.position_margins, margin_data.strategy_groups, margin_data.strategy_group_legs, margin_data.grouping_proofs, margin_data.netting_set_margins,
    margin_data.cross_margin_benefits, margin_data.portfolio_margins, margin_data.portfolio_margin_components,
    margin_data.portfolio_method_notes, margin_data.liquidation_prices, margin_data.portfolio_risk, margin_data.strategy_risk,
    margin_data.regulatory_lines;
