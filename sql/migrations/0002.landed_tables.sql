-- Landed tables: what the files of one date said, after validation.
-- as_of is the folder's date; a history (prices, rates, ...) is read over all folders up to a date.

create table margin_data.rejected_rows (
    as_of           date   not null,
    calculation_id  bigint not null,
    source          text   not null,
    row_number      bigint not null check (row_number >= 0),
    column_name     text   not null,
    reason          text   not null,
    portfolio_id    text,
    raw             jsonb  not null,
    primary key (as_of, calculation_id, source, row_number, column_name)
) partition by range (as_of);
comment on table  margin_data.rejected_rows is 'Input rows that broke their contract: kept here, used nowhere. A position that was rejected leaves its portfolio undetermined.';
comment on column margin_data.rejected_rows.source is 'File name, e.g. positions.csv.';
comment on column margin_data.rejected_rows.row_number is 'Line of the file, the header being 1 (Parquet: row, the first being 1).';
comment on column margin_data.rejected_rows.column_name is 'Column at fault; empty when the whole line is.';
comment on column margin_data.rejected_rows.reason is 'What is wrong, in words.';
comment on column margin_data.rejected_rows.portfolio_id is 'Portfolio that the row names, where it names a known one.';
comment on column margin_data.rejected_rows.raw is 'The row as it was read.';

create table margin_data.landed_files (
    as_of           date   not null,
    calculation_id  bigint not null,
    source          text   not null,
    rows_read       bigint not null check (rows_read >= 0),
    rows_accepted   bigint not null check (rows_accepted >= 0),
    rows_rejected   bigint not null check (rows_rejected >= 0),
    content_hash    text   not null,
    primary key (as_of, calculation_id, source),
    check (rows_read = rows_accepted + rows_rejected)
) partition by range (as_of);
comment on table  margin_data.landed_files is 'Files of the date that were read: rows read = accepted + rejected.';
comment on column margin_data.landed_files.source is 'File name, e.g. positions.csv.';
comment on column margin_data.landed_files.rows_read is 'Records in the file, count (header and blank lines apart).';
comment on column margin_data.landed_files.rows_accepted is 'Records that were used, count; identical repeats included.';
comment on column margin_data.landed_files.rows_rejected is 'Records in rejected_rows, count.';
comment on column margin_data.landed_files.content_hash is 'SHA-256 of the file.';

create table margin_data.portfolios (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    account_type    text   not null check (account_type in ('cash', 'reg_t', 'portfolio_margin', 'futures', 'crypto_cross', 'crypto_isolated', 'otc')),
    equity          double precision not null,
    base_currency   text   not null,
    jurisdiction    text,
    entity_type     text,
    primary key (as_of, calculation_id, portfolio_id)
) partition by range (as_of);
comment on table  margin_data.portfolios is 'Portfolios of the date.';
comment on column margin_data.portfolios.account_type is 'Which rules govern: cash, reg_t, portfolio_margin, futures, crypto_cross, crypto_isolated, otc.';
comment on column margin_data.portfolios.equity is 'Net liquidation value, base currency.';
comment on column margin_data.portfolios.base_currency is 'ISO 4217 code in which the portfolio is reported.';
comment on column margin_data.portfolios.jurisdiction is 'US, EU, UK or SG.';
comment on column margin_data.portfolios.entity_type is 'hedge_fund, bank, broker_dealer, ...';

