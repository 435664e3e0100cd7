-- Loss of every class group at every scenario, one row each, under the methods that look at scenarios.
create or replace view margin.scenario_losses as
select c.as_of, c.calculation_id, c.portfolio_id, 'portfolio_margin'::text as method, c.class_group, x.scenario,
       x.price_move, 0::double precision as volatility_move, x.loss
  from margin.portfolio_margin_classes c
 cross join lateral unnest(c.price_moves, c.losses) with ordinality as x(price_move, loss, scenario)
 where c.losses is not null
union all
select s.as_of, s.calculation_id, s.portfolio_id, 'futures', s.class_group, x.scenario, x.price_move, x.volatility_move, x.loss
  from margin.span_margins s
 cross join lateral unnest(s.price_moves, s.volatility_moves, s.losses) with ordinality as x(price_move, volatility_move, loss, scenario)
 where s.losses is not null;

comment on view margin.scenario_losses is 'Loss of each class group at each scenario: the valuation points of portfolio margin, the sixteen scenarios of futures.';
comment on column margin.scenario_losses.as_of is 'Business date.';
comment on column margin.scenario_losses.calculation_id is 'Calculation that wrote the row.';
comment on column margin.scenario_losses.portfolio_id is 'Portfolio.';
comment on column margin.scenario_losses.method is 'Method, as in portfolio_margins.';
comment on column margin.scenario_losses.class_group is 'Class group: stock, index or combined commodity that the positions are on.';
comment on column margin.scenario_losses.scenario is 'Number of the scenario.';
comment on column margin.scenario_losses.price_move is 'Move of the price: under portfolio_margin a fraction of it, under futures a multiple of the price scan range.';
comment on column margin.scenario_losses.volatility_move is 'Change of the volatility: under futures a multiple of the volatility scan range, else none.';
comment on column margin.scenario_losses.loss is 'Loss, base currency, positive: money lost.';
