-- Can I prove a number?
-- Regulatory lines of the newest date with the rule behind them, the calculation they come from, the code and the hash of
-- all inputs it saw. The files themselves, with their hashes, are in margin.landed_files.
select r.portfolio_id, concat_ws(' ', r.line_item, nullif(r.netting_set_id, ''), nullif(r.side, '')) as line,
       case when r.unit = 'ratio' then round(r.value::numeric, 4) else round(r.value::numeric) end as value,
       round(r.limit_value::numeric, 4) as limit_value, r.unit, r.status, r.reference, r.parameter_set, c.calculation_id,
       left(c.code_version, 12) as code_version, left(c.input_hash, 12) as input_hash
  from margin.regulatory_lines r
  join margin.calculations c using (as_of, calculation_id)
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 where r.applicable
 order by r.portfolio_id, r.regime, r.line_item, r.netting_set_id, r.side;
