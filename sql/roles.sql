-- Roles of the results database, and what each may do. It can be applied again at any time: `margin-pipeline database roles`, or psql -1 -f.
--
--   margin_owner     owns schemas, tables and views: applies migrations, says who sees which portfolio (margin_data.portfolio_access)
--   margin_pipeline  calculates and publishes: adds and discards rows, adds to the audit log; cannot change the log, nor drop tables
--   margin_analyst   reads the portfolios that portfolio_access grants, and takes note of their alerts
--   margin_auditor   reads everything, the audit log included; writes nothing
--   margin_feed      upserts live marks
--
-- Nobody logs in as one of them: people and programs have logins of their own that are members. The first time somebody applies this who
-- may create roles and owns the database (a superuser, say); afterwards members of margin_owner may, and `database upgrade` does.
-- Whoever has no grant here sees nothing: what a later migration adds is closed until this has been applied after it.
-- Needs PostgreSQL 15 (views that run with the rights of whoever asks).

do $$
declare
    name text;
begin
    foreach name in array array['margin_owner', 'margin_pipeline', 'margin_analyst', 'margin_auditor', 'margin_feed'] loop
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception when duplicate_object or unique_violation then
                -- Another database of this server has got them in the same moment.
                null;
            end;
        end if;
    end loop;
    if not pg_has_role('margin_owner', 'usage') then
        execute format('grant margin_owner to %I', current_user);
    end if;
end $$;

-- The database: who may connect, and what owning the schema takes. Asked first, as members of margin_owner need not own the database.
do $$
declare
    name text;
begin
    if has_database_privilege('public', current_database(), 'connect') then
        execute format('revoke connect, temporary on database %I from public', current_database());
    end if;
    foreach name in array array['margin_owner', 'margin_pipeline', 'margin_analyst', 'margin_auditor', 'margin_feed'] loop
        if not has_database_privilege(name, current_database(), 'connect') then
            execute format('grant connect on database %I to %I', current_database(), name);
        end if;
    end loop;
    -- Rows are staged in temporary tables: a bulk load cannot go into a table with row-level security.
    if not has_database_privilege('margin_pipeline', current_database(), 'temporary') then
        execute format('grant temporary on database %I to margin_pipeline', current_database());
    end if;
    if not has_database_privilege('margin_owner', current_database(), 'create') then
        execute format('grant create, temporary on database %I to margin_owner', current_database());
    end if;
    -- The record of applied migrations stands in schema public.
    if not has_schema_privilege('margin_owner', 'public', 'create') then
        grant usage, create on schema public to margin_owner;
    end if;
end $$;

-- Ownership: one owner, who is no superuser, whoever has applied the migrations. Functions that act for others act as this owner.
do $$
declare
    thing record;
begin
    for thing in
        select nspname from pg_namespace where nspname in ('margin', 'margin_data') and nspowner <> 'margin_owner'::regrole
    loop
        execute format('alter schema %I owner to margin_owner', thing.nspname);
    end loop;
    for thing in
        select c.oid::regclass as name, case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end as kind
          from pg_class c
         where (c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and c.relkind in ('r', 'p', 'v', 'S')
                or c.relnamespace = 'public'::regnamespace and c.relname in ('_yoyo_log', '_yoyo_migration', '_yoyo_version', 'yoyo_lock'))
           and c.relowner <> 'margin_owner'::regrole
           -- Those of identity columns go with their table.
           and not (c.relkind = 'S' and exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i')
                                                 and d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass))
    loop
        execute format('alter %s %s owner to margin_owner', thing.kind, thing.name);
    end loop;
    for thing in
        select p.oid::regprocedure as name from pg_proc p
         where p.pronamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and p.proowner <> 'margin_owner'::regrole
    loop
        execute format('alter function %s owner to margin_owner', thing.name);
    end loop;
end $$;

