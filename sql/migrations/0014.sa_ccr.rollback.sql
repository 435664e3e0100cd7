drop view margin.sa_ccr_trades, margin.sa_ccr_hedging_sets, margin.sa_ccr_netting_sets;
drop table margin_data.sa_ccr_trades, margin_data.sa_ccr_hedging_sets, margin_data.sa_ccr_netting_sets;
