-- Accounts: house rates, what the broker asks and why it differs, margin schedules tier by tier, margin level and free margin.

create table margin_data.house_margins (
    as_of             date   not null,
    calculation_id    bigint not null,
    symbol            text   not null,
    asset_class       text   not null,
    initial_rate      double precision not null check (initial_rate between 0 and 1),
    maintenance_rate  double precision not null check (maintenance_rate between 0 and 1),
    primary key (as_of, calculation_id, symbol, asset_class),
    check ((symbol = '') <> (asset_class = ''))
) partition by range (as_of);
comment on table  margin_data.house_margins is 'What the house asks at least, on the date: the greater of the rule and the house counts. Cash accounts and paid long options are exempt.';
comment on column margin_data.house_margins.symbol is 'Instrument; empty text: the row is of an asset class.';
comment on column margin_data.house_margins.asset_class is 'Asset class; empty text: the row is of a symbol.';
comment on column margin_data.house_margins.initial_rate is 'Initial margin, fraction of notional.';
comment on column margin_data.house_margins.maintenance_rate is 'Maintenance margin, fraction of notional.';

create table margin_data.broker_margins (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    symbol              text   not null,
    initial_margin      double precision check (initial_margin >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    primary key (as_of, calculation_id, portfolio_id, symbol),
    check (initial_margin is not null or maintenance_margin is not null)
) partition by range (as_of);
comment on table  margin_data.broker_margins is 'What the broker says that portfolios, or symbols of them, need.';
comment on column margin_data.broker_margins.symbol is 'Instrument; empty text: the whole portfolio.';
comment on column margin_data.broker_margins.initial_margin is 'Initial margin by the broker, base currency; empty: the broker does not say.';
comment on column margin_data.broker_margins.maintenance_margin is 'Maintenance margin by the broker, base currency; empty: the broker does not say.';

create table margin_data.house_additions (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null,
    component           text   not null,
    initial_margin      double precision not null,
    maintenance_margin  double precision not null,
    primary key (as_of, calculation_id, portfolio_id, method, component)
) partition by range (as_of);
comment on table  margin_data.house_additions is 'What house rates add to the margin that the rules alone would ask, by method and component; their sum is component house of portfolio_margin_components. No row: nothing.';
comment on column margin_data.house_additions.method is 'Method, as in portfolio_margins.';
comment on column margin_data.house_additions.component is 'Component to whose positions or groups the house adds: stock, options, futures, tiered, other.';
comment on column margin_data.house_additions.initial_margin is 'Addition to the initial margin, base currency; under strategy_based the grouping without house rates may differ, so that a component may fall.';
comment on column margin_data.house_additions.maintenance_margin is 'Addition to the maintenance margin, base currency; under strategy_based as for initial_margin, the sum over components is not negative.';

create table margin_data.margin_schedule_tiers (
    as_of               date   not null,
    calculation_id      bigint not null,
    schedule            text   not null,
    threshold           double precision not null check (threshold >= 0),
    next_threshold      double precision check (next_threshold > threshold),
    mode                text   not null check (mode in ('bracket', 'marginal')),
    currency            text   not null,
    effective_date      date   not null,
    initial_rate        double precision not null,
    maintenance_rate    double precision not null,
    initial_amount      double precision not null,
    maintenance_amount  double precision not null,
    initial_below       double precision,
    initial_at          double precision,
    initial_jump        double precision,
    maintenance_below   double precision,
    maintenance_at      double precision,
    maintenance_jump    double precision,
    primary key (as_of, calculation_id, schedule, threshold)
) partition by range (as_of);
comment on table  margin_data.margin_schedule_tiers is 'Margin schedules in force on the date, tier by tier, with the cliff at each threshold. Money in schedule currency.';
comment on column margin_data.margin_schedule_tiers.schedule is 'Name, as in instruments.margin_schedule.';
comment on column margin_data.margin_schedule_tiers.threshold is 'Notional from which the tier applies, schedule currency.';
comment on column margin_data.margin_schedule_tiers.next_threshold is 'Notional from which the next tier applies, schedule currency; empty for the last tier.';
comment on column margin_data.margin_schedule_tiers.mode is 'bracket: the whole notional at the rate of its tier; marginal: each slice at its own rate.';
comment on column margin_data.margin_schedule_tiers.currency is 'ISO 4217 code of thresholds and amounts.';
comment on column margin_data.margin_schedule_tiers.effective_date is 'First day of the schedule in force.';
comment on column margin_data.margin_schedule_tiers.initial_rate is 'Initial margin, fraction of notional.';
comment on column margin_data.margin_schedule_tiers.maintenance_rate is 'Maintenance margin, fraction of notional.';
comment on column margin_data.margin_schedule_tiers.initial_amount is 'Cumulative amount a: read marginally, initial margin is initial_rate x notional - a; schedule currency.';
comment on column margin_data.margin_schedule_tiers.maintenance_amount is 'Cumulative amount of the maintenance margin, as initial_amount; schedule currency.';
comment on column margin_data.margin_schedule_tiers.initial_below is 'Initial margin of a notional just below the threshold, in the mode of the schedule, schedule currency; empty for the first tier.';
comment on column margin_data.margin_schedule_tiers.initial_at is 'Initial margin of a notional at the threshold, schedule currency; empty in a marginal schedule that does not begin at 0.';
comment on column margin_data.margin_schedule_tiers.initial_jump is 'initial_at less initial_below, schedule currency: the cliff of a bracket schedule, 0 in a marginal one.';
comment on column margin_data.margin_schedule_tiers.maintenance_below is 'Maintenance margin of a notional just below the threshold, in the mode of the schedule, schedule currency; empty for the first tier.';
comment on column margin_data.margin_schedule_tiers.maintenance_at is 'Maintenance margin of a notional at the threshold, schedule currency; empty in a marginal schedule that does not begin at 0.';
comment on column margin_data.margin_schedule_tiers.maintenance_jump is 'maintenance_at less maintenance_below, schedule currency: the cliff of a bracket schedule, 0 in a marginal one.';

create table margin_data.margin_schedule_positions (
    as_of                 date   not null,
    calculation_id        bigint not null,
    portfolio_id          text   not null,
    strategy              text   not null,
    symbol                text   not null,
    schedule              text,
    mode                  text   check (mode in ('bracket', 'marginal')),
    currency              text,
    notional              double precision check (notional >= 0),
    threshold             double precision,
    next_threshold        double precision,
    distance_to_next      double precision,
    move_to_next          double precision,
    jump_at_next          double precision,
    bracket_initial       double precision,
    bracket_maintenance   double precision,
    marginal_initial      double precision,
    marginal_maintenance  double precision,
    missing               text,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol),
    check ((missing is null) = (bracket_maintenance is not null and marginal_maintenance is not null))
) partition by range (as_of);
comment on table  margin_data.margin_schedule_positions is 'Positions under margin schedules: their tier, how far the next one is, and what both readings of the schedule ask.';
comment on column margin_data.margin_schedule_positions.schedule is 'Schedule of the instrument; empty: it names none.';
comment on column margin_data.margin_schedule_positions.mode is 'Reading that applies: bracket or marginal.';
comment on column margin_data.margin_schedule_positions.currency is 'ISO 4217 code of the schedule.';
comment on column margin_data.margin_schedule_positions.notional is 'Absolute notional, schedule currency.';
comment on column margin_data.margin_schedule_positions.threshold is 'Threshold of the tier that applies, schedule currency.';
comment on column margin_data.margin_schedule_positions.next_threshold is 'Threshold of the next tier, schedule currency; empty in the last one.';
comment on column margin_data.margin_schedule_positions.distance_to_next is 'next_threshold less notional, schedule currency.';
comment on column margin_data.margin_schedule_positions.move_to_next is 'distance_to_next over notional: the growth of notional that reaches the next tier, fraction.';
comment on column margin_data.margin_schedule_positions.jump_at_next is 'Jump of the maintenance margin when the next tier is reached, in the mode that applies, base currency; 0 in a marginal schedule.';
comment on column margin_data.margin_schedule_positions.bracket_initial is 'Initial margin with the whole notional at the rate of its tier, base currency.';
comment on column margin_data.margin_schedule_positions.bracket_maintenance is 'Maintenance margin with the whole notional at the rate of its tier, base currency.';
comment on column margin_data.margin_schedule_positions.marginal_initial is 'Initial margin with each slice at its own rate, base currency.';
comment on column margin_data.margin_schedule_positions.marginal_maintenance is 'Maintenance margin with each slice at its own rate, base currency.';
comment on column margin_data.margin_schedule_positions.missing is 'What is missing; then there are no margins.';

