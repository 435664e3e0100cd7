drop view margin.margin_forecasts, margin.forecast_calibration;
drop table margin_data.margin_forecasts, margin_data.forecast_calibration;
