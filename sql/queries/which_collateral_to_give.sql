-- Which assets cover which collateral requirements most cheaply, and what is short?
-- The allocation of the newest date: a row an asset given; a requirement without one has a row that says what is short.
select s.portfolio_id, s.requirement_id, s.status, round(s.requirement)::bigint as requirement, round(s.shortfall)::bigint as shortfall,
       a.asset, a.asset_type, round(a.market_value)::bigint as market_value, round(a.haircut::numeric, 4) as haircut,
       round(a.allocated_value)::bigint as allocated_value, round(a.cost)::bigint as cost_a_year,
       round(s.marginal_cost::numeric, 5) as marginal_cost, round(a.shadow_value::numeric, 5) as worth_of_one_more_of_the_asset, s.missing
  from margin.collateral_summaries s
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
  left join margin.collateral_allocations a using (as_of, portfolio_id, requirement_id)
 order by s.portfolio_id, s.requirement_id, a.allocated_value desc nulls last, a.asset;
