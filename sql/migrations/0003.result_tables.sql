-- Result tables: valuation, estimates, margins, netting, risk and regulation.

create table margin_data.positions (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    strategy        text   not null,
    symbol          text   not null,
    quantity        double precision not null,
    price           double precision check (price >= 0),
    price_source    text   not null check (price_source in ('position', 'close', 'missing')),
    price_date      date,
    market_value    double precision,
    notional        double precision,
    entry_price     double precision,
    isolated_wallet double precision,
    currency        text   not null,
    fx_rate         double precision check (fx_rate > 0),
    asset_class     text   not null,
    underlying      text,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol),
    check ((price is null) = (price_source = 'missing'))
) partition by range (as_of);
comment on table  margin_data.positions is 'Positions valued at the mark of the date. A missing price or exchange rate leaves the value empty and the portfolio undetermined.';
comment on column margin_data.positions.quantity is 'Units or contracts, short negative.';
comment on column margin_data.positions.price is 'Mark, instrument currency a unit.';
comment on column margin_data.positions.price_source is 'position: given with the position; close: the close of the day; missing.';
comment on column margin_data.positions.price_date is 'Day of the mark.';
comment on column margin_data.positions.market_value is 'Signed value, base currency; futures: unsettled variation since the last settlement; linear and inverse crypto contracts: unrealised result.';
comment on column margin_data.positions.notional is 'Signed quantity x multiplier x price (options: x underlying close), base currency.';
comment on column margin_data.positions.entry_price is 'Quantity-weighted price paid, instrument currency a unit.';
comment on column margin_data.positions.isolated_wallet is 'Collateral that backs this position alone, base currency.';
comment on column margin_data.positions.currency is 'ISO 4217 code of the instrument.';
comment on column margin_data.positions.fx_rate is 'Base currency for one unit of instrument currency.';
comment on column margin_data.positions.asset_class is 'Asset class of the instrument.';
comment on column margin_data.positions.underlying is 'Underlying of the instrument; empty: none.';

create table margin_data.symbol_risk (
    as_of           date   not null,
    calculation_id  bigint not null,
    symbol          text   not null,
    volatility      double precision check (volatility >= 0),
    beta            double precision,
    beta_std_error  double precision check (beta_std_error >= 0),
    r_squared       double precision,
    observations    bigint not null check (observations >= 0),
    primary key (as_of, calculation_id, symbol)
) partition by range (as_of);
comment on table  margin_data.symbol_risk is 'Volatility and beta of each symbol with prices. Empty where there are too few observations.';
comment on column margin_data.symbol_risk.volatility is 'Annualised volatility of daily log returns (252 days), fraction.';
comment on column margin_data.symbol_risk.beta is 'Weighted regression on the benchmark of the settings.';
comment on column margin_data.symbol_risk.beta_std_error is 'Standard error of beta.';
comment on column margin_data.symbol_risk.r_squared is 'Explained share of variance, fraction.';
comment on column margin_data.symbol_risk.observations is 'Daily returns used, count.';

create table margin_data.correlations (
    as_of           date   not null,
    calculation_id  bigint not null,
    symbol_a        text   not null,
    symbol_b        text   not null,
    correlation     double precision not null check (correlation between -1 and 1),
    primary key (as_of, calculation_id, symbol_a, symbol_b),
    check (symbol_a collate "C" < symbol_b collate "C")
) partition by range (as_of);
comment on table  margin_data.correlations is 'Correlations of at least 0.3 in size between held symbols (and underlyings of held ones); all pairs are in correlation_matrices.';
comment on column margin_data.correlations.symbol_a is 'First symbol of the pair, in alphabetical order.';
comment on column margin_data.correlations.symbol_b is 'Second symbol of the pair.';
comment on column margin_data.correlations.correlation is 'Correlation of daily log returns.';

