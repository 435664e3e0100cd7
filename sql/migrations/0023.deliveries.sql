-- Deliveries of alerts: when last tried, and what a channel does not want.

alter table margin_data.alert_deliveries add column last_attempt_at timestamptz;
alter table margin_data.alert_deliveries add column unwanted boolean not null default false;
alter table margin_data.alert_deliveries add constraint unwanted_is_undelivered check (not unwanted or delivered_at is null);
comment on column margin_data.alert_deliveries.last_attempt_at is 'Instant of the last attempt, UTC.';
comment on column margin_data.alert_deliveries.unwanted is 'Whether the channel leaves such alerts out, by severity, portfolio or kind.';
comment on column margin_data.alert_deliveries.channel is 'Channel: log, webhook, or the name in the notifications file.';
create view margin.alert_deliveries as select * from margin_data.alert_deliveries;
comment on view margin.alert_deliveries is 'What was told to whom, and what failed: one row per alert, event and channel.';
do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.alert_deliveries'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.alert_deliveries.%I is %L', col.attname, col.text);
    end loop;
end $$;
