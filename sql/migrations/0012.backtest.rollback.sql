drop view margin.backtest_results, margin.backtest_days, margin.margin_coverage;
drop table margin_data.backtest_results, margin_data.backtest_days, margin_data.margin_coverage;
