-- What readers and the files of sql/views need beside the tables.

create function margin.calculation_known_at(for_date date, stored text, instant timestamptz) returns bigint language sql stable as $$
    select t.source_calculation_id
      from margin_data.calculations c
      join margin_data.calculation_tables t on t.calculation_id = c.calculation_id and t.table_name = stored
     where c.as_of = for_date and c.known_from <= instant and (c.known_to is null or instant < c.known_to)
$$;
comment on function margin.calculation_known_at(date, text, timestamptz) is
    'Calculation whose rows of margin_data.<table> readers of margin.<table> saw at an instant; empty when nothing was published then.';

create table margin_data.view_files (
    file_name     text        primary key,
    content_hash  text        not null,
    views         text[]      not null,
    applied_at    timestamptz not null default clock_timestamp()
);
comment on table  margin_data.view_files is 'Files of sql/views that have been applied, so that changed ones are noticed.';
comment on column margin_data.view_files.file_name is 'Name of the file.';
comment on column margin_data.view_files.content_hash is 'SHA-256 of the file as it was applied.';
comment on column margin_data.view_files.views is 'Views of schema margin that the file made.';
comment on column margin_data.view_files.applied_at is 'Instant at which it was applied, UTC.';
