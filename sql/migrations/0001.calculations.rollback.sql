drop schema margin cascade;
drop schema margin_data cascade;
