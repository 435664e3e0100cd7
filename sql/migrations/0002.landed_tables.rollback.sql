drop view if exists margin.rejected_rows, margin.landed_files, margin.portfolios, margin.instruments, margin.position_records,
    margin.prices, margin.fx_rates, margin.rates, margin.dividends, margin.futures_margins, margin.margin_schedules,
    margin.margin_rates, margin.strategy_returns, margin.entity_figures, margin.exposures, margin.netting_sets, margin.otc_trades;
drop table margin_data.rejected_rows, margin_data.landed_files, margin_data.portfolios, margin_data.instruments,
    margin_data.position_records, margin_data.prices, margin_data.fx_rates, margin_data.rates, margin_data.dividends,
    margin_data.futures_margins, margin_data.margin_schedules, margin_data.margin_rates, margin_data.strategy_returns,
    margin_data.entity_figures, margin_data.exposures, margin_data.netting_sets, margin_data.otc_trades;
