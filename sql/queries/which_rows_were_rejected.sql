-- Which input rows were rejected, and why?
-- Every bad row of the newest date with its file and line; rows read = accepted + rejected is in margin.landed_files.
select source, row_number, column_name, reason, left(raw::text, 80) as raw
  from margin.rejected_rows
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 order by source, row_number, column_name;
