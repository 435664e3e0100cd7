-- Was the value at risk right, and did the margin cover what was lost?
-- Today's positions on the last 250 sessions, 99 %: losses beyond the value at risk, the verdict, and the part of two-day losses within the margin.
select b.portfolio_id, b.method, b.observations, b.exceptions, round(b.expected_exceptions::numeric, 1) as expected, b.traffic_light, b.verdict,
       round((100 * c.coverage)::numeric, 1) as margin_coverage_pct
  from margin.backtest_results b
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
  left join margin.margin_coverage c on c.as_of = b.as_of and c.portfolio_id = b.portfolio_id and c.is_governing
 where b.confidence = 0.99
 order by b.exceptions desc nulls last, b.portfolio_id, b.method;
