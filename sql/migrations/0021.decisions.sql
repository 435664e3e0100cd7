-- Decisions: liquidity and collateral as they landed, liquidation plans, allocation of collateral.

create table margin_data.liquidity (
    as_of                 date   not null,
    calculation_id        bigint not null,
    symbol                text   not null,
    average_daily_volume  double precision check (average_daily_volume >= 0),
    spread_bps            double precision check (spread_bps >= 0),
    lot_size              double precision check (lot_size >= 0),
    primary key (as_of, calculation_id, symbol)
) partition by range (as_of);
comment on table  margin_data.liquidity is 'What trading a symbol costs.';
comment on column margin_data.liquidity.average_daily_volume is 'Quantity that trades on an average day, units or contracts; 0: it does not trade. Empty: not known.';
comment on column margin_data.liquidity.spread_bps is 'Bid-ask spread, basis points of the mark. Empty: that of the asset class in liquidation.yaml.';
comment on column margin_data.liquidity.lot_size is 'Quantity in multiples of which it trades, units or contracts; 0: any. Empty: that of the asset class in liquidation.yaml.';

create table margin_data.collateral (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    asset           text   not null,
    asset_type      text   not null,
    issuer          text,
    currency        text   not null,
    market_value    double precision not null check (market_value >= 0),
    carry_cost      double precision not null,
    primary key (as_of, calculation_id, portfolio_id, asset)
) partition by range (as_of);
comment on table  margin_data.collateral is 'Assets that portfolios can give as collateral.';
comment on column margin_data.collateral.asset is 'Identity of the asset.';
comment on column margin_data.collateral.asset_type is 'Type that eligibility goes by.';
comment on column margin_data.collateral.issuer is 'Who issued it; empty: nobody that counts.';
comment on column margin_data.collateral.currency is 'ISO 4217 code of the asset and of its value.';
comment on column margin_data.collateral.market_value is 'Value that is free to be given, currency of the row.';
comment on column margin_data.collateral.carry_cost is 'What giving it costs, fraction of its market value a year; negative: it earns.';

create table margin_data.collateral_requirements (
    as_of           date   not null,
    calculation_id  bigint not null,
    requirement_id  text   not null,
    portfolio_id    text   not null,
    amount          double precision not null check (amount >= 0),
    currency        text   not null,
    primary key (as_of, calculation_id, requirement_id)
) partition by range (as_of);
comment on table  margin_data.collateral_requirements is 'What portfolios have to cover with collateral.';
comment on column margin_data.collateral_requirements.requirement_id is 'Identity of the requirement.';
comment on column margin_data.collateral_requirements.amount is 'What is to be covered after haircuts, currency of the row.';
comment on column margin_data.collateral_requirements.currency is 'ISO 4217 code.';

create table margin_data.collateral_eligibility (
    as_of                date   not null,
    calculation_id       bigint not null,
    requirement_id       text   not null,
    asset_type           text   not null,
    haircut              double precision not null check (haircut between 0 and 1),
    fx_haircut           double precision check (fx_haircut between 0 and 1),
    concentration_limit  double precision check (concentration_limit between 0 and 1),
    primary key (as_of, calculation_id, requirement_id, asset_type)
) partition by range (as_of);
comment on table  margin_data.collateral_eligibility is 'Types of assets that requirements accept, and on what terms; a type without a row is not accepted.';
comment on column margin_data.collateral_eligibility.requirement_id is 'Requirement.';
comment on column margin_data.collateral_eligibility.asset_type is 'Type of asset.';
comment on column margin_data.collateral_eligibility.haircut is 'Part of the market value that does not count, fraction.';
comment on column margin_data.collateral_eligibility.fx_haircut is 'Further part that does not count of an asset in another currency, fraction. Empty: such assets are not accepted.';
comment on column margin_data.collateral_eligibility.concentration_limit is 'Most that the type, and any one issuer in it, may cover of the requirement after haircuts, fraction. Empty: no limit.';

