drop view margin.risk_arrays, margin.span_parameters, margin.span_margins, margin.span_positions;
drop table margin_data.risk_arrays, margin_data.span_parameters, margin_data.span_margins, margin_data.span_positions;
