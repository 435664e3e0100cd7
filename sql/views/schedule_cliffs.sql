-- The thresholds at which the margin of a whole position jumps, schedule by schedule.
create or replace view margin.schedule_cliffs as
select as_of, schedule, currency, threshold, maintenance_below, maintenance_at, maintenance_jump, initial_below, initial_at, initial_jump
  from margin.margin_schedule_tiers
 where mode = 'bracket' and (maintenance_jump <> 0 or initial_jump <> 0);

comment on view margin.schedule_cliffs is 'Thresholds of bracket schedules at which margin jumps, because the whole notional changes its rate.';
comment on column margin.schedule_cliffs.as_of is 'Business date.';
comment on column margin.schedule_cliffs.schedule is 'Name, as in instruments.margin_schedule.';
comment on column margin.schedule_cliffs.currency is 'ISO 4217 code of the amounts.';
comment on column margin.schedule_cliffs.threshold is 'Notional from which the higher rate applies to all of it, schedule currency.';
comment on column margin.schedule_cliffs.maintenance_below is 'Maintenance margin just below the threshold, schedule currency.';
comment on column margin.schedule_cliffs.maintenance_at is 'Maintenance margin at the threshold, schedule currency.';
comment on column margin.schedule_cliffs.maintenance_jump is 'maintenance_at less maintenance_below, schedule currency.';
comment on column margin.schedule_cliffs.initial_below is 'Initial margin just below the threshold, schedule currency.';
comment on column margin.schedule_cliffs.initial_at is 'Initial margin at the threshold, schedule currency.';
comment on column margin.schedule_cliffs.initial_jump is 'initial_at less initial_below, schedule currency.';
