-- Is the audit log whole?
-- Recomputes the hash of every row and follows the chain. One row with the count and the last hash; where something was altered,
-- removed or slipped in, the first row that shows it is named. `margin-pipeline audit --verify` does the same without the database's help.
with checked as (
    select l.audit_id, l.at, l.row_hash,
           l.audit_id = row_number() over (order by l.audit_id)
           and l.previous_hash = coalesce(lag(l.row_hash) over (order by l.audit_id), repeat('0', 64))
           and l.row_hash = encode(sha256(convert_to(margin_data.audit_text(l), 'UTF8')), 'hex') as is_right
      from margin_data.audit_log l
)
select count(*) > 0 and bool_and(is_right) as is_whole, count(*) as rows, min(audit_id) filter (where not is_right) as first_broken_row,
       max(at) as last_at, (array_agg(row_hash order by audit_id desc))[1] as last_hash
  from checked;
