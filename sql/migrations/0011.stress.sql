-- Stress: scenarios of users, results of scenarios by portfolio and strategy, and reverse stress.

create table margin_data.stress_scenarios (
    as_of           date   not null,
    calculation_id  bigint not null,
    scenario        text   not null,
    target_kind     text   not null check (target_kind in ('market', 'sector', 'asset_class', 'symbol', 'currency', 'volatility', 'rate', 'liquidity', 'criterion')),
    target          text   not null,
    shock           double precision not null,
    primary key (as_of, calculation_id, scenario, target_kind, target)
) partition by range (as_of);
comment on table  margin_data.stress_scenarios is 'Stress scenarios that users brought with the date, a row a shock or criterion; one of a shipped name replaces the shipped one.';
comment on column margin_data.stress_scenarios.scenario is 'Name of the scenario.';
comment on column margin_data.stress_scenarios.target_kind is 'What the row shocks: market, sector, asset_class, symbol, currency, volatility, rate, liquidity; or criterion.';
comment on column margin_data.stress_scenarios.target is 'Name within the kind; empty text for market and for the shift of all rates.';
comment on column margin_data.stress_scenarios.shock is 'Fraction (prices, currencies, volatility, cost of leaving), basis points (rates), or limit of the criterion.';

create table margin_data.stress_results (
    as_of                 date   not null,
    calculation_id        bigint not null,
    portfolio_id          text   not null,
    method                text   not null,
    scenario              text   not null,
    is_governing          boolean not null,
    description           text   not null,
    source                text   not null,
    pnl                   double precision,
    liquidity_cost        double precision check (liquidity_cost >= 0),
    equity_after          double precision,
    initial_margin_after  double precision check (initial_margin_after >= 0),
    margin_after          double precision check (margin_after >= 0),
    margin_equity_after   double precision,
    utilization_after     double precision check (utilization_after >= 0),
    status_after          text   not null check (status_after in ('safe', 'warning', 'critical', 'emergency', 'undetermined', 'liquidatable')),
    passed                boolean,
    failed_criteria       jsonb,
    missing               jsonb,
    primary key (as_of, calculation_id, portfolio_id, method, scenario),
    check ((passed is null) = (status_after = 'undetermined')),
    check ((passed is null) = (failed_criteria is null)),
    check (passed is null or pnl is not null and liquidity_cost is not null and margin_after is not null),
    check (passed is not null or missing is not null)
) partition by range (as_of);
comment on table  margin_data.stress_results is 'Profit, margin and verdict of each portfolio after each stress scenario, under each method of its account.';
comment on column margin_data.stress_results.method is 'Margin method, as in portfolio_margins.';
comment on column margin_data.stress_results.scenario is 'Name of the scenario.';
comment on column margin_data.stress_results.is_governing is 'Whether the method governs the account.';
comment on column margin_data.stress_results.description is 'What happens in the scenario.';
comment on column margin_data.stress_results.source is 'Where its moves come from.';
comment on column margin_data.stress_results.pnl is 'Profit of all positions in the scenario, base currency; empty: a position could not be valued.';
comment on column margin_data.stress_results.liquidity_cost is 'Cost of leaving all positions in the scenario, base currency.';
comment on column margin_data.stress_results.equity_after is 'Equity and profit less the cost of leaving, base currency.';
comment on column margin_data.stress_results.initial_margin_after is 'Initial margin of the shocked positions, base currency.';
comment on column margin_data.stress_results.margin_after is 'Maintenance margin of the shocked positions, base currency.';
comment on column margin_data.stress_results.margin_equity_after is 'What margin_after is measured against, base currency.';
comment on column margin_data.stress_results.utilization_after is 'margin_after over margin_equity_after, fraction; infinite where margin equity is used up.';
comment on column margin_data.stress_results.status_after is 'Status after the scenario, as in portfolio_margins.';
comment on column margin_data.stress_results.passed is 'Whether all criteria of the scenario are met; empty: undetermined, which is no pass.';
comment on column margin_data.stress_results.failed_criteria is 'Criteria that are not met: criterion, limit, observed (empty where it is beyond any number).';
comment on column margin_data.stress_results.missing is 'What is missing for the result.';

create table margin_data.stress_strategy_results (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    strategy        text   not null,
    scenario        text   not null,
    pnl             double precision,
    liquidity_cost  double precision check (liquidity_cost >= 0),
    primary key (as_of, calculation_id, portfolio_id, strategy, scenario)
) partition by range (as_of);
comment on table  margin_data.stress_strategy_results is 'Profit of each strategy in each stress scenario; strategies add up to the portfolio.';
comment on column margin_data.stress_strategy_results.scenario is 'Name of the scenario.';
comment on column margin_data.stress_strategy_results.pnl is 'Profit of the strategy, base currency; empty: a position of it could not be valued.';
comment on column margin_data.stress_strategy_results.liquidity_cost is 'Cost of leaving its positions, base currency.';

create table margin_data.reverse_stress (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null,
    excess              double precision,
    loss                double precision,
    distance            double precision check (distance >= 0),
    probability         double precision check (probability between 0 and 1),
    probability_within  double precision check (probability_within between 0 and 1),
    horizon_days        bigint not null check (horizon_days >= 1),
    market_move         double precision check (market_move >= -1),
    moves               jsonb,
    reachable           boolean,
    reason              text,
    missing             jsonb,
    primary key (as_of, calculation_id, portfolio_id),
    check ((reachable is null) = (missing is not null)),
    check ((reachable is true) = (distance is not null)),
    check (reachable is not false or reason is not null)
) partition by range (as_of);
comment on table  margin_data.reverse_stress is 'The most likely shock that exhausts the excess of each portfolio under its governing method, the requirement held at today''s amount.';
comment on column margin_data.reverse_stress.method is 'Governing method.';
comment on column margin_data.reverse_stress.excess is 'Margin equity less maintenance margin today, base currency: what is to be lost.';
comment on column margin_data.reverse_stress.loss is 'Loss at the moves, options revalued in full, base currency; empty: not reachable.';
comment on column margin_data.reverse_stress.distance is 'Distance of the moves, standard deviations: the square root of r'' x inverse covariance x r over the horizon.';
comment on column margin_data.reverse_stress.probability is 'Of a shock at least as bad in that direction at the end of the horizon: normal tail beyond the distance, fraction.';
comment on column margin_data.reverse_stress.probability_within is 'Of such a shock at some time within the horizon: twice the tail (reflection principle), fraction.';
comment on column margin_data.reverse_stress.horizon_days is 'Horizon of the covariance, trading days.';
comment on column margin_data.reverse_stress.market_move is 'Move of the market nearest to 0 that exhausts the excess when all factors move by beta, fraction; empty: none from -100 % to 200 %, or a factor without beta.';
comment on column margin_data.reverse_stress.moves is 'Largest moves of the shock: factor, move (fraction).';
comment on column margin_data.reverse_stress.reachable is 'Whether the search found such a shock; empty: undetermined.';
comment on column margin_data.reverse_stress.reason is 'Why it is not reachable, or that nothing is left to lose.';
comment on column margin_data.reverse_stress.missing is 'What is missing for the result.';

do $$ begin perform margin_data.show_tables(array['stress_scenarios', 'stress_results', 'stress_strategy_results', 'reverse_stress']); end $$;