create table margin_data.instruments (
    as_of             date   not null,
    calculation_id    bigint not null,
    symbol            text   not null,
    asset_class       text   not null check (asset_class in ('equity', 'etf', 'index', 'equity_option', 'index_option', 'future', 'future_option', 'bond', 'fx', 'crypto', 'commodity', 'convertible', 'warrant')),
    underlying        text,
    option_type       text   check (option_type in ('call', 'put')),
    strike            double precision check (strike > 0),
    expiry            date,
    exercise          text   check (exercise in ('american', 'european')),
    settlement        text   check (settlement in ('physical', 'cash')),
    multiplier        double precision not null check (multiplier > 0),
    deliverable_units double precision check (deliverable_units > 0),
    conversion_ratio  double precision check (conversion_ratio > 0),
    currency          text   not null,
    exchange          text,
    sector            text,
    rating            text,
    modified_duration double precision,
    breadth           text   check (breadth in ('broad_high_cap', 'broad', 'narrow')),
    index_ratio       double precision check (index_ratio > 0),
    leverage_factor   double precision not null check (leverage_factor > 0),
    root              text,
    class_group       text,
    product_group     text,
    margin_schedule   text,
    margin_model      text,
    margin_leverage   double precision check (margin_leverage > 0),
    margin_per_unit   double precision check (margin_per_unit >= 0),
    contract_type     text   check (contract_type in ('linear', 'inverse')),
    primary key (as_of, calculation_id, symbol)
) partition by range (as_of);
comment on table  margin_data.instruments is 'Reference data of the instruments of the date.';
comment on column margin_data.instruments.asset_class is 'Kind of instrument.';
comment on column margin_data.instruments.underlying is 'Symbol that options, futures and warrants are on.';
comment on column margin_data.instruments.option_type is 'call or put.';
comment on column margin_data.instruments.strike is 'Exercise price, instrument currency a unit of the underlying.';
comment on column margin_data.instruments.expiry is 'Last day of the contract.';
comment on column margin_data.instruments.exercise is 'american or european.';
comment on column margin_data.instruments.settlement is 'physical or cash.';
comment on column margin_data.instruments.multiplier is 'Units of the underlying a contract, or money a point.';
comment on column margin_data.instruments.deliverable_units is 'Units delivered a contract where that differs from the multiplier.';
comment on column margin_data.instruments.conversion_ratio is 'Shares that one convertible or warrant gives.';
comment on column margin_data.instruments.currency is 'ISO 4217 code of prices, strikes and exchange rates of margin.';
comment on column margin_data.instruments.exchange is 'Market identifier code (ISO 10383).';
comment on column margin_data.instruments.sector is 'Sector of the issuer.';
comment on column margin_data.instruments.rating is 'Credit rating of the issuer.';
comment on column margin_data.instruments.modified_duration is 'Modified duration, years.';
comment on column margin_data.instruments.breadth is 'Index and ETF breadth: broad_high_cap, broad or narrow.';
comment on column margin_data.instruments.index_ratio is 'Index points a share, for an ETF on an index.';
comment on column margin_data.instruments.leverage_factor is 'Daily leverage of a leveraged fund, 1 otherwise; absolute value.';
comment on column margin_data.instruments.root is 'Row of futures_margins that applies.';
comment on column margin_data.instruments.class_group is 'Class group of risk-based margin.';
comment on column margin_data.instruments.product_group is 'Product group of risk-based margin.';
comment on column margin_data.instruments.margin_schedule is 'Margin schedule that applies (tiered products).';
comment on column margin_data.instruments.margin_model is 'Margin model that overrides the choice by account and asset class.';
comment on column margin_data.instruments.margin_leverage is 'Notional over margin, for model leverage.';
comment on column margin_data.instruments.margin_per_unit is 'Instrument currency a unit, for model per_unit.';
comment on column margin_data.instruments.contract_type is 'linear or inverse (leveraged crypto contracts); empty: spot.';

create table margin_data.position_records (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    strategy        text   not null,
    symbol          text   not null,
    quantity        double precision not null,
    price           double precision check (price >= 0),
    entry_price     double precision check (entry_price >= 0),
    isolated_wallet double precision check (isolated_wallet >= 0),
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol)
) partition by range (as_of);
comment on table  margin_data.position_records is 'Positions as the files gave them, repeated rows added up.';
comment on column margin_data.position_records.quantity is 'Units or contracts, short negative.';
comment on column margin_data.position_records.price is 'Mark given with the position, instrument currency a unit; empty: the close of the day.';
comment on column margin_data.position_records.entry_price is 'Quantity-weighted price paid, instrument currency a unit.';
comment on column margin_data.position_records.isolated_wallet is 'Collateral that backs this position alone, base currency.';

