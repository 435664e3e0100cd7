-- Proof: a log that only grows, the parameters behind each calculation, one line found again, and months that were retired.

-- The log. Every row carries the hash of the row before it, so that one that was altered, removed or slipped in is found.
create table margin_data.audit_log (
    audit_id        bigint      primary key check (audit_id >= 1),
    at              timestamptz not null,
    actor           text        not null,
    client          text        not null,
    event           text        not null check (event ~ '^[a-z][a-z0-9_]*$'),
    as_of           date,
    calculation_id  bigint,
    portfolio_id    text,
    details         jsonb       not null default '{}' check (jsonb_typeof(details) = 'object'),
    previous_hash   text        not null unique,
    row_hash        text        not null unique
);
comment on table  margin_data.audit_log is 'What was done, when and by whom: rows can be added and never changed or deleted; each carries the hash of the row before it. One row an event.';
comment on column margin_data.audit_log.audit_id is 'Number of the row, counted from 1 without gaps.';
comment on column margin_data.audit_log.at is 'Instant at which it was recorded, UTC.';
comment on column margin_data.audit_log.actor is 'Database user who was logged in.';
comment on column margin_data.audit_log.client is 'Who says to have done it: user and host of the operating system and the command, else the name of the application; empty: unknown.';
comment on column margin_data.audit_log.event is 'What was done, e.g. calculation_published; docs/operations.md has the list.';
comment on column margin_data.audit_log.as_of is 'Business date that it concerns; empty: none.';
comment on column margin_data.audit_log.calculation_id is 'Calculation that it concerns; empty: none.';
comment on column margin_data.audit_log.portfolio_id is 'Portfolio that it concerns; empty: none or several.';
comment on column margin_data.audit_log.details is 'What else is known of it, by name.';
comment on column margin_data.audit_log.previous_hash is 'row_hash of the row before; of the first row 64 zeros.';
comment on column margin_data.audit_log.row_hash is 'SHA-256, hexadecimal, of all other columns as margin_data.audit_text writes them.';

create function margin_data.audit_text(entry margin_data.audit_log) returns text language sql stable as $$
    -- Each value with its length before it, so that no two rows are written alike; time zone and date style change nothing.
    select string_agg(coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-'), ',' order by place)
      from unnest(array[
        entry.audit_id::text, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), entry.actor, entry.client, entry.event,
        to_char(entry.as_of, 'YYYY-MM-DD'), entry.calculation_id::text, entry.portfolio_id, entry.details::text, entry.previous_hash
      ]) with ordinality as written (value, place)
$$;
comment on function margin_data.audit_text(margin_data.audit_log) is
    'What the hash of a row of the audit log is taken of: its values in order as length in bytes, colon and text, empty ones as -, joined by commas.';

create function margin_data.chain_audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    last record;
begin
    -- One writer at a time until its end: two would otherwise both follow the same row. Whoever waited sees what was committed meanwhile.
    perform pg_advisory_xact_lock(42100018);
    select audit_id, at, row_hash into last from margin_data.audit_log order by audit_id desc limit 1;
    new.audit_id := coalesce(last.audit_id, 0) + 1;
    new.at := greatest(clock_timestamp(), last.at);
    new.actor := session_user;
    new.client := coalesce(nullif(current_setting('margin.client', true), ''), nullif(current_setting('application_name', true), ''), '');
    new.previous_hash := coalesce(last.row_hash, repeat('0', 64));
    new.row_hash := encode(sha256(convert_to(margin_data.audit_text(new), 'UTF8')), 'hex');
    return new;
end $$;
comment on function margin_data.chain_audit_row() is 'Numbers, dates and signs a new row of the audit log and chains it to the row before; what the writer says of these is not taken.';
create trigger chain before insert on margin_data.audit_log for each row execute function margin_data.chain_audit_row();
alter table margin_data.audit_log enable always trigger chain;

create function margin_data.refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log can only be added to: % refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;
comment on function margin_data.refuse_audit_change() is 'Refuses to update, delete or truncate rows of the audit log, whoever asks.';
create trigger refuse_change before update or delete or truncate on margin_data.audit_log
    for each statement execute function margin_data.refuse_audit_change();
alter table margin_data.audit_log enable always trigger refuse_change;

create view margin.audit_log as select * from margin_data.audit_log;
comment on view margin.audit_log is 'What was done, when and by whom; can be read and added to, not changed. sql/queries/is_the_audit_log_whole.sql verifies it.';

