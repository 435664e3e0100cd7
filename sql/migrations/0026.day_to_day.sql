-- Day to day: why margin changed, what is called, what can be bought, what announced rates and expiring options will do.

create table margin_data.margin_changes (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null,
    cause               text   not null check (cause in ('trades', 'prices', 'volatility', 'time', 'parameters', 'grouping')),
    amount              double precision,
    initial_amount      double precision,
    maintenance_before  double precision check (maintenance_before >= 0),
    maintenance_after   double precision check (maintenance_after >= 0),
    initial_before      double precision check (initial_before >= 0),
    initial_after       double precision check (initial_after >= 0),
    excess_taken        double precision,
    compared_with       date,
    missing             text,
    primary key (as_of, calculation_id, portfolio_id, method, cause),
    check ((amount is null) = (missing is not null)),
    check (amount is null or maintenance_before is not null and maintenance_after is not null and compared_with is not null),
    check (compared_with < as_of),
    check (excess_taken is null or cause = 'trades')
) partition by range (as_of);
comment on table  margin_data.margin_changes is 'Change of each portfolio''s margin since the date before under its governing method, by cause; the causes add up to it.';
comment on column margin_data.margin_changes.method is 'Governing method.';
comment on column margin_data.margin_changes.cause is 'trades, prices, volatility, time, parameters or grouping, each on top of the ones before it in this order.';
comment on column margin_data.margin_changes.amount is 'Change of maintenance margin by this cause, base currency; empty: undetermined.';
comment on column margin_data.margin_changes.initial_amount is 'Change of initial margin by this cause, base currency; empty: undetermined.';
comment on column margin_data.margin_changes.maintenance_before is 'Maintenance margin of the date before, base currency.';
comment on column margin_data.margin_changes.maintenance_after is 'Maintenance margin of the date, base currency.';
comment on column margin_data.margin_changes.initial_before is 'Initial margin of the date before, base currency.';
comment on column margin_data.margin_changes.initial_after is 'Initial margin of the date, base currency.';
comment on column margin_data.margin_changes.excess_taken is 'What trades took of a Regulation T account''s excess (negative: freed), base currency, at the marks of the date before; empty for other causes and accounts.';
comment on column margin_data.margin_changes.compared_with is 'Newest published date before; empty: there is none.';
comment on column margin_data.margin_changes.missing is 'Why the change is not split.';

create table margin_data.buying_power (
    as_of                                date   not null,
    calculation_id                       bigint not null,
    portfolio_id                         text   not null,
    account_type                         text   not null,
    currency                             text   not null,
    margin_equity                        double precision,
    standing_requirement                 double precision check (standing_requirement >= 0),
    excess                               double precision,
    previous_special_memorandum_account  double precision check (previous_special_memorandum_account >= 0),
    traded_requirement                   double precision,
    special_memorandum_account           double precision check (special_memorandum_account >= 0),
    rate                                 double precision check (rate > 0 and rate <= 1),
    buying_power                         double precision check (buying_power >= 0),
    day_trading_buying_power             double precision check (day_trading_buying_power >= 0),
    reference                            text   not null,
    missing                              text,
    primary key (as_of, calculation_id, portfolio_id),
    check ((buying_power is null) = (missing is not null)),
    check (special_memorandum_account is null or account_type = 'reg_t')
) partition by range (as_of);
comment on table  margin_data.buying_power is 'What each portfolio can still buy, and the special memorandum account of those under Regulation T.';
comment on column margin_data.buying_power.account_type is 'Account type, which decides the rule.';
comment on column margin_data.buying_power.currency is 'ISO 4217 code: base currency of the portfolio.';
comment on column margin_data.buying_power.margin_equity is 'What requirements are measured against, base currency.';
comment on column margin_data.buying_power.standing_requirement is 'Initial margin of what is held, premiums that are paid left out, base currency.';
comment on column margin_data.buying_power.excess is 'margin_equity less standing_requirement, base currency; negative: a margin deficiency.';
comment on column margin_data.buying_power.previous_special_memorandum_account is 'Special memorandum account of the date before, base currency; empty: not known.';
comment on column margin_data.buying_power.traded_requirement is 'What the trades of the day took of the excess (negative: freed), base currency; empty: not known.';
comment on column margin_data.buying_power.special_memorandum_account is 'Greater of the excess and what was there before less what trades took, base currency; empty outside Regulation T accounts.';
comment on column margin_data.buying_power.rate is 'Initial margin of what is bought, fraction of its value.';
comment on column margin_data.buying_power.buying_power is 'Value of stock that could be bought and held overnight, base currency; of accounts without stock: margin that could be used.';
comment on column margin_data.buying_power.day_trading_buying_power is 'Value of stock that could be day traded in the next session, base currency; empty: not a day trading account, or no such rule in force.';
comment on column margin_data.buying_power.reference is 'Rule and paragraph.';
comment on column margin_data.buying_power.missing is 'What is missing.';

