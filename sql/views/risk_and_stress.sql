-- Value at risk by every method beside the stress that hurts most, per portfolio and date.
create or replace view margin.risk_and_stress as
select r.as_of, r.portfolio_id, p.base_currency, p.equity, r.method, r.confidence, r.horizon_days, r.var, r.expected_shortfall,
       r.standard_error, r.var / nullif(p.equity, 0) as var_of_equity, w.scenario as worst_scenario, w.pnl as worst_pnl,
       w.utilization_after as worst_utilization, s.failed as scenarios_failed, s.undetermined as scenarios_undetermined,
       b.traffic_light, b.verdict as backtest_verdict
  from margin.portfolio_risk r
  join margin.portfolios p using (as_of, portfolio_id)
  left join lateral (
      select scenario, pnl, utilization_after from margin.stress_results t
       where t.as_of = r.as_of and t.portfolio_id = r.portfolio_id and t.is_governing and t.pnl is not null
       order by pnl, scenario limit 1) w on true
  left join lateral (
      select count(*) filter (where not passed) as failed, count(*) filter (where passed is null) as undetermined
        from margin.stress_results t where t.as_of = r.as_of and t.portfolio_id = r.portfolio_id and t.is_governing) s on true
  left join margin.backtest_results b
         on b.as_of = r.as_of and b.portfolio_id = r.portfolio_id and b.method = r.method and b.confidence = r.confidence and r.horizon_days = 1;

comment on view margin.risk_and_stress is 'Value at risk of each portfolio by every method, beside the stress scenario that hurts most and what the backtest says.';
comment on column margin.risk_and_stress.as_of is 'Business date.';
comment on column margin.risk_and_stress.portfolio_id is 'Portfolio.';
comment on column margin.risk_and_stress.base_currency is 'ISO 4217 code of the amounts in the row.';
comment on column margin.risk_and_stress.equity is 'Net liquidation value, base currency.';
comment on column margin.risk_and_stress.method is 'gaussian, delta_gamma, cornish_fisher, historical or monte_carlo.';
comment on column margin.risk_and_stress.confidence is 'Confidence, fraction.';
comment on column margin.risk_and_stress.horizon_days is 'Horizon, trading days.';
comment on column margin.risk_and_stress.var is 'Value at risk, base currency, loss positive; empty: undetermined.';
comment on column margin.risk_and_stress.expected_shortfall is 'Expected shortfall, base currency, loss positive; empty: undetermined.';
comment on column margin.risk_and_stress.standard_error is 'Standard error of the value at risk, base currency; empty: the method has none.';
comment on column margin.risk_and_stress.var_of_equity is 'var over equity, fraction.';
comment on column margin.risk_and_stress.worst_scenario is 'Stress scenario with the greatest loss of those that are determined, under the governing method.';
comment on column margin.risk_and_stress.worst_pnl is 'Profit in it, base currency, negative: a loss.';
comment on column margin.risk_and_stress.worst_utilization is 'Utilization after it, fraction; infinite: margin equity is used up.';
comment on column margin.risk_and_stress.scenarios_failed is 'Stress scenarios that failed, count.';
comment on column margin.risk_and_stress.scenarios_undetermined is 'Stress scenarios that are undetermined, count.';
comment on column margin.risk_and_stress.traffic_light is 'Basel zone of the backtest of this method and confidence: green, yellow, red; empty: not tested.';
comment on column margin.risk_and_stress.backtest_verdict is 'Verdict of that backtest; empty: not tested.';
