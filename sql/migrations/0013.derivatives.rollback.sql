drop view margin.netting_sets, margin.otc_trades, margin.exposures;
alter table margin_data.netting_sets
    drop column is_cleared, drop column variation_margin, drop column initial_margin_held, drop column initial_margin_posted,
    drop column initial_margin_threshold, drop column counterparty_type, drop column counterparty_average_notional,
    drop column counterparty_class, drop column counterparty_rating, drop column counterparty_sector;
alter table margin_data.otc_trades
    drop column next_reset_date, drop column settlement, drop column second_notional, drop column attachment, drop column detachment,
    drop column is_hedge;
alter table margin_data.exposures drop column loan_to_value, drop column is_short_term;
do $$ begin perform margin_data.create_reading_view(name) from unnest(array['netting_sets', 'otc_trades', 'exposures']) as name; end $$;