create table margin_data.margin_deficiencies (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    kind            text   not null check (kind in ('reg_t', 'maintenance', 'minimum_equity', 'day_trade', 'exchange', 'initial', 'variation')),
    subject         text   not null,
    required        double precision,
    held            double precision,
    amount          double precision check (amount >= 0),
    currency        text   not null,
    due_date        date,
    reference       text   not null,
    missing         text,
    primary key (as_of, calculation_id, portfolio_id, kind, subject),
    check ((amount is null) = (missing is not null)),
    check (amount is null or amount = 0 or due_date >= as_of)
) partition by range (as_of);
comment on table  margin_data.margin_deficiencies is 'What each rule finds lacking on the date, 0 where nothing is; margin_calls are issued from it.';
comment on column margin_data.margin_deficiencies.kind is 'reg_t (trades of the day), maintenance, minimum_equity, day_trade, exchange (futures), initial, variation (uncleared derivatives).';
comment on column margin_data.margin_deficiencies.subject is 'Counterparty, regime and netting set of uncleared derivatives; empty text: the whole portfolio.';
comment on column margin_data.margin_deficiencies.required is 'What the rule asks, base currency.';
comment on column margin_data.margin_deficiencies.held is 'What is there, base currency.';
comment on column margin_data.margin_deficiencies.amount is 'What is to be brought, base currency; empty: undetermined, which is not none.';
comment on column margin_data.margin_deficiencies.currency is 'ISO 4217 code: base currency of the portfolio.';
comment on column margin_data.margin_deficiencies.due_date is 'Last session by which a call of this date has to be met.';
comment on column margin_data.margin_deficiencies.reference is 'Rule and paragraph.';
comment on column margin_data.margin_deficiencies.missing is 'What is missing; then nothing is known to be lacking, nor not to be.';

create table margin_data.margin_calls (
    portfolio_id                text   not null,
    kind                        text   not null check (kind in ('reg_t', 'maintenance', 'minimum_equity', 'day_trade', 'exchange', 'initial', 'variation')),
    subject                     text   not null default '',
    due_date                    date   not null,
    as_of                       date   not null,
    calculation_id              bigint not null references margin_data.calculations,
    currency                    text   not null,
    amount                      double precision not null check (amount > 0),
    outstanding                 double precision not null check (outstanding >= 0),
    seen_as_of                  date   not null,
    special_memorandum_account  double precision,
    buying_power                double precision,
    reference                   text   not null,
    issued_at                   timestamptz not null default clock_timestamp(),
    met_as_of                   date,
    met_at                      timestamptz,
    withdrawn_at                timestamptz,
    primary key (portfolio_id, kind, subject, due_date, as_of),
    check (due_date >= as_of and seen_as_of >= as_of and met_as_of >= as_of),
    check ((met_at is null) = (met_as_of is null)),
    check (met_at is null or outstanding = 0),
    check (withdrawn_at is null or met_at is null)
);
create unique index one_open_margin_call on margin_data.margin_calls (portfolio_id, kind, subject)
    where met_at is null and withdrawn_at is null and kind <> 'reg_t';
