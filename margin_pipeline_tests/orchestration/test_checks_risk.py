"""Checks of risk tables: they pass what adds up and stop what does not."""

import pandas as pd

from margin_pipeline.orchestration.checks_risk import diversification_never_costs, factor_components_add_up


def frames(component=(70.0, 30.0), ratio=0.8):
    key = {"portfolio_id": "P", "confidence": 0.95, "horizon_days": 1}
    parts = tuple(zip(("market", "sector"), component, strict=True))
    rows = [key | {"strategy": strategy, "factor_kind": kind, "component_var": part} for strategy in ("", "s") for kind, part in parts]
    return {
        "portfolio_risk_factors": pd.DataFrame(rows),
        "portfolio_risk": pd.DataFrame([key | {"method": "gaussian", "var": 100.0}, key | {"method": "historical", "var": 5.0}]),
        "risk_summaries": pd.DataFrame([key | {"method": "gaussian", "diversification_ratio": ratio}]),
    }


def test_parts_that_add_up_pass_and_others_do_not():
    assert factor_components_add_up(frames()).passed
    assert not factor_components_add_up(frames((70.0, 30.1))).passed


def test_a_gaussian_portfolio_that_risks_more_than_its_parts_is_stopped():
    assert diversification_never_costs(frames()).passed
    assert diversification_never_costs(frames(ratio=1.0)).passed
    assert not diversification_never_costs(frames(ratio=1.01)).passed