create table margin_data.liquidation_plans (
    as_of                   date   not null,
    calculation_id          bigint not null,
    portfolio_id            text   not null,
    strategy                text   not null,
    symbol                  text   not null,
    method                  text   not null,
    group_id                text,
    groups                  jsonb  not null,
    quantity_before         double precision not null,
    trade_quantity          double precision not null,
    value                   double precision not null check (value >= 0),
    spread_cost             double precision not null check (spread_cost >= 0),
    impact_cost             double precision not null check (impact_cost >= 0),
    cost                    double precision not null check (cost >= 0),
    cost_basis              text   not null,
    margin_released         double precision not null,
    margin_equity_released  double precision not null,
    marginal_value          double precision check (marginal_value >= 0),
    plan_status             text   not null check (plan_status in ('verified', 'infeasible')),
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol),
    check (quantity_before * trade_quantity < 0),
    check (abs(trade_quantity) <= abs(quantity_before))
) partition by range (as_of);
comment on table  margin_data.liquidation_plans is 'Trades of least cost that bring the utilization of a portfolio back to its target; portfolios without rows have a reason in liquidation_plan_summaries.';
comment on column margin_data.liquidation_plans.method is 'Governing method whose utilization comes down.';
comment on column margin_data.liquidation_plans.group_id is 'Group of strategy_groups that the trade closes units of, of several the one with the largest part; empty: the position is in none.';
comment on column margin_data.liquidation_plans.groups is 'Parts of the trade by group: group_id, units closed (of the whole group), quantity (of this position).';
comment on column margin_data.liquidation_plans.quantity_before is 'Units or contracts held, short negative.';
comment on column margin_data.liquidation_plans.trade_quantity is 'Units or contracts to buy, sales negative; a position comes nearer to 0 and never changes sides.';
comment on column margin_data.liquidation_plans.value is 'What is traded at the mark, base currency; futures and leveraged contracts: notional.';
comment on column margin_data.liquidation_plans.spread_cost is 'Half the bid-ask spread of it, base currency.';
comment on column margin_data.liquidation_plans.impact_cost is 'Market impact of it, base currency.';
comment on column margin_data.liquidation_plans.cost is 'spread_cost + impact_cost, base currency.';
comment on column margin_data.liquidation_plans.cost_basis is 'Where spread, volume and lot come from: given, or the default of liquidation.yaml.';
comment on column margin_data.liquidation_plans.margin_released is 'Part of the fall of the maintenance margin of the portfolio, base currency; the parts add up to it. Negative: closing it takes away a hedge.';
comment on column margin_data.liquidation_plans.margin_equity_released is 'What margin equity gains by the trade before cost (value of options that did not count), base currency.';
comment on column margin_data.liquidation_plans.marginal_value is 'What the plan would cost less if one more unit of the position could be closed, base currency, by the dual prices; empty: infeasible plan.';
comment on column margin_data.liquidation_plans.plan_status is 'verified: the margin computed again after all trades is at the target or below; infeasible: everything that can be closed, which is not enough.';

