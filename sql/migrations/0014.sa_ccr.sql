-- Exposures to counterparties by the standardised approach (SA-CCR): trades, hedging sets and netting sets with every step.

create table margin_data.sa_ccr_trades (
    as_of                 date    not null,
    calculation_id        bigint  not null,
    portfolio_id          text    not null,
    netting_set_id        text    not null,
    trade_id              text    not null,
    asset_class           text    not null check (asset_class in ('interest_rate', 'fx', 'credit', 'equity', 'commodity')),
    hedging_set           text    not null,
    entity                text    not null,
    kind                  text    not null check (kind in ('ordinary', 'basis', 'volatility', 'inflation')),
    direction             text    check (direction in ('long', 'short')),
    is_option             boolean not null,
    market_value          double precision,
    adjusted_notional     double precision check (adjusted_notional >= 0),
    start_years           double precision check (start_years >= 0),
    end_years             double precision check (end_years >= 0),
    exercise_years        double precision check (exercise_years > 0),
    supervisory_duration  double precision check (supervisory_duration > 0),
    supervisory_delta     double precision check (supervisory_delta between -15 and 15),
    maturity_years        double precision not null check (maturity_years > 0),
    maturity_factor       double precision not null check (maturity_factor > 0),
    supervisory_factor    double precision check (supervisory_factor > 0),
    correlation           double precision check (correlation between 0 and 1),
    effective_notional    double precision,
    missing               text,
    primary key (as_of, calculation_id, portfolio_id, netting_set_id, trade_id),
    check (missing is not null or (market_value is not null and effective_notional is not null)),
    check (effective_notional is null or (adjusted_notional is not null and supervisory_delta is not null and supervisory_factor is not null))
) partition by range (as_of);
comment on table  margin_data.sa_ccr_trades is 'Each derivative from its notional to its effective notional under SA-CCR: adjusted notional x supervisory delta x maturity factor.';
comment on column margin_data.sa_ccr_trades.netting_set_id is 'Netting set, as in netting_sets.';
comment on column margin_data.sa_ccr_trades.trade_id is 'Trade, as in otc_trades.';
comment on column margin_data.sa_ccr_trades.asset_class is 'Class of the primary risk driver; a rate trade in two currencies is fx.';
comment on column margin_data.sa_ccr_trades.hedging_set is 'Hedging set within the asset class: currency, currency pair, credit, equity or commodity group, with the kind if it is not ordinary.';
comment on column margin_data.sa_ccr_trades.entity is 'Reference entity, index or commodity type; empty text for interest rates and exchange rates.';
comment on column margin_data.sa_ccr_trades.kind is 'ordinary; basis (factor x 0.5) and volatility (factor x 5) have hedging sets of their own, and so has inflation.';
comment on column margin_data.sa_ccr_trades.direction is 'Side in the primary risk factor of the hedging set: sign of the supervisory delta; empty: unknown.';
comment on column margin_data.sa_ccr_trades.is_option is 'Whether the delta is that of an option.';
comment on column margin_data.sa_ccr_trades.market_value is 'Present value to the portfolio, base currency.';
comment on column margin_data.sa_ccr_trades.adjusted_notional is 'Adjusted notional, base currency.';
comment on column margin_data.sa_ccr_trades.start_years is 'Start of the period referred to, years (interest rate and credit).';
comment on column margin_data.sa_ccr_trades.end_years is 'End of the period referred to, years (interest rate and credit).';
comment on column margin_data.sa_ccr_trades.exercise_years is 'Time to the last exercise day, years (options), at least one business day.';
comment on column margin_data.sa_ccr_trades.supervisory_duration is 'Supervisory duration, years (interest rate and credit), at least ten business days.';
comment on column margin_data.sa_ccr_trades.supervisory_delta is 'Supervisory delta, signed; fraction.';
comment on column margin_data.sa_ccr_trades.maturity_years is 'Time until the last day on which the trade may be active or is settled to zero, years, at least ten business days.';
comment on column margin_data.sa_ccr_trades.maturity_factor is 'Maturity factor of the netting set''s treatment, fraction: of the margin period of risk where margined, else of the maturity.';
comment on column margin_data.sa_ccr_trades.supervisory_factor is 'Supervisory factor with the factor of the kind, fraction.';
comment on column margin_data.sa_ccr_trades.correlation is 'Supervisory correlation of the entity or commodity type, fraction; 1 where trades offset in full.';
comment on column margin_data.sa_ccr_trades.effective_notional is 'Effective notional, signed, base currency; empty: something is missing.';
comment on column margin_data.sa_ccr_trades.missing is 'What the trade lacks for its value or its effective notional.';

