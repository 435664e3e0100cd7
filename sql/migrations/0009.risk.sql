-- Risk by kind of factor, what diversification gains, and all methods of the value at risk.

create table margin_data.portfolio_risk_factors (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    strategy        text   not null,
    factor_kind     text   not null check (factor_kind in ('market', 'sector', 'currency', 'idiosyncratic')),
    factor          text   not null,
    confidence      double precision not null check (confidence > 0 and confidence < 1),
    horizon_days    bigint not null check (horizon_days > 0),
    exposure        double precision,
    component_var   double precision,
    var_share       double precision,
    missing         jsonb,
    primary key (as_of, calculation_id, portfolio_id, strategy, factor_kind, factor, confidence, horizon_days),
    check (factor = '' or factor_kind in ('sector', 'currency')),
    check ((missing is null) = (component_var is not null))
) partition by range (as_of);
comment on table  margin_data.portfolio_risk_factors is 'Gaussian value at risk by kind of risk factor. The rows of a portfolio add up to its value at risk, those of a strategy to its component, those of the strategies to the portfolio''s.';
comment on column margin_data.portfolio_risk_factors.strategy is 'Strategy; empty text: the whole portfolio.';
comment on column margin_data.portfolio_risk_factors.factor_kind is 'market (through beta), sector (how names of a sector move together beyond the market), currency, idiosyncratic (the rest).';
comment on column margin_data.portfolio_risk_factors.factor is 'Name of the sector or currency factor; empty text for the other kinds.';
comment on column margin_data.portfolio_risk_factors.confidence is 'Confidence, fraction.';
comment on column margin_data.portfolio_risk_factors.horizon_days is 'Horizon, trading days.';
comment on column margin_data.portfolio_risk_factors.exposure is 'Net delta exposure, base currency: market: weighted by beta; sector, currency: to it; idiosyncratic: to all names.';
comment on column margin_data.portfolio_risk_factors.component_var is 'Euler component of the Gaussian value at risk of the portfolio, base currency.';
comment on column margin_data.portfolio_risk_factors.var_share is 'component_var over the Gaussian value at risk of the portfolio, fraction; adds up to 1; empty where that is 0.';
comment on column margin_data.portfolio_risk_factors.missing is 'Inputs that are missing; then there is one row without figures.';

create table margin_data.risk_summaries (
    as_of                    date   not null,
    calculation_id           bigint not null,
    portfolio_id             text   not null,
    method                   text   not null check (method in ('gaussian', 'delta_gamma', 'cornish_fisher', 'historical', 'monte_carlo')),
    confidence               double precision not null check (confidence > 0 and confidence < 1),
    horizon_days             bigint not null check (horizon_days > 0),
    stand_alone_var          double precision,
    diversification_benefit  double precision,
    diversification_ratio    double precision,
    portfolio_volatility     double precision check (portfolio_volatility >= 0),
    primary key (as_of, calculation_id, portfolio_id, method, confidence, horizon_days)
) partition by range (as_of);
comment on table  margin_data.risk_summaries is 'What each portfolio gains by holding its strategies together. Empty where portfolio_risk has no figure.';
comment on column margin_data.risk_summaries.method is 'Method of the value at risk, as in portfolio_risk.';
comment on column margin_data.risk_summaries.confidence is 'Confidence, fraction.';
comment on column margin_data.risk_summaries.horizon_days is 'Horizon, trading days.';
comment on column margin_data.risk_summaries.stand_alone_var is 'Sum of the values at risk of the strategies on their own, base currency.';
comment on column margin_data.risk_summaries.diversification_benefit is 'stand_alone_var less the value at risk of the portfolio, base currency.';
comment on column margin_data.risk_summaries.diversification_ratio is 'Value at risk of the portfolio over stand_alone_var, fraction; at most 1 for gaussian; empty where the sum is not positive.';
comment on column margin_data.risk_summaries.portfolio_volatility is 'Standard deviation of the profit of the portfolio under the method, a year (252 days), base currency.';

comment on column margin_data.portfolio_risk.method is 'gaussian (delta-normal), delta_gamma (quadratic, exact tail), cornish_fisher (moments of the historical profits), historical or monte_carlo (both revalue options in full).';
comment on column margin_data.portfolio_risk.standard_error is 'Standard error of the value at risk, base currency; empty for gaussian, delta_gamma and cornish_fisher.';
comment on column margin_data.portfolio_risk.observations is 'Scenarios used, count; empty for gaussian and delta_gamma.';
comment on column margin_data.portfolio_risk.missing is 'Inputs that are missing, or why the method has no figure; then there is none.';
comment on column margin_data.strategy_risk.method is 'gaussian, delta_gamma, cornish_fisher, historical or monte_carlo, as in portfolio_risk.';

do $$ begin perform margin_data.show_tables(array['portfolio_risk_factors', 'risk_summaries', 'portfolio_risk', 'strategy_risk']); end $$;