create table margin_data.prices (
    as_of           date   not null,
    calculation_id  bigint not null,
    date            date   not null,
    symbol          text   not null,
    close           double precision not null check (close > 0),
    adjusted_close  double precision check (adjusted_close > 0),
    primary key (as_of, calculation_id, date, symbol)
) partition by range (as_of);
comment on table  margin_data.prices is 'Closes brought by each folder; the history as of a date takes, per date and symbol, the newest folder.';
comment on column margin_data.prices.date is 'Trading day of the close.';
comment on column margin_data.prices.close is 'Mark, instrument currency a unit.';
comment on column margin_data.prices.adjusted_close is 'Close adjusted for dividends and splits, for returns; empty: the close.';

create table margin_data.fx_rates (
    as_of           date   not null,
    calculation_id  bigint not null,
    date            date   not null,
    currency        text   not null,
    usd_rate        double precision not null check (usd_rate > 0),
    primary key (as_of, calculation_id, date, currency)
) partition by range (as_of);
comment on table  margin_data.fx_rates is 'Exchange rates brought by each folder.';
comment on column margin_data.fx_rates.date is 'Day of the rate.';
comment on column margin_data.fx_rates.currency is 'ISO 4217 code.';
comment on column margin_data.fx_rates.usd_rate is 'US dollars for one unit of the currency.';

create table margin_data.rates (
    as_of           date   not null,
    calculation_id  bigint not null,
    date            date   not null,
    currency        text   not null,
    rate            double precision not null,
    primary key (as_of, calculation_id, date, currency)
) partition by range (as_of);
comment on table  margin_data.rates is 'Risk-free rates brought by each folder.';
comment on column margin_data.rates.date is 'Day of the rate.';
comment on column margin_data.rates.currency is 'ISO 4217 code.';
comment on column margin_data.rates.rate is 'Continuously compounded, a year of 365 days, fraction.';

create table margin_data.dividends (
    as_of           date   not null,
    calculation_id  bigint not null,
    symbol          text   not null,
    dividend_yield  double precision not null,
    primary key (as_of, calculation_id, symbol)
) partition by range (as_of);
comment on table  margin_data.dividends is 'Dividend yields of the date.';
comment on column margin_data.dividends.dividend_yield is 'Continuously compounded, a year of 365 days, fraction.';

create table margin_data.futures_margins (
    as_of                  date   not null,
    calculation_id         bigint not null,
    root                   text   not null,
    effective_date         date   not null,
    initial_overnight      double precision not null check (initial_overnight >= 0),
    maintenance_overnight  double precision not null check (maintenance_overnight >= 0),
    initial_intraday       double precision check (initial_intraday >= 0),
    maintenance_intraday   double precision check (maintenance_intraday >= 0),
    primary key (as_of, calculation_id, root, effective_date)
) partition by range (as_of);
comment on table  margin_data.futures_margins is 'Exchange margin of a futures contract from each effective date on.';
comment on column margin_data.futures_margins.root is 'Product root, as in instruments.root.';
comment on column margin_data.futures_margins.effective_date is 'First day on which the rates apply.';
comment on column margin_data.futures_margins.initial_overnight is 'Initial margin a contract held overnight, instrument currency.';
comment on column margin_data.futures_margins.maintenance_overnight is 'Maintenance margin a contract held overnight, instrument currency.';
comment on column margin_data.futures_margins.initial_intraday is 'Initial margin a contract while the market is open, instrument currency.';
comment on column margin_data.futures_margins.maintenance_intraday is 'Maintenance margin a contract while the market is open, instrument currency.';

