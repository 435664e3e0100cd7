-- Alerts: what they are about within a portfolio, what they escalate, who took note, and a notification for whoever listens.

alter table margin_data.alerts add column subject text not null default '';
alter table margin_data.alerts add column escalated_from bigint references margin_data.alerts;
alter table margin_data.alerts add column acknowledgement text;
alter table margin_data.alerts drop constraint alerts_portfolio_id_kind_threshold_episode_key;
alter table margin_data.alerts add constraint one_alert_an_episode unique (portfolio_id, kind, subject, threshold, episode);
drop index margin_data.one_open_alert_a_threshold;
create unique index one_open_alert_a_threshold on margin_data.alerts (portfolio_id, kind, subject, threshold) where cleared_at is null;
comment on column margin_data.alerts.subject is 'What it is about within portfolio and kind: a symbol, a regulatory line, a check; empty: the portfolio.';
comment on column margin_data.alerts.escalated_from is 'Open alert of the next lower threshold of the same figure when this one was raised; empty: none.';
comment on column margin_data.alerts.acknowledgement is 'What was said when somebody took note.';
comment on column margin_data.alerts.episode is 'Count of times that this threshold was crossed by this subject.';

create or replace view margin.alerts as select * from margin_data.alerts;
comment on column margin.alerts.subject is 'What it is about within portfolio and kind: a symbol, a regulatory line, a check; empty: the portfolio.';
comment on column margin.alerts.escalated_from is 'Open alert of the next lower threshold of the same figure when this one was raised; empty: none.';
comment on column margin.alerts.acknowledgement is 'What was said when somebody took note.';
comment on column margin.alerts.episode is 'Count of times that this threshold was crossed by this subject.';

create function margin_data.tell_listeners() returns trigger language plpgsql as $$
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
create trigger tell_listeners_of_new after insert on margin_data.alerts for each row execute function margin_data.tell_listeners();
create trigger tell_listeners_of_changes after update on margin_data.alerts for each row
    when (new.cleared_at is distinct from old.cleared_at or new.acknowledged_at is distinct from old.acknowledged_at)
    execute function margin_data.tell_listeners();

create function margin.acknowledge(alert bigint, who text, note text default null) returns boolean language plpgsql as $$
begin
    if coalesce(trim(who), '') = '' then
        raise exception 'say who takes note of alert %', alert;
    end if;
    update margin_data.alerts set acknowledged_by = who, acknowledged_at = clock_timestamp(), acknowledgement = note
     where alert_id = alert and acknowledged_at is null;
    return found;
end $$;
comment on function margin.acknowledge(bigint, text, text) is 'Records who took note of an alert; false where it is unknown or somebody has already.';
