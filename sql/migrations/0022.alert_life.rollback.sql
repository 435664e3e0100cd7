drop function margin.acknowledge(bigint, text, text);
drop trigger tell_listeners_of_changes on margin_data.alerts;
drop trigger tell_listeners_of_new on margin_data.alerts;
drop function margin_data.tell_listeners();
delete from margin_data.alerts where subject <> '';
drop view margin.alerts cascade;
alter table margin_data.alerts drop constraint one_alert_an_episode;
drop index margin_data.one_open_alert_a_threshold;
alter table margin_data.alerts drop column subject, drop column escalated_from, drop column acknowledgement;
alter table margin_data.alerts add constraint alerts_portfolio_id_kind_threshold_episode_key unique (portfolio_id, kind, threshold, episode);
create unique index one_open_alert_a_threshold on margin_data.alerts (portfolio_id, kind, threshold) where cleared_at is null;
create view margin.alerts as select * from margin_data.alerts;
comment on view margin.alerts is 'Alerts, raised once per episode; cleared when the figure is back below the threshold by the hysteresis.';
comment on column margin_data.alerts.episode is 'Count of times that this threshold was crossed by this portfolio.';
do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.alerts'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.alerts.%I is %L', col.attname, col.text);
    end loop;
end $$;
