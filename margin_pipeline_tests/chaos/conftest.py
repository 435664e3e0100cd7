"""Fixtures of the fault tests: sites, and what an undisturbed one shows. Not here: faults."""

from __future__ import annotations

import math
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from margin_pipeline.storage.embedded import EmbeddedServer
from margin_pipeline_tests.chaos.book import write_small_book
from margin_pipeline_tests.chaos.harness import Shown, Site


def pytest_collection_modifyitems(items):
    """Mark all tests of this folder: `make chaos` asks for them, nothing else does."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """Landing zone of the small book."""
    return write_small_book(tmp_path_factory.mktemp("book") / "landing")


@pytest.fixture(scope="session")
def make_site(book, tmp_path_factory):
    """Make a site of its own, its embedded server up as long as the session unless somebody kills it."""
    with ExitStack() as stack:

        def make(name="site"):
            folder = tmp_path_factory.mktemp(name)
            shutil.copytree(book, folder / "landing")
            (folder / "data").mkdir()
            for path in (folder, folder / "data"):
                path.chmod(0o711)
            stack.callback(EmbeddedServer(folder / "data").remove)
            urls = stack.enter_context(EmbeddedServer(folder / "data").hold())
            return Site(folder / "data", folder / "landing", urls)

        yield make


@dataclass(frozen=True)
class Undisturbed:
    """What the variants of the book show when nothing goes wrong, and the fewest seconds that a run took."""

    shown: dict[str, Shown]
    seconds: float


@pytest.fixture(scope="session")
def undisturbed(make_site):
    """Run both variants without faults."""
    site = make_site("undisturbed")
    shown, seconds = {}, math.inf
    for variant in ("strained", "calm", "strained"):
        site.put(variant)
        seconds = min(seconds, site.finish_run())
        again = shown.get(variant)
        shown[variant] = site.shown()
        # The date before is none, whatever was published of this one: the order of variants decides nothing.
        assert again is None or (again.tables, again.open_alerts) == (shown[variant].tables, shown[variant].open_alerts)
    assert shown["calm"].tables != shown["strained"].tables
    assert shown["strained"].open_alerts - shown["calm"].open_alerts
    return Undisturbed(shown, seconds)
