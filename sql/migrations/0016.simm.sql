-- SIMM: sensitivities of netting sets, their margins by every part, and the sensitivities of the listed book.

create table margin_data.crif (
    as_of                date   not null,
    calculation_id       bigint not null,
    crif_row             bigint not null,
    trade_id             text,
    netting_set_id       text   not null,
    product_class        text,
    risk_type            text   not null,
    qualifier            text,
    bucket               text,
    label1               text,
    label2               text,
    amount_currency      text,
    amount               double precision,
    amount_usd           double precision,
    im_model             text,
    collect_regulations  text,
    post_regulations     text,
    end_date             date,
    primary key (as_of, calculation_id, crif_row),
    check (amount is not null or amount_usd is not null)
) partition by range (as_of);
comment on table  margin_data.crif is 'Sensitivities and add-ons of netting sets under SIMM, in ISDA''s common risk interchange format; rows of one risk factor add up.';
comment on column margin_data.crif.crif_row is 'Row number in the file.';
comment on column margin_data.crif.trade_id is 'Identity of the trade.';
comment on column margin_data.crif.netting_set_id is 'Netting set, the PortfolioID of the file.';
comment on column margin_data.crif.product_class is 'RatesFX, Credit, Equity or Commodity; of trades under the schedule Rates, FX or Other, too.';
comment on column margin_data.crif.risk_type is 'Risk type, such as Risk_IRCurve or Param_AddOnFixedAmount.';
comment on column margin_data.crif.qualifier is 'Currency, currency pair, issuer, index, commodity or product class, by risk type.';
comment on column margin_data.crif.bucket is 'Bucket, by risk type: a number or Residual.';
comment on column margin_data.crif.label1 is 'Tenor.';
comment on column margin_data.crif.label2 is 'Sub-curve of interest rates; Sec for securitisations.';
comment on column margin_data.crif.amount_currency is 'ISO 4217 code of the amount.';
comment on column margin_data.crif.amount is 'Sensitivity or amount in that currency; factor of Param_ProductClassMultiplier, percentage of Param_AddOnNotionalFactor.';
comment on column margin_data.crif.amount_usd is 'Sensitivity or amount, USD; empty: amount at the rate of the day.';
comment on column margin_data.crif.im_model is 'SIMM or Schedule; empty: SIMM.';
comment on column margin_data.crif.collect_regulations is 'Regulations under which margin is collected, separated by commas; empty in all rows of a set: all rows are in scope.';
comment on column margin_data.crif.post_regulations is 'Regulations under which margin is posted, separated by commas; empty in all rows of a set: all rows are in scope.';
comment on column margin_data.crif.end_date is 'Last day of a trade under the schedule.';

create table margin_data.simm_results (
    as_of            date    not null,
    calculation_id   bigint  not null,
    portfolio_id     text    not null,
    netting_set_id   text    not null,
    side             text    not null check (side in ('call', 'post')),
    regulation       text    not null,
    product_class    text    not null,
    risk_class       text    not null,
    margin_type      text    not null,
    bucket           text    not null,
    is_winning       boolean not null,
    initial_margin   double precision check (initial_margin >= 0),
    simm_version     text    not null,
    computed_version text    not null,
    crif_rows        bigint  not null check (crif_rows >= 0),
    rows_left_out    bigint  not null check (rows_left_out >= 0),
    missing          text,
    primary key (as_of, calculation_id, portfolio_id, netting_set_id, side, regulation, product_class, risk_class, margin_type, bucket),
    check ((initial_margin is null) = (missing is not null)),
    check (not is_winning or initial_margin is not null)
) partition by range (as_of);
comment on table  margin_data.simm_results is 'ISDA SIMM initial margin of each netting set and side, by regulation, product class, risk class, margin type and bucket; All is the total over the parts.';
comment on column margin_data.simm_results.netting_set_id is 'Netting set.';
comment on column margin_data.simm_results.side is 'call: what we collect; post: what we give.';
comment on column margin_data.simm_results.regulation is 'Regulation whose rows are margined; Unspecified: the set names none.';
comment on column margin_data.simm_results.product_class is 'RatesFX, Credit, Equity, Commodity, AddOnNotionalFactor, AddOnFixedAmount, or All: their sum.';
comment on column margin_data.simm_results.risk_class is 'InterestRate, CreditQualifying, CreditNonQualifying, Equity, Commodity, FX, or All: correlated within a product class, else added up.';
comment on column margin_data.simm_results.margin_type is 'Delta, Vega, Curvature, BaseCorr, AdditionalIM (add-ons and multipliers), or All: their sum within a risk class.';
comment on column margin_data.simm_results.bucket is 'Bucket, currency or currency pair within the risk class, before buckets are correlated; All: after it.';
comment on column margin_data.simm_results.is_winning is 'Whether the regulation asks most of the set and side: its margin is the one that counts.';
comment on column margin_data.simm_results.initial_margin is 'Initial margin, base currency.';
comment on column margin_data.simm_results.simm_version is 'Version of SIMM in force on the date.';
comment on column margin_data.simm_results.computed_version is 'Version of SIMM that was computed: the one in force, or the nearest that the engine has.';
comment on column margin_data.simm_results.crif_rows is 'Rows of the file under the regulation and side.';
comment on column margin_data.simm_results.rows_left_out is 'Rows of the set that are not under the regulation and side.';
comment on column margin_data.simm_results.missing is 'What is missing; then there is no margin.';

