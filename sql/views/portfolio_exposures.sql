-- Long, short, gross and net exposure. A position without a value leaves the sums of its portfolio empty.
create or replace view margin.portfolio_exposures as
with valued as (
    select p.as_of, p.portfolio_id,
           case when i.asset_class = 'future' or i.contract_type is not null then p.notional else p.market_value end as exposure
      from margin.positions p
      join margin.instruments i using (as_of, symbol)
)
select as_of, portfolio_id, count(*) as positions, count(*) filter (where exposure is null) as positions_without_value,
       case when bool_and(exposure is not null) then sum(greatest(exposure, 0)) end as long_exposure,
       case when bool_and(exposure is not null) then -sum(least(exposure, 0)) end as short_exposure,
       case when bool_and(exposure is not null) then sum(abs(exposure)) end as gross_exposure,
       case when bool_and(exposure is not null) then sum(exposure) end as net_exposure
  from valued
 group by as_of, portfolio_id;

comment on view margin.portfolio_exposures is 'Exposure of each portfolio: futures and leveraged contracts by notional, everything else (options too) by market value.';
comment on column margin.portfolio_exposures.as_of is 'Business date.';
comment on column margin.portfolio_exposures.portfolio_id is 'Portfolio.';
comment on column margin.portfolio_exposures.positions is 'Positions, count.';
comment on column margin.portfolio_exposures.positions_without_value is 'Positions without a price or exchange rate, count; with any, the sums are empty.';
comment on column margin.portfolio_exposures.long_exposure is 'Sum of the long positions, base currency.';
comment on column margin.portfolio_exposures.short_exposure is 'Sum of the short positions, base currency, positive.';
comment on column margin.portfolio_exposures.gross_exposure is 'long_exposure plus short_exposure, base currency.';
comment on column margin.portfolio_exposures.net_exposure is 'long_exposure less short_exposure, base currency.';
