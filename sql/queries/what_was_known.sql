-- What did we know at an instant, and what do we know now?
-- Put the instant into the first line. Each date's requirement as it was published then, beside the one published now:
-- superseded calculations stay readable. No row: nothing had been published by then.
with asked as (select clock_timestamp() as instant)
select k.as_of, t.portfolio_id, t.method, k.calculation_id as known_then, c.calculation_id as known_now,
       t.maintenance_margin as margin_then, n.maintenance_margin as margin_now
  from asked
  join margin.calculations k on k.known_from <= asked.instant and (k.known_to is null or k.known_to > asked.instant)
  join margin_data.calculation_tables f on f.calculation_id = k.calculation_id and f.table_name = 'portfolio_margins'
  join margin_data.portfolio_margins t on t.as_of = k.as_of and t.calculation_id = f.source_calculation_id and t.is_governing
  left join margin.calculations c on c.as_of = k.as_of and c.state = 'published'
  left join margin.portfolio_margins n on n.as_of = t.as_of and n.portfolio_id = t.portfolio_id and n.is_governing
 order by k.as_of, t.portfolio_id;
