drop table margin_data.view_files;
drop function margin.calculation_known_at(date, text, timestamptz);
