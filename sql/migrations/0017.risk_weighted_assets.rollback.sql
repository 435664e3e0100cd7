drop view margin.risk_weighted_assets;
drop table margin_data.risk_weighted_assets;
