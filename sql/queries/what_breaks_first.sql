-- What breaks first?
-- Portfolios from the most used up to the least; those whose margin cannot be determined come first, for nobody knows.
-- nearest_liquidation_pct: the smallest move that liquidates one of its leveraged positions, the others unchanged.
select s.portfolio_id, s.status, round((100 * nullif(s.utilization, 'Infinity'))::numeric, 1) as utilization_pct,
       round(s.excess)::bigint as excess, round((100 * l.nearest)::numeric, 1) as nearest_liquidation_pct, s.missing ->> 0 as missing
  from margin.latest_portfolio_summary s
  left join (select as_of, portfolio_id, min(case status when 'liquidatable' then 0 else abs(distance) end) as nearest
               from margin.liquidation_prices group by as_of, portfolio_id) l using (as_of, portfolio_id)
 order by s.utilization desc nulls first, s.portfolio_id;
