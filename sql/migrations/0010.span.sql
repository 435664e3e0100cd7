-- Scenario margin of futures and options on them: arrays, the exchange's parameters, what portfolios need.

create table margin_data.risk_arrays (
    as_of            date   not null,
    calculation_id   bigint not null,
    symbol           text   not null,
    scenario         bigint not null check (scenario between 1 and 16),
    value            double precision not null,
    composite_delta  double precision,
    primary key (as_of, calculation_id, symbol, scenario)
) partition by range (as_of);
comment on table  margin_data.risk_arrays is 'What one long contract gains in each of 16 scenarios, as the exchange says.';
comment on column margin_data.risk_arrays.scenario is '1, 2: price unchanged; 3 to 14: up and down by a third, two thirds and all of the scan range; odd: volatility up, even: down; 15, 16: extreme moves up and down.';
comment on column margin_data.risk_arrays.value is 'Gain of one long contract, a loss negative, instrument currency.';
comment on column margin_data.risk_arrays.composite_delta is 'Delta of one long contract for spreads and delivery, futures of the class group.';

create table margin_data.span_parameters (
    as_of                date   not null,
    calculation_id       bigint not null,
    class_group          text   not null,
    effective_date       date   not null,
    term                 text   not null check (term in ('price_scan_range', 'volatility_scan_range', 'extreme_multiple', 'extreme_fraction', 'short_option_minimum', 'tier', 'intra_spread_charge', 'delivery_charge', 'delivery_spread_charge', 'inter_commodity_credit', 'unknown')),
    tier_1               double precision not null,
    tier_2               double precision not null,
    delta_1              double precision not null check (delta_1 > 0),
    delta_2              double precision not null check (delta_2 > 0),
    side_1               text   not null check (side_1 in ('a', 'b')),
    side_2               text   not null check (side_2 in ('a', 'b')),
    class_group_2        text   not null,
    priority             double precision not null,
    expiry_from          date   not null,
    expiry_to            date,
    contract_multiplier  double precision check (contract_multiplier > 0),
    value                double precision check (value >= 0),
    currency             text   not null,
    primary key (as_of, calculation_id, class_group, effective_date, term, tier_1, tier_2, class_group_2, priority, expiry_from)
) partition by range (as_of);
comment on table  margin_data.span_parameters is 'Terms of class groups (combined commodities); of each class group and term the rows with the newest effective date are in force together.';
comment on column margin_data.span_parameters.class_group is 'Class group, as in instruments (class_group, else root); the first leg of a credit.';
comment on column margin_data.span_parameters.effective_date is 'First day on which the row applies.';
comment on column margin_data.span_parameters.term is 'What the row gives; unknown: a row of the class group was rejected that did not say.';
comment on column margin_data.span_parameters.tier_1 is 'Tier of the first leg of a spread; of a tier its number.';
comment on column margin_data.span_parameters.tier_2 is 'Tier of the second leg of a spread.';
comment on column margin_data.span_parameters.delta_1 is 'Deltas of the first leg in one spread, futures.';
comment on column margin_data.span_parameters.delta_2 is 'Deltas of the second leg in one spread, futures.';
comment on column margin_data.span_parameters.side_1 is 'Side of the market of the first leg, a or b.';
comment on column margin_data.span_parameters.side_2 is 'Side of the second leg: opposite where it differs from side_1.';
comment on column margin_data.span_parameters.class_group_2 is 'Class group of the second leg of a credit; empty text: none.';
comment on column margin_data.span_parameters.priority is 'Order in which spreads are formed, smallest first.';
comment on column margin_data.span_parameters.expiry_from is 'First expiry (of the future) that the row is of.';
comment on column margin_data.span_parameters.expiry_to is 'Last expiry (of the future) that the row is of; empty: any.';
comment on column margin_data.span_parameters.contract_multiplier is 'Multiplier of the contract that value and deltas are of; empty: each contract''s own.';
comment on column margin_data.span_parameters.value is 'Money in the currency of the row a contract, spread or delta; an absolute volatility; a multiple or fraction. Empty: a row of this term was rejected, so it is not known (a tier has none).';
comment on column margin_data.span_parameters.currency is 'ISO 4217 code.';