comment on table  margin_data.margin_calls is 'Margin calls from their issue to the day they are met; never replaced by date.';
comment on column margin_data.margin_calls.portfolio_id is 'Portfolio that has to bring margin.';
comment on column margin_data.margin_calls.kind is 'reg_t, maintenance, minimum_equity, day_trade, exchange, initial or variation, as in margin_deficiencies.';
comment on column margin_data.margin_calls.subject is 'Counterparty, regime and netting set of uncleared derivatives; empty text: the whole portfolio.';
comment on column margin_data.margin_calls.due_date is 'Last session by which it has to be met.';
comment on column margin_data.margin_calls.as_of is 'Business date whose figures it was issued on.';
comment on column margin_data.margin_calls.calculation_id is 'Calculation that it was last issued or confirmed by on that date.';
comment on column margin_data.margin_calls.currency is 'ISO 4217 code: base currency of the portfolio.';
comment on column margin_data.margin_calls.amount is 'Amount called on that date, base currency.';
comment on column margin_data.margin_calls.outstanding is 'What is still lacking on seen_as_of, base currency; may exceed the amount where more has come to lack since.';
comment on column margin_data.margin_calls.seen_as_of is 'Newest business date on which it was looked at.';
comment on column margin_data.margin_calls.special_memorandum_account is 'Special memorandum account on that date, base currency; empty outside Regulation T accounts.';
comment on column margin_data.margin_calls.buying_power is 'Buying power on that date, base currency; empty: undetermined.';
comment on column margin_data.margin_calls.reference is 'Rule and paragraph.';
comment on column margin_data.margin_calls.issued_at is 'Instant of issue, UTC.';
comment on column margin_data.margin_calls.met_as_of is 'Business date on whose figures nothing lacked any more; empty: open.';
comment on column margin_data.margin_calls.met_at is 'Instant at which that was found, UTC.';
comment on column margin_data.margin_calls.withdrawn_at is 'Instant at which its date was calculated anew and nothing lacked, UTC.';
create view margin.margin_calls as select * from margin_data.margin_calls;
comment on view margin.margin_calls is 'Margin calls from their issue to the day they are met; never replaced by date.';
do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.margin_calls'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.margin_calls.%I is %L', col.attname, col.text);
    end loop;
end $$;

