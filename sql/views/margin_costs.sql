-- What the governing margin of a portfolio is spent on: its groups where structures or scenarios govern, its positions elsewhere.
create or replace view margin.margin_costs as
select m.as_of, m.portfolio_id, m.method as governing_method, g.structure as item, g.group_id, g.underlying,
       g.legs, g.maintenance_margin, g.maintenance_margin / nullif(m.maintenance_margin, 0) as margin_share
  from margin.portfolio_margins m
  join margin.strategy_groups g using (as_of, portfolio_id)
 where m.is_governing and m.method = 'strategy_based'
union all
select m.as_of, m.portfolio_id, m.method, s.model, null, coalesce(p.underlying, p.symbol),
       jsonb_build_array(jsonb_build_object('symbol', s.symbol, 'quantity', p.quantity)),
       s.maintenance_margin, s.maintenance_margin / nullif(m.maintenance_margin, 0)
  from margin.portfolio_margins m
  join margin.position_margins s using (as_of, portfolio_id)
  join margin.positions p using (as_of, portfolio_id, strategy, symbol)
 where m.is_governing
   and (m.method = 'tiered'
        or (m.method = 'futures'
            and not exists (select from margin.span_positions c
                             where c.as_of = s.as_of and c.portfolio_id = s.portfolio_id
                               and c.strategy = s.strategy and c.symbol = s.symbol))
        or (m.method = 'portfolio_margin'
            and not exists (select from margin.portfolio_margin_positions c
                             where c.as_of = s.as_of and c.portfolio_id = s.portfolio_id
                               and c.strategy = s.strategy and c.symbol = s.symbol))
        or (m.method = 'strategy_based'
            and not exists (select from margin.strategy_group_legs l
                             where l.as_of = s.as_of and l.portfolio_id = s.portfolio_id
                               and l.strategy = s.strategy and l.symbol = s.symbol)))
union all
select m.as_of, m.portfolio_id, m.method, 'product group', null, g.product_group,
       (select jsonb_agg(jsonb_build_object('symbol', c.symbol, 'quantity', p.quantity) order by c.symbol, c.strategy)
          from margin.portfolio_margin_positions c join margin.positions p using (as_of, portfolio_id, strategy, symbol)
         where c.as_of = g.as_of and c.portfolio_id = g.portfolio_id and c.product_group = g.product_group),
       g.maintenance_margin, g.maintenance_margin / nullif(m.maintenance_margin, 0)
  from margin.portfolio_margins m
  join margin.portfolio_margin_groups g using (as_of, portfolio_id)
 where m.is_governing and m.method = 'portfolio_margin'
union all
select m.as_of, m.portfolio_id, m.method, 'scenarios of futures', null, g.class_group,
       (select jsonb_agg(jsonb_build_object('symbol', c.symbol, 'quantity', p.quantity) order by c.symbol, c.strategy)
          from margin.span_positions c join margin.positions p using (as_of, portfolio_id, strategy, symbol)
         where c.as_of = g.as_of and c.portfolio_id = g.portfolio_id and c.class_group = g.class_group),
       g.maintenance_margin, g.maintenance_margin / nullif(m.maintenance_margin, 0)
  from margin.portfolio_margins m
  join margin.span_margins g using (as_of, portfolio_id)
 where m.is_governing and m.method = 'futures'
union all
select m.as_of, m.portfolio_id, m.method, n.model || ' ' || n.side, null, n.netting_set_id,
       null, n.initial_margin, n.initial_margin / nullif(m.maintenance_margin, 0)
  from margin.portfolio_margins m
  join margin.netting_set_margins n using (as_of, portfolio_id)
 where m.is_governing and m.method in ('schedule_im', 'simm') and n.side = 'post';

comment on view margin.margin_costs is 'What the governing maintenance margin of each portfolio is made of: option structures and stock groups, product groups, class groups of futures, single positions, or netting sets.';
comment on column margin.margin_costs.as_of is 'Business date.';
comment on column margin.margin_costs.portfolio_id is 'Portfolio.';
comment on column margin.margin_costs.governing_method is 'Method that governs the account.';
comment on column margin.margin_costs.item is 'Structure of the group, product group, scenarios of futures, or margin model of the position or netting set.';
comment on column margin.margin_costs.group_id is 'Group in strategy_groups; empty for single positions and netting sets.';
comment on column margin.margin_costs.underlying is 'Underlying, product group, class group, symbol, or netting set.';
comment on column margin.margin_costs.legs is 'Symbols and signed quantities.';
comment on column margin.margin_costs.maintenance_margin is 'Maintenance margin of the item, base currency; empty: an input is missing.';
comment on column margin.margin_costs.margin_share is 'Part of the maintenance margin of the portfolio, fraction.';
