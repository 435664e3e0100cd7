drop view margin.portfolio_margin_classes, margin.portfolio_margin_groups, margin.portfolio_margin_positions, margin.eligibility_notes,
    margin.instruments;
drop table margin_data.portfolio_margin_classes, margin_data.portfolio_margin_groups, margin_data.portfolio_margin_positions,
    margin_data.eligibility_notes;
update margin_data.margin_reconciliation set base = 'positions' where base = 'scenarios';
alter table margin_data.margin_reconciliation drop constraint margin_reconciliation_base_check;
alter table margin_data.margin_reconciliation
    add constraint margin_reconciliation_base_check check (base in ('portfolio', 'groups', 'positions', 'none'));
alter table margin_data.instruments drop column is_inverse;
comment on column margin_data.portfolio_margin_components.component is 'stock, options, futures, tiered, other, house (what house rates add to the rules), boxed, offsets, minimum, schedule_im.';
do $$ begin perform margin_data.create_reading_view(name) from unnest(array['instruments', 'portfolio_margin_components']) as name; end $$;
drop function margin_data.show_tables(text[]);
