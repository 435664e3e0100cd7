-- How the chain has been going, day by day: how often it ended well and how long it took.
create or replace view margin.performance_metrics as
select (started_at at time zone 'UTC')::date as day,
       count(*) filter (where state <> 'running') as calculations,
       count(*) filter (where state in ('published', 'superseded')) as published,
       count(*) filter (where state = 'repeated') as repeated,
       count(*) filter (where state = 'abandoned') as abandoned,
       (count(*) filter (where state in ('published', 'superseded', 'repeated')))::double precision
           / nullif(count(*) filter (where state <> 'running'), 0) as success_rate,
       percentile_cont(0.5) within group (order by extract(epoch from finished_at - started_at)::double precision)
           filter (where scope = 'chain' and state <> 'abandoned') as median_seconds,
       percentile_cont(0.95) within group (order by extract(epoch from finished_at - started_at)::double precision)
           filter (where scope = 'chain' and state <> 'abandoned') as seconds_95
  from margin.calculations
 group by 1;

comment on view margin.performance_metrics is 'How the calculations went that began on a day: how often they ended well and how long the chain took.';
comment on column margin.performance_metrics.day is 'Day on which they began, UTC.';
comment on column margin.performance_metrics.calculations is 'Calculations that have ended, count.';
comment on column margin.performance_metrics.published is 'Those that were published, superseded since or not, count.';
comment on column margin.performance_metrics.repeated is 'Those that were identical to what was published, count.';
comment on column margin.performance_metrics.abandoned is 'Those that were given up, count.';
comment on column margin.performance_metrics.success_rate is 'published and repeated over calculations, fraction; empty: none has ended.';
comment on column margin.performance_metrics.median_seconds is 'Median seconds of the chain from its beginning to its publication.';
comment on column margin.performance_metrics.seconds_95 is '95th percentile of the same.';
