-- Policies look at portfolio_access: they go first, and nobody is left with rights that they limited.
do $$
declare
    thing record;
    roles text := (select string_agg(quote_ident(rolname), ', ') from pg_roles
                    where rolname in ('margin_pipeline', 'margin_analyst', 'margin_auditor', 'margin_feed'));
begin
    if roles is not null then
        execute format('revoke all on all tables in schema margin, margin_data from %s', roles);
        execute format('revoke all on schema margin, margin_data from %s', roles);
    end if;
    for thing in select schemaname, tablename, policyname from pg_policies where schemaname = 'margin_data'
    loop
        execute format('drop policy %I on %I.%I', thing.policyname, thing.schemaname, thing.tablename);
    end loop;
    for thing in select relname, relkind from pg_class where relnamespace = 'margin_data'::regnamespace and relrowsecurity
    loop
        execute format('alter table margin_data.%I disable row level security', thing.relname);
    end loop;
    for thing in select oid::regclass as name from pg_class
                  where relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and relkind = 'v' and reloptions is not null
    loop
        execute format('alter view %s reset (security_invoker)', thing.name);
    end loop;
end $$;
grant execute on all functions in schema margin, margin_data to public;
drop function margin_data.drop_month(date, text[]);
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
    if not found and kept > 0 then
        raise exception 'the % rows of % in calculation % are no longer kept', kept, stored, calculation;
    end if;
end $$;
create or replace function margin_data.tell_listeners() returns trigger language plpgsql as $$
begin
    perform pg_notify('margin_alerts', json_build_object(
        'alert_id', new.alert_id,
        'event', case when tg_op = 'INSERT' then case when new.escalated_from is null then 'raised' else 'escalated' end
                      when new.cleared_at is distinct from old.cleared_at then 'cleared' else 'acknowledged' end,
        'portfolio_id', new.portfolio_id, 'kind', new.kind, 'subject', new.subject, 'severity', new.severity,
        'threshold', new.threshold, 'observed', case when new.observed between -1e300 and 1e300 then new.observed end,
        'as_of', new.as_of)::text);
    return new;
end $$;
comment on function margin_data.tell_listeners() is 'Tells those who listen on channel margin_alerts, when the change is committed.';
alter function margin_data.ensure_partitions(date) security invoker;
alter function margin_data.ensure_partitions(date) reset all;
drop table margin_data.roles_applied;
drop table margin_data.portfolio_access;
