-- Are we compliant?
-- Every portfolio, and the firm (empty), under every regime that applies to it on the newest date: breaches first, then what lacks an input.
select s.portfolio_id, s.regime, s.status, s.breaches, s.undetermined, s.passes, coalesce(s.first_breach, s.first_reason) as first
  from margin.compliance_status s
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 where s.status <> 'not_applicable'
 order by array_position(array['breach', 'undetermined', 'pass'], s.status), s.portfolio_id, s.regime;