create table margin_data.announced_margins (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    effective_date      date   not null,
    method              text   not null,
    cause               text   not null,
    maintenance_before  double precision check (maintenance_before >= 0),
    maintenance_after   double precision check (maintenance_after >= 0),
    initial_before      double precision check (initial_before >= 0),
    initial_after       double precision check (initial_after >= 0),
    excess_after        double precision,
    missing             text,
    primary key (as_of, calculation_id, portfolio_id, effective_date),
    check (effective_date > as_of),
    check ((maintenance_after is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.announced_margins is 'Margin of today''s positions at today''s marks once rates and rules that are announced take effect; portfolios that nothing changes for are left out.';
comment on column margin_data.announced_margins.effective_date is 'First day on which what is announced applies; everything announced up to it is in.';
comment on column margin_data.announced_margins.method is 'Governing method.';
comment on column margin_data.announced_margins.cause is 'What takes effect on that day: tables with their roots, schedules or asset classes, and parameter files.';
comment on column margin_data.announced_margins.maintenance_before is 'Maintenance margin today, base currency.';
comment on column margin_data.announced_margins.maintenance_after is 'Maintenance margin of the same positions from the effective date on, base currency; empty: undetermined.';
comment on column margin_data.announced_margins.initial_before is 'Initial margin today, base currency; without the least initial margin of an account.';
comment on column margin_data.announced_margins.initial_after is 'Initial margin of the same positions from the effective date on, base currency.';
comment on column margin_data.announced_margins.excess_after is 'Margin equity of today less maintenance_after, base currency.';
comment on column margin_data.announced_margins.missing is 'What is missing.';

create table margin_data.expiry_exposures (
    as_of              date   not null,
    calculation_id     bigint not null,
    portfolio_id       text   not null,
    expiry             date   not null,
    strategy           text   not null,
    symbol             text   not null,
    quantity           double precision not null,
    settlement         text   not null check (settlement in ('physical', 'cash')),
    moneyness          double precision,
    exercised          boolean,
    assigned_quantity  double precision,
    underlying         text,
    resulting_shares   double precision,
    cash               double precision,
    missing            text,
    primary key (as_of, calculation_id, portfolio_id, expiry, strategy, symbol),
    check ((exercised is null) = (missing is not null)),
    check (exercised is null or assigned_quantity is not null and resulting_shares is not null and cash is not null)
) partition by range (as_of);
comment on table  margin_data.expiry_exposures is 'What options that expire within five sessions leave behind if they are exercised and assigned at the marks of the date.';
comment on column margin_data.expiry_exposures.expiry is 'Last day of the option.';
comment on column margin_data.expiry_exposures.quantity is 'Contracts, short negative.';
comment on column margin_data.expiry_exposures.settlement is 'physical or cash.';
comment on column margin_data.expiry_exposures.moneyness is 'What the option is in the money by, instrument currency a unit of the underlying; negative: out of the money.';
comment on column margin_data.expiry_exposures.exercised is 'Whether it is exercised (long) or assigned (short) by exception: in the money by the threshold or more; empty: undetermined.';
comment on column margin_data.expiry_exposures.assigned_quantity is 'Contracts that are exercised (positive) or assigned (negative).';
comment on column margin_data.expiry_exposures.underlying is 'What is delivered.';
comment on column margin_data.expiry_exposures.resulting_shares is 'Units of the underlying that come in (positive) or go out (negative).';
comment on column margin_data.expiry_exposures.cash is 'Cash that comes in (positive) or is needed (negative), base currency.';
comment on column margin_data.expiry_exposures.missing is 'What is missing.';

create table margin_data.expiry_outcomes (
    as_of                date   not null,
    calculation_id       bigint not null,
    portfolio_id         text   not null,
    expiry               date   not null,
    method               text   not null,
    cash                 double precision,
    maintenance_before   double precision check (maintenance_before >= 0),
    maintenance_after    double precision check (maintenance_after >= 0),
    margin_equity_after  double precision,
    excess_before        double precision,
    excess_after         double precision,
    missing              text,
    primary key (as_of, calculation_id, portfolio_id, expiry),
    check ((maintenance_after is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.expiry_outcomes is 'Margin of each portfolio after each expiry within five sessions, everything expired up to it settled at the marks of the date.';
comment on column margin_data.expiry_outcomes.expiry is 'Last day of the options; earlier expiries are settled too.';
comment on column margin_data.expiry_outcomes.method is 'Governing method.';
comment on column margin_data.expiry_outcomes.cash is 'Cash that all of them bring (positive) or need (negative), base currency; empty: undetermined.';
comment on column margin_data.expiry_outcomes.maintenance_before is 'Maintenance margin of the date, base currency.';
comment on column margin_data.expiry_outcomes.maintenance_after is 'Maintenance margin of what is left, base currency; empty: undetermined.';
comment on column margin_data.expiry_outcomes.margin_equity_after is 'What it is measured against, base currency: time value of what expires is lost or gained.';
comment on column margin_data.expiry_outcomes.excess_before is 'Excess of the date, base currency.';
comment on column margin_data.expiry_outcomes.excess_after is 'margin_equity_after less maintenance_after, base currency.';
comment on column margin_data.expiry_outcomes.missing is 'What is missing.';

do $$ begin perform margin_data.show_tables(array['margin_changes', 'buying_power', 'margin_deficiencies', 'announced_margins', 'expiry_exposures', 'expiry_outcomes']); end $$;
