"""The dashboards' files are what Grafana loads: identities, data sources, units, thresholds. Not here: their queries (test_queries)."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from margin_pipeline.parameters import in_force
from margin_pipeline_tests.dashboards.grafana import expanded

FOLDER = Path(__file__).parents[2] / "dashboards"
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
SOURCES = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "postgres.yaml").read_text())["datasources"]
UNITS = {"percentunit", "s", "locale", "short", "string", "decbytes", "dateTimeAsIso"}
KINDS = {"stat", "timeseries", "table", "bargauge"}


def panels():
    return [pytest.param(panel, id=f"{name}: {panel['title']}") for name, board in DASHBOARDS.items() for panel in board["panels"]]


def test_there_are_five_dashboards_with_identities_of_their_own():
    assert sorted(DASHBOARDS) == ["monitoring", "overview", "performance", "regulation", "risk"]
    assert {name: board["uid"] for name, board in DASHBOARDS.items()} == {name: f"margin-{name}" for name in DASHBOARDS}
    assert len({board["title"] for board in DASHBOARDS.values()}) == 5
    assert {board["schemaVersion"] for board in DASHBOARDS.values()} == {41}
    # One that carries the number of a database row would overwrite another.
    assert all("id" not in board for board in DASHBOARDS.values())


@pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)
def test_panels_have_identities_and_do_not_overlap(board):
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert len({panel["title"] for panel in board["panels"]}) == len(ids)
    cells = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (panel["gridPos"] for panel in board["panels"])
    ]
    assert all(0 <= x < 24 for cell in cells for x, _ in cell)
    assert not any(one & other for one, other in itertools.combinations(cells, 2))


@pytest.mark.parametrize("panel", panels())
def test_a_panel_names_its_data_source_everywhere_and_says_what_it_shows(panel):
    (target,) = panel["targets"]
    known = {source["uid"]: source["type"] for source in SOURCES}
    for source in (panel["datasource"], target["datasource"]):
        assert known[source["uid"]] == source["type"]
    assert panel["datasource"] == target["datasource"]
    assert panel["type"] in KINDS
    assert panel["description"].endswith(".")
    assert target["format"] == ("time_series" if panel["type"] == "timeseries" else "table")
    assert target["rawQuery"] is True


def properties(panel):
    """Units and thresholds of a panel: of all its fields, then of single ones by name."""
    defaults = panel["fieldConfig"]["defaults"]
    yield None, defaults.get("unit"), defaults["thresholds"]["steps"]
    for override in panel["fieldConfig"]["overrides"]:
        given = {entry["id"]: entry["value"] for entry in override["properties"]}
        yield override["matcher"]["options"], given.get("unit"), given.get("thresholds", {}).get("steps", [])


@pytest.mark.parametrize("panel", panels())
def test_units_are_known_and_steps_rise(panel):
    for name, unit, steps in properties(panel):
        assert unit in UNITS or (name is not None and unit is None)
        values = [step["value"] for step in steps]
        assert not values or (values[0] is None and values[1:] == sorted(set(values[1:])))


def test_utilization_is_coloured_at_the_thresholds_of_the_alerts():
    thresholds = in_force("thresholds", dt.date(2022, 12, 28)).values
    expected = [None, thresholds["warning"], thresholds["critical"], thresholds["emergency"]]
    found = 0
    for name, board in DASHBOARDS.items():
        for panel in board["panels"]:
            about = [(None, panel["title"])] if panel["type"] != "table" else []
            for field, unit, steps in properties(panel):
                text = (field or (about[0][1] if about else "")).lower()
                if "utilization" in text:
                    found += 1
                    assert (unit, [step["value"] for step in steps]) == ("percentunit", expected), (name, panel["title"], field)
    assert found >= 7


@pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)
def test_queries_use_the_variables_that_the_dashboard_offers(board):
    offered = {variable["name"] for variable in board["templating"]["list"]}
    texts = " ".join(panel["targets"][0]["rawSql"] for panel in board["panels"])
    used = {name for name in re.findall(r"\$(\w+)", texts) if not name.startswith("__")}
    assert used == offered
    for variable in board["templating"]["list"]:
        assert variable["datasource"]["uid"] == "margin-results"
        # A choice of several is put in as a list of literals, a single one stands in quotes of the query.
        quoted = f"'${variable['name']}'" in texts
        assert quoted != variable["multi"]


def test_nothing_secret_is_in_the_files_and_the_environment_gives_the_rest():
    for source in SOURCES:
        assert source["secureJsonData"] == {"password": "$MARGIN_GRAFANA_PASSWORD"}
        given = [source["url"], source["user"], source["jsonData"]["database"], source["jsonData"]["sslmode"]]
        assert all(re.fullmatch(r"\$MARGIN_GRAFANA_[A-Z_]+", value) for value in given)
    assert sum(source["isDefault"] for source in SOURCES) == 1
    provider = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "margin_pipeline.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] == "$MARGIN_GRAFANA_DASHBOARDS"


def test_a_choice_with_a_quote_stays_a_literal():
    moment = dt.datetime(2022, 12, 28, tzinfo=dt.UTC)
    text = expanded("x in ($p) and $__timeFilter(t) and d = '${d}'", moment, moment, {"p": ["O'Hara", "B"], "d": "2022-12-28"})
    day = "'2022-12-28T00:00:00Z'"
    assert text == f"x in ('O''Hara','B') and t BETWEEN {day} AND {day} and d = '2022-12-28'"
