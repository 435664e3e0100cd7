-- The requirement of every method side by side. Empty: the method does not apply, or an input of it is missing.
create or replace view margin.method_comparison as
select as_of, portfolio_id,
       max(method) filter (where is_governing) as governing_method,
       max(maintenance_margin) filter (where is_governing) as governing_margin,
       max(maintenance_margin) filter (where method = 'reg_t') as reg_t,
       max(maintenance_margin) filter (where method = 'strategy_based') as strategy_based,
       max(maintenance_margin) filter (where method = 'portfolio_margin') as portfolio_margin,
       max(maintenance_margin) filter (where method = 'cross_margin') as cross_margin,
       max(maintenance_margin) filter (where method = 'futures') as futures,
       max(maintenance_margin) filter (where method = 'tiered') as tiered,
       max(maintenance_margin) filter (where method = 'simm') as simm,
       max(maintenance_margin) filter (where method = 'schedule_im') as schedule_im,
       max(maintenance_margin) filter (where method = 'reg_t')
           - max(maintenance_margin) filter (where method = 'strategy_based') as saving_by_structures,
       max(maintenance_margin) filter (where method = 'strategy_based')
           - max(maintenance_margin) filter (where method = 'portfolio_margin') as saving_by_scenarios,
       (array_agg(method order by maintenance_margin, is_governing desc, method) filter (where maintenance_margin is not null))[1] as cheapest_method,
       max(maintenance_margin) filter (where is_governing) - min(maintenance_margin) as saving_to_cheapest,
       (array_agg(method order by maintenance_margin desc, is_governing desc, method) filter (where maintenance_margin is not null))[1] as binding_method
  from margin.portfolio_margins
 group by as_of, portfolio_id;

comment on view margin.method_comparison is 'Maintenance margin of each portfolio under every method, side by side; each belongs to one regime, none is a blend.';
comment on column margin.method_comparison.as_of is 'Business date.';
comment on column margin.method_comparison.portfolio_id is 'Portfolio.';
comment on column margin.method_comparison.governing_method is 'Method that governs the account.';
comment on column margin.method_comparison.governing_margin is 'Maintenance margin under it, base currency; empty: undetermined.';
comment on column margin.method_comparison.reg_t is 'Every position on its own (Regulation T, no option offsets), base currency.';
comment on column margin.method_comparison.strategy_based is 'Option structures recognised (FINRA 4210, Cboe), base currency.';
comment on column margin.method_comparison.portfolio_margin is 'Risk based, by scenarios, base currency.';
comment on column margin.method_comparison.cross_margin is 'Stand-alone margins less correlation offsets, base currency.';
comment on column margin.method_comparison.futures is 'Exchange margin of futures and their options, base currency.';
comment on column margin.method_comparison.tiered is 'Margin schedules, base currency.';
comment on column margin.method_comparison.simm is 'ISDA SIMM, base currency.';
comment on column margin.method_comparison.schedule_im is 'Schedule initial margin of uncleared derivatives, base currency.';
comment on column margin.method_comparison.saving_by_structures is 'reg_t less strategy_based: what recognising option structures saves, base currency.';
comment on column margin.method_comparison.saving_by_scenarios is 'strategy_based less portfolio_margin: what margin by scenarios saves, base currency; negative: it asks more.';
comment on column margin.method_comparison.cheapest_method is 'Method that asks least of those that apply and are determined; it need not be open to the account.';
comment on column margin.method_comparison.saving_to_cheapest is 'Governing margin less that of the cheapest method, base currency; empty: the governing margin is undetermined.';
comment on column margin.method_comparison.binding_method is 'Method that asks most of those that apply and are determined: the one that would bind if all had to be met.';
