-- What each portfolio has against the rule that leaves it least: margin of its governing method, equity of margin accounts, net capital.
create or replace view margin.capital_adequacy as
with asked as (
    select as_of, portfolio_id, method as binding, margin_equity as resources, maintenance_margin as requirement
      from margin.portfolio_margins
     where is_governing
    union all
    -- A line that applies without a value or a limit lacks an input: it is kept, and never adequate.
    select as_of, portfolio_id, line_item, value, case when status = 'undetermined' then null else limit_value end
      from margin.regulatory_lines
     where applicable
       and (regime = 'finra' and line_item in ('minimum_equity', 'portfolio_margin_minimum_equity', 'pattern_day_trader_minimum_equity')
            or regime = 'sec_15c3_1' and line_item in ('net_capital', 'futures_net_capital'))
),
judged as (
    select asked.*,
           case when requirement > 0 then resources / requirement end as ratio,
           case when requirement is null or resources is null then 'undetermined'
                when resources < requirement or resources < 0 then 'breach'
                when requirement > 0 and resources < 1.2 * requirement then 'thin'
                else 'adequate' end as status
      from asked
)
select distinct on (as_of, portfolio_id) as_of, portfolio_id, resources, requirement, binding, ratio, status
  from judged
 order by as_of, portfolio_id, array_position(array['breach', 'undetermined', 'thin', 'adequate'], status), ratio nulls last, binding;

comment on view margin.capital_adequacy is 'Resources of each portfolio against the requirement that leaves it least; capital of banks is in regulatory_lines (basel).';
comment on column margin.capital_adequacy.as_of is 'Business date.';
comment on column margin.capital_adequacy.portfolio_id is 'Portfolio.';
comment on column margin.capital_adequacy.resources is 'What the requirement is measured against: margin equity, equity or net capital; base currency, net capital in US dollars.';
comment on column margin.capital_adequacy.requirement is 'Maintenance margin of the governing method, least equity or least net capital, same currency; empty: undetermined.';
comment on column margin.capital_adequacy.binding is 'Governing method, or the regulatory line, that leaves least: breaches first, then what is undetermined, then the least ratio.';
comment on column margin.capital_adequacy.ratio is 'resources over requirement; empty where nothing is required or it is undetermined.';
comment on column margin.capital_adequacy.status is 'adequate; thin (less than 1.2 times the requirement); breach; undetermined.';
