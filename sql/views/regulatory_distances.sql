-- Regulatory lines that apply, with how much of their limit is used.
create or replace view margin.regulatory_distances as
select as_of, portfolio_id, scope, regime, line_item, netting_set_id, side, value, unit, limit_value, value - limit_value as distance,
       value / nullif(limit_value, 0) as part_of_limit, status,
       array_position(array['breach', 'undetermined', 'pass', 'information', 'not_applicable'], status)::bigint as urgency,
       reason, reference, parameter_set, effective_date
  from margin.regulatory_lines
 where applicable;

comment on view margin.regulatory_distances is 'Regulatory lines that apply, the most urgent first by urgency, with their distance to the limit.';
comment on column margin.regulatory_distances.as_of is 'Business date.';
comment on column margin.regulatory_distances.portfolio_id is 'Portfolio; empty: the firm.';
comment on column margin.regulatory_distances.scope is 'portfolio, entity or firm.';
comment on column margin.regulatory_distances.regime is 'Regime.';
comment on column margin.regulatory_distances.line_item is 'What the line is about.';
comment on column margin.regulatory_distances.netting_set_id is 'Netting set; empty: none.';
comment on column margin.regulatory_distances.side is 'call or post; empty: neither.';
comment on column margin.regulatory_distances.value is 'Value; empty: undetermined.';
comment on column margin.regulatory_distances.unit is 'ISO 4217 code, ratio, days or count.';
comment on column margin.regulatory_distances.limit_value is 'Limit, in the same unit; empty: none.';
comment on column margin.regulatory_distances.distance is 'value less limit_value; which sign is good depends on the rule: status says it.';
comment on column margin.regulatory_distances.part_of_limit is 'value over limit_value, fraction; empty without a limit, or where it is 0.';
comment on column margin.regulatory_distances.status is 'pass, breach, information or undetermined.';
comment on column margin.regulatory_distances.urgency is '1: breach, 2: undetermined, 3: pass, 4: information.';
comment on column margin.regulatory_distances.reason is 'Why it is undetermined.';
comment on column margin.regulatory_distances.reference is 'Rule and paragraph.';
comment on column margin.regulatory_distances.parameter_set is 'Parameter version that was used.';
comment on column margin.regulatory_distances.effective_date is 'Date from which that version is in force.';