-- What is recorded without anybody's doing: at the commit of the very transaction, after all its other locks.
create function margin_data.audit_calculation() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    about record;
begin
    about := coalesce(new, old);
    insert into margin_data.audit_log (event, as_of, calculation_id, details)
    select coalesce(tg_argv[0], 'calculation_' || about.state), about.as_of, about.calculation_id,
           jsonb_strip_nulls(jsonb_build_object(
               'run_id', about.run_id, 'scope', about.scope, 'code_version', about.code_version, 'input_hash', about.input_hash,
               'content_hash', about.content_hash, 'parameters_of', about.settings -> 'parameters_of', 'tables', t.tables, 'rows', t.rows))
      from (select count(*) as tables, sum(row_count) as rows from margin_data.calculation_tables
             where calculation_id = about.calculation_id) as t;
    return null;
end $$;
comment on function margin_data.audit_calculation() is 'Records in the audit log that a calculation was published, superseded, repeated, abandoned or deleted, or that stored parameters stand in for the shipped ones.';
create constraint trigger audit_state after update of state on margin_data.calculations deferrable initially deferred
    for each row when (new.state is distinct from old.state) execute function margin_data.audit_calculation();
create constraint trigger audit_removal after delete on margin_data.calculations deferrable initially deferred
    for each row execute function margin_data.audit_calculation('calculation_deleted');
create constraint trigger audit_parameters after insert on margin_data.calculations deferrable initially deferred
    for each row when (new.settings ? 'parameters_of') execute function margin_data.audit_calculation('parameters_replaced');

create function margin_data.audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    about jsonb := to_jsonb(coalesce(new, old));
begin
    insert into margin_data.audit_log (event, as_of, calculation_id, portfolio_id, details)
    values (tg_argv[0], (about ->> coalesce(tg_argv[1], 'as_of'))::date, (about ->> 'calculation_id')::bigint, about ->> 'portfolio_id',
            jsonb_strip_nulls(about - array['as_of', 'calculation_id', 'portfolio_id']));
    return null;
end $$;
comment on function margin_data.audit_row() is
    'Records in the audit log what happened to a row, with all of it; arguments: the event, and the column that holds the business date (as_of unless said).';
create constraint trigger audit_raise after insert on margin_data.alerts deferrable initially deferred
    for each row execute function margin_data.audit_row('alert_raised');
create constraint trigger audit_clear after update of cleared_at on margin_data.alerts deferrable initially deferred
    for each row when (new.cleared_at is distinct from old.cleared_at) execute function margin_data.audit_row('alert_cleared', 'cleared_as_of');
create constraint trigger audit_acknowledgement after update of acknowledged_at on margin_data.alerts deferrable initially deferred
    for each row when (new.acknowledged_at is distinct from old.acknowledged_at)
    execute function margin_data.audit_row('alert_acknowledged');

-- Parameters: what was in force for the date of a calculation, word by word.
create table margin_data.parameter_sets (
    sha256          text primary key check (sha256 = encode(pg_catalog.sha256(convert_to(content::text, 'UTF8')), 'hex')),
    name            text not null,
    version         text not null,
    effective_date  date not null,
    source          text not null,
    content         json not null
);
comment on table  margin_data.parameter_sets is 'Contents of dated parameter sets that calculations used, each kept once.';
comment on column margin_data.parameter_sets.sha256 is 'SHA-256 of content as it is written, hexadecimal: the row cannot say anything else.';
comment on column margin_data.parameter_sets.name is 'Name of the parameter set.';
comment on column margin_data.parameter_sets.version is 'Version of its values.';
comment on column margin_data.parameter_sets.effective_date is 'First date on which the values apply.';
comment on column margin_data.parameter_sets.source is 'Rule, paper or publication that the values come from.';
comment on column margin_data.parameter_sets.content is 'name, version, effective_date, source and values, as written (their order is part of them); a date is {"$date": "YYYY-MM-DD"}.';

create table margin_data.calculation_parameters (
    calculation_id  bigint not null references margin_data.calculations on delete cascade,
    name            text   not null,
    sha256          text   not null references margin_data.parameter_sets,
    primary key (calculation_id, name)
);
comment on table  margin_data.calculation_parameters is 'The parameter sets that were in force for a calculation.';
comment on column margin_data.calculation_parameters.calculation_id is 'The calculation.';
comment on column margin_data.calculation_parameters.name is 'Name of the parameter set.';
comment on column margin_data.calculation_parameters.sha256 is 'Its content, in parameter_sets.';

