-- Intraday: the newest mark of each symbol, positions that change during the day, and the margin of portfolios at every instant it was computed.

create sequence margin_data.live_versions;
comment on sequence margin_data.live_versions is 'Counts changes of live marks and of intraday positions.';

create table margin_data.live_marks (
    symbol     text             primary key check (symbol <> ''),
    -- NaN is greater than infinity here, so that it is refused as well.
    price      double precision not null check (price > 0 and price < 'infinity'),
    marked_at  timestamptz      not null default clock_timestamp(),
    source     text             not null default '',
    version    bigint           not null default 0
);
create index live_marks_by_version on margin_data.live_marks (version);
comment on table  margin_data.live_marks is 'Newest mark of each symbol during the day, upserted by any feed; one that is older than the one that stands does not replace it. It counts once it is newer than the marks of the newest published date.';
comment on column margin_data.live_marks.symbol is 'Instrument, or what instruments are on.';
comment on column margin_data.live_marks.price is 'Mark, instrument currency a unit, above 0.';
comment on column margin_data.live_marks.marked_at is 'Instant of the mark, UTC; at most five minutes ahead of the server.';
comment on column margin_data.live_marks.source is 'Who says so.';
comment on column margin_data.live_marks.version is 'Number of the change that set this price, given by the database: greater than that of every change committed before. A mark that confirms the price keeps it.';

-- Changes are numbered in the order in which they are committed: whoever has seen number n will not find a smaller one later.
create function margin_data.one_feed_at_a_time() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('margin live marks'));
    return null;
end $$;
comment on function margin_data.one_feed_at_a_time() is 'Lets one transaction at a time change live marks, until it ends.';
create trigger one_feed_at_a_time before insert or update on margin_data.live_marks
    for each statement execute function margin_data.one_feed_at_a_time();

create function margin_data.number_live_mark() returns trigger language plpgsql as $$
begin
    if new.marked_at > clock_timestamp() + interval '5 minutes' then
        raise exception 'mark of % at % lies in the future: no later one could replace it', new.symbol, new.marked_at;
    end if;
    if tg_op = 'UPDATE' then
        if new.marked_at < old.marked_at then
            return null;
        end if;
        if new.price = old.price and new.symbol = old.symbol then
            new.version := old.version;
            return new;
        end if;
    end if;
    new.version := nextval('margin_data.live_versions');
    return new;
end $$;
comment on function margin_data.number_live_mark() is 'Keeps the newer of two marks and numbers the change.';
create trigger number_live_mark before insert or update on margin_data.live_marks
    for each row execute function margin_data.number_live_mark();

