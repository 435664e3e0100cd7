"""Models that users bring: a real package with its entry point, and models that misbehave in every way that there is."""

import json
import shutil
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.margin.models.book import FRAME
from margin_pipeline.margin.registry import installed_models

PACKAGE = Path(__file__).with_name("example_package")


def half_of_value(frame):
    value = (frame["quantity"].abs() * frame["price"] * frame["fx_rate"]).to_numpy()
    return pd.DataFrame({"initial_margin": value / 2, "maintenance_margin": value / 4, "explanation": [{"rule": "half"}] * len(frame)})


def changes_its_input(frame):
    frame["quantity"] = 0.0
    return half_of_value(frame)


def reverses_its_rows(frame):
    return half_of_value(frame).iloc[::-1]


def names_other_symbols(frame):
    return half_of_value(frame).assign(symbol=frame["symbol"].to_numpy()[::-1])


def leaves_the_process(frame):
    sys.exit("no licence")


class UnprintableError(Exception):
    def __str__(self):
        raise ValueError


def raises_what_cannot_be_printed(frame):
    raise UnprintableError


@pytest.fixture
def example_package(tmp_path, monkeypatch):
    """The example package as an installer leaves it: its modules, and metadata with the entry points of its pyproject.toml."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(PACKAGE / "example_margin_models", tmp_path / "example_margin_models")
    metadata = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    lines = [f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"]
    (metadata / "METADATA").write_text("".join(lines), encoding="utf-8")
    groups = project["entry-points"].items()
    points = "".join(f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in found.items()) for group, found in groups)
    (metadata / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield metadata
    for name in [name for name in sys.modules if name.startswith("example_margin_models")]:
        del sys.modules[name]


def test_installed_package_brings_its_model_under_the_name_of_its_entry_point(example_package, margin_of):
    held = {"symbol": "X", "margin_model": "volatility_scaled", "quantity": -4, "price": 10.0, "currency": "EUR"}
    row = margin_of(held, usd={"EUR": 1.25}, volatility=0.4, models=installed_models())
    rate = 3 * 0.4 * np.sqrt(10 / 252)
    assert (row["model"], row["maintenance_margin"]) == ("volatility_scaled", pytest.approx(40 * 1.25 * rate))
    assert json.loads(row["explanation"])["rate"] == pytest.approx(rate)
    unknown = margin_of(held, usd={"EUR": 1.25}, volatility=np.nan, models=installed_models())
    assert unknown["missing"] == "volatility of X"


def test_package_that_cannot_be_imported_fails_closed(example_package, margin_of):
    (example_package / "entry_points.txt").write_text("[margin_pipeline.margin_models]\nlost = no_such_module:model\n", encoding="utf-8")
    row = margin_of({"symbol": "X", "margin_model": "lost", "quantity": 1, "price": 10.0}, models=installed_models())
    assert row["missing"] == "margin model lost failed: ModuleNotFoundError: No module named 'no_such_module'"


def test_entry_point_must_not_take_the_name_of_a_built_in_model(example_package):
    (example_package / "entry_points.txt").write_text("[margin_pipeline.margin_models]\nreg_t = mine:model\n", encoding="utf-8")
    with pytest.raises(ValueError, match="must not take the names of built-in ones: reg_t"):
        installed_models()


def test_name_that_two_packages_bring_fails_closed(example_package, margin_of):
    other = example_package.with_name("other_models-1.0.dist-info")
    shutil.copytree(example_package, other)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other-models\nVersion: 1.0\n", encoding="utf-8")
    (other / "entry_points.txt").write_text("[margin_pipeline.margin_models]\nvolatility_scaled = other:model\n", encoding="utf-8")
    row = margin_of({"symbol": "X", "margin_model": "volatility_scaled", "quantity": 1, "price": 10.0}, models=installed_models())
    assert "several installed packages bring a margin model volatility_scaled" in row["missing"]


def test_model_is_given_the_documented_columns(margin_of):
    seen = []

    def model(frame):
        seen.append(list(frame.columns))
        return half_of_value(frame)

    row = margin_of({"symbol": "X", "margin_model": "half", "quantity": -4, "price": 10.0}, models={"half": model})
    assert (row["initial_margin"], row["maintenance_margin"]) == (20, 10)
    assert json.loads(row["explanation"]) == {"rule": "half"}
    assert seen == [FRAME]
    documented = (Path(__file__).parents[3] / "docs" / "margin_models.md").read_text(encoding="utf-8")
    assert [name for name in FRAME if f"`{name}`" not in documented] == []


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda frame: 1 / 0, "failed: ZeroDivisionError: division by zero"),
        (lambda frame: half_of_value(frame)["no_such"], "failed: KeyError: 'no_such'"),
        (lambda frame: None, "returned NoneType, not a DataFrame"),
        (lambda frame: half_of_value(frame).iloc[:0], "returned 0 rows for 2 positions"),
        (lambda frame: pd.concat([half_of_value(frame)] * 2), "returned 4 rows for 2 positions"),
        (lambda frame: half_of_value(frame)[["initial_margin"]], "returned no column maintenance_margin"),
        (lambda frame: half_of_value(frame).assign(maintenance_margin=-1.0), "gave -1 as maintenance_margin"),
        (lambda frame: half_of_value(frame).assign(initial_margin=np.inf), "gave inf as initial_margin"),
        (lambda frame: half_of_value(frame).assign(initial_margin=np.nan), "gave nan as initial_margin"),
        (lambda frame: half_of_value(frame).assign(initial_margin=None), "gave nan as initial_margin"),
        (lambda frame: half_of_value(frame).assign(initial_margin="much"), "failed: ValueError"),
        (lambda frame: half_of_value(frame).set_index(frame["symbol"]), "returned rows in another order or under another index"),
        (reverses_its_rows, "returned rows in another order or under another index"),
        (names_other_symbols, "returned rows whose symbol differs"),
        (changes_its_input, "changed the frame that it was given"),
        (leaves_the_process, "failed: SystemExit: no licence"),
        (raises_what_cannot_be_printed, "<exception str() failed>"),
        (lambda frame: half_of_value(frame).assign(explanation="[1]"), "returned an explanation that is neither"),
        (lambda frame: half_of_value(frame).assign(explanation="{"), "failed: json.decoder.JSONDecodeError"),
    ],
)
def test_model_that_misbehaves_fails_closed_for_its_positions_alone(book_of, model, reason):
    bad = [{"symbol": s, "margin_model": "bad", "quantity": 1, "price": 10.0} for s in ("V", "X")]
    good = {"symbol": "W", "margin_model": "half", "quantity": 1, "price": 10.0}
    rows = book_of([*bad, good, {"symbol": "Y", "quantity": 1, "price": 10.0}], models={"bad": model, "half": half_of_value})
    rows = rows["position_margins"].set_index("symbol")
    for symbol in ("V", "X"):
        assert rows.loc[symbol, "missing"].startswith("margin model bad ")
        assert reason in rows.loc[symbol, "missing"]
        assert np.isnan(rows.loc[symbol, "maintenance_margin"])
    assert (rows.loc["W", "maintenance_margin"], rows.loc["Y", "maintenance_margin"]) == (2.5, 2.5)


def test_only_the_rows_without_a_usable_amount_fail(book_of):
    def model(frame):
        return half_of_value(frame).assign(maintenance_margin=np.where(frame["symbol"] == "V", -1.0, 3.0))

    rows = book_of([{"symbol": s, "margin_model": "m", "quantity": 1, "price": 10.0} for s in ("V", "X")], models={"m": model})
    assert rows["position_margins"]["missing"].notna().tolist() == [True, False]


def test_reasons_that_a_model_gives_itself_are_kept(margin_of):
    held = {"symbol": "X", "margin_model": "m", "quantity": 1, "price": 10.0}
    assert margin_of(held, models={"m": lambda frame: half_of_value(frame).assign(missing="sun spots")})["missing"] == "sun spots"


def test_interruption_by_the_user_ends_the_run(margin_of):
    def interrupted(frame):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        margin_of({"symbol": "X", "margin_model": "m", "quantity": 1, "price": 10.0}, models={"m": interrupted})
