-- Derivatives and exposures: what the full regulatory rules ask beyond the first columns.

alter table margin_data.netting_sets add column is_cleared boolean;
alter table margin_data.netting_sets add column variation_margin double precision;
alter table margin_data.netting_sets add column initial_margin_held double precision check (initial_margin_held >= 0);
alter table margin_data.netting_sets add column initial_margin_posted double precision check (initial_margin_posted >= 0);
alter table margin_data.netting_sets add column initial_margin_threshold double precision check (initial_margin_threshold >= 0);
alter table margin_data.netting_sets add column counterparty_type text;
alter table margin_data.netting_sets add column counterparty_average_notional double precision check (counterparty_average_notional >= 0);
alter table margin_data.netting_sets add column counterparty_class text;
alter table margin_data.netting_sets add column counterparty_rating text;
alter table margin_data.netting_sets add column counterparty_sector text;
comment on column margin_data.netting_sets.is_cleared is 'Whether a central counterparty stands between the parties; empty: no.';
comment on column margin_data.netting_sets.variation_margin is 'Net variation margin held, negative where given, base currency.';
comment on column margin_data.netting_sets.initial_margin_held is 'Initial margin collected from the counterparty, base currency.';
comment on column margin_data.netting_sets.initial_margin_posted is 'Initial margin given to the counterparty, base currency.';
comment on column margin_data.netting_sets.initial_margin_threshold is 'Agreed threshold of initial margin, base currency; empty: the greatest that the regime allows.';
comment on column margin_data.netting_sets.counterparty_type is 'What the counterparty is to uncleared margin.';
comment on column margin_data.netting_sets.counterparty_average_notional is 'Average aggregate notional amount of the counterparty''s group, base currency.';
comment on column margin_data.netting_sets.counterparty_class is 'Basel exposure class of the counterparty.';
comment on column margin_data.netting_sets.counterparty_rating is 'External rating of the counterparty; empty: unrated.';
comment on column margin_data.netting_sets.counterparty_sector is 'Sector of the counterparty for credit valuation adjustment.';

alter table margin_data.otc_trades add column next_reset_date date;
alter table margin_data.otc_trades add column settlement text check (settlement in ('physical', 'cash'));
alter table margin_data.otc_trades add column second_notional double precision check (second_notional >= 0);
alter table margin_data.otc_trades add column attachment double precision check (attachment between 0 and 1);
alter table margin_data.otc_trades add column detachment double precision check (detachment between 0 and 1);
alter table margin_data.otc_trades add column is_hedge boolean;
comment on column margin_data.otc_trades.next_reset_date is 'Next day on which the trade is settled so that its value becomes zero.';
comment on column margin_data.otc_trades.settlement is 'physical or cash.';
comment on column margin_data.otc_trades.second_notional is 'Notional in the second currency.';
comment on column margin_data.otc_trades.attachment is 'Attachment point of a tranche, fraction.';
comment on column margin_data.otc_trades.detachment is 'Detachment point of a tranche, fraction.';
comment on column margin_data.otc_trades.is_hedge is 'Whether it reduces risks of commercial or treasury activity; empty: no.';

alter table margin_data.exposures add column loan_to_value double precision check (loan_to_value >= 0);
alter table margin_data.exposures add column is_short_term boolean;
comment on column margin_data.exposures.loan_to_value is 'Loan over value of the property it is secured on, fraction.';
comment on column margin_data.exposures.is_short_term is 'Whether the original maturity is three months or less; empty: no.';

do $$ begin perform margin_data.show_tables(array['netting_sets', 'otc_trades', 'exposures']); end $$;