-- From here on everything is taken back and granted anew, in one transaction, so that nothing stays of what an earlier version granted.
revoke all on all tables in schema margin, margin_data from public, margin_pipeline, margin_analyst, margin_auditor, margin_feed;
revoke all on all sequences in schema margin, margin_data from public, margin_pipeline, margin_analyst, margin_auditor, margin_feed;
revoke all on all functions in schema margin, margin_data from public, margin_pipeline, margin_analyst, margin_auditor, margin_feed;
revoke all on schema margin, margin_data from public, margin_pipeline, margin_analyst, margin_auditor, margin_feed;
-- Rights on single columns are not among those of a table.
revoke all (acknowledged_by, acknowledged_at, acknowledgement) on margin_data.alerts from margin_analyst;
revoke all (symbol, price, marked_at, source) on margin_data.live_marks from margin_feed;
revoke all (symbol, price, marked_at, source) on margin.live_marks from margin_feed;
grant usage on schema margin, margin_data to margin_pipeline, margin_analyst, margin_auditor, margin_feed;

do $$
declare
    -- Tables without a portfolio that say nothing of anybody's positions. One that is in neither list is closed to analysts.
    open_tables constant text[] := array[
        'automation_stops', 'calculation_parameters', 'calculation_tables', 'calculations', 'correlation_clusters', 'correlation_matrices',
        'correlations', 'dividends', 'forecast_calibration', 'futures_margins', 'fx_rates', 'house_margins', 'instruments', 'landed_files',
        'liquidity', 'live_marks', 'margin_rates', 'margin_schedule_tiers', 'margin_schedules', 'parameter_sets', 'prices',
        'published_tables', 'rates', 'retired_partitions', 'risk_arrays', 'roles_applied', 'span_parameters', 'stress_scenarios',
        'symbol_risk', 'view_files'];
    closed_tables constant text[] := array['audit_log'];
    everything constant text := 'exists (select from margin_data.portfolio_access a where a.portfolio_id = ''*'')';
    -- Rows belong to a portfolio by a column, or by what they refer to. Each condition looks once, not once a row.
    conditions constant jsonb := jsonb_build_object(
        'portfolio_access', 'exists (select from pg_catalog.pg_roles r where r.rolname = role_name and pg_has_role(r.oid, ''usage''))',
        'alert_deliveries', 'alert_id in (select l.alert_id from margin_data.alerts l)',
        'otc_trades', everything || ' or (as_of, calculation_id, netting_set_id) in '
                      '(select n.as_of, n.calculation_id, n.netting_set_id from margin_data.netting_sets n)',
        'crif', everything || ' or (as_of, calculation_id, netting_set_id) in '
                '(select n.as_of, n.calculation_id, n.netting_set_id from margin_data.netting_sets n)',
        'collateral_eligibility', everything || ' or (as_of, calculation_id, requirement_id) in '
                '(select q.as_of, q.calculation_id, q.requirement_id from margin_data.collateral_requirements q)');
    of_portfolio constant text := everything || ' or portfolio_id in (select a.portfolio_id from margin_data.portfolio_access a)';
    stored    record;
    condition text;
begin
    for stored in
        select c.relname as name, c.relkind = 'p' as is_partitioned, c.relrowsecurity as is_secured,
               exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'portfolio_id' and not a.attisdropped) as has_portfolio
          from pg_class c
         where c.relnamespace = 'margin_data'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    loop
        execute format('grant select on margin_data.%I to margin_auditor', stored.name);
        -- Nothing is granted on partitions: they have no policies, and everybody goes through their table.
        if stored.is_partitioned then
            execute format('grant select, insert, delete on margin_data.%I to margin_pipeline', stored.name);
        end if;
        continue when stored.name = any (closed_tables);
        condition := coalesce(conditions ->> stored.name, case when stored.has_portfolio then of_portfolio end);
        if condition is not null then
            if not stored.is_secured then
                execute format('alter table margin_data.%I enable row level security', stored.name);
            end if;
            execute format('drop policy if exists pipeline on margin_data.%I', stored.name);
            execute format('drop policy if exists auditor on margin_data.%I', stored.name);
            execute format('drop policy if exists analyst on margin_data.%I', stored.name);
            execute format('create policy pipeline on margin_data.%I to margin_pipeline using (true) with check (true)', stored.name);
            execute format('create policy auditor on margin_data.%I for select to margin_auditor using (true)', stored.name);
            execute format('create policy analyst on margin_data.%I for select to margin_analyst using (%s)', stored.name, condition);
        end if;
        if condition is not null or stored.name = any (open_tables) then
            execute format('grant select on margin_data.%I to margin_analyst', stored.name);
        end if;
    end loop;
    -- Views run with the rights of whoever asks, so that the policies of the tables hold through them, also through views upon views.
    for stored in
        select c.oid::regclass as name, c.relname, c.relnamespace = 'margin'::regnamespace as is_for_readers
          from pg_class c where c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and c.relkind = 'v'
    loop
        execute format('alter view %s set (security_invoker = true)', stored.name);
        execute format('grant select on %s to margin_auditor, margin_pipeline', stored.name);
        if stored.is_for_readers and stored.relname <> all (closed_tables) then
            execute format('grant select on %s to margin_analyst', stored.name);
        end if;
    end loop;
