-- Calculations: what was computed when, from which inputs, and which of it is published.

create schema margin_data;
create schema margin;
comment on schema margin_data is 'Stored rows of all calculations; written by the pipeline only.';
comment on schema margin is 'What people read: the published calculation of each date.';

create table margin_data.calculations (
    calculation_id  bigint generated always as identity primary key,
    as_of           date        not null,
    run_id          text        not null,
    scope           text        check (scope in ('landing', 'chain')),
    state           text        not null default 'running'
                    check (state in ('running', 'published', 'superseded', 'repeated', 'abandoned')),
    content_hash    text,
    input_hash      text,
    code_version    text        not null,
    settings        jsonb       not null,
    started_at      timestamptz not null default clock_timestamp(),
    finished_at     timestamptz,
    known_from      timestamptz,
    known_to        timestamptz,
    check ((state in ('published', 'superseded')) = (known_from is not null)),
    check ((state = 'superseded') = (known_to is not null)),
    check (known_to >= known_from),
    check (finished_at >= started_at)
);
create unique index one_published_calculation_a_date on margin_data.calculations (as_of) where state = 'published';
create unique index one_calculation_a_run_and_date on margin_data.calculations (run_id, as_of);

comment on table  margin_data.calculations is 'One materialised business date: a run of the chain, or of its landing stage alone.';
comment on column margin_data.calculations.calculation_id is 'Identity of the calculation; grows with time.';
comment on column margin_data.calculations.as_of is 'Business date that was calculated.';
comment on column margin_data.calculations.run_id is 'Dagster run that calculated it.';
comment on column margin_data.calculations.scope is 'landing: only the files of the date were read; chain: everything up to the reports. Known at publication.';
comment on column margin_data.calculations.state is 'running; published (what the views show); superseded (was published); repeated (identical to the published one, rows not kept); abandoned (never published).';
comment on column margin_data.calculations.content_hash is 'SHA-256 of the landed files of this date.';
comment on column margin_data.calculations.input_hash is 'SHA-256 over this and all earlier landed dates that the calculation could see.';
comment on column margin_data.calculations.code_version is 'Package version and hash of its code, parameters and schema.';
comment on column margin_data.calculations.settings is 'Settings and parameter versions in force, compute backend and thread count.';
comment on column margin_data.calculations.started_at is 'Instant at which the calculation began, UTC.';
comment on column margin_data.calculations.finished_at is 'Instant at which it was published or given up, UTC.';
comment on column margin_data.calculations.known_from is 'From this instant on the views showed this calculation, UTC.';
comment on column margin_data.calculations.known_to is 'Until this instant the views showed it; empty while they do, UTC.';

create table margin_data.calculation_tables (
    calculation_id         bigint not null references margin_data.calculations on delete cascade,
    table_name             text   not null,
    source_calculation_id  bigint not null references margin_data.calculations,
    row_count              bigint not null check (row_count >= 0),
    primary key (calculation_id, table_name)
);
comment on table  margin_data.calculation_tables is 'The tables that make up a calculation, and the calculation whose rows each of them shows (its own, or an earlier one for stages that were not run again).';
comment on column margin_data.calculation_tables.calculation_id is 'The calculation.';
comment on column margin_data.calculation_tables.table_name is 'Table in schema margin_data.';
comment on column margin_data.calculation_tables.source_calculation_id is 'Calculation under which the rows are stored.';
comment on column margin_data.calculation_tables.row_count is 'Rows of the table, count.';

create table margin_data.published_tables (
    as_of           date   not null,
    table_name      text   not null,
    calculation_id  bigint not null references margin_data.calculations,
    primary key (as_of, table_name)
);
comment on table  margin_data.published_tables is 'The pointer that publication flips: which stored rows the views of schema margin show.';
comment on column margin_data.published_tables.as_of is 'Business date.';
comment on column margin_data.published_tables.table_name is 'Table in schema margin_data.';
comment on column margin_data.published_tables.calculation_id is 'Calculation under which the published rows are stored.';

create view margin.calculations as select * from margin_data.calculations;
comment on view margin.calculations is 'Every calculation of every date, with the time during which it was what readers saw.';

-- Monthly partitions keep old dates cheap to drop and new ones cheap to write.
create function margin_data.ensure_partitions(for_date date) returns void language plpgsql as $$
declare
    first_day date := date_trunc('month', for_date)::date;
    parent    record;
    child     text;
begin
    for parent in
        select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'margin_data' order by c.relname
    loop
        child := parent.relname || to_char(first_day, '"_y"YYYY"m"MM');
        if to_regclass('margin_data.' || child) is null then
            -- Made aside and attached: making it as a partition would wait for readers of the table, and let new ones wait.
            execute format('create table margin_data.%I (like margin_data.%I including all)', child, parent.relname);
            execute format('alter table margin_data.%I attach partition margin_data.%I for values from (%L) to (%L)',
                           parent.relname, child, first_day, (first_day + interval '1 month')::date);
        end if;
    end loop;
end $$;
comment on function margin_data.ensure_partitions(date) is 'Makes the monthly partitions that rows of this date go to.';

-- Forgets the rows of a calculation that was never published.
create function margin_data.discard_rows(discarded bigint) returns void language plpgsql as $$
declare
    written record;
    dated   date;
begin
    select as_of into dated from margin_data.calculations
     where calculation_id = discarded and state not in ('published', 'superseded');
    if not found then
        raise exception 'calculation % is published or unknown: its rows are kept', discarded;
    end if;
    for written in
        select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'margin_data' order by c.relname
    loop
        execute format('delete from margin_data.%I where as_of = %L and calculation_id = %L', written.relname, dated, discarded);
    end loop;
    delete from margin_data.calculation_tables where calculation_id = discarded;
end $$;
comment on function margin_data.discard_rows(bigint) is 'Deletes the stored rows of a calculation that was never published.';

-- The reading view of a stored table: published rows only, comments included.
create function margin_data.create_reading_view(stored text) returns void language plpgsql as $$
declare
    col record;
begin
    execute format(
        'create or replace view margin.%1$I as select t.* from margin_data.%1$I t '
        'join margin_data.published_tables p on p.as_of = t.as_of and p.calculation_id = t.calculation_id and p.table_name = %1$L',
        stored);
    execute format('comment on view margin.%I is %L', stored,
                   obj_description(format('margin_data.%I', stored)::regclass, 'pg_class'));
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = format('margin_data.%I', stored)::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.%I.%I is %L', stored, col.attname, col.text);
    end loop;
end $$;
comment on function margin_data.create_reading_view(text) is 'Makes the view of schema margin that shows the published rows of a stored table.';

do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.calculations'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.calculations.%I is %L', col.attname, col.text);
    end loop;
end $$;
