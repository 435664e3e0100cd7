-- What would lower the margin: which groups and positions cost most?
-- The three dearest items of every portfolio on the newest date, and their part of its requirement.
select portfolio_id, item, underlying, round(maintenance_margin)::bigint as maintenance_margin,
       round((100 * margin_share)::numeric, 1) as share_pct,
       (select string_agg(concat(trim_scale((leg ->> 'quantity')::numeric), ' ', leg ->> 'symbol'), ', ' order by place_of_leg)
          from jsonb_array_elements(legs) with ordinality as held (leg, place_of_leg)) as legs
  from (select c.*, row_number() over (partition by portfolio_id order by maintenance_margin desc, underlying, item, legs) as place
          from margin.margin_costs c
          join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
         where maintenance_margin > 0) ranked
 where place <= 3
 order by portfolio_id, place;