create table margin_data.liquidation_plan_summaries (
    as_of                 date   not null,
    calculation_id        bigint not null,
    portfolio_id          text   not null,
    method                text   not null,
    plan_status           text   not null check (plan_status in ('verified', 'infeasible', 'undetermined', 'not_needed')),
    target_utilization    double precision not null check (target_utilization >= 0),
    maintenance_before    double precision check (maintenance_before >= 0),
    maintenance_after     double precision check (maintenance_after >= 0),
    margin_equity_before  double precision,
    margin_equity_after   double precision,
    utilization_before    double precision check (utilization_before >= 0),
    utilization_after     double precision check (utilization_after >= 0),
    status_after          text,
    trades                bigint not null check (trades >= 0),
    cost                  double precision check (cost >= 0),
    cost_bound            double precision,
    gap                   double precision check (gap >= 0),
    equity_dual           double precision check (equity_dual >= 0),
    explanation           jsonb  not null,
    missing               jsonb,
    primary key (as_of, calculation_id, portfolio_id),
    check ((plan_status = 'undetermined') = (missing is not null)),
    check (plan_status = 'undetermined' or utilization_before is not null),
    check (plan_status not in ('verified', 'infeasible') or (cost is not null and utilization_after is not null)),
    check (plan_status <> 'verified' or utilization_after <= target_utilization + 1e-9),
    check (plan_status <> 'infeasible' or utilization_after > target_utilization),
    check (plan_status in ('verified', 'infeasible') or trades = 0)
) partition by range (as_of);
comment on table  margin_data.liquidation_plan_summaries is 'How each portfolio gets back to its target utilization, what it costs and what one more dollar of equity is worth.';
comment on column margin_data.liquidation_plan_summaries.method is 'Governing method.';
comment on column margin_data.liquidation_plan_summaries.plan_status is 'verified: the trades bring utilization to the target, by the margin computed again; infeasible: closing everything that can be closed does not; undetermined: utilization is not known; not_needed: it is at the target or below.';
comment on column margin_data.liquidation_plan_summaries.target_utilization is 'Utilization to come down to, fraction.';
comment on column margin_data.liquidation_plan_summaries.maintenance_before is 'Maintenance margin today, base currency.';
comment on column margin_data.liquidation_plan_summaries.maintenance_after is 'Maintenance margin computed again after the trades, base currency.';
comment on column margin_data.liquidation_plan_summaries.margin_equity_before is 'Margin equity today, base currency.';
comment on column margin_data.liquidation_plan_summaries.margin_equity_after is 'Margin equity after trades and their cost, base currency.';
comment on column margin_data.liquidation_plan_summaries.utilization_before is 'Utilization today, fraction; infinite where margin equity is used up.';
comment on column margin_data.liquidation_plan_summaries.utilization_after is 'Utilization after the trades and their cost, fraction; infinite where margin equity is used up.';
comment on column margin_data.liquidation_plan_summaries.status_after is 'Status after the trades, as in portfolio_margins.';
comment on column margin_data.liquidation_plan_summaries.trades is 'Positions that are traded, count.';
comment on column margin_data.liquidation_plan_summaries.cost is 'Cost of all trades, base currency.';
comment on column margin_data.liquidation_plan_summaries.cost_bound is 'No plan of the program costs less, base currency; empty: no program was solved.';
comment on column margin_data.liquidation_plan_summaries.gap is '(cost - cost_bound) / cost, fraction; 0 where nothing is paid.';
comment on column margin_data.liquidation_plan_summaries.equity_dual is 'What the plan would cost less with one more unit of base currency of equity, base currency: dual price of the target in the relaxed program. Empty: no program was solved.';
comment on column margin_data.liquidation_plan_summaries.explanation is 'Rule, parameters, rounds of verification, what cannot be closed and why, what remains.';
comment on column margin_data.liquidation_plan_summaries.missing is 'Why there is no plan, where utilization is not known.';

