"""Passwords and tokens of the environment appear in nothing that is kept or shown: runs, definitions, rows, logs, output."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value

from margin_pipeline import storage
from margin_pipeline.definitions import build_defs
from margin_pipeline.orchestration import partitions, sensors
from margin_pipeline.orchestration.assets.landing import build_landing
from margin_pipeline.orchestration.resources import NotifierSettings, ResultStore
from margin_pipeline.sample import SAMPLE_DATES, write_sample
from margin_pipeline.settings import from_environment
from margin_pipeline.storage.urls import DatabaseUrls

pytestmark = pytest.mark.slow

# Each has something that only it has, so that a leak is found whatever it was part of.
PASSWORD, HOOK, TOKEN = "pw-4210-kept", "hook-4210-kept", "token-4210-kept"
SECRETS = (PASSWORD, HOOK, TOKEN)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
CHANNELS = """
channels:
  - {name: refused, url: "json://127.0.0.1:1/${THE_TOKEN}"}
  - {name: unknown, url: "nosuch://127.0.0.1/${THE_TOKEN}"}
  - {name: telegram, url: "tgram://${THE_TOKEN}/x"}
"""


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def with_password(url: str) -> str:
    return url.replace("postgres@", f"postgres:{PASSWORD}@")


@pytest.fixture
def urls(fresh_database):
    return DatabaseUrls(with_password(fresh_database.libpq), with_password(fresh_database.dagster_libpq))


@pytest.fixture
def environment(tmp_path, monkeypatch, urls):
    """The environment of a pipeline with every secret that it takes; gives it."""
    (tmp_path / "channels.yaml").write_text(CHANNELS)
    given = {
        "MARGIN_DATA_DIR": str(tmp_path / "data"),
        "MARGIN_LANDING_DIR": str(tmp_path / "landing"),
        "MARGIN_DATABASE_URL": urls.libpq,
        "MARGIN_DAGSTER_DATABASE_URL": urls.dagster_libpq,
        "MARGIN_WEBHOOK_URL": f"http://127.0.0.1:1/{HOOK}",
        "MARGIN_NOTIFICATIONS": str(tmp_path / "channels.yaml"),
        "THE_TOKEN": TOKEN,
        "MARGIN_COMPUTE": "numpy",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def landed_files(environment, tmp_path):
    """The first date of the sample in the landing zone."""
    write_sample(tmp_path / "all")
    date = SAMPLE_DATES[0].isoformat()
    shutil.copytree(tmp_path / "all" / date, tmp_path / "landing" / date)


def land(instance, definitions, settings):
    """Land the date, the one part of the chain that reads files and writes tables and takes no time."""
    keys = list(build_landing(partitions.business_dates(settings.calendar, dt.date(2023, 1, 5))).keys)
    job = definitions.resolve_implicit_global_asset_job_def()
    date = SAMPLE_DATES[0].isoformat()
    return job.execute_in_process(instance=instance, partition_key=date, asset_selection=keys, run_config=QUIET, raise_on_error=False)


def everything_of(instance: dg.DagsterInstance, run_id: str) -> str:
    """A run and all its events, as Dagster stores them."""
    return "\n".join(serialize_value(thing) for thing in [instance.get_run_by_id(run_id), *instance.all_logs(run_id)])


def every_row(urls) -> str:
    """Every row of every table that is not bulk data, as text."""
    with psycopg.connect(urls.libpq) as connection:
        names = connection.execute(
            "select oid::regclass::text from pg_class where relnamespace = 'margin_data'::regnamespace and relkind in ('r', 'p') "
            "and not relispartition"
        ).fetchall()
        return "\n".join(str(connection.execute(f"select t::text from {name} t limit 1000").fetchall()) for (name,) in names)


def test_definitions_show_no_secret(environment):
    definitions = build_defs()
    shown = serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))
    assert "portfolio_margins" in shown
    assert secrets_in(shown) == []
    resources = [getattr(resource, "resource_fn", resource) for resource in definitions.resources.values()]
    assert secrets_in(f"{definitions!r} {definitions.resources!r} {resources!r} {from_environment()!r}") == []


def test_a_run_its_events_and_all_rows_hold_no_secret(landed_files, urls):
    with dg.DagsterInstance.ephemeral() as instance:
        done = land(instance, build_defs(today=dt.date(2023, 1, 5)), from_environment())
        assert done.success
        kept = everything_of(instance, done.run_id)
        assert "landed" in kept.lower()
        assert secrets_in(kept) == []
    rows = every_row(urls)
    assert "audit_log_opened" in rows
    assert "calendar" in rows
    assert secrets_in(rows) == []


def test_a_run_whose_database_is_not_there_says_so_without_the_password(landed_files, monkeypatch):
    monkeypatch.setenv("MARGIN_DATABASE_URL", f"postgresql://ann:{PASSWORD}@127.0.0.1:1/margin")
    with dg.DagsterInstance.ephemeral() as instance:
        failed = land(instance, build_defs(today=dt.date(2023, 1, 5)), from_environment())
        assert not failed.success
        kept = everything_of(instance, failed.run_id)
    assert "cannot be reached" in kept
    assert "ann:***@127.0.0.1" in kept
    assert secrets_in(kept) == []


def test_channels_that_fail_tell_no_token_in_ticks_rows_or_logs(environment, urls, caplog, capsys):
    with psycopg.connect(urls.libpq) as connection:
        connection.execute(
            "insert into margin_data.alerts (as_of, portfolio_id, kind, severity, threshold, episode, observed, message) "
            "values ('2022-12-28', 'P', 'stress', 'critical', 0, 1, 1, 'a scenario fails')"
        )
    settings = from_environment()
    store = ResultStore(lambda: urls, "1", lambda as_of, at: {})
    notifier = NotifierSettings(settings.webhook_url, settings.notifications)
    # Root's level decides what a daemon writes into its log.
    with caplog.at_level(logging.DEBUG):
        said = sensors.notifications(dg.build_sensor_context(), store=store, notifier=notifier)
    assert all(f"{name}: 0 told, 1 failed" in said.skip_message for name in ("webhook", "refused", "unknown", "telegram"))
    written = capsys.readouterr().err
    assert "a scenario fails" in written
    assert secrets_in(f"{said.skip_message} {notifier!r} {written} {caplog.text} {every_row(urls)}") == []


COMMANDS = [
    ["database", "url"],
    ["database", "status"],
    ["database", "upgrade"],
    ["database", "roles"],
    ["status"],
    ["health"],
    ["metrics"],
    ["alerts"],
    ["audit"],
    ["sql", "select 1"],
    ["retention", "--before", "2020-01-01"],
    ["explain", "P"],
    ["report"],
    ["run", "--as-of", "2022-12-27"],
    ["ui", "--port", "0"],
    ["stop", "--reason", "test"],
]


def call(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MARGIN_")} | environment
    command = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, cwd=Path(__file__).parents[2], check=False, timeout=120)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_whose_database_is_not_there_fails_without_showing_a_secret(environment, arguments):
    unreachable = f"postgresql://ann:{PASSWORD}@127.0.0.1:1/margin"
    there_is_none = environment | {"MARGIN_DATABASE_URL": unreachable}
    (Path(environment["MARGIN_LANDING_DIR"]) / "2022-12-27").mkdir(parents=True)
    del there_is_none["MARGIN_DAGSTER_DATABASE_URL"]
    done = call(there_is_none, *arguments)
    assert "127.0.0.1" in done.stdout + done.stderr
    assert secrets_in(done.stdout + done.stderr) == []
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["status"], ["metrics"], ["health"], ["audit"], ["database", "status"], ["alerts", "--all"]], ids=" ".join
)
def test_what_operators_are_shown_holds_no_secret(environment, arguments):
    done = call(environment, *arguments)
    assert done.stdout
    assert secrets_in(done.stdout + done.stderr) == []


def test_a_url_in_place_of_the_notifications_file_is_refused_without_showing_it(environment):
    done = call(environment | {"MARGIN_NOTIFICATIONS": f"slack://{TOKEN}"}, "status")
    assert (done.returncode, done.stdout) == (2, "")
    assert "MARGIN_NOTIFICATIONS names a file" in done.stderr
    assert secrets_in(done.stderr) == []


@pytest.mark.parametrize("password", ["p@ss", "p%ss", "12/34", "12#34", "p@s/s"])
def test_a_password_that_is_not_encoded_is_refused_before_a_driver_quotes_a_part_of_it(environment, password):
    done = call(environment | {"MARGIN_DATABASE_URL": f"postgresql://ann:{password}@127.0.0.1:1/margin"}, "database", "status")
    assert done.returncode == 2
    assert "MARGIN_DATABASE_URL" in done.stderr
    assert "ss@" not in done.stderr
    assert "34@" not in done.stderr
    assert password not in done.stderr


def test_statements_are_recorded_without_the_passwords_in_them(urls):
    statement = f"comment on schema margin is 'password={PASSWORD} password = ''{TOKEN}'' postgresql://ann:{HOOK}@db/margin http://db:80/x'"
    with storage.QuerySession(urls, write=True) as session:
        session.run(statement)
        session.run(f"create role secrets_test_role password '{PASSWORD}'")
        session.run("drop role secrets_test_role")
    recorded = every_row(urls)
    assert "http://db:80/x" in recorded
    assert "create role secrets_test_role" in recorded
    assert secrets_in(recorded) == []
