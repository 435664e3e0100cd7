"""A wheel brings what runs without the checkout: the schema, dated parameters, the sample with its notice, Dagster's configuration."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_file_that_the_checkout_reads_at_run_time(names):
    package = (path for path in (ROOT / "margin_pipeline").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert {path.relative_to(ROOT).as_posix() for path in package} <= names
    outside = [*(ROOT / "sql").rglob("*.sql"), ROOT / "dagster.yaml"]
    assert {f"margin_pipeline/{path.relative_to(ROOT).as_posix()}" for path in outside} <= names


def test_the_wheel_holds_no_test(names):
    assert {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")} == {"margin_pipeline"}