create table margin_data.collateral_allocations (
    as_of            date   not null,
    calculation_id   bigint not null,
    portfolio_id     text   not null,
    requirement_id   text   not null,
    asset            text   not null,
    asset_type       text   not null,
    requirement      double precision not null check (requirement >= 0),
    market_value     double precision not null check (market_value > 0),
    haircut          double precision not null check (haircut between 0 and 1),
    allocated_value  double precision not null check (allocated_value >= 0),
    carry_cost       double precision not null,
    cost             double precision not null,
    shadow_value     double precision check (shadow_value >= 0),
    primary key (as_of, calculation_id, portfolio_id, requirement_id, asset),
    check (allocated_value <= requirement * (1 + 1e-9))
) partition by range (as_of);
comment on table  margin_data.collateral_allocations is 'Which assets cover which requirements at the least carry cost; rows of a requirement add up to it, less its shortfall.';
comment on column margin_data.collateral_allocations.requirement_id is 'Requirement.';
comment on column margin_data.collateral_allocations.asset is 'Asset.';
comment on column margin_data.collateral_allocations.asset_type is 'Type that its terms go by.';
comment on column margin_data.collateral_allocations.requirement is 'What the whole requirement asks, base currency.';
comment on column margin_data.collateral_allocations.market_value is 'What is given of the asset, at market value, base currency.';
comment on column margin_data.collateral_allocations.haircut is 'Part of it that does not count, that for another currency included, fraction.';
comment on column margin_data.collateral_allocations.allocated_value is 'What it covers: market_value x (1 - haircut), base currency.';
comment on column margin_data.collateral_allocations.carry_cost is 'Cost of giving the asset, fraction of market value a year.';
comment on column margin_data.collateral_allocations.cost is 'market_value x carry_cost, base currency a year.';
comment on column margin_data.collateral_allocations.shadow_value is 'What all requirements would cost less a year with one more unit of base currency of this asset, base currency: dual price of its amount.';

create table margin_data.collateral_summaries (
    as_of            date   not null,
    calculation_id   bigint not null,
    portfolio_id     text   not null,
    requirement_id   text   not null,
    status           text   not null check (status in ('covered', 'short', 'undetermined')),
    requirement      double precision check (requirement >= 0),
    currency         text,
    amount           double precision check (amount >= 0),
    allocated_value  double precision check (allocated_value >= 0),
    shortfall        double precision check (shortfall >= 0),
    cost             double precision,
    marginal_cost    double precision,
    binding_limits   jsonb  not null,
    explanation      jsonb  not null,
    missing          jsonb,
    primary key (as_of, calculation_id, portfolio_id, requirement_id),
    check ((status = 'undetermined') = (missing is not null)),
    check ((status = 'undetermined') = (shortfall is null)),
    check ((status = 'covered') = coalesce(shortfall = 0, false))
) partition by range (as_of);
comment on table  margin_data.collateral_summaries is 'How far each requirement is covered, at what cost, and what one more unit of it would cost.';
comment on column margin_data.collateral_summaries.requirement_id is 'Requirement.';
comment on column margin_data.collateral_summaries.status is 'covered; short: eligible assets do not reach; undetermined: an input is missing, nothing is allocated to it.';
comment on column margin_data.collateral_summaries.requirement is 'What it asks, base currency.';
comment on column margin_data.collateral_summaries.currency is 'ISO 4217 code of the requirement.';
comment on column margin_data.collateral_summaries.amount is 'What it asks, in that currency.';
comment on column margin_data.collateral_summaries.allocated_value is 'What assets cover after haircuts, base currency.';
comment on column margin_data.collateral_summaries.shortfall is 'requirement - allocated_value, base currency.';
comment on column margin_data.collateral_summaries.cost is 'Carry cost of the assets given, base currency a year.';
comment on column margin_data.collateral_summaries.marginal_cost is 'What one more unit of base currency of the requirement would cost, base currency a year: dual price, its limits growing with it. Empty: short or undetermined.';
comment on column margin_data.collateral_summaries.binding_limits is 'Concentration limits that bind: asset_type or issuer, limit (fraction), value (base currency, what one more unit of room would save a year).';
comment on column margin_data.collateral_summaries.explanation is 'Rule, parameters, assets eligible and not and why, total cost and proven bound of the portfolio.';
comment on column margin_data.collateral_summaries.missing is 'What is missing.';

do $$ begin perform margin_data.show_tables(array['liquidity', 'collateral', 'collateral_requirements', 'collateral_eligibility',
    'liquidation_plans', 'liquidation_plan_summaries', 'collateral_allocations', 'collateral_summaries']); end $$;
