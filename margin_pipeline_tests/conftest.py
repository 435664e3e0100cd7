"""What all tests share: one throwaway Postgres a session, a database a module, emptied between tests.

Belongs here: fixtures of several rooms. Not here: helpers of one test file.
"""

from __future__ import annotations

import os

# Before NumPy is imported anywhere: results are the same only for the same number of threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from margin_pipeline.storage.embedded import EmbeddedServer
from margin_pipeline.storage.urls import DatabaseUrls, with_database

settings.register_profile("margin_pipeline", deadline=None, derandomize=True, database=None)
settings.load_profile("margin_pipeline")

_TEMPLATE = "margin_template"
_FOLDER = pytest.StashKey[Path]()
_numbers = itertools.count()
# Nothing in it outlives the session: it need not be safe against a power failure.
_FAST = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of the session's server; with several workers the controller chooses, and all of them share it."""
    given = getattr(config, "workerinput", {}).get("server_folder")
    config.stash[_FOLDER] = Path(given or tempfile.mkdtemp(prefix="margin-tests-"))
    if not given:
        config.stash[_FOLDER].chmod(0o711)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker the folder."""
    node.workerinput["server_folder"] = str(node.config.stash[_FOLDER])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete the server with its folder, once all workers have left."""
    if not hasattr(config, "workerinput"):
        folder = config.stash[_FOLDER]
        EmbeddedServer(folder).remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("MARGIN_") or name == "DAGSTER_HOME":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server_urls(request: pytest.FixtureRequest) -> Iterator[DatabaseUrls]:
    """URLs of the session's server: started by the first who needs it, with a database that has all migrations as the template."""
    from margin_pipeline.storage import connections, migrations
    from margin_pipeline.storage.locks import alone

    folder = request.config.stash[_FOLDER]
    with EmbeddedServer(folder, _FAST).hold() as urls:
        with alone(folder / "template.lock"), connections.connect(urls) as connection:
            connection.autocommit = True
            if not connection.execute("select 1 from pg_database where datname = %s and datistemplate", (_TEMPLATE,)).fetchone():
                connection.execute(f'create database "{_TEMPLATE}"')
                migrations.upgrade(_of(urls, _TEMPLATE))
                connection.execute(f'alter database "{_TEMPLATE}" is_template true')
        yield urls
        connections.close_all()


@pytest.fixture(scope="module")
def database(server_urls: DatabaseUrls) -> Iterator[DatabaseUrls]:
    """URLs of a database of the module's own, with all migrations and no rows at first."""
    with _database(server_urls, _TEMPLATE) as urls:
        yield urls


@pytest.fixture
def make_database(server_urls: DatabaseUrls) -> Iterator[Callable[[], DatabaseUrls]]:
    """Make databases of the test's own, with all migrations and no rows."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_database(server_urls, _TEMPLATE))


@pytest.fixture
def fresh_database(make_database: Callable[[], DatabaseUrls]) -> DatabaseUrls:
    """URLs of a database of the test's own, with all migrations and no rows."""
    return make_database()


@pytest.fixture
def bare_database(server_urls: DatabaseUrls) -> Iterator[DatabaseUrls]:
    """URLs of a database of the test's own, without migrations."""
    with _database(server_urls, "template1") as urls:
        yield urls


@pytest.fixture
def empty_tables(database: DatabaseUrls) -> DatabaseUrls:
    """URLs of the module's database, emptied of what earlier tests left."""
    from margin_pipeline.storage import connections

    with connections.connect(database) as connection:
        names = connection.execute(
            "select c.relname from pg_class c where c.relnamespace = 'margin_data'::regnamespace and c.relkind in ('r', 'p') "
            "and not c.relispartition and c.relname not in ('view_files', 'audit_log')"
        ).fetchall()
        connection.execute(f"truncate {', '.join(f'margin_data.{name}' for (name,) in names)} restart identity")
    return database


@pytest.fixture(scope="session")
def sample_folder(request: pytest.FixtureRequest) -> Path:
    """Landing zone of the sample, written once for all workers: to be read, and copied by whoever changes it."""
    from margin_pipeline.sample import write_sample
    from margin_pipeline.storage.locks import alone

    folder = request.config.stash[_FOLDER]
    with alone(folder / "sample.lock"):
        if not (folder / "sample").exists():
            write_sample(folder / "sample being written")
            (folder / "sample being written").rename(folder / "sample")
    return folder / "sample"


@pytest.fixture(scope="session")
def publish_sample(server_urls: DatabaseUrls, sample_folder: Path) -> Callable[..., AbstractContextManager[DatabaseUrls]]:
    """Databases in which the chain has published given dates of the sample, in the order given.

    The chain runs once a session for each list of dates; everybody gets a copy of what it left.
    """
    from margin_pipeline.storage import connections
    from margin_pipeline.storage.locks import alone
    from margin_pipeline_tests.sample_chain import definitions, execute

    def template(dates: tuple[str, ...]) -> str:
        if not dates:
            return _TEMPLATE
        name = "_".join(["sample", *dates]).replace("-", "")
        with alone(sample_folder.parent / f"{name}.lock"):
            with connections.connect(server_urls) as connection:
                if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                    return name
            begun = f"{name}_begun"
            _create(server_urls, begun, template(dates[:-1]))
            assert execute(definitions(_of(server_urls, begun), sample_folder, sample_folder.parent / name), dates[-1]).success
            connections.close_all()
            with connections.connect(server_urls) as connection:
                connection.execute(f'alter database "{begun}" rename to "{name}"')
                connection.execute(f'alter database "{name}" is_template true')
        return name

    return lambda *dates: _database(server_urls, template(dates))


@pytest.fixture
def published_sample(publish_sample: Callable[..., AbstractContextManager[DatabaseUrls]]) -> Iterator[Callable[..., DatabaseUrls]]:
    """Make databases of the test's own in which the chain has published given dates of the sample."""
    with ExitStack() as stack:
        yield lambda *dates: stack.enter_context(publish_sample(*dates))


def _of(urls: DatabaseUrls, name: str) -> DatabaseUrls:
    return DatabaseUrls(with_database(urls.libpq, name), with_database(urls.dagster_libpq, f"{name}_dagster"))


def _create(server_urls: DatabaseUrls, name: str, template: str) -> None:
    from margin_pipeline.storage import connections

    with connections.connect(server_urls) as connection:
        connection.autocommit = True
        connection.execute(f'create database "{name}" template "{template}"')


@contextmanager
def _database(server_urls: DatabaseUrls, template: str) -> Iterator[DatabaseUrls]:
    from margin_pipeline.storage import connections

    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_numbers)}"
    _create(server_urls, name, template)
    try:
        yield _of(server_urls, name)
    finally:
        connections.close_all()
        with connections.connect(server_urls) as connection:
            connection.autocommit = True
            connection.execute(f'drop database "{name}" with (force)')