create table margin_data.listed_sensitivities (
    as_of           date   not null,
    calculation_id  bigint not null,
    portfolio_id    text   not null,
    product_class   text   not null check (product_class in ('RatesFX', 'Credit', 'Equity', 'Commodity')),
    risk_type       text   not null,
    qualifier       text   not null,
    bucket          text   not null,
    label1          text   not null,
    label2          text   not null,
    amount_currency text   not null,
    amount          double precision,
    amount_usd      double precision,
    missing         text,
    primary key (as_of, calculation_id, portfolio_id, product_class, risk_type, qualifier, bucket, label1, label2),
    check ((amount is null or amount_usd is null) = (missing is not null))
) partition by range (as_of);
comment on table  margin_data.listed_sensitivities is 'Sensitivities of listed positions as SIMM would see them, by risk factor: for comparison and export, no margin is asked for them.';
comment on column margin_data.listed_sensitivities.product_class is 'Product class of the positions.';
comment on column margin_data.listed_sensitivities.risk_type is 'Risk_Equity, Risk_EquityVol, Risk_Commodity, Risk_CommodityVol, Risk_FX, Risk_FXVol or Risk_IRCurve.';
comment on column margin_data.listed_sensitivities.qualifier is 'Symbol of the underlying, commodity, currency or currency pair.';
comment on column margin_data.listed_sensitivities.bucket is 'SIMM bucket; Residual: sector or breadth not given or in no table; empty text: the risk type has none.';
comment on column margin_data.listed_sensitivities.label1 is 'Tenor of vega and interest rates; empty text: none.';
comment on column margin_data.listed_sensitivities.label2 is 'Sub-curve of interest rates; empty text: none.';
comment on column margin_data.listed_sensitivities.amount_currency is 'Base currency of the portfolio.';
comment on column margin_data.listed_sensitivities.amount is 'Change of value, base currency: for a rise of 1 % of price or exchange rate, of 1 percentage point of volatility, or of 1 basis point of the rate.';
comment on column margin_data.listed_sensitivities.amount_usd is 'The same in USD.';
comment on column margin_data.listed_sensitivities.missing is 'What is missing; the amounts lack it.';

comment on column margin_data.netting_set_margins.model is 'Agreed model of initial margin: schedule or simm.';
comment on column margin_data.netting_set_margins.gross_margin is 'Sum of notional x schedule percentage, base currency; empty for simm.';
comment on column margin_data.netting_set_margins.net_to_gross_ratio is 'Net over gross replacement cost of the side, fraction; empty for simm.';
comment on column margin_data.netting_set_margins.initial_margin is 'Schedule: 0.4 gross + 0.6 net-to-gross ratio x gross; simm: of the regulation that asks most. Base currency.';

do $$ begin perform margin_data.show_tables(array['crif', 'simm_results', 'listed_sensitivities', 'netting_set_margins']); end $$;
