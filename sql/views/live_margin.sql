-- Margin of each portfolio as it was last computed, at live marks or at the publication.
create or replace view margin.live_margin as
select distinct on (h.portfolio_id)
       h.portfolio_id, h.as_of, h.calculated_at, extract(epoch from clock_timestamp() - h.calculated_at)::double precision as age_seconds,
       h.occasion, h.method, h.status, h.utilization, h.maintenance_margin, h.equity, h.margin_equity, h.missing, h.seconds
  from margin.utilization_history h
 order by h.portfolio_id, h.as_of desc, h.calculated_at desc, h.marks_version desc;

comment on view margin.live_margin is 'Margin of each portfolio as it was last computed on its newest date, at live marks or at the publication.';
comment on column margin.live_margin.portfolio_id is 'Portfolio.';
comment on column margin.live_margin.as_of is 'Business date of the calculation that it rests on.';
comment on column margin.live_margin.calculated_at is 'Instant at which it was computed, UTC.';
comment on column margin.live_margin.age_seconds is 'Seconds since then.';
comment on column margin.live_margin.occasion is 'publication: figures of the date; live: at live marks.';
comment on column margin.live_margin.method is 'Governing method.';
comment on column margin.live_margin.status is 'safe, warning, critical, emergency, undetermined or liquidatable.';
comment on column margin.live_margin.utilization is 'maintenance_margin over margin_equity, fraction; empty: undetermined.';
comment on column margin.live_margin.maintenance_margin is 'Maintenance margin, base currency; empty: undetermined.';
comment on column margin.live_margin.equity is 'Equity at these marks, base currency; empty: not known.';
comment on column margin.live_margin.margin_equity is 'What maintenance_margin is compared with, base currency.';
comment on column margin.live_margin.missing is 'What is missing (list); empty: nothing.';
comment on column margin.live_margin.seconds is 'Seconds that computing it took; empty at publications.';
