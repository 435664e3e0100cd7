-- Which strategy uses the margin and the risk, and what does it earn on it?
-- Margin and value at risk (historical, 99 %, one day) by strategy on the newest date; the shares of a portfolio add up to 100 %.
select portfolio_id, strategy, round(margin_contribution)::bigint as margin, round((100 * margin_share)::numeric, 1) as margin_pct,
       round(component_var)::bigint as component_var, round((100 * var_share)::numeric, 1) as var_pct,
       round(return_on_margin::numeric, 2) as return_on_margin, round(sharpe_ratio::numeric, 2) as sharpe_ratio
  from margin.strategy_risk
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 where method = 'historical' and confidence = 0.99 and horizon_days = 1
 order by portfolio_id, strategy;