create table margin_data.margin_schedules (
    as_of             date   not null,
    calculation_id    bigint not null,
    schedule          text   not null,
    mode              text   not null check (mode in ('bracket', 'marginal')),
    threshold         double precision not null check (threshold >= 0),
    initial_rate      double precision not null check (initial_rate between 0 and 1),
    maintenance_rate  double precision not null check (maintenance_rate between 0 and 1),
    currency          text   not null,
    effective_date    date   not null,
    primary key (as_of, calculation_id, schedule, effective_date, threshold)
) partition by range (as_of);
comment on table  margin_data.margin_schedules is 'Tiers of margin schedules from each effective date on.';
comment on column margin_data.margin_schedules.schedule is 'Name, as in instruments.margin_schedule.';
comment on column margin_data.margin_schedules.mode is 'bracket: the whole notional at the rate of its tier; marginal: each slice at its own rate.';
comment on column margin_data.margin_schedules.threshold is 'Notional from which the tier applies, schedule currency.';
comment on column margin_data.margin_schedules.initial_rate is 'Initial margin, fraction of notional.';
comment on column margin_data.margin_schedules.maintenance_rate is 'Maintenance margin, fraction of notional.';
comment on column margin_data.margin_schedules.currency is 'ISO 4217 code of the thresholds.';
comment on column margin_data.margin_schedules.effective_date is 'First day on which the schedule applies.';

create table margin_data.margin_rates (
    as_of             date   not null,
    calculation_id    bigint not null,
    asset_class       text   not null,
    initial_rate      double precision not null check (initial_rate between 0 and 1),
    maintenance_rate  double precision not null check (maintenance_rate between 0 and 1),
    effective_date    date   not null,
    primary key (as_of, calculation_id, asset_class, effective_date)
) partition by range (as_of);
comment on table  margin_data.margin_rates is 'Rates by asset class that replace the shipped table of asset_class_rate.';
comment on column margin_data.margin_rates.asset_class is 'Asset class.';
comment on column margin_data.margin_rates.initial_rate is 'Initial margin, fraction of notional.';
comment on column margin_data.margin_rates.maintenance_rate is 'Maintenance margin, fraction of notional.';
comment on column margin_data.margin_rates.effective_date is 'First day on which the rates apply.';

create table margin_data.strategy_returns (
    as_of           date   not null,
    calculation_id  bigint not null,
    date            date   not null,
    portfolio_id    text   not null,
    strategy        text   not null,
    daily_return    double precision,
    pnl             double precision,
    primary key (as_of, calculation_id, date, portfolio_id, strategy)
) partition by range (as_of);
comment on table  margin_data.strategy_returns is 'Daily results of strategies brought by each folder.';
comment on column margin_data.strategy_returns.date is 'Trading day.';
comment on column margin_data.strategy_returns.strategy is 'Strategy.';
comment on column margin_data.strategy_returns.daily_return is 'Return of the day, fraction.';
comment on column margin_data.strategy_returns.pnl is 'Profit of the day, base currency.';

create table margin_data.entity_figures (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    figure          text   not null,
    value           double precision not null,
    currency        text   not null,
    primary key (as_of, calculation_id, portfolio_id, figure)
) partition by range (as_of);
comment on table  margin_data.entity_figures is 'Capital and other figures of the entity behind a portfolio.';
comment on column margin_data.entity_figures.figure is 'cet1, tier1, total_capital, other_leverage_exposure, ...';
comment on column margin_data.entity_figures.value is 'Amount, in the currency of the row.';
comment on column margin_data.entity_figures.currency is 'ISO 4217 code.';

create table margin_data.exposures (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    exposure_id     text   not null,
    exposure_class  text   not null,
    rating          text,
    amount          double precision not null check (amount >= 0),
    currency        text   not null,
    maturity        date,
    primary key (as_of, calculation_id, portfolio_id, exposure_id)
) partition by range (as_of);
comment on table  margin_data.exposures is 'Credit exposures of the entity behind a portfolio.';
comment on column margin_data.exposures.exposure_id is 'Identity of the exposure.';
comment on column margin_data.exposures.exposure_class is 'Basel exposure class: sovereign, bank, corporate, ...';
comment on column margin_data.exposures.rating is 'External rating; empty: unrated.';
comment on column margin_data.exposures.amount is 'Exposure value, in the currency of the row.';
comment on column margin_data.exposures.currency is 'ISO 4217 code.';
comment on column margin_data.exposures.maturity is 'Last day of the exposure.';

