"""The answers that the README prints are those of the sample book."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANSWER = re.compile(r"\[sql/queries/(\w+)\.sql\][^\n]*\n\n```\n(.*?)```", re.S)
ANSWERS = dict(ANSWER.findall((ROOT / "README.md").read_text()))


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Give the command, after the sample book has been run in a data folder of its own."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MARGIN_", "DAGSTER_"))}
    variables |= {"MARGIN_DATA_DIR": str(tmp_path_factory.mktemp("data")), "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off"}
    start = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main(sys.argv[1:]))"]
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        done = subprocess.run([*start, "run"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        yield start


@pytest.mark.slow
@pytest.mark.parametrize("question", sorted(ANSWERS))
def test_readme_prints_what_the_query_answers(command: list[str], question: str):
    query = (ROOT / "sql" / "queries" / f"{question}.sql").read_text()
    done = subprocess.run([*command, "sql", query], cwd=ROOT, capture_output=True, text=True, check=True)
    answered = [line.rstrip() for line in done.stdout.splitlines()]
    printed = [line.removesuffix("…").rstrip() for line in ANSWERS[question].splitlines()]
    assert len(printed) > 2
    assert [line for line in printed if not any(answer.startswith(line) for answer in answered)] == []