create table margin_data.sa_ccr_hedging_sets (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    netting_set_id      text   not null,
    asset_class         text   not null check (asset_class in ('interest_rate', 'fx', 'credit', 'equity', 'commodity')),
    hedging_set         text   not null,
    trades              bigint not null check (trades >= 1),
    effective_notional  double precision,
    supervisory_factor  double precision check (supervisory_factor > 0),
    add_on              double precision check (add_on >= 0),
    missing             text,
    details             jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, netting_set_id, asset_class, hedging_set),
    check ((add_on is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.sa_ccr_hedging_sets is 'Add-on of each hedging set of each netting set under SA-CCR.';
comment on column margin_data.sa_ccr_hedging_sets.netting_set_id is 'Netting set, as in netting_sets.';
comment on column margin_data.sa_ccr_hedging_sets.asset_class is 'Asset class, as in sa_ccr_trades.';
comment on column margin_data.sa_ccr_hedging_sets.hedging_set is 'Hedging set within the asset class, as in sa_ccr_trades.';
comment on column margin_data.sa_ccr_hedging_sets.trades is 'Number of trades.';
comment on column margin_data.sa_ccr_hedging_sets.effective_notional is 'Effective notional, base currency: over maturity buckets (interest rate), or the signed sum (fx); empty in other classes, whose entities have their own in details.';
comment on column margin_data.sa_ccr_hedging_sets.supervisory_factor is 'Supervisory factor, fraction; empty where entities or commodity types differ.';
comment on column margin_data.sa_ccr_hedging_sets.add_on is 'Add-on, base currency; empty: something is missing.';
comment on column margin_data.sa_ccr_hedging_sets.missing is 'What the add-on lacks.';
comment on column margin_data.sa_ccr_hedging_sets.details is 'Parts (maturity bucket, entity, index or commodity type) with effective notional, supervisory factor, correlation and add-on.';

create table margin_data.sa_ccr_netting_sets (
    as_of                           date    not null,
    calculation_id                  bigint  not null,
    portfolio_id                    text    not null,
    netting_set_id                  text    not null,
    is_margined                     boolean not null,
    is_cleared                      boolean not null,
    trades                          bigint  not null check (trades >= 0),
    value                           double precision,
    collateral                      double precision,
    threshold                       double precision check (threshold >= 0),
    minimum_transfer_amount         double precision check (minimum_transfer_amount >= 0),
    net_independent_collateral      double precision not null,
    margin_period_of_risk_days      double precision check (margin_period_of_risk_days > 0),
    replacement_cost                double precision check (replacement_cost >= 0),
    add_on_interest_rate            double precision check (add_on_interest_rate >= 0),
    add_on_fx                       double precision check (add_on_fx >= 0),
    add_on_credit                   double precision check (add_on_credit >= 0),
    add_on_equity                   double precision check (add_on_equity >= 0),
    add_on_commodity                double precision check (add_on_commodity >= 0),
    add_on                          double precision check (add_on >= 0),
    multiplier                      double precision check (multiplier between 0.05 and 1),
    potential_future_exposure       double precision check (potential_future_exposure >= 0),
    unmargined_exposure_at_default  double precision check (unmargined_exposure_at_default >= 0),
    exposure_at_default             double precision check (exposure_at_default >= 0),
    missing                         text,
    explanation                     jsonb   not null,
    primary key (as_of, calculation_id, portfolio_id, netting_set_id),
    check ((exposure_at_default is null) = (missing is not null)),
    check (exposure_at_default is null or (replacement_cost is not null and potential_future_exposure is not null)),
    check (is_margined = (margin_period_of_risk_days is not null))
) partition by range (as_of);
comment on table  margin_data.sa_ccr_netting_sets is 'Exposure at default of each netting set under SA-CCR: 1.4 x (replacement cost + multiplier x add-on), margined sets at most what they would have unmargined.';
comment on column margin_data.sa_ccr_netting_sets.netting_set_id is 'Netting set, as in netting_sets.';
comment on column margin_data.sa_ccr_netting_sets.is_margined is 'Whether variation margin is exchanged.';
comment on column margin_data.sa_ccr_netting_sets.is_cleared is 'Whether a central counterparty stands between the parties.';
comment on column margin_data.sa_ccr_netting_sets.trades is 'Number of trades.';
comment on column margin_data.sa_ccr_netting_sets.value is 'Market value of the trades to the portfolio, base currency.';
comment on column margin_data.sa_ccr_netting_sets.collateral is 'Net collateral held, base currency: independent collateral and variation margin, given or assumed (explanation).';
comment on column margin_data.sa_ccr_netting_sets.threshold is 'Variation margin threshold, base currency.';
comment on column margin_data.sa_ccr_netting_sets.minimum_transfer_amount is 'Least amount that is called, base currency.';
comment on column margin_data.sa_ccr_netting_sets.net_independent_collateral is 'Net independent collateral amount, base currency; 0 where none is given.';
comment on column margin_data.sa_ccr_netting_sets.margin_period_of_risk_days is 'Margin period of risk with its floor, business days; empty: not margined.';
comment on column margin_data.sa_ccr_netting_sets.replacement_cost is 'Replacement cost, base currency.';
comment on column margin_data.sa_ccr_netting_sets.add_on_interest_rate is 'Add-on of interest rate trades, base currency; 0 without such trades, empty: something is missing.';
comment on column margin_data.sa_ccr_netting_sets.add_on_fx is 'Add-on of exchange-rate trades, base currency; 0 without such trades, empty: something is missing.';
comment on column margin_data.sa_ccr_netting_sets.add_on_credit is 'Add-on of credit trades, base currency; 0 without such trades, empty: something is missing.';
comment on column margin_data.sa_ccr_netting_sets.add_on_equity is 'Add-on of equity trades, base currency; 0 without such trades, empty: something is missing.';
comment on column margin_data.sa_ccr_netting_sets.add_on_commodity is 'Add-on of commodity trades, base currency; 0 without such trades, empty: something is missing.';
comment on column margin_data.sa_ccr_netting_sets.add_on is 'Aggregate add-on: the sum over asset classes, base currency.';
comment on column margin_data.sa_ccr_netting_sets.multiplier is 'Share of the add-on that excess collateral and negative value leave, fraction.';
comment on column margin_data.sa_ccr_netting_sets.potential_future_exposure is 'Multiplier x add-on, base currency.';
comment on column margin_data.sa_ccr_netting_sets.unmargined_exposure_at_default is 'Exposure at default of the same trades and collateral without margin agreement, base currency.';
comment on column margin_data.sa_ccr_netting_sets.exposure_at_default is 'Exposure at default, base currency; empty: something is missing.';
comment on column margin_data.sa_ccr_netting_sets.missing is 'What the exposure lacks: terms of the agreement, figures of trades.';
comment on column margin_data.sa_ccr_netting_sets.explanation is 'Rule, parameter set, treatment, variation margin (given or assumed), whether the cap binds, trades by class.';

do $$ begin perform margin_data.show_tables(array['sa_ccr_trades', 'sa_ccr_hedging_sets', 'sa_ccr_netting_sets']); end $$;
