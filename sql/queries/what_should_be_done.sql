-- What should be done, and what first?
-- Recommendations of the newest date: 1 now, 2 before it comes to that, 3 what would be cheaper; each names the table that has the details.
select r.priority, r.portfolio_id, r.action, r.subject, round(r.amount::numeric, 2) as amount, r.due_date, r.why, r.worked_out_in
  from margin.recommendations r
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 order by r.priority, r.due_date nulls last, r.amount desc nulls first, r.portfolio_id, r.action, r.subject;
