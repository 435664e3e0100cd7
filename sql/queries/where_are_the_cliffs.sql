-- Where are the cliffs of margin schedules?
-- Positions under schedules on the newest date, the nearest threshold first: how much the notional may grow until the next tier, by how
-- much the maintenance margin jumps there, and what the other reading of the same tiers would ask (schedule currency; margins base currency).
select portfolio_id, symbol, schedule, mode, round(notional::numeric) as notional, round(threshold::numeric) as tier_from,
       round(next_threshold::numeric) as next_tier, round((100 * move_to_next)::numeric, 1) as growth_to_next_pct,
       round(jump_at_next::numeric, 2) as jump_at_next,
       round((case mode when 'bracket' then bracket_maintenance else marginal_maintenance end)::numeric, 2) as maintenance_margin,
       round((case mode when 'bracket' then marginal_maintenance else bracket_maintenance end)::numeric, 2) as other_reading, missing
  from margin.margin_schedule_positions
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 order by move_to_next nulls last, portfolio_id, symbol;
