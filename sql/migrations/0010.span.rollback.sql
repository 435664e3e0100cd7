drop view margin.risk_arrays, margin.span_parameters, margin.span_margins;
drop table margin_data.risk_arrays, margin_data.span_parameters, margin_data.span_margins;