create table margin_data.correlation_matrices (
    as_of           date   not null,
    calculation_id  bigint not null,
    symbols         text[] not null,
    triangle        bytea  not null,
    minimum_eigenvalue double precision not null,
    repaired        boolean not null,
    primary key (as_of, calculation_id)
) partition by range (as_of);
comment on table  margin_data.correlation_matrices is 'Correlation matrix of all symbols with enough observations.';
comment on column margin_data.correlation_matrices.symbols is 'Symbols, in the order of rows and columns.';
comment on column margin_data.correlation_matrices.triangle is 'Strict upper triangle by rows, float32, little endian.';
comment on column margin_data.correlation_matrices.minimum_eigenvalue is 'Least eigenvalue of the matrix.';
comment on column margin_data.correlation_matrices.repaired is 'Whether the nearest positive semi-definite matrix had to be taken.';

create table margin_data.position_margins (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    strategy            text   not null,
    symbol              text   not null,
    model               text   not null,
    initial_margin      double precision check (initial_margin >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    missing             text,
    explanation         jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol),
    check ((initial_margin is null) = (maintenance_margin is null)),
    check ((maintenance_margin is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.position_margins is 'What each position would need on its own, before any offset.';
comment on column margin_data.position_margins.model is 'Margin model of the registry that applied.';
comment on column margin_data.position_margins.initial_margin is 'Margin to open the position, base currency; short stock beyond its proceeds.';
comment on column margin_data.position_margins.maintenance_margin is 'Least margin that keeps the position open, base currency; short stock beyond its proceeds.';
comment on column margin_data.position_margins.missing is 'What is missing or inadmissible; then both margins are empty.';
comment on column margin_data.position_margins.explanation is 'Rule, inputs and intermediate figures.';

create table margin_data.strategy_groups (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    group_id            text   not null,
    underlying          text   not null,
    structure           text   not null,
    units               double precision not null check (units > 0),
    legs                jsonb  not null,
    gross_requirement   double precision check (gross_requirement >= 0),
    applied_proceeds    double precision check (applied_proceeds >= 0),
    net_call            double precision,
    maintenance_gross   double precision check (maintenance_gross >= 0),
    initial_margin      double precision check (initial_margin >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    missing             text,
    explanation         jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, group_id),
    check ((maintenance_margin is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.strategy_groups is 'Stock and option positions in the groups that need the least maintenance margin; every one is in exactly one group.';
comment on column margin_data.strategy_groups.group_id is 'Identity of the group within portfolio and date.';
comment on column margin_data.strategy_groups.underlying is 'Underlying of the group.';
comment on column margin_data.strategy_groups.structure is 'Name of the structure, e.g. covered_call, bull_put_spread, naked_call, long_stock.';
comment on column margin_data.strategy_groups.units is 'How many times the structure is held.';
comment on column margin_data.strategy_groups.legs is 'List of symbol and signed quantity of the whole group.';
comment on column margin_data.strategy_groups.gross_requirement is 'Initial requirement as the Cboe margin manual prints it, base currency.';
comment on column margin_data.strategy_groups.applied_proceeds is 'Proceeds of the short options that may be applied to it, base currency.';
comment on column margin_data.strategy_groups.net_call is 'gross_requirement less applied_proceeds, base currency.';
comment on column margin_data.strategy_groups.maintenance_gross is 'Maintenance as the manual prints it, 100 % of short stock included, base currency.';
comment on column margin_data.strategy_groups.initial_margin is 'Initial margin, base currency.';
comment on column margin_data.strategy_groups.maintenance_margin is 'Maintenance margin that is compared with margin_equity, base currency.';
comment on column margin_data.strategy_groups.missing is 'What is missing or inadmissible; then the margins are empty.';
comment on column margin_data.strategy_groups.explanation is 'Rule, inputs and intermediate figures.';

create table margin_data.strategy_group_legs (
    as_of              date   not null,
    calculation_id     bigint not null,
    portfolio_id       text   not null,
    group_id           text   not null,
    strategy           text   not null,
    symbol             text   not null,
    quantity           double precision not null,
    requirement_share  double precision,
    primary key (as_of, calculation_id, portfolio_id, group_id, strategy, symbol)
) partition by range (as_of);
comment on table  margin_data.strategy_group_legs is 'Which strategies hold the legs of each group, and their part of its maintenance margin.';
comment on column margin_data.strategy_group_legs.group_id is 'Group within portfolio and date.';
comment on column margin_data.strategy_group_legs.quantity is 'Signed quantity of the strategy in the group. Series are net over strategies before grouping.';
comment on column margin_data.strategy_group_legs.requirement_share is 'Part of the maintenance margin of the group, base currency; adds up to it.';

create table margin_data.grouping_proofs (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    underlying      text   not null,
    optimum         double precision,
    lower_bound     double precision,
    gap             double precision check (gap >= 0),
    greedy_margin   double precision,
    seconds         double precision not null check (seconds >= 0),
    primary key (as_of, calculation_id, portfolio_id, underlying)
) partition by range (as_of);
comment on table  margin_data.grouping_proofs is 'How good the grouping of each underlying with options is: found, proven, and what matching greedily would ask. Not for reproduction: seconds differ from run to run.';
comment on column margin_data.grouping_proofs.underlying is 'Underlying.';
comment on column margin_data.grouping_proofs.optimum is 'Maintenance margin of the grouping, base currency.';
comment on column margin_data.grouping_proofs.lower_bound is 'No grouping of the structures in use needs less, base currency.';
comment on column margin_data.grouping_proofs.gap is '(optimum - lower_bound) / optimum, fraction; 0 is proven optimal.';
comment on column margin_data.grouping_proofs.greedy_margin is 'Maintenance margin of a greedy matching, base currency.';
comment on column margin_data.grouping_proofs.seconds is 'Time spent, seconds.';

create table margin_data.netting_set_margins (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    netting_set_id      text   not null,
    model               text   not null,
    side                text   not null check (side in ('call', 'post')),
    gross_margin        double precision,
    net_to_gross_ratio  double precision,
    initial_margin      double precision check (initial_margin >= 0),
    missing             text,
    explanation         jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, netting_set_id, model, side),
    check ((initial_margin is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.netting_set_margins is 'Initial margin of each netting set of uncleared derivatives.';
comment on column margin_data.netting_set_margins.netting_set_id is 'Netting set.';
comment on column margin_data.netting_set_margins.model is 'Model of initial margin: schedule.';
comment on column margin_data.netting_set_margins.side is 'call: what we collect; post: what we give.';
comment on column margin_data.netting_set_margins.gross_margin is 'Sum of notional x schedule percentage, base currency.';
comment on column margin_data.netting_set_margins.net_to_gross_ratio is 'Net over gross replacement cost of the side, fraction.';
comment on column margin_data.netting_set_margins.initial_margin is '0.4 gross + 0.6 net-to-gross ratio x gross, base currency.';
comment on column margin_data.netting_set_margins.missing is 'What is missing; then there is no margin.';
comment on column margin_data.netting_set_margins.explanation is 'Rule, inputs and intermediate figures.';

create table margin_data.cross_margin_benefits (
    as_of              date   not null,
    calculation_id     bigint not null,
    portfolio_id       text   not null,
    benefit_id         text   not null,
    kind               text   not null,
    symbol_1           text   not null,
    symbol_2           text   not null,
    correlation        double precision,
    hedge_ratio        double precision,
    standalone_margin  double precision not null check (standalone_margin >= 0),
    combined_margin    double precision not null check (combined_margin >= 0),
    saving             double precision not null check (saving >= 0),
    explanation        jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, benefit_id),
    check (symbol_1 collate "C" < symbol_2 collate "C")
) partition by range (as_of);
comment on table  margin_data.cross_margin_benefits is 'Offsets granted between positions; no unit of exposure backs two of them.';
comment on column margin_data.cross_margin_benefits.benefit_id is 'Identity of the offset within portfolio and date.';
comment on column margin_data.cross_margin_benefits.kind is 'hedge (opposite signs), diversification (same sign, negative correlation), or the class benefit.';
comment on column margin_data.cross_margin_benefits.symbol_1 is 'First symbol, in alphabetical order.';
comment on column margin_data.cross_margin_benefits.symbol_2 is 'Second symbol.';
comment on column margin_data.cross_margin_benefits.correlation is 'Correlation of daily returns.';
comment on column margin_data.cross_margin_benefits.hedge_ratio is 'Matched beta-adjusted exposure over the greater of the two exposures.';
comment on column margin_data.cross_margin_benefits.standalone_margin is 'Margins of the two matched parts on their own, base currency.';
comment on column margin_data.cross_margin_benefits.combined_margin is 'Margin of the matched parts together, base currency.';
comment on column margin_data.cross_margin_benefits.saving is 'standalone_margin less combined_margin, base currency.';
comment on column margin_data.cross_margin_benefits.explanation is 'Rule, inputs and intermediate figures.';

create table margin_data.portfolio_margins (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null,
    initial_margin      double precision check (initial_margin >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    equity              double precision not null,
    margin_equity       double precision,
    excess              double precision,
    utilization         double precision,
    status              text   not null check (status in ('safe', 'warning', 'critical', 'emergency', 'undetermined', 'liquidatable')),
    missing             jsonb,
    is_governing        boolean not null,
    primary key (as_of, calculation_id, portfolio_id, method),
    check ((maintenance_margin is null) = (status = 'undetermined')),
    check (status <> 'undetermined' or (utilization is null and initial_margin is null and excess is null))
) partition by range (as_of);
comment on table  margin_data.portfolio_margins is 'Margin of each portfolio under each method that applies; is_governing marks the one that counts.';
comment on column margin_data.portfolio_margins.method is 'reg_t, strategy_based, portfolio_margin, cross_margin, futures, tiered, schedule_im, simm.';
comment on column margin_data.portfolio_margins.initial_margin is 'Margin to open the positions, base currency.';
comment on column margin_data.portfolio_margins.maintenance_margin is 'Least margin that keeps them open, base currency.';
comment on column margin_data.portfolio_margins.equity is 'Net liquidation value, base currency.';
comment on column margin_data.portfolio_margins.margin_equity is 'What the requirement is measured against, base currency.';
comment on column margin_data.portfolio_margins.excess is 'margin_equity less maintenance_margin, base currency.';
comment on column margin_data.portfolio_margins.utilization is 'maintenance_margin over margin_equity, fraction; Infinity where margin_equity is used up (not positive although something is required, or negative).';
comment on column margin_data.portfolio_margins.status is 'safe, warning, critical, emergency, undetermined (an input is missing), liquidatable.';
comment on column margin_data.portfolio_margins.missing is 'List of what is missing or inadmissible.';
comment on column margin_data.portfolio_margins.is_governing is 'Whether this method governs the account.';

create table margin_data.portfolio_margin_components (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null,
    component           text   not null,
    initial_margin      double precision not null,
    maintenance_margin  double precision not null,
    primary key (as_of, calculation_id, portfolio_id, method, component)
) partition by range (as_of);
comment on table  margin_data.portfolio_margin_components is 'What the margin of a portfolio is made of; adds up to portfolio_margins.';
comment on column margin_data.portfolio_margin_components.method is 'Method, as in portfolio_margins.';
comment on column margin_data.portfolio_margin_components.component is 'stock, options, futures, other, minimum, offsets, ...';
comment on column margin_data.portfolio_margin_components.initial_margin is 'Part of the initial margin, base currency; offsets negative.';
comment on column margin_data.portfolio_margin_components.maintenance_margin is 'Part of the maintenance margin, base currency; offsets negative.';

create table margin_data.portfolio_method_notes (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    method          text   not null,
    reason          text   not null,
    primary key (as_of, calculation_id, portfolio_id, method)
) partition by range (as_of);
comment on table  margin_data.portfolio_method_notes is 'Why a method has no row in portfolio_margins.';
comment on column margin_data.portfolio_method_notes.method is 'Method.';
comment on column margin_data.portfolio_method_notes.reason is 'Why it does not apply.';

create table margin_data.liquidation_prices (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    strategy            text   not null,
    symbol              text   not null,
    margin_mode         text   not null check (margin_mode in ('isolated', 'cross')),
    liquidation_price   double precision check (liquidation_price > 0),
    wallet              double precision,
    maintenance_margin  double precision,
    margin_ratio        double precision,
    status              text   not null check (status in ('safe', 'warning', 'critical', 'emergency', 'undetermined', 'liquidatable')),
    distance            double precision,
    missing             text,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol)
) partition by range (as_of);
comment on table  margin_data.liquidation_prices is 'Price at which a leveraged position would be liquidated, others unchanged.';
comment on column margin_data.liquidation_prices.margin_mode is 'isolated: the wallet of the position alone; cross: the equity of the portfolio less the maintenance of the other positions.';
comment on column margin_data.liquidation_prices.liquidation_price is 'Instrument currency a unit; empty: no positive price liquidates.';
comment on column margin_data.liquidation_prices.wallet is 'Collateral behind the position, base currency.';
comment on column margin_data.liquidation_prices.maintenance_margin is 'Maintenance margin at the mark, base currency.';
comment on column margin_data.liquidation_prices.margin_ratio is 'Maintenance margin over the equity behind the position, fraction.';
comment on column margin_data.liquidation_prices.status is 'As in portfolio_margins, of the position.';
comment on column margin_data.liquidation_prices.distance is 'Move from the mark to the liquidation price, fraction of the mark, signed.';
comment on column margin_data.liquidation_prices.missing is 'What is missing; then there is no price.';

create table margin_data.portfolio_risk (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    method              text   not null check (method in ('gaussian', 'delta_gamma', 'cornish_fisher', 'historical', 'monte_carlo')),
    confidence          double precision not null check (confidence > 0 and confidence < 1),
    horizon_days        bigint not null check (horizon_days > 0),
    var                 double precision,
    expected_shortfall  double precision,
    standard_error      double precision,
    observations        bigint,
    missing             jsonb,
    primary key (as_of, calculation_id, portfolio_id, method, confidence, horizon_days),
    check (missing is null or var is null)
) partition by range (as_of);
comment on table  margin_data.portfolio_risk is 'Value at risk and expected shortfall of each portfolio; losses positive.';
comment on column margin_data.portfolio_risk.method is 'gaussian (delta-normal) or historical (full revaluation of options).';
comment on column margin_data.portfolio_risk.confidence is 'Confidence, fraction.';
comment on column margin_data.portfolio_risk.horizon_days is 'Horizon, trading days.';
comment on column margin_data.portfolio_risk.var is 'Value at risk, base currency, loss positive.';
comment on column margin_data.portfolio_risk.expected_shortfall is 'Expected shortfall, base currency, loss positive.';
comment on column margin_data.portfolio_risk.standard_error is 'Standard error of the value at risk, base currency; empty for gaussian.';
comment on column margin_data.portfolio_risk.observations is 'Scenarios used, count; empty for gaussian.';
comment on column margin_data.portfolio_risk.missing is 'Inputs that are missing; then there is no figure.';

create table margin_data.strategy_risk (
    as_of                date   not null,
    calculation_id       bigint not null,
    portfolio_id         text   not null,
    strategy             text   not null,
    method               text   not null check (method in ('gaussian', 'delta_gamma', 'cornish_fisher', 'historical', 'monte_carlo')),
    confidence           double precision not null check (confidence > 0 and confidence < 1),
    horizon_days         bigint not null check (horizon_days > 0),
    var                  double precision,
    expected_shortfall   double precision,
    component_var        double precision,
    component_expected_shortfall double precision,
    marginal_var         double precision,
    incremental_var      double precision,
    var_share            double precision,
    gross_exposure       double precision,
    net_exposure         double precision,
    margin_contribution  double precision,
    margin_share         double precision,
    sharpe_ratio         double precision,
    return_on_margin     double precision,
    primary key (as_of, calculation_id, portfolio_id, strategy, method, confidence, horizon_days)
) partition by range (as_of);
comment on table  margin_data.strategy_risk is 'Risk and margin of each strategy within its portfolio; components add up to the total.';
comment on column margin_data.strategy_risk.method is 'gaussian or historical.';
comment on column margin_data.strategy_risk.confidence is 'Confidence, fraction.';
comment on column margin_data.strategy_risk.horizon_days is 'Horizon, trading days.';
comment on column margin_data.strategy_risk.var is 'Value at risk of the strategy on its own, base currency.';
comment on column margin_data.strategy_risk.expected_shortfall is 'Expected shortfall of the strategy on its own, base currency.';
comment on column margin_data.strategy_risk.component_var is 'Euler component of the value at risk of the portfolio, base currency; adds up to it.';
comment on column margin_data.strategy_risk.component_expected_shortfall is 'Euler component of the expected shortfall of the portfolio, base currency; adds up to it.';
comment on column margin_data.strategy_risk.marginal_var is 'component_var over gross_exposure: value at risk that one more unit of exposure adds.';
comment on column margin_data.strategy_risk.incremental_var is 'Value at risk of the portfolio less that of the portfolio without the strategy, base currency.';
comment on column margin_data.strategy_risk.var_share is 'component_var over the value at risk of the portfolio, fraction; adds up to 1.';
comment on column margin_data.strategy_risk.gross_exposure is 'Sum of absolute delta exposures, base currency.';
comment on column margin_data.strategy_risk.net_exposure is 'Sum of delta exposures, base currency.';
comment on column margin_data.strategy_risk.margin_contribution is 'Part of the maintenance margin under the governing method, base currency; adds up to it.';
comment on column margin_data.strategy_risk.margin_share is 'margin_contribution over the maintenance margin, fraction; adds up to 1; empty when nothing is required.';
comment on column margin_data.strategy_risk.sharpe_ratio is 'Annualised mean over standard deviation of daily returns (252 days).';
comment on column margin_data.strategy_risk.return_on_margin is '252 x mean daily profit over margin_contribution, fraction a year.';

create table margin_data.regulatory_lines (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    scope           text   not null check (scope in ('portfolio', 'entity', 'firm')),
    regime          text   not null check (regime in ('basel', 'sa_ccr', 'simm', 'schedule_im', 'emir', 'cftc', 'us_prudential', 'uk', 'mas', 'finra', 'sec_15c3_1')),
    line_item       text   not null,
    netting_set_id  text   not null default '',
    side            text   not null default '',
    value           double precision,
    unit            text   not null,
    limit_value     double precision,
    status          text   not null check (status in ('pass', 'breach', 'information', 'undetermined', 'not_applicable')),
    applicable      boolean not null,
    reason          text,
    reference       text   not null,
    parameter_set   text   not null,
    effective_date  date   not null,
    inputs          jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, scope, regime, line_item, netting_set_id, side),
    check (applicable or reason is not null)
) partition by range (as_of);
comment on table  margin_data.regulatory_lines is 'Figures that a compliance officer files or checks, each with rule, paragraph and parameter version.';
comment on column margin_data.regulatory_lines.scope is 'portfolio, entity or firm.';
comment on column margin_data.regulatory_lines.regime is 'Regime, e.g. finra, basel, schedule_im.';
comment on column margin_data.regulatory_lines.line_item is 'Name of the line.';
comment on column margin_data.regulatory_lines.netting_set_id is 'Netting set, where the line is of one.';
comment on column margin_data.regulatory_lines.side is 'call or post, where the line has a side.';
comment on column margin_data.regulatory_lines.value is 'Figure, in unit.';
comment on column margin_data.regulatory_lines.unit is 'ISO 4217 code, or ratio.';
comment on column margin_data.regulatory_lines.limit_value is 'Limit that the figure is held against, in unit.';
comment on column margin_data.regulatory_lines.status is 'pass, breach, information (no limit), undetermined (an input is missing), not_applicable.';
comment on column margin_data.regulatory_lines.applicable is 'Whether the rule applies.';
comment on column margin_data.regulatory_lines.reason is 'Why it does not apply, or what is missing.';
comment on column margin_data.regulatory_lines.reference is 'Rule and paragraph.';
comment on column margin_data.regulatory_lines.parameter_set is 'Parameter file and version in force.';
comment on column margin_data.regulatory_lines.effective_date is 'Date from which those parameters apply.';
comment on column margin_data.regulatory_lines.inputs is 'Figures that went in.';

create table margin_data.alerts (
    alert_id        bigint generated always as identity primary key,
    as_of           date   not null,
    calculation_id  bigint references margin_data.calculations,
    portfolio_id    text   not null,
    kind            text   not null check (kind in ('utilization', 'equity', 'concentration', 'missing_data', 'stale_mark', 'stress', 'forecast', 'regulatory_limit', 'failed_check')),
    severity        text   not null check (severity in ('info', 'warning', 'critical', 'emergency')),
    threshold       double precision not null,
    episode         bigint not null check (episode >= 1),
    observed        double precision,
    message         text   not null,
    raised_at       timestamptz not null default clock_timestamp(),
    cleared_at      timestamptz,
    cleared_as_of   date,
    acknowledged_by text,
    acknowledged_at timestamptz,
    unique (portfolio_id, kind, threshold, episode),
    check (cleared_at >= raised_at)
);
create unique index one_open_alert_a_threshold on margin_data.alerts (portfolio_id, kind, threshold) where cleared_at is null;
comment on table  margin_data.alerts is 'Alerts, raised once per episode; cleared when the figure is back below the threshold by the hysteresis.';
comment on column margin_data.alerts.calculation_id is 'Calculation whose figures raised it; empty where none was published.';
comment on column margin_data.alerts.portfolio_id is 'Portfolio; * for all of them.';
comment on column margin_data.alerts.alert_id is 'Identity of the alert.';
comment on column margin_data.alerts.kind is 'What is watched.';
comment on column margin_data.alerts.severity is 'info, warning, critical or emergency.';
comment on column margin_data.alerts.threshold is 'Threshold that was crossed, in the unit of observed; 0 where there is none.';
comment on column margin_data.alerts.episode is 'Count of times that this threshold was crossed by this portfolio.';
comment on column margin_data.alerts.observed is 'Figure that crossed the threshold (utilization: fraction).';
comment on column margin_data.alerts.message is 'One line for a person: what, how much, what to look at.';
comment on column margin_data.alerts.raised_at is 'Instant of the raise, UTC.';
comment on column margin_data.alerts.cleared_at is 'Instant of the clear, UTC; empty while open.';
comment on column margin_data.alerts.cleared_as_of is 'Business date whose figures cleared it.';
comment on column margin_data.alerts.acknowledged_by is 'Who took note.';
comment on column margin_data.alerts.acknowledged_at is 'Instant at which somebody took note, UTC.';

create table margin_data.alert_deliveries (
    alert_id      bigint not null references margin_data.alerts on delete cascade,
    event         text   not null check (event in ('raised', 'cleared')),
    channel       text   not null,
    attempts      bigint not null default 0 check (attempts >= 0),
    delivered_at  timestamptz,
    last_error    text,
    primary key (alert_id, event, channel)
);
comment on table  margin_data.alert_deliveries is 'What was told to whom: one row per alert, event and channel.';
comment on column margin_data.alert_deliveries.alert_id is 'Alert.';
comment on column margin_data.alert_deliveries.event is 'raised or cleared.';
comment on column margin_data.alert_deliveries.channel is 'Notifier, e.g. log or webhook.';
comment on column margin_data.alert_deliveries.attempts is 'Attempts so far, count.';
comment on column margin_data.alert_deliveries.delivered_at is 'Instant of the delivery, UTC; empty while undelivered.';
comment on column margin_data.alert_deliveries.last_error is 'Why the last attempt failed.';

do $$
declare stored record;
begin
    for stored in
        select c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid
        where n.nspname = 'margin_data' and c.relkind in ('p', 'r') and not c.relispartition
          and a.attname in ('as_of', 'calculation_id', 'portfolio_id', 'strategy', 'symbol') and col_description(c.oid, a.attnum) is null
    loop
        execute format('comment on column margin_data.%I.%I is %L', stored.relname, stored.attname, case stored.attname
            when 'as_of' then 'Business date.' when 'calculation_id' then 'Calculation that wrote the row.'
            when 'portfolio_id' then 'Portfolio.' when 'strategy' then 'Strategy within the portfolio.' else 'Instrument.' end);
    end loop;
    for stored in
        select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'margin_data'
    loop
        perform margin_data.create_reading_view(stored.relname);
    end loop;
end $$;

create view margin.alerts as select * from margin_data.alerts;
comment on view margin.alerts is 'Alerts, raised once per episode; cleared when the figure is back below the threshold by the hysteresis.';
do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.alerts'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.alerts.%I is %L', col.attname, col.text);
    end loop;
end $$;
