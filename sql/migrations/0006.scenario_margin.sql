-- Risk-based margin by scenarios: class groups, product groups, who carries them, what the method does not cover.

-- What every migration ends with: columns that all tables share are commented alike, and readers get their views.
create function margin_data.show_tables(stored text[]) returns void language plpgsql as $$
declare
    col  record;
    name text;
begin
    for col in
        select c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid
        where n.nspname = 'margin_data' and c.relname = any (stored)
          and a.attname in ('as_of', 'calculation_id', 'portfolio_id', 'strategy', 'symbol') and col_description(c.oid, a.attnum) is null
    loop
        execute format('comment on column margin_data.%I.%I is %L', col.relname, col.attname, case col.attname
            when 'as_of' then 'Business date.' when 'calculation_id' then 'Calculation that wrote the row.'
            when 'portfolio_id' then 'Portfolio.' when 'strategy' then 'Strategy within the portfolio.' else 'Instrument.' end);
    end loop;
    foreach name in array stored
    loop
        perform margin_data.create_reading_view(name);
    end loop;
end $$;
comment on function margin_data.show_tables(text[]) is 'Comments the columns that all tables share, where a table has no comment of its own, and makes the views of schema margin.';

alter table margin_data.instruments add column is_inverse boolean;
comment on column margin_data.instruments.is_inverse is 'Whether the fund moves against its underlying; empty: it does not.';

create table margin_data.portfolio_margin_classes (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    class_group         text   not null,
    product_group       text   not null,
    move_down           double precision not null check (move_down < 0 and move_down >= -1),
    move_up             double precision not null check (move_up > 0),
    greatest_loss       double precision,
    worst_scenario      bigint check (worst_scenario >= 1),
    contracts           double precision not null check (contracts >= 0),
    contract_minimum    double precision check (contract_minimum >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    price_moves         double precision[] not null,
    losses              double precision[],
    missing             text,
    explanation         jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, class_group),
    check ((missing is null) = (maintenance_margin is not null)),
    check ((missing is null) = (losses is not null))
) partition by range (as_of);
comment on table  margin_data.portfolio_margin_classes is 'Risk-based margin of each class group on its own: its losses at the valuation points and the greatest of them. View scenario_losses has one row a point.';
comment on column margin_data.portfolio_margin_classes.class_group is 'Stock or index that the positions are on.';
comment on column margin_data.portfolio_margin_classes.product_group is 'Product group within which gains offset losses of other class groups.';
comment on column margin_data.portfolio_margin_classes.move_down is 'Greatest move down, fraction, negative; wider than the rule where the house asks more.';
comment on column margin_data.portfolio_margin_classes.move_up is 'Greatest move up, fraction.';
comment on column margin_data.portfolio_margin_classes.greatest_loss is 'Greatest loss over the points, base currency; negative: a gain everywhere.';
comment on column margin_data.portfolio_margin_classes.worst_scenario is 'Number of the point of the greatest loss.';
comment on column margin_data.portfolio_margin_classes.contracts is 'Option contracts, long and short, count.';
comment on column margin_data.portfolio_margin_classes.contract_minimum is 'Least requirement of the option contracts, base currency.';
comment on column margin_data.portfolio_margin_classes.maintenance_margin is 'What the class group would need on its own, base currency: the greater of greatest loss and minimum.';
comment on column margin_data.portfolio_margin_classes.price_moves is 'Relative move of the class group at each point, fractions, ascending.';
comment on column margin_data.portfolio_margin_classes.losses is 'Loss at each point, base currency, positive: money lost.';
comment on column margin_data.portfolio_margin_classes.missing is 'What is missing; then there are no amounts.';
comment on column margin_data.portfolio_margin_classes.explanation is 'Rule, parameter version, the move that is worst, whether the minimum binds, the house rate.';

