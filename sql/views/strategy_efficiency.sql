-- Which strategies earn most on the margin and the risk that they use.
create or replace view margin.strategy_efficiency as
with chosen as (
    -- Margin and performance stand on every row of a strategy; of its risk the greatest confidence over the shortest horizon.
    select distinct on (as_of, portfolio_id, strategy) as_of, portfolio_id, strategy, method, confidence, horizon_days,
           margin_contribution, component_var, margin_share, var_share, return_on_margin, sharpe_ratio
      from margin.strategy_risk
     where method = 'historical'
     order by as_of, portfolio_id, strategy, confidence desc, horizon_days
), measured as (
    select *, var_share / nullif(margin_share, 0) as risk_per_margin,
           case when return_on_margin < 0 and sharpe_ratio < 0 then -1 else 1 end * return_on_margin * sharpe_ratio as risk_adjusted_return
      from chosen
)
select as_of, portfolio_id, strategy, method, confidence, horizon_days, margin_contribution, component_var, margin_share, var_share,
       risk_per_margin, return_on_margin, sharpe_ratio, risk_adjusted_return,
       case when return_on_margin is not null
            then rank() over (partition by as_of order by return_on_margin desc nulls last) end as return_on_margin_rank,
       case when risk_adjusted_return is not null
            then rank() over (partition by as_of order by risk_adjusted_return desc nulls last) end as efficiency_rank,
       case when risk_adjusted_return is not null
            then rank() over (partition by as_of, portfolio_id order by risk_adjusted_return desc nulls last) end as efficiency_rank_in_portfolio
  from measured;

comment on view margin.strategy_efficiency is 'What each strategy earns on the margin that goes to it, allowing for risk; ranks from best (1) on. Money in base currency.';
comment on column margin.strategy_efficiency.as_of is 'Business date.';
comment on column margin.strategy_efficiency.portfolio_id is 'Portfolio.';
comment on column margin.strategy_efficiency.strategy is 'Strategy within the portfolio.';
comment on column margin.strategy_efficiency.method is 'Method of component_var and var_share: historical.';
comment on column margin.strategy_efficiency.confidence is 'Confidence of them, fraction: the greatest computed.';
comment on column margin.strategy_efficiency.horizon_days is 'Horizon of them, trading days: the shortest computed.';
comment on column margin.strategy_efficiency.margin_contribution is 'Part of the governing maintenance margin, base currency.';
comment on column margin.strategy_efficiency.component_var is 'Euler component of the value at risk of the portfolio, base currency; negative: the strategy hedges the rest.';
comment on column margin.strategy_efficiency.margin_share is 'Part of the margin of the portfolio, fraction; empty where nothing is required.';
comment on column margin.strategy_efficiency.var_share is 'Part of the value at risk of the portfolio, fraction.';
comment on column margin.strategy_efficiency.risk_per_margin is 'var_share over margin_share: above 1 the strategy brings more of the risk than it takes of the margin; empty without margin.';
comment on column margin.strategy_efficiency.return_on_margin is '252 x mean daily profit over margin_contribution, fraction a year.';
comment on column margin.strategy_efficiency.sharpe_ratio is 'Mean daily return over its deviation, annualised.';
comment on column margin.strategy_efficiency.risk_adjusted_return is 'return_on_margin x sharpe_ratio, negative where both are: two losses do not make a gain, and a steady loss is worse than a chance one.';
comment on column margin.strategy_efficiency.return_on_margin_rank is 'Rank of return_on_margin among all strategies of the date; empty: unknown.';
comment on column margin.strategy_efficiency.efficiency_rank is 'Rank of risk_adjusted_return among all strategies of the date; empty: unknown.';
comment on column margin.strategy_efficiency.efficiency_rank_in_portfolio is 'Rank of risk_adjusted_return among the strategies of the portfolio; empty: unknown.';
