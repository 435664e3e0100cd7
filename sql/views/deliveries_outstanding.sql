-- Changes of alerts that nobody has been told yet, or that a channel could not be told.
create or replace view margin.deliveries_outstanding as
with events as (
    select a.alert_id, a.portfolio_id, a.severity, a.kind, e.event, e.happened_at, a.message
      from margin.alerts a
     cross join lateral (values ('raised', a.raised_at), ('cleared', a.cleared_at)) as e (event, happened_at)
     -- What is over and was not told within a day is told no more.
     where e.happened_at is not null and (a.cleared_at is null or e.happened_at > clock_timestamp() - interval '1 day')
)
select e.alert_id, e.portfolio_id, e.severity, e.kind, e.event, e.happened_at, d.channel, coalesce(d.attempts, 0) as attempts,
       d.last_attempt_at, d.last_error, e.message
  from events e
  left join margin.alert_deliveries d using (alert_id, event)
 where d.channel is null or (d.delivered_at is null and not d.unwanted);

comment on view margin.deliveries_outstanding is 'Changes of alerts that no channel has been told yet, or that a channel could not be told: one row a change and channel.';
comment on column margin.deliveries_outstanding.alert_id is 'Identity of the alert.';
comment on column margin.deliveries_outstanding.portfolio_id is 'Portfolio; * for all of them.';
comment on column margin.deliveries_outstanding.severity is 'info, warning, critical or emergency.';
comment on column margin.deliveries_outstanding.kind is 'What is watched.';
comment on column margin.deliveries_outstanding.event is 'raised or cleared.';
comment on column margin.deliveries_outstanding.happened_at is 'Instant of the change, UTC.';
comment on column margin.deliveries_outstanding.channel is 'Channel that could not be told; empty: no channel has been tried.';
comment on column margin.deliveries_outstanding.attempts is 'Attempts so far, count.';
comment on column margin.deliveries_outstanding.last_attempt_at is 'Instant of the last attempt, UTC; empty: there was none.';
comment on column margin.deliveries_outstanding.last_error is 'What went wrong at the last attempt.';
comment on column margin.deliveries_outstanding.message is 'What the alert says.';
