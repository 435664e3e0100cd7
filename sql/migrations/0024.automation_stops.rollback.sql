drop view margin.automation_stops;
drop table margin_data.automation_stops;