create table margin_data.margin_reconciliation (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    symbol          text   not null,
    measure         text   not null check (measure in ('initial', 'maintenance')),
    method          text   not null,
    base            text   not null check (base in ('portfolio', 'groups', 'positions', 'none')),
    ours            double precision,
    broker          double precision,
    difference      double precision,
    status          text   not null check (status in ('match', 'explained', 'partly_explained', 'unexplained', 'missing')),
    hypothesis      text,
    explained       double precision,
    residual        double precision,
    missing         text,
    explanation     jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, symbol, measure),
    check ((difference is null) = (ours is null or broker is null)),
    check ((status = 'missing') = (difference is null)),
    check ((missing is not null) = (status = 'missing')),
    check ((hypothesis is not null) = (status in ('explained', 'partly_explained'))),
    check ((residual is null) = (difference is null) and (explained is null) = (difference is null))
) partition by range (as_of);
comment on table  margin_data.margin_reconciliation is 'Our margin against the broker''s, and what explains the difference: of named hypotheses the one that leaves least.';
comment on column margin_data.margin_reconciliation.symbol is 'Instrument; empty text: the whole portfolio.';
comment on column margin_data.margin_reconciliation.measure is 'initial or maintenance.';
comment on column margin_data.margin_reconciliation.method is 'Our governing method.';
comment on column margin_data.margin_reconciliation.base is 'What ours is: portfolio (the total), groups (the symbol''s part of its groups), positions (on their own), none (not held).';
comment on column margin_data.margin_reconciliation.ours is 'Our margin, base currency; empty: undetermined, or not held.';
comment on column margin_data.margin_reconciliation.broker is 'The broker''s margin, base currency; empty: the broker does not say.';
comment on column margin_data.margin_reconciliation.difference is 'broker less ours, base currency: positive where the broker asks more.';
comment on column margin_data.margin_reconciliation.status is 'match; explained (what the hypothesis leaves is no more than rounding); partly_explained (it leaves less than half); unexplained; missing (one side is).';
comment on column margin_data.margin_reconciliation.hypothesis is 'What explains the difference, e.g. method:reg_t, without_component:house; empty: nothing does, or nothing is to explain.';
comment on column margin_data.margin_reconciliation.explained is 'What the hypothesis changes of ours, base currency; 0 without one.';
comment on column margin_data.margin_reconciliation.residual is 'difference less explained, base currency.';
comment on column margin_data.margin_reconciliation.missing is 'Which side is missing, and why.';
comment on column margin_data.margin_reconciliation.explanation is 'A sentence (text), and the nearest hypotheses with what each would ask and leave (tested).';

