drop view margin.live_marks, margin.utilization_history, margin.intraday_books, margin.intraday_positions, margin.intraday_rejected_rows;
drop table margin_data.intraday_positions, margin_data.intraday_books, margin_data.intraday_rejected_rows;
drop table margin_data.live_marks, margin_data.utilization_history;
drop function margin_data.number_live_mark();
drop function margin_data.one_feed_at_a_time();
drop sequence margin_data.live_versions;
