-- Which positions and groups cost most margin for the risk that they bring and the return that they earn?
-- The least efficient items of every portfolio on the newest date: margin a dollar of one-day risk (99 %), return on margin, time value.
select portfolio_id, item, underlying, round(maintenance_margin)::bigint as maintenance_margin, round(risk)::bigint as risk,
       round(margin_per_risk::numeric, 1) as margin_per_risk, round((100 * return_on_margin)::numeric, 1) as return_on_margin_pct,
       round((100 * time_value_on_margin)::numeric, 1) as time_value_pct, strategies, missing
  from (select e.*, row_number() over (partition by portfolio_id order by margin_per_risk_rank nulls first, maintenance_margin desc, underlying, item) as place
          from margin.margin_efficiency e
          join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
         where maintenance_margin is distinct from 0) ranked
 where place <= 5
 order by portfolio_id, place;
