-- What changed since the date before?
-- Maintenance margin, equity and status of each portfolio on the newest date beside the date before it.
with dates as (
    select as_of, row_number() over (order by as_of desc) as place
      from margin.calculations where state = 'published' and scope = 'chain'
), governing as (
    select d.place, m.* from margin.portfolio_margins m join dates d using (as_of) where m.is_governing and d.place <= 2
)
select n.portfolio_id, round(n.maintenance_margin - b.maintenance_margin)::bigint as margin_change,
       round(n.equity - b.equity)::bigint as equity_change, b.status as status_before, n.status as status_now
  from governing n
  left join governing b on b.portfolio_id = n.portfolio_id and b.place = 2
 where n.place = 1
 order by n.portfolio_id;
