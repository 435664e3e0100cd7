-- Risk-weighted assets of banks.

create table margin_data.risk_weighted_assets (
    as_of                 date   not null,
    calculation_id        bigint not null,
    portfolio_id          text   not null,
    risk_type             text   not null check (risk_type in ('credit', 'counterparty', 'cva', 'market', 'operational')),
    item                  text   not null,
    exposure              double precision,
    risk_weight           double precision check (risk_weight >= 0),
    risk_weighted_assets  double precision check (risk_weighted_assets >= 0),
    missing               text,
    explanation           jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, risk_type, item),
    check ((risk_weighted_assets is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.risk_weighted_assets is 'What the risk-weighted assets of each bank are made of; the rows of a kind of risk add up to it.';
comment on column margin_data.risk_weighted_assets.risk_type is 'credit, counterparty, cva, market or operational.';
comment on column margin_data.risk_weighted_assets.item is 'Exposure, netting set, part of market risk, position that lacks something, or entity figure that is taken as given.';
comment on column margin_data.risk_weighted_assets.exposure is 'Exposure value, base currency: credit and counterparty: what the risk weight applies to; cva: exposure at default; market: sum of absolute net positions; empty: missing or none.';
comment on column margin_data.risk_weighted_assets.risk_weight is 'Fraction of the exposure; empty where assets are not a product of the two, or where it is missing.';
comment on column margin_data.risk_weighted_assets.risk_weighted_assets is 'Base currency; cva: contribution to the whole of the bank, 12.5 times the capital; market: 12.5 times the capital. Empty: something is missing, and so is the total.';
comment on column margin_data.risk_weighted_assets.missing is 'What is missing for the assets; empty: nothing.';
comment on column margin_data.risk_weighted_assets.explanation is 'Figures that decided the row.';

do $$ begin perform margin_data.show_tables(array['risk_weighted_assets']); end $$;
