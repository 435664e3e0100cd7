drop view margin.portfolio_risk_factors, margin.risk_summaries;
drop table margin_data.portfolio_risk_factors, margin_data.risk_summaries;
comment on column margin_data.portfolio_risk.method is 'gaussian (delta-normal) or historical (full revaluation of options).';
comment on column margin_data.portfolio_risk.standard_error is 'Standard error of the value at risk, base currency; empty for gaussian.';
comment on column margin_data.portfolio_risk.observations is 'Scenarios used, count; empty for gaussian.';
comment on column margin_data.portfolio_risk.missing is 'Inputs that are missing; then there is no figure.';
comment on column margin_data.strategy_risk.method is 'gaussian or historical.';
do $$ begin perform margin_data.create_reading_view(name) from unnest(array['portfolio_risk', 'strategy_risk']) as name; end $$;
