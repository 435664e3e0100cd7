-- One row a portfolio: what it needs under the rule that governs it, on the newest published date.
create or replace view margin.latest_portfolio_summary as
select m.as_of, m.portfolio_id, p.account_type, m.method as governing_method, p.base_currency, m.equity, m.margin_equity,
       m.initial_margin, m.maintenance_margin, m.excess, m.utilization, m.status, m.missing, m.calculation_id
  from margin.portfolio_margins m
  join margin.portfolios p using (as_of, portfolio_id)
 where m.is_governing
   and m.as_of = (select max(as_of) from margin.calculations where state = 'published' and scope = 'chain');

comment on view margin.latest_portfolio_summary is 'What each portfolio needs under the rule that governs it, on the newest published date.';
comment on column margin.latest_portfolio_summary.as_of is 'Business date: the newest one published.';
comment on column margin.latest_portfolio_summary.portfolio_id is 'Portfolio.';
comment on column margin.latest_portfolio_summary.account_type is 'Account type, which decides the governing method.';
comment on column margin.latest_portfolio_summary.governing_method is 'Method that governs the account.';
comment on column margin.latest_portfolio_summary.base_currency is 'ISO 4217 code of the amounts in the row.';
comment on column margin.latest_portfolio_summary.equity is 'Net liquidation value, base currency.';
comment on column margin.latest_portfolio_summary.margin_equity is 'What the requirement is measured against, base currency.';
comment on column margin.latest_portfolio_summary.initial_margin is 'Margin to open the positions, base currency.';
comment on column margin.latest_portfolio_summary.maintenance_margin is 'Least margin that keeps them open, base currency.';
comment on column margin.latest_portfolio_summary.excess is 'margin_equity less maintenance_margin, base currency.';
comment on column margin.latest_portfolio_summary.utilization is 'maintenance_margin over margin_equity, fraction.';
comment on column margin.latest_portfolio_summary.status is 'safe, warning, critical, emergency, undetermined or liquidatable.';
comment on column margin.latest_portfolio_summary.missing is 'List of what is missing or inadmissible; empty: nothing.';
comment on column margin.latest_portfolio_summary.calculation_id is 'Calculation that wrote the row.';
