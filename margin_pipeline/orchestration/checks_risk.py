"""What must hold of risk by factor and of diversification before they are written.

Belongs here: conditions on whole tables of risk. Not here: components of strategies (`checks`), computing anything.
"""

from margin_pipeline.orchestration.checks import Frames, Outcome

_KEY = ["portfolio_id", "confidence", "horizon_days"]


def factor_components_add_up(frames: Frames) -> Outcome:
    """Components by factor add up to the Gaussian value at risk of the portfolio, as do those of its strategies, to 1e-9."""
    factors, risk = frames["portfolio_risk_factors"], frames["portfolio_risk"]
    total = risk[risk["method"] == "gaussian"].set_index(_KEY)["var"].dropna()
    of_portfolio = factors["strategy"] == ""
    worst = 0.0
    for rows in (factors[of_portfolio], factors[~of_portfolio]):
        known = rows.dropna(subset=["component_var"])
        sums = known.groupby(_KEY)["component_var"].sum()
        compared = total.reindex(sums.index)
        difference = (sums - compared).abs() / compared.abs().clip(lower=1)
        worst = max(worst, float(difference.max())) if len(difference.dropna()) else worst
    return Outcome(worst <= 1e-9, {"largest_relative_difference": worst})


def diversification_never_costs(frames: Frames) -> Outcome:
    """Under the Gaussian method the portfolio risks no more than its strategies on their own, and not less than nothing."""
    gaussian = frames["risk_summaries"].query("method == 'gaussian'")
    ratio = gaussian["diversification_ratio"].dropna()
    outside = int(((ratio < 0) | (ratio > 1 + 1e-9)).sum())
    return Outcome(outside == 0, {"outside": outside, "portfolios": int(gaussian["portfolio_id"].nunique())})