create table margin_data.span_margins (
    as_of                   date   not null,
    calculation_id          bigint not null,
    portfolio_id            text   not null,
    class_group             text   not null,
    scan_risk               double precision check (scan_risk >= 0),
    worst_scenario          bigint check (worst_scenario between 1 and 16),
    intra_commodity_charge  double precision check (intra_commodity_charge >= 0),
    delivery_charge         double precision check (delivery_charge >= 0),
    inter_commodity_credit  double precision check (inter_commodity_credit >= 0),
    short_option_minimum    double precision check (short_option_minimum >= 0),
    net_option_value        double precision,
    net_delta               double precision,
    credited_delta          double precision check (credited_delta >= 0),
    maintenance_margin      double precision check (maintenance_margin >= 0),
    initial_margin          double precision check (initial_margin >= 0),
    minimum_binds           boolean,
    price_moves             double precision[] not null,
    volatility_moves        double precision[] not null,
    losses                  double precision[],
    missing                 text,
    explanation             jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, class_group),
    check ((missing is null) = (maintenance_margin is not null)),
    check ((missing is null) = (losses is not null)),
    check ((initial_margin is null) = (maintenance_margin is null))
) partition by range (as_of);
comment on table  margin_data.span_margins is 'Scenario margin of the futures and options on futures of a portfolio in a class group.';
comment on column margin_data.span_margins.class_group is 'Class group (combined commodity).';
comment on column margin_data.span_margins.scan_risk is 'Greatest loss over the 16 scenarios, base currency; 0 where none loses.';
comment on column margin_data.span_margins.worst_scenario is 'First scenario with that loss; empty: none loses. All of them stand in explanation.';
comment on column margin_data.span_margins.intra_commodity_charge is 'Charge of spreads between expiries, base currency.';
comment on column margin_data.span_margins.delivery_charge is 'Charge of expiries in delivery, base currency.';
comment on column margin_data.span_margins.inter_commodity_credit is 'Credit of spreads with other class groups, base currency; at most the scan risk.';
comment on column margin_data.span_margins.short_option_minimum is 'Least requirement of the short options, base currency.';
comment on column margin_data.span_margins.net_option_value is 'Value of long less short options, base currency; equity contains it, so nothing is subtracted.';
comment on column margin_data.span_margins.net_delta is 'Net delta, futures; empty: no term needs it, or it is not known.';
comment on column margin_data.span_margins.credited_delta is 'Delta that credits used, futures; at most the size of net_delta.';
comment on column margin_data.span_margins.maintenance_margin is 'scan_risk + intra_commodity_charge + delivery_charge - inter_commodity_credit, at least short_option_minimum, base currency.';
comment on column margin_data.span_margins.initial_margin is 'maintenance_margin x the ratio in force, base currency.';
comment on column margin_data.span_margins.minimum_binds is 'Whether the short option minimum is the requirement.';
comment on column margin_data.span_margins.price_moves is 'Price move of each scenario, price scan ranges.';
comment on column margin_data.span_margins.volatility_moves is 'Move of the volatility in each scenario, volatility scan ranges.';
comment on column margin_data.span_margins.losses is 'Loss in each scenario, base currency, positive: money lost.';
comment on column margin_data.span_margins.missing is 'What is missing; then there is no margin.';
comment on column margin_data.span_margins.explanation is 'Worst scenarios, arrays given or computed, spreads formed, price risk, parameters.';

create table margin_data.span_positions (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    strategy        text   not null,
    symbol          text   not null,
    class_group     text   not null,
    array_source    text   not null check (array_source in ('given', 'computed', 'missing')),
    delta           double precision,
    loss            double precision,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol)
) partition by range (as_of);
comment on table  margin_data.span_positions is 'Positions under scenario margin of futures; exchange margins a contract apply to the others.';
comment on column margin_data.span_positions.class_group is 'Class group (combined commodity) that the position counts in.';
comment on column margin_data.span_positions.array_source is 'given: the exchange''s risk array; computed: from its scan ranges; missing: neither.';
comment on column margin_data.span_positions.delta is 'Delta of the position, futures of the class group; empty: not known.';
comment on column margin_data.span_positions.loss is 'Loss in the first worst scenario of the class group, base currency, a gain negative; they add up to its scan risk. Empty: the margin is missing.';

do $$ begin perform margin_data.show_tables(array['risk_arrays', 'span_parameters', 'span_margins', 'span_positions']); end $$;
