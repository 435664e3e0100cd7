drop view margin.house_margins, margin.broker_margins, margin.house_additions, margin.margin_schedule_tiers,
    margin.margin_schedule_positions, margin.margin_reconciliation, margin.portfolio_margins, margin.liquidation_prices;
drop table margin_data.house_margins, margin_data.broker_margins, margin_data.house_additions, margin_data.margin_schedule_tiers,
    margin_data.margin_schedule_positions, margin_data.margin_reconciliation;
alter table margin_data.portfolio_margins drop column margin_ratio, drop column available_to_open, drop column is_safe,
    drop column is_warning, drop column is_liquidatable;
alter table margin_data.liquidation_prices drop column initial_margin, drop column available_to_open, drop column excess,
    drop column is_safe, drop column is_warning, drop column is_liquidatable;
comment on column margin_data.portfolio_margin_components.component is 'stock, options, futures, other, minimum, offsets, ...';
do $$ begin perform margin_data.create_reading_view(name) from unnest(array['portfolio_margins', 'liquidation_prices', 'portfolio_margin_components']) as name; end $$;