alter table margin_data.portfolio_margins
    add column margin_ratio double precision,
    add column available_to_open double precision,
    add column is_safe boolean,
    add column is_warning boolean,
    add column is_liquidatable boolean;
update margin_data.portfolio_margins set
    margin_ratio = utilization,
    available_to_open = margin_equity - initial_margin,
    is_safe = case when status = 'liquidatable' then false when status <> 'undetermined' then margin_equity >= initial_margin end,
    is_warning = case when status = 'liquidatable' then false when status <> 'undetermined' then margin_equity < initial_margin end,
    is_liquidatable = case when status <> 'undetermined' then status = 'liquidatable' end;
alter table margin_data.portfolio_margins
    add constraint level_is_known_where_status_is check ((is_liquidatable is null) = (status = 'undetermined')),
    add constraint liquidatable_as_status check (is_liquidatable is null or is_liquidatable = (status = 'liquidatable')),
    add constraint one_level check (is_safe is null or is_safe::int + is_warning::int + is_liquidatable::int = 1),
    add constraint safe_and_warning_are_known_together check ((is_safe is null) = (is_warning is null));
comment on column margin_data.portfolio_margins.margin_ratio is 'Margin level: maintenance_margin over margin_equity, fraction; the same figure as utilization.';
comment on column margin_data.portfolio_margins.available_to_open is 'margin_equity less initial_margin, base currency: free margin for new positions (excess is free margin before a call).';
comment on column margin_data.portfolio_margins.is_safe is 'margin_equity covers the initial margin, and the status is not liquidatable. Of is_safe, is_warning and is_liquidatable exactly one holds; empty: not known.';
comment on column margin_data.portfolio_margins.is_warning is 'margin_equity is below the initial margin, and the status is not liquidatable: nothing can be opened, nothing is closed yet.';
comment on column margin_data.portfolio_margins.is_liquidatable is 'The status is liquidatable: something is required and margin_equity does not exceed the maintenance margin, or margin_equity is negative.';