create view margin.calculation_parameters as
select c.as_of, u.calculation_id, u.name, p.version, p.effective_date, p.source, u.sha256, p.content -> 'values' as parameter_values
  from margin_data.calculation_parameters u
  join margin_data.parameter_sets p using (sha256)
  join margin_data.calculations c using (calculation_id);
comment on view margin.calculation_parameters is 'Parameter sets in force for each calculation, superseded ones too, with their values.';
comment on column margin.calculation_parameters.as_of is 'Business date of the calculation.';
comment on column margin.calculation_parameters.calculation_id is 'The calculation.';
comment on column margin.calculation_parameters.name is 'Name of the parameter set.';
comment on column margin.calculation_parameters.version is 'Version of its values.';
comment on column margin.calculation_parameters.effective_date is 'First date on which the values apply.';
comment on column margin.calculation_parameters.source is 'Rule, paper or publication that the values come from.';
comment on column margin.calculation_parameters.sha256 is 'SHA-256 of the whole set, hexadecimal.';
comment on column margin.calculation_parameters.parameter_values is 'The values by name, as JSON; a date is {"$date": "YYYY-MM-DD"}.';

-- Retention: whole months of whole tables, and nothing that says what was known.
alter table margin_data.calculations add column retired_at timestamptz;
comment on column margin_data.calculations.retired_at is 'Instant at which its rows were dropped by retention, UTC; empty: they are kept.';
create or replace view margin.calculations as select * from margin_data.calculations;
comment on column margin.calculations.retired_at is 'Instant at which its rows were dropped by retention, UTC; empty: they are kept.';

create table margin_data.retired_partitions (
    table_name      text        not null,
    first_day       date        not null,
    retired_at      timestamptz not null,
    row_count       bigint      not null check (row_count >= 0),
    bytes           bigint      not null check (bytes >= 0),
    published_dates date[]      not null,
    primary key (table_name, first_day, retired_at)
);
comment on table  margin_data.retired_partitions is 'Months of tables that retention has dropped. A date that is run again has rows again, until its month is dropped once more.';
comment on column margin_data.retired_partitions.table_name is 'Table in schema margin_data.';
comment on column margin_data.retired_partitions.first_day is 'First day of the month.';
comment on column margin_data.retired_partitions.retired_at is 'Instant at which it was dropped, UTC.';
comment on column margin_data.retired_partitions.row_count is 'Rows that it held, superseded calculations included, count.';
comment on column margin_data.retired_partitions.bytes is 'Size on disk, indices included, bytes.';
comment on column margin_data.retired_partitions.published_dates is 'Business dates of which readers saw rows of the table in this month.';
create view margin.retired_partitions as select * from margin_data.retired_partitions;
comment on view margin.retired_partitions is 'Months of tables that retention has dropped.';

create view margin_data.monthly_partitions as
select parent.relname::text as table_name, child.relname::text as partition_name, bound[1]::date as first_day, bound[2]::date as next_month,
       child.oid::regclass as partition
  from pg_partitioned_table p
  join pg_class parent on parent.oid = p.partrelid
  join pg_inherits i on i.inhparent = parent.oid
  join pg_class child on child.oid = i.inhrelid
  cross join lateral regexp_match(pg_get_expr(child.relpartbound, child.oid),
                                  'FROM \(''(\d{4}-\d{2}-\d{2})''\) TO \(''(\d{4}-\d{2}-\d{2})''\)') as bound
 where parent.relnamespace = 'margin_data'::regnamespace and bound is not null;
comment on view margin_data.monthly_partitions is 'Monthly partitions of the stored tables.';
comment on column margin_data.monthly_partitions.table_name is 'Table in schema margin_data.';
comment on column margin_data.monthly_partitions.partition_name is 'Name of the partition, in the same schema.';
comment on column margin_data.monthly_partitions.first_day is 'First day of the month.';
comment on column margin_data.monthly_partitions.next_month is 'First day of the month after.';
comment on column margin_data.monthly_partitions.partition is 'The partition.';

-- Lineage: rows of any calculation, and one line of the reports.
create function margin.rows_of(shown anyelement, calculation bigint) returns setof anyelement language plpgsql stable as $$
declare
    stored text := (select relname from pg_class where reltype = pg_typeof(shown));
    source bigint;
    dated  date;
    kept   bigint;
