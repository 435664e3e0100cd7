-- Emergency stop: one open row stops sensors and schedules until it is resumed.

create table margin_data.automation_stops (
    stop_id        bigint generated always as identity primary key,
    stopped_at     timestamptz not null default clock_timestamp(),
    stopped_by     text        not null check (trim(stopped_by) <> ''),
    reason         text        not null check (trim(reason) <> ''),
    resumed_at     timestamptz,
    resumed_by     text        check (trim(resumed_by) <> ''),
    resume_reason  text        check (trim(resume_reason) <> ''),
    check ((resumed_at is null) = (resumed_by is null)),
    check (resumed_at >= stopped_at)
);
create unique index one_stop_at_a_time on margin_data.automation_stops ((true)) where resumed_at is null;
comment on table  margin_data.automation_stops is 'Emergency stops. While a row is not resumed, sensors and schedules start nothing and tell nobody; commands of people work.';
comment on column margin_data.automation_stops.stop_id is 'Identity of the stop.';
comment on column margin_data.automation_stops.stopped_at is 'Instant of the stop, UTC.';
comment on column margin_data.automation_stops.stopped_by is 'Who stopped it.';
comment on column margin_data.automation_stops.reason is 'Why.';
comment on column margin_data.automation_stops.resumed_at is 'Instant at which it went on, UTC; empty while stopped.';
comment on column margin_data.automation_stops.resumed_by is 'Who let it go on.';
comment on column margin_data.automation_stops.resume_reason is 'Why it went on.';
create view margin.automation_stops as select * from margin_data.automation_stops;
comment on view margin.automation_stops is 'Emergency stops, who and why, and when automation went on.';
do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.automation_stops'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.automation_stops.%I is %L', col.attname, col.text);
    end loop;
end $$;

create constraint trigger audit_stop after insert on margin_data.automation_stops deferrable initially deferred
    for each row execute function margin_data.audit_row('automation_stopped');
create constraint trigger audit_resume after update of resumed_at on margin_data.automation_stops deferrable initially deferred
    for each row when (new.resumed_at is distinct from old.resumed_at) execute function margin_data.audit_row('automation_resumed');
