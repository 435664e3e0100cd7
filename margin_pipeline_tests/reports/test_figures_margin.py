"""Pictures of margin are drawn for any table, empty ones too, and the same way every time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.reports import figures_margin as figures
from margin_pipeline.reports.figures_stress import stress_waterfall

PNG = b"\x89PNG\r\n\x1a\n"
MARGINS = pd.DataFrame(
    {
        "portfolio_id": ["A", "A", "B"],
        "method": ["reg_t", "strategy_based", "strategy_based"],
        "maintenance_margin": [50.0, 30.0, np.nan],
        "equity": [100.0, 100.0, 100.0],
        "is_governing": [False, True, True],
    }
)
CLASSES = pd.DataFrame(
    {
        "portfolio_id": ["A", "A", "B"],
        "class_group": ["X", "Y", "X"],
        "maintenance_margin": [10.0, 20.0, np.nan],
        "price_moves": [[-0.15, 0.15], [-0.08, 0.06], [-0.15, 0.15]],
        "losses": [[10.0, -10.0], [-5.0, 20.0], None],
    }
)
RISK = pd.DataFrame(
    {
        "portfolio_id": ["A", "A", "A"],
        "strategy": ["s", "t", "t"],
        "method": ["historical", "historical", "gaussian"],
        "confidence": 0.99,
        "horizon_days": 1,
        "component_var": [1.0, 2.0, 2.0],
        "var_share": [1 / 3, 2 / 3, 1.0],
        "margin_share": [1.0, np.nan, np.nan],
    }
)


def test_every_picture_is_drawn_twice_the_same():
    for draw, frame in ((figures.margin_by_method, MARGINS), (figures.scenario_ladder, CLASSES), (figures.risk_by_strategy, RISK)):
        first = draw(frame)
        assert first.startswith(PNG)
        assert draw(frame) == first


def test_nothing_to_draw_is_said():
    for draw, frame in ((figures.margin_by_method, MARGINS), (figures.scenario_ladder, CLASSES), (figures.risk_by_strategy, RISK)):
        assert draw(frame.iloc[:0]).startswith(PNG)


def test_an_undetermined_margin_is_not_drawn():
    assert figures.margin_by_method(MARGINS) == figures.margin_by_method(MARGINS[MARGINS["portfolio_id"] == "A"])
    assert figures.scenario_ladder(CLASSES) == figures.scenario_ladder(CLASSES[CLASSES["portfolio_id"] == "A"])


def test_a_greater_margin_gives_another_picture():
    assert figures.margin_by_method(MARGINS) != figures.margin_by_method(MARGINS.assign(maintenance_margin=[50.0, 40.0, np.nan]))


STRESS = pd.DataFrame(
    {
        "portfolio_id": ["A", "A", "B"],
        "scenario": ["crash", "calm", "crash"],
        "is_governing": True,
        "equity_after": [40.0, 99.0, np.nan],
        "liquidity_cost": [1.0, 0.0, np.nan],
        "margin_after": [30.0, 20.0, np.nan],
        "passed": [False, True, None],
    }
)
STRATEGIES = pd.DataFrame({"portfolio_id": "A", "strategy": ["s", "t"], "scenario": "crash", "pnl": [-80.0, 21.0]})
OWNERS = pd.DataFrame({"portfolio_id": ["A", "B"], "equity": [100.0, 100.0]})


def test_waterfall_is_of_the_worst_scenario_and_of_determined_results():
    drawn = stress_waterfall(STRESS, STRATEGIES, OWNERS)
    assert drawn.startswith(PNG)
    assert drawn == stress_waterfall(STRESS[STRESS["portfolio_id"] == "A"].iloc[::-1], STRATEGIES.iloc[::-1], OWNERS)
    assert drawn == stress_waterfall(STRESS[STRESS["scenario"] == "crash"], STRATEGIES, OWNERS)
    assert stress_waterfall(STRESS.iloc[:0], STRATEGIES, OWNERS).startswith(PNG)
