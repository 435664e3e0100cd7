-- What did we know at an instant, and what do we know now?
-- Put the instant into the first line. The requirement of each date as it was published then, beside the one published now:
-- superseded calculations stay readable. No row: nothing had been published by then.
with asked as (select clock_timestamp() as instant),
dates as (
    select distinct c.as_of, margin.calculation_known_at(c.as_of, 'portfolio_margins', asked.instant) as calculation_id
      from margin.calculations c, asked
)
select d.as_of, t.portfolio_id, t.method, d.calculation_id as known_then, n.calculation_id as known_now,
       round(t.maintenance_margin)::bigint as margin_then, round(n.maintenance_margin)::bigint as margin_now
  from dates d
  join margin_data.portfolio_margins t on t.as_of = d.as_of and t.calculation_id = d.calculation_id and t.is_governing
  left join margin.portfolio_margins n on n.as_of = t.as_of and n.portfolio_id = t.portfolio_id and n.is_governing
 order by d.as_of, t.portfolio_id;
