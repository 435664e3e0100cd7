-- What each portfolio has against what its governing rule asks.
create or replace view margin.capital_adequacy as
select as_of, portfolio_id, margin_equity as resources, maintenance_margin as requirement, method as binding_method,
       case when maintenance_margin > 0 then margin_equity / maintenance_margin end as ratio,
       case when maintenance_margin is null or margin_equity is null then 'undetermined'
            when margin_equity < maintenance_margin or margin_equity < 0 then 'breach'
            when maintenance_margin > 0 and margin_equity < 1.2 * maintenance_margin then 'thin'
            else 'adequate' end as status
  from margin.portfolio_margins
 where is_governing;

comment on view margin.capital_adequacy is 'Resources of each portfolio against what its governing rule asks; capital of banks is in regulatory_lines (basel).';
comment on column margin.capital_adequacy.as_of is 'Business date.';
comment on column margin.capital_adequacy.portfolio_id is 'Portfolio.';
comment on column margin.capital_adequacy.resources is 'What a requirement is measured against, base currency.';
comment on column margin.capital_adequacy.requirement is 'Maintenance margin of the governing method, base currency; empty: undetermined.';
comment on column margin.capital_adequacy.binding_method is 'Governing method.';
comment on column margin.capital_adequacy.ratio is 'resources over requirement; empty where nothing is required or it is undetermined.';
comment on column margin.capital_adequacy.status is 'adequate; thin (less than 1.2 times the requirement); breach; undetermined.';
