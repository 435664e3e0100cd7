-- Who will be called for margin?
-- Portfolios by the probability that utilization reaches 100 % within an hour, a session and five; when a call is as likely as not (minutes of trading).
with calls as (
  select f.*
    from margin.margin_forecasts f
    join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
   where f.threshold = 1
)
select h.portfolio_id, h.method, round((100 * h.utilization)::numeric, 1) as utilization_pct,
       round((100 * h.breach_probability)::numeric, 2) as call_within_hour_pct,
       round((100 * d.breach_probability)::numeric, 2) as within_session_pct,
       round((100 * w.breach_probability)::numeric, 2) as within_five_sessions_pct,
       round(h.median_minutes_to_breach::numeric) as median_minutes_to_call, h.missing
  from calls h
  left join calls d on (d.as_of, d.portfolio_id, d.calculated_at) = (h.as_of, h.portfolio_id, h.calculated_at) and d.horizon_minutes = 390
  left join calls w on (w.as_of, w.portfolio_id, w.calculated_at) = (h.as_of, h.portfolio_id, h.calculated_at) and w.horizon_minutes = 1950
 where h.horizon_minutes = 60
 order by h.breach_probability desc nulls first, w.breach_probability desc, h.portfolio_id;