end $$;

-- The pipeline. What belongs to a calculation it may add and discard (above); of the rest, what publication, alerts, calls and live margin need.
grant select, insert, update on margin_data.calculations, margin_data.alerts, margin_data.alert_deliveries, margin_data.automation_stops,
    margin_data.margin_calls to margin_pipeline;
grant select, insert, update, delete on margin_data.calculation_tables, margin_data.published_tables, margin_data.intraday_books,
    margin_data.intraday_positions to margin_pipeline;
grant select, insert on margin_data.parameter_sets, margin_data.calculation_parameters, margin_data.utilization_history,
    margin_data.intraday_rejected_rows, margin_data.retired_partitions to margin_pipeline;
grant select on margin_data.live_marks, margin_data.view_files, margin_data.roles_applied to margin_pipeline;
-- The log numbers, dates and signs rows itself: adding takes no right to read it.
grant insert on margin_data.audit_log to margin_pipeline;
revoke select on margin.audit_log from margin_pipeline;
grant usage on sequence margin_data.live_versions to margin_pipeline;
-- Partitions are made and dropped by the owner's hand; both functions refuse everything else.
alter function margin_data.ensure_partitions(date) security definer set search_path = pg_catalog, pg_temp;
grant execute on function margin_data.ensure_partitions(date), margin_data.discard_rows(bigint), margin_data.drop_month(date, text[])
    to margin_pipeline;

-- Analysts take note of alerts of theirs, once, and change nothing else of them; the audit log has who was logged in.
grant update (acknowledged_by, acknowledged_at, acknowledgement) on margin_data.alerts to margin_analyst;
drop policy if exists acknowledgement on margin_data.alerts;
create policy acknowledgement on margin_data.alerts for update to margin_analyst
    using (acknowledged_at is null
           and (exists (select from margin_data.portfolio_access a where a.portfolio_id = '*')
                or portfolio_id in (select a.portfolio_id from margin_data.portfolio_access a)))
    with check (acknowledged_at is not null);
grant execute on function margin.acknowledge(bigint, text, text) to margin_analyst, margin_pipeline;

grant execute on function margin.calculation_known_at(date, text, timestamptz), margin.rows_of(anyelement, bigint),
    margin.find_line(text, bigint), margin_data.percent_decoded(text) to margin_pipeline, margin_analyst, margin_auditor;
grant execute on function margin_data.audit_text(margin_data.audit_log) to margin_auditor;

-- Feeds: marks, not their numbers, which the database gives.
grant select on margin_data.live_marks, margin.live_marks to margin_feed;
grant insert (symbol, price, marked_at, source), update (symbol, price, marked_at, source) on margin_data.live_marks, margin.live_marks
    to margin_feed;
grant usage on sequence margin_data.live_versions to margin_feed;

-- Commands look whether the schema is that of their version.
grant select on public._yoyo_migration to margin_pipeline, margin_analyst, margin_auditor;

-- The commands write the file's hash here; without one, the next `database upgrade` applies the file again.
insert into margin_data.roles_applied (content_hash) values ('')
on conflict (only_row) do update set content_hash = '', applied_at = clock_timestamp();
