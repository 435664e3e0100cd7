-- What would SIMM see in the listed book?
-- Its sensitivities as a CRIF: with --format csv, a file that the landing zone and other engines read.
-- A portfolio that lacks a sensitivity, or of which a position was rejected, is left out as a whole: margin.listed_sensitivities and
-- margin.rejected_rows say what it lacks.
select 'LISTED' as "TradeID", portfolio_id as "PortfolioID", product_class as "ProductClass", risk_type as "RiskType",
       qualifier as "Qualifier", bucket as "Bucket", label1 as "Label1", label2 as "Label2", amount_currency as "AmountCurrency",
       amount as "Amount", amount_usd as "AmountUSD", 'SIMM' as "IMModel"
  from margin.listed_sensitivities s
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 where not exists (select from margin.listed_sensitivities gap
                    where gap.as_of = s.as_of and gap.portfolio_id = s.portfolio_id and gap.missing is not null)
   and not exists (select from margin.rejected_rows r
                    where r.as_of = s.as_of and r.portfolio_id = s.portfolio_id and r.source like 'positions.%'
                      and r.reason not like 'expired%')
 order by portfolio_id, product_class, risk_type, qualifier, bucket, label1, label2;
