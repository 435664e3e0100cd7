-- What would another rule ask?
-- The requirement of every method that applies, side by side, on the newest date; empty: it does not apply.
select portfolio_id, governing_method, round(governing_margin)::bigint as governing, round(reg_t)::bigint as reg_t,
       round(strategy_based)::bigint as strategy_based, round(portfolio_margin)::bigint as portfolio_margin,
       round(cross_margin)::bigint as cross_margin, round(futures)::bigint as futures, round(tiered)::bigint as tiered,
       round(schedule_im)::bigint as schedule_im, cheapest_method, round(saving_to_cheapest)::bigint as saving
  from margin.method_comparison
  join (select distinct as_of from margin.latest_portfolio_summary) newest using (as_of)
 order by portfolio_id;