alter table margin_data.liquidation_prices
    add column initial_margin double precision,
    add column available_to_open double precision,
    add column excess double precision,
    add column is_safe boolean,
    add column is_warning boolean,
    add column is_liquidatable boolean;
update margin_data.liquidation_prices set is_liquidatable = case when status <> 'undetermined' then status = 'liquidatable' end;
alter table margin_data.liquidation_prices
    add constraint level_is_known_where_status_is check ((is_liquidatable is null) = (status = 'undetermined')),
    add constraint liquidatable_as_status check (is_liquidatable is null or is_liquidatable = (status = 'liquidatable')),
    add constraint one_level check (is_safe is null or is_safe::int + is_warning::int + is_liquidatable::int = 1),
    add constraint safe_and_warning_are_known_together check ((is_safe is null) = (is_warning is null));
comment on column margin_data.liquidation_prices.initial_margin is 'Initial margin at the mark, base currency.';
comment on column margin_data.liquidation_prices.available_to_open is 'Equity behind the position less its initial margin, base currency.';
comment on column margin_data.liquidation_prices.excess is 'Equity behind the position less its maintenance margin, base currency.';
comment on column margin_data.liquidation_prices.is_safe is 'The equity behind the position covers its initial margin, and the status is not liquidatable. Exactly one of the three holds; empty: not known.';
comment on column margin_data.liquidation_prices.is_warning is 'The equity behind the position is below its initial margin, and the status is not liquidatable.';
comment on column margin_data.liquidation_prices.is_liquidatable is 'The status is liquidatable.';

comment on column margin_data.portfolio_margin_components.component is 'stock, options, futures, tiered, other, house (what house rates add to the rules), boxed, offsets, minimum, schedule_im.';

do $$
declare stored record;
begin
    for stored in
        select c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid
        where n.nspname = 'margin_data' and c.relkind = 'p'
          and a.attname in ('as_of', 'calculation_id', 'portfolio_id', 'strategy', 'symbol') and col_description(c.oid, a.attnum) is null
    loop
        execute format('comment on column margin_data.%I.%I is %L', stored.relname, stored.attname, case stored.attname
            when 'as_of' then 'Business date.' when 'calculation_id' then 'Calculation that wrote the row.'
            when 'portfolio_id' then 'Portfolio.' when 'strategy' then 'Strategy within the portfolio.' else 'Instrument.' end);
    end loop;
    foreach stored.relname in array array['house_margins', 'broker_margins', 'house_additions', 'margin_schedule_tiers',
        'margin_schedule_positions', 'margin_reconciliation', 'portfolio_margins', 'liquidation_prices', 'portfolio_margin_components']
    loop
        perform margin_data.create_reading_view(stored.relname);
    end loop;
end $$;
