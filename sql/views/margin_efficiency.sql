-- What each item of the governing margin costs for the risk that it brings and the return that it earns.
create or replace view margin.margin_efficiency as
with items as (
    select c.*, row_number() over (partition by c.as_of, c.portfolio_id order by c.maintenance_margin desc nulls first, c.underlying, c.item, c.group_id, c.legs::text) as place
      from margin.margin_costs c
), legs as (
    select i.as_of, i.portfolio_id, i.place, leg ->> 'symbol' as symbol, sum((leg ->> 'quantity')::double precision) as quantity
      from items i, jsonb_array_elements(i.legs) as leg
     group by i.as_of, i.portfolio_id, i.place, leg ->> 'symbol'
), greeks as (
    -- Of one unit held long; strategies may mark it differently, so that it is averaged by size.
    select g.as_of, g.portfolio_id, g.symbol, min(g.risk_factor) as risk_factor,
           case when bool_and(g.missing is null and g.dollar_delta is not null)
                then sum(g.dollar_delta * sign(p.quantity)) / nullif(sum(abs(p.quantity)), 0) end as delta,
           case when bool_and(g.missing is null)
                then sum(coalesce(g.dollar_gamma, 0) * sign(p.quantity)) / nullif(sum(abs(p.quantity)), 0) end as gamma,
           case when bool_and(g.missing is null)
                then sum(coalesce(g.dollar_theta, 0) * sign(p.quantity)) / nullif(sum(abs(p.quantity)), 0) end as theta
      from margin.position_greeks g
      join margin.positions p using (as_of, portfolio_id, strategy, symbol)
     where p.quantity <> 0
     group by g.as_of, g.portfolio_id, g.symbol
), factors as (
    select l.as_of, l.portfolio_id, l.place, g.risk_factor, bool_and(g.delta is not null and g.gamma is not null) as is_known,
           sum(l.quantity * g.delta) as delta, sum(l.quantity * g.gamma) as gamma, sum(l.quantity * g.theta) as theta,
           string_agg(l.symbol, ', ' order by l.symbol) filter (where g.delta is null or g.gamma is null) as unknown
      from legs l
      left join greeks g using (as_of, portfolio_id, symbol)
     where l.quantity <> 0
     group by l.as_of, l.portfolio_id, l.place, g.risk_factor
), losses as (
    select f.as_of, f.portfolio_id, f.place,
           case when bool_and(f.is_known and s.volatility is not null) then sum(greatest(
                abs(f.delta) * (2.3263478740408408 * s.volatility / sqrt(252)) - f.gamma * (2.3263478740408408 * s.volatility / sqrt(252)) ^ 2 / 2, 0))
           end as risk,
           case when bool_and(f.is_known) then sum(f.theta) end as theta,
           string_agg(coalesce('greeks of ' || f.unknown, 'volatility of ' || f.risk_factor), '; ' order by f.risk_factor)
               filter (where not f.is_known or s.volatility is null) as missing
      from factors f
      left join margin.symbol_risk s on s.as_of = f.as_of and s.symbol = f.risk_factor
     group by f.as_of, f.portfolio_id, f.place
), earnings as (
    -- Performance stands on every row of a strategy.
    select distinct on (as_of, portfolio_id, strategy) as_of, portfolio_id, strategy, return_on_margin
      from margin.strategy_risk
     order by as_of, portfolio_id, strategy, method, confidence, horizon_days
), returns as (
    select l.as_of, l.portfolio_id, l.place, string_agg(distinct p.strategy, ', ' order by p.strategy) as strategies,
           case when bool_and(e.return_on_margin is not null and p.notional is not null)
                then sum(abs(p.notional) * e.return_on_margin) / nullif(sum(abs(p.notional)), 0) end as return_on_margin
      from legs l
      join margin.positions p on p.as_of = l.as_of and p.portfolio_id = l.portfolio_id and p.symbol = l.symbol and p.quantity <> 0
      left join earnings e on e.as_of = p.as_of and e.portfolio_id = p.portfolio_id and e.strategy = p.strategy
     group by l.as_of, l.portfolio_id, l.place
), measured as (
    select i.as_of, i.portfolio_id, i.governing_method, i.item, i.group_id, i.underlying, i.legs, r.strategies, i.maintenance_margin,
           i.margin_share, l.risk, i.maintenance_margin / nullif(l.risk, 0) as margin_per_risk, r.return_on_margin,
           365 * l.theta / nullif(i.maintenance_margin, 0) as time_value_on_margin,
           concat_ws('; ', case when i.maintenance_margin is null then 'maintenance margin' end,
                     case when i.legs is null then 'risk of a netting set: no positions' else l.missing end,
                     case when i.legs is not null and r.return_on_margin is null then 'return of strategies ' || coalesce(r.strategies, '') end) as missing
      from items i
      left join losses l using (as_of, portfolio_id, place)
      left join returns r using (as_of, portfolio_id, place)
)
select as_of, portfolio_id, governing_method, item, group_id, underlying, legs, strategies, maintenance_margin, margin_share, risk,
       margin_per_risk, return_on_margin, time_value_on_margin,
       case when margin_per_risk is not null
            then rank() over (partition by as_of, portfolio_id order by margin_per_risk desc nulls last) end as margin_per_risk_rank,
       case when return_on_margin is not null
            then rank() over (partition by as_of, portfolio_id order by return_on_margin asc nulls last) end as return_on_margin_rank,
       nullif(missing, '') as missing
  from measured;

comment on view margin.margin_efficiency is 'What each item of the governing margin (group, product group, class group or position) costs for the risk that it brings and the return that it earns; ranks from the least efficient (1) on.';
comment on column margin.margin_efficiency.as_of is 'Business date.';
comment on column margin.margin_efficiency.portfolio_id is 'Portfolio.';
comment on column margin.margin_efficiency.governing_method is 'Method that governs the account.';
comment on column margin.margin_efficiency.item is 'What the margin is for, as in margin_costs.';
comment on column margin.margin_efficiency.group_id is 'Group in strategy_groups; empty where the item is none.';
comment on column margin.margin_efficiency.underlying is 'Underlying, product group, class group, symbol, or netting set.';
comment on column margin.margin_efficiency.legs is 'Symbols and signed quantities.';
comment on column margin.margin_efficiency.strategies is 'Strategies that hold its symbols.';
comment on column margin.margin_efficiency.maintenance_margin is 'Maintenance margin of the item, base currency.';
comment on column margin.margin_efficiency.margin_share is 'Part of the maintenance margin of the portfolio, fraction.';
comment on column margin.margin_efficiency.risk is 'Loss by delta and gamma at a move of 2.33 standard deviations of a day (99 %) of each risk factor, the worse way, factors added up, base currency; empty: an input is missing.';
comment on column margin.margin_efficiency.margin_per_risk is 'maintenance_margin over risk; empty: not known, or the item loses nothing by that move.';
comment on column margin.margin_efficiency.return_on_margin is 'Return on margin of its strategies (252 x mean daily profit over margin, fraction a year), weighted by notional; empty: that of one is not known.';
comment on column margin.margin_efficiency.time_value_on_margin is '365 x what the passing of a day earns over maintenance_margin, fraction a year; negative: time costs. Empty: not known, or nothing is required.';
comment on column margin.margin_efficiency.margin_per_risk_rank is 'Rank of margin_per_risk in the portfolio, the dearest first; empty: unknown.';
comment on column margin.margin_efficiency.return_on_margin_rank is 'Rank of return_on_margin in the portfolio, the least first; empty: unknown.';
comment on column margin.margin_efficiency.missing is 'What is missing for a figure; empty: nothing.';
