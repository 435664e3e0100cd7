drop view margin.position_greeks;
drop table margin_data.position_greeks;
