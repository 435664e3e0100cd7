drop view margin.uncleared_margin_calls;
drop table margin_data.uncleared_margin_calls;
