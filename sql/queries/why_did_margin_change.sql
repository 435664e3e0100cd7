-- Why did the margin change?
-- Change of maintenance margin of each portfolio since the date before, by cause, on the newest date; the causes add up to it.
select portfolio_id, method, compared_with,
       round(max(maintenance_after) - max(maintenance_before))::bigint as change,
       round(sum(amount) filter (where cause = 'trades'))::bigint as trades,
       round(sum(amount) filter (where cause = 'prices'))::bigint as prices,
       round(sum(amount) filter (where cause = 'volatility'))::bigint as volatility,
       round(sum(amount) filter (where cause = 'time'))::bigint as time,
       round(sum(amount) filter (where cause = 'parameters'))::bigint as parameters,
       round(sum(amount) filter (where cause = 'grouping'))::bigint as grouping,
       max(missing) as not_split_because
  from margin.margin_changes
 where as_of = (select max(as_of) from margin.calculations where state = 'published' and scope = 'chain')
 group by portfolio_id, method, compared_with
 order by portfolio_id;
