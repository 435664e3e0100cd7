-- What is measured of the pipeline at this moment: one row a value, in the order in which it is shown. What is undetermined has no row.
-- It builds on pipeline_status; files are applied in the order of their names.
create or replace view margin.pipeline_metrics as
with state as materialized (
    select * from margin.pipeline_status
), chains as materialized (
    select extract(epoch from finished_at - started_at)::double precision as seconds
      from margin.calculations where scope = 'chain' and finished_at is not null and state in ('published', 'superseded', 'repeated')
), bounds (place, bound) as (
    select place, bound from unnest(array[1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 'Infinity']::double precision[]) with ordinality as b (bound, place)
), last_settings as (
    select c.settings -> 'compute' as compute from margin.calculations c join state s using (calculation_id)
), measured (place, metric, type, help, labels, value) as (
    select 100, 'calculations_total', 'counter',
           'Calculations that ended, count: published (superseded since or not), repeated (identical to the published one), abandoned.',
           jsonb_build_object('state', outcome),
           (select count(*) from margin.calculations where case state when 'superseded' then 'published' else state end = outcome)
      from unnest(array['published', 'repeated', 'abandoned']) as outcome
    union all
    select 110, 'calculations_running', 'gauge', 'Calculations that have begun and not ended, count.', '{}', calculations_running from state
    union all
    select 120 + b.place, 'calculation_duration_seconds', 'histogram', 'Seconds from the beginning of the chain of a date to its publication.',
           jsonb_build_object('le', case b.bound when 'Infinity' then '+Inf' else b.bound::text end),
           (select count(*) from chains where seconds <= b.bound)
      from bounds b
    union all
    select 140, 'calculation_duration_seconds', 'histogram', 'Seconds from the beginning of the chain of a date to its publication.',
           '{"part": "sum"}', coalesce(sum(seconds), 0) from chains
    union all
    select 141, 'calculation_duration_seconds', 'histogram', 'Seconds from the beginning of the chain of a date to its publication.',
           '{"part": "count"}', count(*) from chains
    union all
    select 150, 'published_age_seconds', 'gauge', 'Seconds since the newest business date was published.', '{}',
           extract(epoch from clock_timestamp() - published_at) from state where as_of is not null
    union all
    select 151, 'published_date_timestamp_seconds', 'gauge', 'The newest published business date, seconds from 1970 to its beginning in UTC.', '{}',
           extract(epoch from as_of::timestamp) from state where as_of is not null
    union all
    select 200, 'alerts_total', 'counter', 'Alerts raised, count.', jsonb_build_object('severity', severity, 'kind', kind), count(*)
      from margin.alerts group by severity, kind
    union all
    select 210, 'alerts_open', 'gauge', 'Alerts that are open, count.', jsonb_build_object('severity', named),
           (select count(*) from margin.alerts where cleared_at is null and severity = named)
      from unnest(array['emergency', 'critical', 'warning', 'info']) as named
    union all
    select 211, 'alerts_unacknowledged', 'gauge', 'Open alerts that nobody has taken note of, count.', '{}', alerts_unacknowledged from state
    union all
    select 220, 'alert_deliveries_total', 'counter', 'Changes of alerts that the channel was told, count.', jsonb_build_object('channel', channel), count(*)
      from margin.alert_deliveries where delivered_at is not null group by channel
    union all
    select 221, 'alert_deliveries_failed', 'gauge', 'Changes of alerts that the channel could not be told so far, count.', jsonb_build_object('channel', channel),
           count(*) filter (where delivered_at is null and not unwanted and attempts > 0)
      from margin.alert_deliveries group by channel
    union all
    select 222, 'alert_deliveries_outstanding', 'gauge', 'Changes of alerts that were not told, counted once a channel that failed, count.', '{}', deliveries_outstanding from state
    union all
    select 223, 'alert_delivery_delay_seconds', 'gauge', 'Seconds since the oldest change of an alert that was not told; 0: every one was told.', '{}',
           coalesce(extract(epoch from clock_timestamp() - outstanding_since), 0) from state
    union all
    select 300, 'portfolios', 'gauge', 'Portfolios of the newest date by status under the governing method, count.', jsonb_build_object('status', named),
           coalesce((portfolios_by_status ->> named)::double precision, 0)
      from state, unnest(array['safe', 'warning', 'critical', 'emergency', 'undetermined', 'liquidatable']) as named where as_of is not null
    union all
    select 310, 'utilization', 'gauge', 'Maintenance margin over margin equity under the governing method on the newest date, fraction; absent: undetermined.',
           jsonb_build_object('portfolio', portfolio_id, 'method', governing_method), utilization
      from margin.latest_portfolio_summary where utilization is not null
    union all
    select 320, 'maintenance_margin', 'gauge', 'Maintenance margin under the governing method on the newest date, base currency; absent: undetermined.',
           jsonb_build_object('portfolio', portfolio_id, 'method', governing_method, 'currency', base_currency), maintenance_margin
      from margin.latest_portfolio_summary where maintenance_margin is not null
    union all
    select 330, 'margin_saving', 'gauge',
           'Maintenance margin saved on the newest date, base currency: by option structures, by scenarios, and by the cheapest method; absent: unknown.',
           jsonb_build_object('portfolio', m.portfolio_id, 'by', saving.named, 'currency', p.base_currency), saving.amount
      from margin.method_comparison m
      join state s on s.as_of = m.as_of
      join margin.portfolios p on p.as_of = m.as_of and p.portfolio_id = m.portfolio_id
     cross join lateral (values ('structures', m.saving_by_structures), ('scenarios', m.saving_by_scenarios), ('cheapest_method', m.saving_to_cheapest))
           as saving (named, amount)
     where saving.amount is not null
    union all
    select 400, 'input_rows', 'gauge', 'Input rows read of the newest date, count.', jsonb_build_object('source', f.source), f.rows_read
      from margin.landed_files f join state using (as_of)
    union all
    select 401, 'rejected_rows', 'gauge', 'Input rows rejected of the newest date, count.', jsonb_build_object('source', f.source), f.rows_rejected
      from margin.landed_files f join state using (as_of)
    union all
    select 500, 'compute_kernels', 'gauge', 'Measured sizes of the kernels that the newest calculation gave to the backend, count.',
           jsonb_build_object('backend', sizes.value, 'kernel', kernel.key), count(*)
      from last_settings
     cross join lateral jsonb_each(coalesce(compute -> 'choices', '{}')) as kernel
     cross join lateral jsonb_each_text(kernel.value) as sizes
     where jsonb_typeof(kernel.value) = 'object'
     group by sizes.value, kernel.key
    union all
    select 501, 'compute_threads', 'gauge', 'Threads of linear algebra of the newest calculation, count.', '{}', (compute ->> 'threads')::double precision
      from last_settings where compute ->> 'threads' is not null
    union all
    select 600, 'automation_stopped', 'gauge', '1: monitoring and automation are stopped, 0: they are not.', '{}', is_stopped::int from state
    union all
    select 601, 'database_bytes', 'gauge', 'Size of the database, bytes.', '{}', database_bytes from state
)
select place::bigint as place, metric, type, help, labels, value::double precision as value from measured;

comment on view margin.pipeline_metrics is 'What is measured of the pipeline at this moment: one row a value. What is undetermined has no row.';
comment on column margin.pipeline_metrics.place is 'Order in which metrics, and the buckets of a histogram, are shown.';
comment on column margin.pipeline_metrics.metric is 'Name of the metric; the exporter puts margin_pipeline_ before it.';
comment on column margin.pipeline_metrics.type is 'counter, gauge or histogram.';
comment on column margin.pipeline_metrics.help is 'What it measures, with its unit.';
comment on column margin.pipeline_metrics.labels is 'What tells the value from others of the metric (object of text); part: sum or count of a histogram.';
comment on column margin.pipeline_metrics.value is 'The value, in the unit that help says.';