create table margin_data.portfolio_margin_groups (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    product_group       text   not null,
    gain_offset         double precision not null check (gain_offset between 0 and 1),
    greatest_loss       double precision,
    worst_scenario      bigint check (worst_scenario >= 1),
    contract_minimum    double precision check (contract_minimum >= 0),
    minimum_binds       boolean not null,
    class_margin        double precision,
    rule_margin         double precision check (rule_margin >= 0),
    maintenance_margin  double precision check (maintenance_margin >= 0),
    missing             text,
    primary key (as_of, calculation_id, portfolio_id, product_group),
    check ((missing is null) = (maintenance_margin is not null))
) partition by range (as_of);
comment on table  margin_data.portfolio_margin_groups is 'Risk-based margin of each product group: at each point losses of its class groups less a part of gains, then the greatest. Adds up to the scenario part of method portfolio_margin.';
comment on column margin_data.portfolio_margin_groups.product_group is 'Product group.';
comment on column margin_data.portfolio_margin_groups.gain_offset is 'Part of the gains of class groups that offsets losses of others, fraction.';
comment on column margin_data.portfolio_margin_groups.greatest_loss is 'Greatest loss over the points after offsets, base currency; negative: a gain everywhere.';
comment on column margin_data.portfolio_margin_groups.worst_scenario is 'Number of the point of the greatest loss.';
comment on column margin_data.portfolio_margin_groups.contract_minimum is 'Sum of the minimums of the option contracts, base currency.';
comment on column margin_data.portfolio_margin_groups.minimum_binds is 'Whether the minimum is the requirement.';
comment on column margin_data.portfolio_margin_groups.class_margin is 'Sum of what the class groups would need on their own, base currency; the rest to maintenance_margin is the offset.';
comment on column margin_data.portfolio_margin_groups.rule_margin is 'What the rule alone would ask, without house rates, base currency.';
comment on column margin_data.portfolio_margin_groups.maintenance_margin is 'Requirement, base currency.';
comment on column margin_data.portfolio_margin_groups.missing is 'What is missing; then there are no amounts.';

create table margin_data.portfolio_margin_positions (
    as_of               date   not null,
    calculation_id      bigint not null,
    portfolio_id        text   not null,
    strategy            text   not null,
    symbol              text   not null,
    class_group         text   not null,
    product_group       text   not null,
    loss                double precision,
    maintenance_margin  double precision,
    primary key (as_of, calculation_id, portfolio_id, strategy, symbol)
) partition by range (as_of);
comment on table  margin_data.portfolio_margin_positions is 'Positions that are margined by scenarios, and what each carries of the requirement of its product group; negative: it relieves it.';
comment on column margin_data.portfolio_margin_positions.class_group is 'Class group.';
comment on column margin_data.portfolio_margin_positions.product_group is 'Product group.';
comment on column margin_data.portfolio_margin_positions.loss is 'Loss at the point that decides for the product group, base currency.';
comment on column margin_data.portfolio_margin_positions.maintenance_margin is 'Part of the requirement of the product group, base currency; the parts add up to it.';

create table margin_data.eligibility_notes (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    symbol          text   not null,
    note            text   not null,
    reference       text   not null,
    primary key (as_of, calculation_id, portfolio_id, symbol)
) partition by range (as_of);
comment on table  margin_data.eligibility_notes is 'What portfolio margin does not cover: positions that are margined on their own, accounts that are not eligible.';
comment on column margin_data.eligibility_notes.symbol is 'Instrument; empty text: the account.';
comment on column margin_data.eligibility_notes.note is 'Why, in words.';
comment on column margin_data.eligibility_notes.reference is 'Rule.';

comment on column margin_data.portfolio_margin_components.component is 'stock, options, futures, tiered, other, house (what house rates add to the rules), boxed, offsets, minimum, scenarios (greatest losses of class groups on their own), contract_minimum, product_group_offsets, scan_risk, intra_commodity, delivery, inter_commodity, short_option_minimum, schedule_im.';

alter table margin_data.margin_reconciliation drop constraint margin_reconciliation_base_check;
alter table margin_data.margin_reconciliation
    add constraint margin_reconciliation_base_check check (base in ('portfolio', 'groups', 'scenarios', 'positions', 'none'));

do $$ begin perform margin_data.show_tables(array['instruments', 'portfolio_margin_classes', 'portfolio_margin_groups',
    'portfolio_margin_positions', 'eligibility_notes', 'portfolio_margin_components']); end $$;
