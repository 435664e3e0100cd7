drop function margin.find_line(text, bigint);
drop function margin_data.percent_decoded(text);
drop function margin.rows_of(anyelement, bigint);
drop view margin_data.monthly_partitions;
drop view margin.retired_partitions;
drop table margin_data.retired_partitions;
drop view margin.calculations;
alter table margin_data.calculations drop column retired_at;
create view margin.calculations as select * from margin_data.calculations;
comment on view margin.calculations is 'Every calculation of every date, with the time during which it was what readers saw.';
drop view margin.calculation_parameters;
drop table margin_data.calculation_parameters;
drop table margin_data.parameter_sets;
drop trigger audit_acknowledgement on margin_data.alerts;
drop trigger audit_clear on margin_data.alerts;
drop trigger audit_raise on margin_data.alerts;
drop function margin_data.audit_row();
drop trigger audit_parameters on margin_data.calculations;
drop trigger audit_removal on margin_data.calculations;
drop trigger audit_state on margin_data.calculations;
drop function margin_data.audit_calculation();
drop view margin.audit_log;
drop function margin_data.audit_text(margin_data.audit_log);
drop table margin_data.audit_log;
drop function margin_data.refuse_audit_change();
drop function margin_data.chain_audit_row();
do $$
declare col record;
begin
    for col in
        select a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a
         where a.attrelid = 'margin_data.calculations'::regclass and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.calculations.%I is %L', col.attname, col.text);
    end loop;
end $$;
