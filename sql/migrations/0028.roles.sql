-- Roles: who sees which portfolios, whether sql/roles.sql is in force, and dropping a month without owning its tables.

create table margin_data.portfolio_access (
    role_name     text        not null check (role_name <> ''),
    portfolio_id  text        not null check (portfolio_id <> ''),
    granted_at    timestamptz not null default clock_timestamp(),
    primary key (role_name, portfolio_id)
);
comment on table  margin_data.portfolio_access is 'Which analysts see which portfolios; everything that is changed here is in the audit log. It counts once sql/roles.sql has been applied.';
comment on column margin_data.portfolio_access.role_name is 'Role of the database: a login, or a group that logins are members of.';
comment on column margin_data.portfolio_access.portfolio_id is 'Portfolio; *: all of them, and what is of the firm as a whole.';
comment on column margin_data.portfolio_access.granted_at is 'Instant at which it was granted, UTC.';
create constraint trigger audit_grant after insert or update on margin_data.portfolio_access deferrable initially deferred
    for each row execute function margin_data.audit_row('access_granted');
create constraint trigger audit_revocation after delete on margin_data.portfolio_access deferrable initially deferred
    for each row execute function margin_data.audit_row('access_revoked');

create table margin_data.roles_applied (
    only_row      boolean     primary key default true check (only_row),
    content_hash  text        not null,
    applied_at    timestamptz not null default clock_timestamp()
);
comment on table  margin_data.roles_applied is 'Whether sql/roles.sql is in force in this database: one row, or none.';
comment on column margin_data.roles_applied.only_row is 'True: there is one row at most.';
comment on column margin_data.roles_applied.content_hash is 'SHA-256 of the file as it was applied; empty: it has to be applied again, as the schema has changed since.';
comment on column margin_data.roles_applied.applied_at is 'Instant at which it was applied, UTC.';

-- Anybody who can connect can listen, and row-level security does not hold there: with roles, listeners are told which alert, not what it says.
create or replace function margin_data.tell_listeners() returns trigger language plpgsql as $$
declare
    event text := case when tg_op = 'INSERT' then case when new.escalated_from is null then 'raised' else 'escalated' end
                       when new.cleared_at is distinct from old.cleared_at then 'cleared' else 'acknowledged' end;
begin
    perform pg_notify('margin_alerts', case
        when exists (select from margin_data.roles_applied) then json_build_object('alert_id', new.alert_id, 'event', event)
        else json_build_object(
            'alert_id', new.alert_id, 'event', event, 'portfolio_id', new.portfolio_id, 'kind', new.kind, 'subject', new.subject,
            'severity', new.severity, 'threshold', new.threshold,
            'observed', case when new.observed between -1e300 and 1e300 then new.observed end, 'as_of', new.as_of) end::text);
    return new;
end $$;
comment on function margin_data.tell_listeners() is 'Tells those who listen on channel margin_alerts, when the change is committed; where roles are in force, only which alert and what became of it.';

-- Whoever sees a part of the portfolios sees a part of the rows: none of them does not mean that they are gone.
create or replace function margin.rows_of(shown anyelement, calculation bigint) returns setof anyelement language plpgsql stable as $$
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
    if not found and kept > 0 and not row_security_active(format('margin_data.%I', stored)) then
        raise exception 'the % rows of % in calculation % are no longer kept', kept, stored, calculation;
    end if;
end $$;

-- The pipeline may not drop tables; months of results that retention has found it may, and neither the newest nor one that is written to.
create function margin_data.drop_month(month date, stored text[]) returns void language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    going  record;
    listed text;
begin
    if exists (select from margin_data.calculations c where date_trunc('month', c.as_of) = month and c.state = 'running') then
        raise exception 'a calculation of % is running', to_char(month, 'YYYY-MM');
    end if;
    if month >= (select date_trunc('month', max(c.as_of)) from margin_data.calculations c where c.state = 'published') then
        raise exception '% holds the newest published date', to_char(month, 'YYYY-MM');
    end if;
    select string_agg(format('only margin_data.%I, only margin_data.%I', p.table_name, p.partition_name), ', ' order by p.table_name)
      into listed from margin_data.monthly_partitions p where p.first_day = month and p.table_name = any (stored);
    if listed is null then
        return;
    end if;
    -- All at once or not at all: waiting in the queue would make every reader wait behind us.
    execute 'lock table ' || listed || ' in access exclusive mode nowait';
    for going in
        select p.table_name, p.partition_name from margin_data.monthly_partitions p
         where p.first_day = month and p.table_name = any (stored) order by p.table_name
    loop
        execute format('alter table margin_data.%I detach partition margin_data.%I', going.table_name, going.partition_name);
        execute format('drop table margin_data.%I', going.partition_name);
    end loop;
end $$;
comment on function margin_data.drop_month(date, text[]) is 'Drops the partitions of a month of some tables; refuses months that are written to, the newest published one and later ones, and what readers hold.';
