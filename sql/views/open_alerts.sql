-- Alerts that nobody and nothing has cleared yet, the worst first.
create or replace view margin.open_alerts as
select alert_id, as_of, portfolio_id, severity, kind, threshold, observed, message, raised_at, acknowledged_by, subject
  from margin.alerts
 where cleared_at is null
 order by array_position(array['emergency', 'critical', 'warning', 'info'], severity), portfolio_id, kind, subject, threshold;

comment on view margin.open_alerts is 'Alerts that are open, the worst first.';
comment on column margin.open_alerts.alert_id is 'Identity of the alert.';
comment on column margin.open_alerts.as_of is 'Business date whose figures raised it.';
comment on column margin.open_alerts.portfolio_id is 'Portfolio.';
comment on column margin.open_alerts.severity is 'info, warning, critical or emergency.';
comment on column margin.open_alerts.kind is 'What is watched.';
comment on column margin.open_alerts.threshold is 'Threshold that was crossed, in the unit of observed.';
comment on column margin.open_alerts.observed is 'Figure that crossed it (utilization: fraction).';
comment on column margin.open_alerts.message is 'One line for a person.';
comment on column margin.open_alerts.raised_at is 'Instant of the raise, UTC.';
comment on column margin.open_alerts.acknowledged_by is 'Who took note; empty: nobody yet.';
comment on column margin.open_alerts.subject is 'What it is about within portfolio and kind: a symbol, a regulatory line; empty: the portfolio.';
