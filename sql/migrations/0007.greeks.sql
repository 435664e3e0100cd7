-- Greeks of positions, early exercise included.

create table margin_data.position_greeks (
    as_of                      date    not null,
    calculation_id             bigint  not null,
    portfolio_id               text    not null,
    strategy                   text    not null,
    symbol                     text    not null,
    risk_factor                text,
    is_option                  boolean not null,
    implied_volatility         double precision check (implied_volatility >= 0),
    implied_volatility_reason  text,
    american_value             double precision check (american_value >= 0),
    early_exercise_premium     double precision check (early_exercise_premium >= 0),
    delta                      double precision,
    gamma                      double precision,
    vega                       double precision,
    theta                      double precision,
    rho                        double precision,
    dollar_delta               double precision,
    dollar_gamma               double precision,
    dollar_vega                double precision,
    dollar_theta               double precision,
    missing                    text,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol),
    check (missing is not null or dollar_delta is not null),
    check (missing is not null or is_option = (dollar_gamma is not null)),
    check ((dollar_delta is null) = (delta is null)),
    check (is_option or implied_volatility is null),
    check ((american_value is null) = (early_exercise_premium is null))
) partition by range (as_of);
comment on table  margin_data.position_greeks is 'Greeks of option positions, early exercise included, per unit and in base currency; of other positions the delta alone.';
comment on column margin_data.position_greeks.risk_factor is 'What the position moves with: a symbol with a price history, or fx: and a currency.';
comment on column margin_data.position_greeks.is_option is 'Whether the position is an option or a warrant.';
comment on column margin_data.position_greeks.implied_volatility is 'Volatility at which the model value is the price, annualised fraction: American value for American options, Black-Scholes-Merton for European ones; 0 by rule at or below the intrinsic value and at expiry.';
comment on column margin_data.position_greeks.implied_volatility_reason is 'Why the volatility is 0 or missing: at_or_below_intrinsic, expired, at_or_above_upper_bound, missing_input, invalid_input, not_converged; empty: it reproduces the price.';
comment on column margin_data.position_greeks.american_value is 'Value of an American option at its implied volatility, instrument currency per unit of multiplier; empty for European options.';
comment on column margin_data.position_greeks.early_exercise_premium is 'american_value less the European value at the same volatility, instrument currency per unit of multiplier; empty for European options.';
comment on column margin_data.position_greeks.delta is 'Change of value for a change of 1 in the price of the underlying, per unit; 1 for linear positions, 1 over the entry price for inverse contracts.';
comment on column margin_data.position_greeks.gamma is 'Change of delta for a change of 1 in the price of the underlying, per unit.';
comment on column margin_data.position_greeks.vega is 'Change of value for 1.00 of volatility, instrument currency per unit.';
comment on column margin_data.position_greeks.theta is 'Change of value over a calendar day, instrument currency per unit; mostly negative.';
comment on column margin_data.position_greeks.rho is 'Change of value for 1.00 of the rate, instrument currency per unit; options on futures: of discounting alone.';
comment on column margin_data.position_greeks.dollar_delta is 'Change of value for a relative move of 1 of the risk factor, base currency, by delta alone.';
comment on column margin_data.position_greeks.dollar_gamma is 'Second derivative of value for a relative move of the risk factor, base currency: gamma x spot squared x size; half of it times the square of a move is what delta leaves.';
comment on column margin_data.position_greeks.dollar_vega is 'Change of value for 0.01 of volatility, base currency.';
comment on column margin_data.position_greeks.dollar_theta is 'Change of value over a calendar day, base currency.';
comment on column margin_data.position_greeks.missing is 'What is missing; then there are no figures, but for an option at its strike without time or volatility, which lacks a gamma alone.';

do $$ begin perform margin_data.show_tables(array['position_greeks']); end $$;
