drop view margin.crif, margin.simm_results, margin.listed_sensitivities;
drop table margin_data.crif, margin_data.simm_results, margin_data.listed_sensitivities;
comment on column margin_data.netting_set_margins.model is 'Model of initial margin: schedule.';
comment on column margin_data.netting_set_margins.gross_margin is 'Sum of notional x schedule percentage, base currency.';
comment on column margin_data.netting_set_margins.net_to_gross_ratio is 'Net over gross replacement cost of the side, fraction.';
comment on column margin_data.netting_set_margins.initial_margin is '0.4 gross + 0.6 net-to-gross ratio x gross, base currency.';
do $$ begin perform margin_data.create_reading_view('netting_set_margins'); end $$;
