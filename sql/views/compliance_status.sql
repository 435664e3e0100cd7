-- Where every portfolio, and the firm, stands under every regime.
create or replace view margin.compliance_status as
select as_of, portfolio_id, regime,
       case when count(*) filter (where status = 'breach') > 0 then 'breach'
            when count(*) filter (where status = 'undetermined') > 0 then 'undetermined'
            when count(*) filter (where status in ('pass', 'information')) > 0 then 'pass'
            else 'not_applicable' end as status,
       count(*) filter (where status = 'breach')         as breaches,
       count(*) filter (where status = 'undetermined')   as undetermined,
       count(*) filter (where status = 'pass')           as passes,
       count(*) filter (where status = 'information')    as information,
       count(*) filter (where status = 'not_applicable') as not_applicable,
       min(concat_ws(' ', line_item, nullif(netting_set_id, ''), nullif(side, ''))) filter (where status = 'breach') as first_breach,
       min(reason) filter (where status = 'undetermined') as first_reason
  from margin.regulatory_lines
 group by as_of, portfolio_id, regime;

comment on view margin.compliance_status is 'Where every portfolio (empty: the firm) stands under every regime; a line that is undetermined is never a pass.';
comment on column margin.compliance_status.as_of is 'Business date.';
comment on column margin.compliance_status.portfolio_id is 'Portfolio; empty: the firm.';
comment on column margin.compliance_status.regime is 'Regime, as in regulatory_lines.';
comment on column margin.compliance_status.status is 'The worst of its lines: breach, undetermined, pass (information included), not_applicable.';
comment on column margin.compliance_status.breaches is 'Lines in breach, count.';
comment on column margin.compliance_status.undetermined is 'Lines that lack an input, count.';
comment on column margin.compliance_status.passes is 'Lines that hold their limit, count.';
comment on column margin.compliance_status.information is 'Lines without a limit, count.';
comment on column margin.compliance_status.not_applicable is 'Lines that do not apply, count.';
comment on column margin.compliance_status.first_breach is 'A line in breach, the first by name.';
comment on column margin.compliance_status.first_reason is 'What an undetermined line lacks.';
