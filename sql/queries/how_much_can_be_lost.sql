-- How much can be lost in a day, and do the methods agree?
-- Value at risk at 99 % over one day on the newest date, base currency; empty: the method has no figure, margin.portfolio_risk says why.
select portfolio_id,
       round(max(var) filter (where method = 'gaussian'))::bigint as gaussian,
       round(max(var) filter (where method = 'delta_gamma'))::bigint as delta_gamma,
       round(max(var) filter (where method = 'cornish_fisher'))::bigint as cornish_fisher,
       round(max(var) filter (where method = 'historical'))::bigint as historical,
       round(max(var) filter (where method = 'monte_carlo'))::bigint as monte_carlo,
       round(max(standard_error) filter (where method = 'monte_carlo'))::bigint as monte_carlo_error,
       round(max(expected_shortfall) filter (where method = 'historical'))::bigint as expected_shortfall
  from margin.portfolio_risk
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 where confidence = 0.99 and horizon_days = 1
 group by portfolio_id
 order by portfolio_id;
