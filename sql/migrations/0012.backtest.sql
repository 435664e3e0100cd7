-- Backtests: value at risk against past profits of today's book, and how often its margin would have covered the loss.

create table margin_data.backtest_results (
    as_of                           date   not null,
    calculation_id                  bigint not null,
    portfolio_id                    text   not null,
    method                          text   not null check (method in ('gaussian', 'delta_gamma', 'cornish_fisher', 'historical', 'monte_carlo')),
    confidence                      double precision not null check (confidence > 0 and confidence < 1),
    observations                    bigint check (observations > 0),
    exceptions                      bigint check (exceptions between 0 and observations),
    expected_exceptions             double precision check (expected_exceptions >= 0),
    kupiec_statistic                double precision check (kupiec_statistic >= 0),
    kupiec_p_value                  double precision check (kupiec_p_value between 0 and 1),
    independence_statistic          double precision check (independence_statistic >= 0),
    independence_p_value            double precision check (independence_p_value between 0 and 1),
    conditional_coverage_statistic  double precision check (conditional_coverage_statistic >= 0),
    conditional_coverage_p_value    double precision check (conditional_coverage_p_value between 0 and 1),
    traffic_light                   text   check (traffic_light in ('green', 'yellow', 'red')),
    multiplier_addition             double precision check (multiplier_addition >= 0),
    verdict                         text   check (verdict in ('adequate', 'too_low', 'dependent', 'too_high')),
    passed                          boolean,
    missing                         jsonb,
    primary key (as_of, calculation_id, portfolio_id, method, confidence),
    check ((missing is null) = (observations is not null)),
    check ((observations is null) = (exceptions is null) and (observations is null) = (kupiec_p_value is null)),
    check ((observations is null) = (verdict is null) and (observations is null) = (passed is null)),
    check (passed = (verdict in ('adequate', 'too_high')))
) partition by range (as_of);
comment on table  margin_data.backtest_results is 'Backtest of the one-day value at risk of each portfolio: how often the loss of today''s positions on past days exceeded it, and what the tests say.';
comment on column margin_data.backtest_results.method is 'gaussian (exponentially weighted deviation of the delta profits) or historical (order statistic of the profits revalued in full).';
comment on column margin_data.backtest_results.confidence is 'Confidence of the value at risk, fraction.';
comment on column margin_data.backtest_results.observations is 'Days tested, count; each with a value at risk made from earlier days only.';
comment on column margin_data.backtest_results.exceptions is 'Days on which the loss was greater than the value at risk, count.';
comment on column margin_data.backtest_results.expected_exceptions is 'observations x (1 - confidence), count.';
comment on column margin_data.backtest_results.kupiec_statistic is 'Likelihood ratio of the number of exceptions (Kupiec 1995).';
comment on column margin_data.backtest_results.kupiec_p_value is 'Probability of a greater statistic if the confidence is right; chi-squared, one degree of freedom.';
comment on column margin_data.backtest_results.independence_statistic is 'Likelihood ratio of exceptions after exceptions (Christoffersen 1998).';
comment on column margin_data.backtest_results.independence_p_value is 'Probability of a greater statistic if exceptions are independent; chi-squared, one degree of freedom.';
comment on column margin_data.backtest_results.conditional_coverage_statistic is 'Sum of the two likelihood ratios.';
comment on column margin_data.backtest_results.conditional_coverage_p_value is 'Probability of a greater sum if both hold; chi-squared, two degrees of freedom.';
comment on column margin_data.backtest_results.traffic_light is 'Basel zone, by the binomial probability of that number of exceptions or fewer: green below 95 %, yellow, red from 99.99 %.';
comment on column margin_data.backtest_results.multiplier_addition is 'Addition to the multiplier of capital by the table in force; empty for other than 250 days at 99 %.';
comment on column margin_data.backtest_results.verdict is 'too_low (more exceptions than chance allows), dependent (an exception changes the chance of the next: mostly clusters), too_high (fewer than chance allows), adequate.';
comment on column margin_data.backtest_results.passed is 'Whether the value at risk is large enough: the verdict is adequate or too_high.';
comment on column margin_data.backtest_results.missing is 'Inputs that are missing; then there are no figures.';

