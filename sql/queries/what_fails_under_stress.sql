-- Which stress tests fail, and what would it take to exhaust the excess?
-- Governing method, newest date: scenarios failed, the one that leaves least, and the most likely shock that uses up what is left.
with newest as (select distinct as_of from margin.latest_portfolio_summary),
tested as (
    select s.*, row_number() over (partition by portfolio_id order by equity_after, scenario) as place
      from margin.stress_results s join newest using (as_of)
     where is_governing
)
select t.portfolio_id, count(*) filter (where t.passed = false) as failed, count(*) filter (where t.passed) as passed,
       count(*) filter (where t.passed is null) as undetermined,
       max(t.scenario) filter (where t.place = 1 and t.passed is not null) as worst_scenario,
       round(max(t.equity_after) filter (where t.place = 1))::bigint as equity_after,
       round(max(t.margin_after) filter (where t.place = 1))::bigint as margin_after,
       round(max(r.distance)::numeric, 2) as standard_deviations, round((100 * max(r.market_move))::numeric, 1) as market_move_pct
  from tested t
  join newest using (as_of)
  left join margin.reverse_stress r using (as_of, portfolio_id)
 group by t.portfolio_id
 order by failed desc, standard_deviations nulls last, t.portfolio_id;
