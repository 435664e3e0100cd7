"""The answers that the README prints are those of the sample book."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline.storage import DatabaseUrls

ROOT = Path(__file__).parents[2]
ANSWER = re.compile(r"\[sql/queries/(\w+)\.sql\][^\n]*\n\n```\n(.*?)```", re.S)
ANSWERS = dict(ANSWER.findall((ROOT / "README.md").read_text()))


@pytest.fixture(scope="module")
def command(
    publish_sample: Callable[..., AbstractContextManager[DatabaseUrls]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """Give the command on databases in which all dates of the sample are published."""
    with publish_sample(*(date.isoformat() for date in SAMPLE_DATES)) as urls, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARGIN_DATABASE_URL", urls.libpq)
        patch.setenv("MARGIN_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main(sys.argv[1:]))"]


@pytest.mark.slow
@pytest.mark.parametrize("question", sorted(ANSWERS))
def test_readme_prints_what_the_query_answers(command: list[str], question: str):
    query = (ROOT / "sql" / "queries" / f"{question}.sql").read_text()
    done = subprocess.run([*command, "sql", query], cwd=ROOT, capture_output=True, text=True, check=True)
    answered = [line.rstrip() for line in done.stdout.splitlines()]
    printed = [line.removesuffix("…").rstrip() for line in ANSWERS[question].splitlines()]
    assert len(printed) > 2
    assert [line for line in printed if not any(answer.startswith(line) for answer in answered)] == []