create table margin_data.netting_sets (
    as_of                       date   not null,
    calculation_id              bigint not null,
    netting_set_id              text   not null,
    portfolio_id                text   not null,
    counterparty                text,
    margined                    boolean,
    threshold                   double precision,
    minimum_transfer_amount     double precision,
    net_independent_collateral  double precision,
    margin_period_of_risk_days  double precision,
    im_model                    text   check (im_model in ('simm', 'schedule')),
    regime                      text,
    primary key (as_of, calculation_id, netting_set_id)
) partition by range (as_of);
comment on table  margin_data.netting_sets is 'Netting sets of the date.';
comment on column margin_data.netting_sets.netting_set_id is 'Identity of the netting set.';
comment on column margin_data.netting_sets.counterparty is 'Name of the counterparty.';
comment on column margin_data.netting_sets.margined is 'Whether variation margin is exchanged.';
comment on column margin_data.netting_sets.threshold is 'Variation margin threshold, base currency.';
comment on column margin_data.netting_sets.minimum_transfer_amount is 'Least amount that is called, base currency.';
comment on column margin_data.netting_sets.net_independent_collateral is 'Net independent collateral amount, base currency.';
comment on column margin_data.netting_sets.margin_period_of_risk_days is 'Margin period of risk, business days.';
comment on column margin_data.netting_sets.im_model is 'Agreed model of initial margin: simm or schedule.';
comment on column margin_data.netting_sets.regime is 'Regime of uncleared margin that applies.';

create table margin_data.otc_trades (
    as_of             date   not null,
    calculation_id    bigint not null,
    trade_id          text   not null,
    netting_set_id    text   not null,
    asset_class       text   not null check (asset_class in ('interest_rate', 'fx', 'credit', 'equity', 'commodity')),
    instrument_type   text,
    direction         text   check (direction in ('long', 'short')),
    notional          double precision not null,
    currency          text   not null,
    second_currency   text,
    reference         text,
    sub_class         text,
    start_date        date,
    maturity          date   not null,
    market_value      double precision,
    option_type       text   check (option_type in ('call', 'put')),
    option_position   text,
    strike            double precision,
    underlying_price  double precision,
    exercise_date     date,
    underlying_start  date,
    underlying_end    date,
    primary key (as_of, calculation_id, trade_id)
) partition by range (as_of);
comment on table  margin_data.otc_trades is 'Uncleared derivatives of the date.';
comment on column margin_data.otc_trades.trade_id is 'Identity of the trade.';
comment on column margin_data.otc_trades.netting_set_id is 'Netting set it belongs to.';
comment on column margin_data.otc_trades.asset_class is 'interest_rate, fx, credit, equity or commodity.';
comment on column margin_data.otc_trades.instrument_type is 'swap, forward, option, cds, ...';
comment on column margin_data.otc_trades.direction is 'long or short.';
comment on column margin_data.otc_trades.notional is 'Notional, in the currency of the row.';
comment on column margin_data.otc_trades.currency is 'ISO 4217 code.';
comment on column margin_data.otc_trades.second_currency is 'Other currency of an exchange-rate or cross-currency trade.';
comment on column margin_data.otc_trades.reference is 'Reference entity, index, rate or commodity.';
comment on column margin_data.otc_trades.sub_class is 'Rating, sector, commodity type, index or single.';
comment on column margin_data.otc_trades.start_date is 'First day.';
comment on column margin_data.otc_trades.maturity is 'Last day.';
comment on column margin_data.otc_trades.market_value is 'Present value to us, in the currency of the row.';
comment on column margin_data.otc_trades.option_type is 'call or put.';
comment on column margin_data.otc_trades.option_position is 'bought or sold.';
comment on column margin_data.otc_trades.strike is 'Exercise price or rate.';
comment on column margin_data.otc_trades.underlying_price is 'Price or rate of the underlying.';
comment on column margin_data.otc_trades.exercise_date is 'Last exercise day.';
comment on column margin_data.otc_trades.underlying_start is 'First day of the underlying period.';
comment on column margin_data.otc_trades.underlying_end is 'Last day of the underlying period.';
