-- What to do about the figures of a date: each row an action, how much, by when, and where it is worked out.
create or replace view margin.recommendations as
with rows as (
    select d.as_of, d.portfolio_id, 1 as priority, 'meet_call' as action, d.subject, d.amount, d.due_date,
           d.kind || ' call of ' || round(d.amount::numeric, 2) || ' ' || d.currency || ' by ' || d.due_date || ' (' || d.reference || ')' as why,
           'margin_deficiencies' as worked_out_in
      from margin.margin_deficiencies d where d.amount > 0
    union all
    select s.as_of, s.portfolio_id, case when s.utilization_before >= 0.9 then 1 else 2 end, 'close_positions', '', s.maintenance_before - s.maintenance_after, null,
           round((100 * s.utilization_before)::numeric, 1) || '% of margin equity is used; ' || s.trades || case s.trades when 1 then ' trade' else ' trades' end || ' at a cost of ' || round(s.cost::numeric, 2)
               || ' bring it to ' || round((100 * s.utilization_after)::numeric, 1) || '%'
               || case when s.plan_status = 'infeasible' then ', which does not reach the target: bring equity' else '' end,
           'liquidation_plans'
      from margin.liquidation_plan_summaries s where s.plan_status in ('verified', 'infeasible')
    union all
    select c.as_of, c.portfolio_id, 1, 'bring_collateral', c.requirement_id, c.shortfall, null,
           'eligible assets cover ' || round(c.allocated_value::numeric, 2) || ' of ' || round(c.requirement::numeric, 2), 'collateral_summaries'
      from margin.collateral_summaries c where c.status = 'short'
    union all
    select a.as_of, a.portfolio_id, 2, 'prepare_for_rates', a.cause, -a.excess_after, a.effective_date,
           'from ' || a.effective_date || ' the same positions need ' || round(a.maintenance_after::numeric, 2) || ', more than there is', 'announced_margins'
      from margin.announced_margins a where a.excess_after < 0 and a.maintenance_after > a.maintenance_before
    union all
    select e.as_of, e.portfolio_id, 2, 'prepare_for_expiry', '', -e.excess_after, e.expiry,
           'after what expires by ' || e.expiry || ' margin equity is short of what is left', 'expiry_outcomes'
      from margin.expiry_outcomes e where e.excess_after < 0 and e.excess_before >= 0
    union all
    select f.as_of, f.portfolio_id, 2, 'bring_equity_early', '', f.distance, null,
           'a call within a session is ' || round((100 * f.breach_probability)::numeric) || '% likely', 'margin_forecasts'
      from margin.margin_forecasts f where f.threshold = 1 and f.horizon_minutes = 390 and f.breach_probability >= 0.5 and f.distance > 0
    union all
    select o.as_of, o.portfolio_id, 3, 'change_method', o.cheapest_method, o.saving_to_cheapest, null,
           o.cheapest_method || ' would ask ' || round(o.saving_to_cheapest::numeric, 2) || ' less than ' || o.governing_method || ', where the account may use it', 'method_comparison'
      from margin.executive_overview o where o.saving_to_cheapest > 0.1 * o.maintenance_margin
    union all
    -- What opened the positions has to stay, whatever keeps them open.
    select m.as_of, m.portfolio_id, 3, 'release_idle_equity', '', m.margin_equity - greatest(2 * m.maintenance_margin, m.initial_margin), null,
           'only ' || round((100 * m.utilization)::numeric, 1) || '% is used; down to 50%, and to the initial margin, this much does not work', 'portfolio_margins'
      from margin.portfolio_margins m
     where m.is_governing and m.utilization < 0.5 and m.maintenance_margin > 0 and m.initial_margin < m.margin_equity
    union all
    select o.as_of, o.portfolio_id, 1, 'complete_inputs', '', null, null, o.missing ->> 0, 'rejected_rows'
      from margin.executive_overview o where o.status = 'undetermined'
)
select as_of, portfolio_id, priority, action, subject, amount, due_date, why, worked_out_in from rows;

comment on view margin.recommendations is 'What to do about the figures of a date: each row an action with its reason; several of a portfolio stand beside each other, not on top of each other.';
comment on column margin.recommendations.as_of is 'Business date.';
comment on column margin.recommendations.portfolio_id is 'Portfolio.';
comment on column margin.recommendations.priority is '1: now; 2: before it comes to that; 3: what would be cheaper.';
comment on column margin.recommendations.action is 'meet_call, close_positions, bring_collateral, prepare_for_rates, prepare_for_expiry, bring_equity_early, change_method, release_idle_equity or complete_inputs.';
comment on column margin.recommendations.subject is 'What it is about within the portfolio: requirement, netting set, cause, method; empty: all of it.';
comment on column margin.recommendations.amount is 'Base currency: what to bring, what is released or saved; empty: not known before inputs are complete.';
comment on column margin.recommendations.due_date is 'Day by which; empty: none is set.';
comment on column margin.recommendations.why is 'The figures that call for it.';
comment on column margin.recommendations.worked_out_in is 'Table or view in schema margin that has the details.';
