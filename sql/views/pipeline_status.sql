-- The state of the pipeline at this moment, in one row.
create or replace view margin.pipeline_status as
with newest as (
    select calculation_id, as_of, known_from, code_version, extract(epoch from finished_at - started_at) as seconds
      from margin.calculations where state = 'published' and scope = 'chain' order by as_of desc limit 1
), standing as (
    select stopped_at, stopped_by, reason from margin.automation_stops where resumed_at is null
), unfinished as (
    select count(*) as running, min(started_at) as since from margin.calculations where state = 'running'
), rejected as (
    select sum(rows_read)::bigint as rows_read, sum(rows_rejected)::bigint as rows_rejected
      from margin.landed_files where as_of = (select as_of from newest)
), untold as (
    select count(*) as outstanding, count(*) filter (where attempts > 0) as failing, min(happened_at) as since
      from margin.deliveries_outstanding
)
select n.as_of, n.calculation_id, n.known_from as published_at, n.seconds::double precision as chain_seconds, n.code_version,
       u.running as calculations_running, u.since as running_since,
       (select count(*) from margin.calculations
         where state = 'abandoned' and finished_at > clock_timestamp() - interval '1 day') as calculations_abandoned_in_a_day,
       (select jsonb_object_agg(status, portfolios) from
           (select status, count(*) as portfolios from margin.portfolio_margins
             where is_governing and as_of = n.as_of group by status) by_status) as portfolios_by_status,
       (select jsonb_object_agg(severity, alerts) from
           (select severity, count(*) as alerts from margin.alerts where cleared_at is null group by severity) by_severity) as open_alerts_by_severity,
       (select count(*) from margin.alerts where cleared_at is null and acknowledged_at is null) as alerts_unacknowledged,
       d.outstanding as deliveries_outstanding, d.failing as deliveries_failing, d.since as outstanding_since,
       r.rows_read, r.rows_rejected,
       s.stopped_at is not null as is_stopped, s.stopped_at, s.stopped_by, s.reason as stop_reason,
       pg_database_size(current_database()) as database_bytes, clock_timestamp() as seen_at
  from unfinished u
 cross join untold d
 cross join rejected r
  left join newest n on true
  left join standing s on true;

comment on view margin.pipeline_status is 'The state of the pipeline at this moment, in one row.';
comment on column margin.pipeline_status.as_of is 'Newest business date whose chain is published; empty: none is.';
comment on column margin.pipeline_status.calculation_id is 'Calculation that is published for it.';
comment on column margin.pipeline_status.published_at is 'Instant at which it was published, UTC.';
comment on column margin.pipeline_status.chain_seconds is 'Seconds from its beginning to its publication.';
comment on column margin.pipeline_status.code_version is 'Package version and hash of the code that made it.';
comment on column margin.pipeline_status.calculations_running is 'Calculations that have begun and not ended, count; those whose run has died are among them until the next run.';
comment on column margin.pipeline_status.running_since is 'Instant at which the oldest of them began, UTC.';
comment on column margin.pipeline_status.calculations_abandoned_in_a_day is 'Calculations given up within the last 24 hours, count.';
comment on column margin.pipeline_status.portfolios_by_status is 'Portfolios on the newest date by status under the governing method, count (object); empty: none.';
comment on column margin.pipeline_status.open_alerts_by_severity is 'Open alerts by severity, count (object); empty: none.';
comment on column margin.pipeline_status.alerts_unacknowledged is 'Open alerts that nobody has taken note of, count.';
comment on column margin.pipeline_status.deliveries_outstanding is 'Changes of alerts that were not told, by channel, count (deliveries_outstanding).';
comment on column margin.pipeline_status.deliveries_failing is 'Those of them that were tried and failed, count.';
comment on column margin.pipeline_status.outstanding_since is 'Instant of the oldest of them, UTC.';
comment on column margin.pipeline_status.rows_read is 'Input rows of the newest date, count.';
comment on column margin.pipeline_status.rows_rejected is 'Those of them that were rejected, count.';
comment on column margin.pipeline_status.is_stopped is 'Whether monitoring and automation are stopped.';
comment on column margin.pipeline_status.stopped_at is 'Instant of that stop, UTC; empty: nothing is stopped.';
comment on column margin.pipeline_status.stopped_by is 'Who stopped them.';
comment on column margin.pipeline_status.stop_reason is 'Why.';
comment on column margin.pipeline_status.database_bytes is 'Size of the database, bytes.';
comment on column margin.pipeline_status.seen_at is 'Instant of this look, UTC.';
