-- Forecasts: how likely each portfolio crosses thresholds of utilization soon, and how often such forecasts came true.

create table margin_data.margin_forecasts (
    as_of                     date   not null,
    calculation_id            bigint not null,
    portfolio_id              text   not null,
    horizon_minutes           bigint not null check (horizon_minutes > 0),
    threshold                 double precision not null check (threshold > 0),
    calculated_at             timestamptz not null,
    method                    text   not null,
    breach_probability        double precision check (breach_probability between 0 and 1),
    expected_utilization      double precision check (expected_utilization >= 0),
    utilization               double precision check (utilization >= 0),
    distance                  double precision,
    standard_deviation        double precision check (standard_deviation >= 0),
    median_minutes_to_breach  double precision check (median_minutes_to_breach >= 0),
    missing                   jsonb,
    primary key (as_of, calculation_id, portfolio_id, horizon_minutes, threshold, calculated_at),
    check ((missing is null) = (breach_probability is not null)),
    check ((missing is null) = (distance is not null) and (missing is null) = (standard_deviation is not null)),
    check (missing is null or (utilization is null and expected_utilization is null and median_minutes_to_breach is null)),
    check (median_minutes_to_breach is distinct from 0 or breach_probability = 1)
) partition by range (as_of);
comment on table  margin_data.margin_forecasts is 'Probability that the utilization of each portfolio crosses a threshold within a horizon, under its governing method: first passage from the covariance of the date.';
comment on column margin_data.margin_forecasts.horizon_minutes is 'Minutes of trading from calculated_at on; 390 are one session, whose night counts as no time.';
comment on column margin_data.margin_forecasts.threshold is 'Utilization, fraction; 1 is a margin call.';
comment on column margin_data.margin_forecasts.calculated_at is 'Instant that the horizon begins at: the time of day given for the run, or the close of the date.';
comment on column margin_data.margin_forecasts.method is 'Governing method; empty text: none.';
comment on column margin_data.margin_forecasts.breach_probability is 'Probability that utilization is at or above the threshold at some time within the horizon, fraction; 1 where it is now. Never below that of a higher threshold.';
comment on column margin_data.margin_forecasts.expected_utilization is 'Expected utilization at the horizon without drift of equity and margin, fraction, to second order; empty: margin equity is not positive, or moves too much for the order.';
comment on column margin_data.margin_forecasts.utilization is 'Utilization now, fraction; empty: undetermined.';
comment on column margin_data.margin_forecasts.distance is 'threshold x margin equity - maintenance margin, base currency: what is left before the threshold.';
comment on column margin_data.margin_forecasts.standard_deviation is 'Of a trading day''s change of the distance, base currency, slopes and curvatures of all risk factors; curvature makes it grow with the horizon.';
comment on column margin_data.margin_forecasts.median_minutes_to_breach is 'Minutes of trading within which a breach is as likely as not; at threshold 1 the time to a margin call. Empty: beyond 250 sessions, or never.';
comment on column margin_data.margin_forecasts.missing is 'What is missing; then there are no figures.';

create table margin_data.forecast_calibration (
    as_of           date   not null,
    calculation_id  bigint not null,
    method          text   not null,
    horizon_days    bigint not null check (horizon_days > 0),
    watched         text   not null check (watched in ('at_end', 'at_closes')),
    bin             bigint not null check (bin >= 0),
    lower           double precision not null check (lower >= 0),
    upper           double precision not null check (upper <= 1),
    portfolios      bigint not null check (portfolios >= 0),
    observations    bigint not null check (observations >= 0),
    predicted       double precision check (predicted between 0 and 1),
    observed        double precision check (observed between 0 and 1),
    brier_score     double precision check (brier_score between 0 and 1),
    reliability     double precision check (reliability between 0 and 1),
    base_rate       double precision check (base_rate between 0 and 1),
    missing         jsonb,
    primary key (as_of, calculation_id, method, horizon_days, watched, bin),
    check (lower < upper),
    check ((missing is null) = (predicted is not null) and (missing is null) = (observed is not null)),
    check ((missing is null) = (observations > 0) and (missing is null) = (brier_score is not null))
) partition by range (as_of);
comment on table  margin_data.forecast_calibration is 'Forecasts of margin calls held against the price history: today''s exposures on past days, started at invented distances, with deviations from earlier days only.';
comment on column margin_data.forecast_calibration.method is 'Governing method of the portfolios that were tested; all: every one of them.';
comment on column margin_data.forecast_calibration.horizon_days is 'Horizon, trading days; longer ones overlap.';
comment on column margin_data.forecast_calibration.watched is 'at_end: the distance is used up at the last close; at_closes: at any close within the horizon.';
comment on column margin_data.forecast_calibration.bin is 'Number of the bin of predicted probabilities, from 1; 0: all together.';
comment on column margin_data.forecast_calibration.lower is 'Predicted probability where the bin begins, fraction.';
comment on column margin_data.forecast_calibration.upper is 'Predicted probability where the bin ends, fraction.';
comment on column margin_data.forecast_calibration.portfolios is 'Portfolios with observations in the bin, count.';
comment on column margin_data.forecast_calibration.observations is 'Forecasts in the bin, count; those of one day and of overlapping horizons are not independent.';
comment on column margin_data.forecast_calibration.predicted is 'Mean of the predicted probabilities, fraction.';
comment on column margin_data.forecast_calibration.observed is 'Share of the forecasts that came true, fraction; equal to predicted where forecasts are calibrated.';
comment on column margin_data.forecast_calibration.brier_score is 'Mean squared difference of prediction (0 to 1) and outcome (0 or 1); smaller is better.';
comment on column margin_data.forecast_calibration.reliability is '(predicted - observed) squared; of bin 0 its mean over forecasts, the part of the Brier score that calibration would remove.';
comment on column margin_data.forecast_calibration.base_rate is 'Share of all forecasts of the method, horizon and way of watching that came true, fraction.';
comment on column margin_data.forecast_calibration.missing is 'Why there is nothing to test.';

do $$ begin perform margin_data.show_tables(array['margin_forecasts', 'forecast_calibration']); end $$;
