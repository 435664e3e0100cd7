"""Stress scenarios of users: rows that mean something are used, a scenario with a bad row is quarantined as a whole."""

import datetime as dt

import pytest

from margin_pipeline.parameters.stress import stress_rules

HEADER = "scenario,target_kind,target,shock\n"


def rejections(landed):
    return landed.tables["rejected_rows"][["row_number", "column_name", "reason"]].values.tolist()


def test_accepted_rows_become_a_scenario(land):
    text = (
        HEADER
        + "mine,market,,-0.2\nmine,Sector,energy,-0.4\nmine,volatility,relative,0.5\nmine,rate,,100\nmine,criterion,utilization_below,0.9\n"
    )
    landed = land({"stress_scenarios.csv": text})
    assert rejections(landed) == []
    rows = landed.tables["stress_scenarios"][["scenario", "target_kind", "target", "shock"]].itertuples(index=False, name=None)
    rules = stress_rules(dt.date(2022, 12, 28)).with_user_scenarios(rows)
    [mine] = [s for s in rules.scenarios if s.name == "mine"]
    assert mine.market == -0.2
    assert dict(mine.sectors) == {"energy": -0.4}
    assert mine.rate_shift == pytest.approx(0.01)
    assert mine.volatility[0].relative == 0.5
    assert mine.criteria.utilization_below == 0.9
    assert mine.criteria.largest_loss_of_equity == 0.5


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("s,weather,,-0.2", "target_kind", '"weather" is none of market'),
        ("s,sector,,-0.2", "target", "sector, asset_class, symbol"),
        ("s,market,SP500,-0.2", "target", "sector, asset_class, symbol"),
        ("s,criterion,luck,1", "target", "sector, asset_class, symbol"),
        ("s,symbol,AAPL,-1.2", "shock", "a price falls by 100 % at most"),
        ("s,currency,EUR,-1", "shock", "a price falls by 100 % at most"),
        ("s,liquidity,default,1.5", "shock", "a price falls by 100 % at most"),
        ("s,market,,much", "shock", '"much" is not a number'),
        ("s,market,,", "shock", "a value is required"),
    ],
)
def test_a_row_that_means_nothing_takes_its_scenario_along(land, row, column, reason):
    landed = land({"stress_scenarios.csv": f"{HEADER}{row}\ns,volatility,absolute,0.1\nother,market,,-0.1\n"})
    found = rejections(landed)
    assert (found[0][0], found[0][1]) == (2, column)
    assert found[0][2].startswith(reason)
    assert landed.tables["stress_scenarios"]["scenario"].tolist() == ["other"]


def test_the_file_is_optional(land):
    assert land().tables["stress_scenarios"].empty
