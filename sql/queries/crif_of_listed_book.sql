-- What would SIMM see in the listed book? Its sensitivities as a CRIF: with --format csv, a file that the landing zone and other engines read.
-- A portfolio of which a sensitivity is missing is left out as a whole: margin.listed_sensitivities says what it lacks.
select 'LISTED' as "TradeID", portfolio_id as "PortfolioID", product_class as "ProductClass", risk_type as "RiskType",
       qualifier as "Qualifier", bucket as "Bucket", label1 as "Label1", label2 as "Label2", amount_currency as "AmountCurrency",
       amount as "Amount", amount_usd as "AmountUSD", 'SIMM' as "IMModel"
  from margin.listed_sensitivities s
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 where not exists (select from margin.listed_sensitivities gap
                    where gap.as_of = s.as_of and gap.portfolio_id = s.portfolio_id and gap.missing is not null)
 order by portfolio_id, product_class, risk_type, qualifier, bucket, label1, label2;
