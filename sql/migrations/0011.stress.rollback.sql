drop view margin.stress_scenarios, margin.stress_results, margin.stress_strategy_results, margin.reverse_stress;
drop table margin_data.stress_scenarios, margin_data.stress_results, margin_data.stress_strategy_results, margin_data.reverse_stress;
