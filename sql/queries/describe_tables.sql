-- What does each table and column mean?
-- Every column of schema margin with type, unit and meaning. Key columns tell the rows of a date apart; a view has none.
with keys as (
    select t.relname as table_name, a.attname as column_name
      from pg_index i
      join pg_class t on t.oid = i.indrelid
      join pg_namespace n on n.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum = any (i.indkey)
     where n.nspname = 'margin_data' and i.indisprimary and not t.relispartition
)
select v.relname as table_name, obj_description(v.oid, 'pg_class') as table_meaning,
       stored.oid is not null as is_stored, a.attname as column_name, format_type(a.atttypid, a.atttypmod) as type,
       k.column_name is not null as is_key, col_description(v.oid, a.attnum) as meaning
  from pg_class v
  join pg_namespace n on n.oid = v.relnamespace
  join pg_attribute a on a.attrelid = v.oid and a.attnum > 0 and not a.attisdropped
  left join pg_class stored on stored.relname = v.relname and stored.relkind in ('r', 'p')
       and stored.relnamespace = (select oid from pg_namespace where nspname = 'margin_data')
  left join keys k on k.table_name = v.relname and k.column_name = a.attname
 where n.nspname = 'margin' and v.relkind = 'v'
 order by is_stored, v.relname, a.attnum;
