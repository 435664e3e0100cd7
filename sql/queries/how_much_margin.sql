-- How much margin does each book need, and under which rule?
-- One row a portfolio on the newest date; excess is what is left before a call, utilization what is used of it.
select portfolio_id, governing_method, base_currency as ccy,
       round(margin_equity)::bigint as margin_equity, round(maintenance_margin)::bigint as maintenance_margin, round(excess)::bigint as excess,
       round((100 * utilization)::numeric, 1) as utilization_pct, status
  from margin.latest_portfolio_summary
 order by portfolio_id;