begin
    select t.source_calculation_id, c.as_of, t.row_count into source, dated, kept
      from margin_data.calculation_tables t join margin_data.calculations c using (calculation_id)
     where t.calculation_id = calculation and t.table_name = stored;
    if not found then
        raise exception 'calculation % has no table %', calculation, coalesce(stored, pg_typeof(shown)::text);
    end if;
    return query execute format('select * from margin_data.%I where as_of = $1 and calculation_id = $2', stored) using dated, source;
    if not found and kept > 0 then
        raise exception 'the % rows of % in calculation % are no longer kept', kept, stored, calculation;
    end if;
end $$;
comment on function margin.rows_of(anyelement, bigint) is
    'Rows of a table as a calculation shows them, superseded or not: select * from margin.rows_of(null::margin.positions, 17).';

create function margin_data.percent_decoded(written text) returns text language plpgsql immutable as $$
begin
    return (select convert_from(coalesce(string_agg(
                case when piece[1] ~ '^%[0-9A-Fa-f]{2}$' then decode(substr(piece[1], 2), 'hex') else convert_to(piece[1], 'UTF8') end,
                ''::bytea order by place), ''), 'UTF8')
              from regexp_matches(written, '%[0-9A-Fa-f]{2}|.', 'gs') with ordinality as pieces (piece, place));
exception when others then
    -- A name with a percent sign of its own.
    return written;
end $$;
comment on function margin_data.percent_decoded(text) is 'Text in which %XX stands for a byte; itself where that gives no text.';

create function margin.find_line(identifier text, calculation bigint default null)
returns table (
    id text, value double precision, unit text, limit_value double precision, status text, reason text, inputs jsonb, reference text,
    parameter_set text, effective_date date, parameter_values json, calculation_id bigint, calculation_state text, run_id text,
    code_version text, input_hash text, content_hash text, known_from timestamptz, known_to timestamptz, files jsonb
) language sql stable as $$
    with asked as (
        select c.*, t.source_calculation_id, f.source_calculation_id as files_of
          from margin_data.calculations c
          join margin_data.calculation_tables t on t.calculation_id = c.calculation_id and t.table_name = 'regulatory_lines'
          left join margin_data.calculation_tables f on f.calculation_id = c.calculation_id and f.table_name = 'landed_files'
         where c.as_of = left(identifier, 10)::date
           and case when calculation is null then c.state = 'published' else c.calculation_id = calculation end
    )
    select concat_ws('/', to_char(l.as_of, 'YYYY-MM-DD'), l.portfolio_id, l.scope, l.regime, l.line_item, l.netting_set_id, l.side),
           l.value, l.unit, l.limit_value, l.status, l.reason, l.inputs::jsonb, l.reference, l.parameter_set, l.effective_date,
           (select p.content -> 'values' from margin_data.calculation_parameters u join margin_data.parameter_sets p using (sha256)
             where u.calculation_id = a.calculation_id and u.name = split_part(l.parameter_set, ':', 1)),
           a.calculation_id, a.state, a.run_id, a.code_version, a.input_hash, a.content_hash, a.known_from, a.known_to,
           (select jsonb_agg(to_jsonb(f) - array['as_of', 'calculation_id'] order by f.source) from margin_data.landed_files f
             where f.as_of = a.as_of and f.calculation_id = a.files_of)
      from asked a
      join margin_data.regulatory_lines l on l.as_of = a.as_of and l.calculation_id = a.source_calculation_id
      cross join lateral (
        select array[l.portfolio_id, l.scope, l.regime, l.line_item, l.netting_set_id, l.side] as key
      ) as k
     -- As it stands, joined by slashes; or as reports write it, where a slash within a part is %2F.
     where array_to_string(k.key, '/') = substr(identifier, 12)
        or k.key = (select array_agg(margin_data.percent_decoded(part) order by place)
                      from unnest(string_to_array(substr(identifier, 12), '/')) with ordinality as parts (part, place))
     order by 1
$$;
comment on function margin.find_line(text, bigint) is
    'A regulatory line by its identifier as_of/portfolio_id/scope/regime/line_item/netting_set_id/side, of the published calculation or of the one given, superseded or not, with everything that it came from.';

do $$
declare col record;
begin
    for col in
        select c.relname, a.attname, col_description(a.attrelid, a.attnum) as text
          from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.oid in ('margin_data.audit_log'::regclass, 'margin_data.retired_partitions'::regclass)
    loop
        execute format('comment on column margin.%I.%I is %L', col.relname, col.attname, col.text);
    end loop;
end $$;

insert into margin_data.audit_log (event, details)
select 'audit_log_opened', jsonb_build_object('calculations_before', coalesce(max(calculation_id), 0)) from margin_data.calculations;
