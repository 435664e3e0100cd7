drop view margin.margin_changes, margin.buying_power, margin.margin_deficiencies, margin.margin_calls, margin.announced_margins, margin.expiry_exposures, margin.expiry_outcomes;
drop table margin_data.margin_changes, margin_data.buying_power, margin_data.margin_deficiencies, margin_data.margin_calls, margin_data.announced_margins, margin_data.expiry_exposures, margin_data.expiry_outcomes;