create table margin_data.utilization_history (
    portfolio_id        text        not null,
    calculation_id      bigint      not null references margin_data.calculations,
    marks_version       bigint      not null check (marks_version >= 0),
    as_of               date        not null,
    calculated_at       timestamptz not null default clock_timestamp(),
    occasion            text        not null check (occasion in ('publication', 'live')),
    method              text        not null,
    utilization         double precision check (utilization >= 0),
    initial_margin      double precision check (initial_margin >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    equity              double precision,
    margin_equity       double precision,
    status              text        not null check (status in ('safe', 'warning', 'critical', 'emergency', 'undetermined', 'liquidatable')),
    missing             jsonb,
    "grouping"          text        check ("grouping" in ('optimal', 'kept')),
    changed_symbols     jsonb,
    mark_sources        jsonb,
    positions_source    text,
    seconds             double precision check (seconds >= 0),
    primary key (portfolio_id, calculation_id, marks_version),
    check ((occasion = 'publication') = (marks_version = 0)),
    check ((status = 'undetermined') = (utilization is null)),
    check (status <> 'undetermined' or missing is not null),
    check ((utilization is null) = (maintenance_margin is null))
);
create index utilization_history_by_instant on margin_data.utilization_history (portfolio_id, calculated_at);
comment on table  margin_data.utilization_history is 'Margin of each portfolio under its governing method at every instant it was computed: at publications, and whenever a live mark changed that it depends on. Rows are added and never replaced.';
comment on column margin_data.utilization_history.portfolio_id is 'Portfolio.';
comment on column margin_data.utilization_history.calculation_id is 'Published calculation whose positions, parameters and rates it rests on.';
comment on column margin_data.utilization_history.marks_version is 'Newest change of live marks that is in it (live_marks.version); 0: the marks of the date.';
comment on column margin_data.utilization_history.as_of is 'Business date of that calculation.';
comment on column margin_data.utilization_history.calculated_at is 'Instant at which it was written, UTC.';
comment on column margin_data.utilization_history.occasion is 'publication: figures of the date; live: at live marks.';
comment on column margin_data.utilization_history.method is 'Governing method, as in portfolio_margins.';
comment on column margin_data.utilization_history.utilization is 'maintenance_margin over margin_equity, fraction; infinite where margin equity is used up; empty: undetermined.';
comment on column margin_data.utilization_history.initial_margin is 'Initial margin, base currency; empty: not known.';
comment on column margin_data.utilization_history.maintenance_margin is 'Maintenance margin, base currency; empty: undetermined.';
comment on column margin_data.utilization_history.equity is 'Equity of the date and what positions have gained since its marks, base currency; empty: the gain of a position is not known.';
comment on column margin_data.utilization_history.margin_equity is 'What maintenance_margin is compared with, base currency.';
comment on column margin_data.utilization_history.status is 'Status, as in portfolio_margins.';
comment on column margin_data.utilization_history.missing is 'What is missing for the figures (list); empty: nothing.';
comment on column margin_data.utilization_history."grouping" is 'optimal: stock and options were grouped again at these marks; kept: the groups of the publication stand, which need at least what the best ones would; empty: the method has no groups.';
comment on column margin_data.utilization_history.changed_symbols is 'Symbols that the portfolio depends on whose live mark changed since its row before, the first 50 by name (list); empty at publications.';
comment on column margin_data.utilization_history.mark_sources is 'Count of positions by where their mark comes from: live (a mark of its own), underlying (a future that moves with what it is on), implied_volatility (an option valued at the live mark of what it is on), published; empty at publications.';
comment on column margin_data.utilization_history.positions_source is 'File and start of its hash whose positions replace those of the date (intraday_books); empty: the positions of the date.';
comment on column margin_data.utilization_history.seconds is 'Seconds that computing it took, with the portfolios computed together; empty at publications.';

create table margin_data.intraday_books (
    portfolio_id    text        primary key,
    calculation_id  bigint      not null references margin_data.calculations,
    source          text        not null,
    content_hash    text        not null,
    arrived_at      timestamptz not null default clock_timestamp(),
    equity          double precision,
    version         bigint      not null
);
comment on table  margin_data.intraday_books is 'Portfolios whose positions were replaced during the day by a file, until the next date is published.';
comment on column margin_data.intraday_books.portfolio_id is 'Portfolio.';
comment on column margin_data.intraday_books.calculation_id is 'Published calculation on which the positions follow; those that follow on another one count no more.';
comment on column margin_data.intraday_books.source is 'Name of the file.';
comment on column margin_data.intraday_books.content_hash is 'SHA-256 of the file.';
comment on column margin_data.intraday_books.arrived_at is 'Instant at which it was read, UTC.';
comment on column margin_data.intraday_books.equity is 'Equity that these positions would have at the published marks, base currency: at the marks of the arrival the trades changed no equity. Empty: the gain of a position was not known.';
comment on column margin_data.intraday_books.version is 'Number of the change, counted with those of live marks.';

create table margin_data.intraday_positions (
    portfolio_id    text   not null references margin_data.intraday_books on delete cascade,
    strategy        text   not null,
    symbol          text   not null,
    quantity        double precision not null,
    entry_price     double precision,
    isolated_wallet double precision,
    primary key (portfolio_id, strategy, symbol)
);
comment on table  margin_data.intraday_positions is 'Positions of the portfolios in intraday_books.';
comment on column margin_data.intraday_positions.portfolio_id is 'Portfolio.';
comment on column margin_data.intraday_positions.strategy is 'Strategy.';
comment on column margin_data.intraday_positions.symbol is 'Instrument.';
comment on column margin_data.intraday_positions.quantity is 'Units or contracts, short negative.';
comment on column margin_data.intraday_positions.entry_price is 'Quantity-weighted price paid, instrument currency a unit.';
comment on column margin_data.intraday_positions.isolated_wallet is 'Collateral that backs this position alone, base currency.';

create table margin_data.intraday_rejected_rows (
    content_hash  text        not null,
    row_number    bigint      not null,
    column_name   text        not null,
    source        text        not null,
    reason        text        not null,
    portfolio_id  text,
    raw           jsonb       not null,
    arrived_at    timestamptz not null default clock_timestamp(),
    primary key (content_hash, row_number, column_name)
);
comment on table  margin_data.intraday_rejected_rows is 'Rows of files that arrived during the day that broke their contract; with any that is no expired contract, its portfolio is undetermined.';
comment on column margin_data.intraday_rejected_rows.content_hash is 'SHA-256 of the file.';
comment on column margin_data.intraday_rejected_rows.row_number is 'Row in the file, the header is row 1.';
comment on column margin_data.intraday_rejected_rows.column_name is 'Column that is wrong.';
comment on column margin_data.intraday_rejected_rows.source is 'Name of the file.';
comment on column margin_data.intraday_rejected_rows.reason is 'What is wrong with it.';
comment on column margin_data.intraday_rejected_rows.portfolio_id is 'Portfolio that the row is of; empty: not known.';
comment on column margin_data.intraday_rejected_rows.raw is 'The row as it was read.';
comment on column margin_data.intraday_rejected_rows.arrived_at is 'Instant at which it was read, UTC.';

create view margin.intraday_books as select * from margin_data.intraday_books;
comment on view margin.intraday_books is 'Portfolios whose positions were replaced during the day by a file.';
create view margin.intraday_positions as select * from margin_data.intraday_positions;
comment on view margin.intraday_positions is 'Positions of the portfolios in intraday_books.';
create view margin.intraday_rejected_rows as select * from margin_data.intraday_rejected_rows;
comment on view margin.intraday_rejected_rows is 'Rows of files that arrived during the day that broke their contract.';
create view margin.live_marks as select * from margin_data.live_marks;
comment on view margin.live_marks is 'Newest mark of each symbol during the day, for reading and upserting: insert into margin.live_marks (symbol, price, marked_at, source) values … on conflict (symbol) do update set price = excluded.price, marked_at = excluded.marked_at, source = excluded.source.';
create view margin.utilization_history as select * from margin_data.utilization_history;
comment on view margin.utilization_history is 'Margin of each portfolio under its governing method at every instant it was computed.';
do $$
declare col record;
begin
    for col in
        select c.relname, a.attname, col_description(a.attrelid, a.attnum) as text from pg_attribute a join pg_class c on c.oid = a.attrelid
         where a.attrelid in ('margin_data.live_marks'::regclass, 'margin_data.utilization_history'::regclass,
                              'margin_data.intraday_books'::regclass, 'margin_data.intraday_positions'::regclass,
                              'margin_data.intraday_rejected_rows'::regclass)
           and a.attnum > 0 and not a.attisdropped
    loop
        execute format('comment on column margin.%I.%I is %L', col.relname, col.attname, col.text);
    end loop;
end $$;
