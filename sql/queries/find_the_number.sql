-- Where does this number come from?
-- Put the identifier of a line into the first line, as reports print it (as_of/portfolio_id/scope/regime/line_item/netting_set_id/side),
-- and a calculation_id, or null for the published one: the line of that calculation, superseded or not, with rule, parameters, inputs,
-- code, hashes, files and the time during which readers saw it. Here a line of the newest date stands in for the identifier.
with asked as (
    select (select concat_ws('/', to_char(as_of, 'YYYY-MM-DD'), portfolio_id, scope, regime, line_item, netting_set_id, side)
              from margin.regulatory_lines where as_of = (select max(as_of) from margin.regulatory_lines)
             order by portfolio_id, scope, regime, line_item, netting_set_id, side limit 1) as identifier,
           null::bigint as calculation
)
select f.id, f.value, f.unit, f.limit_value, f.status, f.reason, f.inputs, f.reference, f.parameter_set, f.effective_date,
       f.parameter_values, f.calculation_id, f.calculation_state, f.run_id, f.code_version, f.input_hash, f.content_hash,
       f.known_from, f.known_to, f.files
  from asked cross join lateral margin.find_line(asked.identifier, asked.calculation) f;
