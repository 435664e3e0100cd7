-- Loss of every class group at every scenario, one row each, under the methods that look at scenarios.
create or replace view margin.scenario_losses as
select c.as_of, c.calculation_id, c.portfolio_id, 'portfolio_margin'::text as method, c.class_group, x.scenario,
       x.price_move, 0::double precision as volatility_move, x.loss
  from margin.portfolio_margin_classes c
 cross join lateral unnest(c.price_moves, c.losses) with ordinality as x(price_move, loss, scenario)
 where c.losses is not null;

comment on view margin.scenario_losses is 'Loss of each class group at each scenario: the valuation points of portfolio margin.';
comment on column margin.scenario_losses.as_of is 'Business date.';
comment on column margin.scenario_losses.calculation_id is 'Calculation that wrote the row.';
comment on column margin.scenario_losses.portfolio_id is 'Portfolio.';
comment on column margin.scenario_losses.method is 'Method, as in portfolio_margins.';
comment on column margin.scenario_losses.class_group is 'Class group: stock or index that the positions are on.';
comment on column margin.scenario_losses.scenario is 'Number of the scenario.';
comment on column margin.scenario_losses.price_move is 'Relative move of the price, fraction.';
comment on column margin.scenario_losses.volatility_move is 'Change of the volatility, absolute.';
comment on column margin.scenario_losses.loss is 'Loss, base currency, positive: money lost.';
