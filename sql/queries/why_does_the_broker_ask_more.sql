-- Why does the broker ask more (or less) than we do?
-- Every statement of a broker on the newest date, the largest difference first; a side that is missing comes before all of them.
-- hypothesis: what the broker would count otherwise; residual: what that leaves unexplained.
select portfolio_id, nullif(symbol, '') as symbol, measure, round(ours::numeric, 2) as ours, round(broker::numeric, 2) as broker,
       round(difference::numeric, 2) as difference, status, hypothesis, round(residual::numeric, 2) as residual,
       explanation ->> 'text' as explanation
  from margin.margin_reconciliation
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 order by abs(difference) desc nulls first, portfolio_id, symbol, measure;
