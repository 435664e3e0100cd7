drop view margin.alert_deliveries;
delete from margin_data.alert_deliveries where unwanted;
alter table margin_data.alert_deliveries drop constraint unwanted_is_undelivered, drop column unwanted, drop column last_attempt_at;
