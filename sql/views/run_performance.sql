-- How each calculation went: how long, how many rows, with which code and on which backends.
create or replace view margin.run_performance as
select c.calculation_id, c.as_of, c.run_id, c.scope, c.state, c.started_at, c.finished_at,
       extract(epoch from c.finished_at - c.started_at)::double precision as seconds,
       t.tables, t.rows, t.rows / nullif(extract(epoch from c.finished_at - c.started_at), 0)::double precision as rows_per_second,
       f.rows_read, f.rows_rejected, c.code_version,
       c.settings #>> '{compute,preference}' as compute_preference, (c.settings #>> '{compute,threads}')::bigint as threads,
       (select string_agg(distinct sizes.value, ', ' order by sizes.value)
          from jsonb_each(c.settings #> '{compute,choices}') as kernel
         cross join lateral jsonb_each_text(kernel.value) as sizes
         where jsonb_typeof(kernel.value) = 'object') as backends
  from margin.calculations c
  left join lateral (
      select count(*) as tables, sum(row_count)::bigint as rows from margin_data.calculation_tables w
       where w.calculation_id = c.calculation_id and w.source_calculation_id = c.calculation_id) t on true
  left join lateral (
      select sum(rows_read)::bigint as rows_read, sum(rows_rejected)::bigint as rows_rejected from margin_data.landed_files l
       where l.as_of = c.as_of and l.calculation_id = c.calculation_id) f on true;

comment on view margin.run_performance is 'How each calculation went: how long it took, how many rows it read and wrote, with which code and on which backends.';
comment on column margin.run_performance.calculation_id is 'Calculation.';
comment on column margin.run_performance.as_of is 'Business date.';
comment on column margin.run_performance.run_id is 'Dagster run that calculated it.';
comment on column margin.run_performance.scope is 'landing: only the files were read; chain: everything; empty: never published.';
comment on column margin.run_performance.state is 'running, published, superseded, repeated or abandoned.';
comment on column margin.run_performance.started_at is 'Instant at which it began, UTC.';
comment on column margin.run_performance.finished_at is 'Instant at which it was published or given up, UTC; empty: it runs.';
comment on column margin.run_performance.seconds is 'Seconds in between.';
comment on column margin.run_performance.tables is 'Tables that it wrote and that are kept, count.';
comment on column margin.run_performance.rows is 'Rows of them, count.';
comment on column margin.run_performance.rows_per_second is 'rows over seconds.';
comment on column margin.run_performance.rows_read is 'Input rows that it read of its own date, count; empty: none are kept.';
comment on column margin.run_performance.rows_rejected is 'Those of them that it rejected, count.';
comment on column margin.run_performance.code_version is 'Package version and hash of the code.';
comment on column margin.run_performance.compute_preference is 'Preferred backend: auto or a name.';
comment on column margin.run_performance.threads is 'Threads of linear algebra, count.';
comment on column margin.run_performance.backends is 'Backends that its kernels were given to.';
