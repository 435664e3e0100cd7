-- One row a portfolio and date: what it needs, what it could lose, what alarms, what would be cheaper.
create or replace view margin.executive_overview as
with risks as (
    select as_of, portfolio_id, var, expected_shortfall, confidence, horizon_days, row_number() over (
               partition by as_of, portfolio_id order by confidence desc, horizon_days) as place
      from margin.portfolio_risk where method = 'historical'
), stress as (
    select as_of, portfolio_id, min(pnl) as worst_stress, count(*) filter (where not passed) as stress_failed,
           count(*) filter (where passed is null) as stress_undetermined,
           bool_or(pnl is null or passed is null) as stress_incomplete
      from margin.stress_results where is_governing group by as_of, portfolio_id
), savings as (
    select as_of, portfolio_id,
           max(maintenance_margin) filter (where is_governing) - min(maintenance_margin) as saving_to_cheapest,
           (array_agg(method order by maintenance_margin, is_governing desc, method) filter (where maintenance_margin is not null))[1] as cheapest_method
      from margin.portfolio_margins group by as_of, portfolio_id
), opened as (
    select portfolio_id, count(*) as alerts from margin.alerts where cleared_at is null group by portfolio_id
)
select m.as_of, m.portfolio_id, p.account_type, m.method as governing_method, p.base_currency, m.status, m.equity, m.margin_equity,
       m.maintenance_margin, m.excess, m.utilization, r.var, r.expected_shortfall, r.confidence as var_confidence, r.horizon_days as var_horizon_days,
       case when not s.stress_incomplete then s.worst_stress end as worst_stress, s.stress_failed, s.stress_undetermined,
       c.saving_to_cheapest, c.cheapest_method, coalesce(o.alerts, 0) as open_alerts, m.missing
  from margin.portfolio_margins m
  join margin.portfolios p using (as_of, portfolio_id)
  left join risks r on r.as_of = m.as_of and r.portfolio_id = m.portfolio_id and r.place = 1
  left join stress s on s.as_of = m.as_of and s.portfolio_id = m.portfolio_id
  left join savings c on c.as_of = m.as_of and c.portfolio_id = m.portfolio_id
  left join opened o on o.portfolio_id = m.portfolio_id
 where m.is_governing;

comment on view margin.executive_overview is 'One row a portfolio and date: what it needs under its governing method, what it could lose, what alarms, what would be cheaper.';
comment on column margin.executive_overview.as_of is 'Business date.';
comment on column margin.executive_overview.portfolio_id is 'Portfolio.';
comment on column margin.executive_overview.account_type is 'Account type, which decides the governing method.';
comment on column margin.executive_overview.governing_method is 'Method that governs the account.';
comment on column margin.executive_overview.base_currency is 'ISO 4217 code of the amounts in the row.';
comment on column margin.executive_overview.status is 'safe, warning, critical, emergency, undetermined or liquidatable.';
comment on column margin.executive_overview.equity is 'Net liquidation value, base currency.';
comment on column margin.executive_overview.margin_equity is 'What the requirement is measured against, base currency.';
comment on column margin.executive_overview.maintenance_margin is 'Least margin that keeps the positions open, base currency; empty: undetermined.';
comment on column margin.executive_overview.excess is 'margin_equity less maintenance_margin, base currency.';
comment on column margin.executive_overview.utilization is 'maintenance_margin over margin_equity, fraction; empty: undetermined.';
comment on column margin.executive_overview.var is 'Historical value at risk at the greatest confidence and shortest horizon computed, base currency, loss positive; empty: undetermined.';
comment on column margin.executive_overview.expected_shortfall is 'Historical expected shortfall of the same, base currency, loss positive; empty: undetermined.';
comment on column margin.executive_overview.var_confidence is 'Confidence of both, fraction.';
comment on column margin.executive_overview.var_horizon_days is 'Horizon of both, trading days.';
comment on column margin.executive_overview.worst_stress is 'Profit in the worst stress scenario, base currency, negative: a loss; empty: a scenario is undetermined, or there is none.';
comment on column margin.executive_overview.stress_failed is 'Stress scenarios that failed under the governing method, count; empty: there is none.';
comment on column margin.executive_overview.stress_undetermined is 'Stress scenarios that are undetermined: no pass, count; empty: there is none.';
comment on column margin.executive_overview.saving_to_cheapest is 'Governing margin less that of the cheapest method, base currency; empty: the governing margin is undetermined.';
comment on column margin.executive_overview.cheapest_method is 'Method that asks least of those that apply and are determined; it need not be open to the account.';
comment on column margin.executive_overview.open_alerts is 'Alerts of the portfolio that are open now, whatever their date, count.';
comment on column margin.executive_overview.missing is 'What is missing or inadmissible (list); empty: nothing.';
