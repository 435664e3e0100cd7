-- Which trades bring every portfolio back under its target utilization, and what do they cost?
-- The plans of the newest date: a row a trade; a portfolio whose plan is infeasible or undetermined has a row that says why.
select s.portfolio_id, s.plan_status, round((100 * s.utilization_before)::numeric, 1) as before_pct,
       round((100 * s.utilization_after)::numeric, 1) as after_pct, p.strategy, p.symbol, p.group_id, p.trade_quantity,
       round(p.cost::numeric, 2) as cost, round(p.margin_released)::bigint as margin_released,
       round(s.equity_dual::numeric, 4) as worth_of_one_more_of_equity, coalesce(s.missing, s.explanation -> 'remains') as why
  from margin.liquidation_plan_summaries s
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
  left join margin.liquidation_plans p using (as_of, portfolio_id)
 where s.plan_status <> 'not_needed'
 order by s.portfolio_id, p.margin_released desc nulls last, p.symbol, p.strategy;