create table margin_data.backtest_days (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    method          text   not null,
    confidence      double precision not null,
    session         date   not null,
    profit          double precision not null,
    var             double precision not null,
    is_exception    boolean not null,
    primary key (as_of, calculation_id, portfolio_id, method, confidence, session)
) partition by range (as_of);
comment on table  margin_data.backtest_days is 'The days of the backtest: what today''s positions would have earned, and the value at risk made before the day.';
comment on column margin_data.backtest_days.method is 'Method of the value at risk, as in backtest_results.';
comment on column margin_data.backtest_days.confidence is 'Confidence of the value at risk, fraction.';
comment on column margin_data.backtest_days.session is 'Day on which the return ends.';
comment on column margin_data.backtest_days.profit is 'Profit of today''s positions under the returns of the day, options revalued in full, base currency.';
comment on column margin_data.backtest_days.var is 'One-day value at risk from earlier days only, base currency, loss positive.';
comment on column margin_data.backtest_days.is_exception is 'Whether the loss is greater than the value at risk.';

create table margin_data.margin_coverage (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null,
    is_governing        boolean not null,
    horizon_days        bigint not null check (horizon_days > 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    required_equity     double precision,
    observations        bigint check (observations > 0),
    exceptions          bigint check (exceptions between 0 and observations),
    coverage            double precision check (coverage between 0 and 1),
    target              double precision not null check (target > 0 and target <= 1),
    largest_loss        double precision check (largest_loss >= 0),
    largest_shortfall   double precision check (largest_shortfall >= 0),
    passed              boolean,
    missing             jsonb,
    primary key (as_of, calculation_id, portfolio_id, method, horizon_days),
    check ((missing is null) = (coverage is not null)),
    check ((coverage is null) = (passed is null) and (coverage is null) = (observations is null)),
    check (passed = (coverage >= target))
) partition by range (as_of);
comment on table  margin_data.margin_coverage is 'How often the maintenance margin of today would have covered the loss of today''s positions over the margin period, on past days.';
comment on column margin_data.margin_coverage.method is 'Margin method, as in portfolio_margins.';
comment on column margin_data.margin_coverage.is_governing is 'Whether this method governs the account.';
comment on column margin_data.margin_coverage.horizon_days is 'Margin period, trading days; periods overlap.';
comment on column margin_data.margin_coverage.maintenance_margin is 'Maintenance margin of today, base currency.';
comment on column margin_data.margin_coverage.required_equity is 'Equity at which the account just meets its maintenance margin, base currency: maintenance_margin + equity - margin_equity. This is what losses are compared with.';
comment on column margin_data.margin_coverage.observations is 'Periods tested, count.';
comment on column margin_data.margin_coverage.exceptions is 'Periods whose loss was greater than required_equity, count.';
comment on column margin_data.margin_coverage.coverage is '1 - exceptions / observations, fraction.';
comment on column margin_data.margin_coverage.target is 'Least coverage, fraction (RTS (EU) 153/2013 article 24: 0.995 for OTC derivatives, 0.99 for others).';
comment on column margin_data.margin_coverage.largest_loss is 'Greatest loss over a period, base currency; 0 where there is none.';
comment on column margin_data.margin_coverage.largest_shortfall is 'largest_loss less required_equity, base currency; 0 where it is covered.';
comment on column margin_data.margin_coverage.passed is 'Whether the coverage is at least the target.';
comment on column margin_data.margin_coverage.missing is 'Inputs that are missing; then there are no figures.';

do $$ begin perform margin_data.show_tables(array['backtest_results', 'backtest_days', 'margin_coverage']); end $$;
