"""Dagster's instance for a command: its home in the data folder, its storage in the second database.

Belongs here: making and opening that home. Not here: what runs on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from margin_pipeline.storage import DatabaseUrls

STATEMENT_MILLISECONDS = 60_000
HEAVY_STEPS = "compute"
"""The pool of the steps that keep all cores busy."""


def configuration_file(settings: Settings) -> Path:
    """Dagster's configuration: the one that the settings name, else the dagster.yaml of the checkout or of the installed package."""
    if settings.dagster_config:
        return settings.dagster_config
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "dagster.yaml"
    return checkout if checkout.is_file() else package / "dagster.yaml"


def environment(settings: Settings) -> dict[str, str]:
    """Environment in which Dagster's processes find the same home, databases and landing zone as this one."""
    found = {
        "DAGSTER_HOME": str(settings.dagster_home),
        "MARGIN_DATA_DIR": str(settings.data_dir),
        "MARGIN_LANDING_DIR": str(settings.landing_zone),
    }
    for variable, value in (("MARGIN_DATABASE_URL", settings.database_url), ("MARGIN_DAGSTER_DATABASE_URL", settings.dagster_database_url)):
        if value:
            found[variable] = value
    return found


def prepare_home(settings: Settings) -> None:
    """Make Dagster's home, with the configuration of this version; its local files stay inside it."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    text = (
        configuration_file(settings)
        .read_text(encoding="utf-8")
        .replace("base_dir: .margin/dagster", f"base_dir: {json.dumps(str(home), ensure_ascii=False)}")
    )
    target = home / "dagster.yaml"
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        # Another command may be reading it: it sees the old file or the new one.
        draft = home / f"dagster.yaml.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)


def mend_storage(urls: DatabaseUrls) -> None:
    """Let Dagster make its tables anew where a fault left some of them only, before anything was recorded."""
    from margin_pipeline.orchestration.dagster_storage import table_names
    from margin_pipeline.storage import forget_half_made, taking_turns

    with taking_turns(urls):
        forget_half_made(urls, table_names())


@contextmanager
def open_instance(settings: Settings, urls: DatabaseUrls) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance on the databases of these settings."""
    prepare_home(settings)
    os.environ.update(environment(settings))
    import dagster as dg

    from margin_pipeline.storage import taking_turns

    mend_storage(urls)
    with ExitStack() as opened:
        # Two that make Dagster's tables, or the limit of a pool, at the same moment fail each other's runs.
        with taking_turns(urls):
            instance = opened.enter_context(dg.DagsterInstance.get())
            if HEAVY_STEPS not in instance.event_log_storage.get_concurrency_keys():
                instance.event_log_storage.initialize_concurrency_limit_to_default(HEAVY_STEPS)
            _follow_the_configuration(instance)
        # One connection kept, as the webserver keeps it: a run writes hundreds of events, each of which would connect anew.
        instance.optimize_for_webserver(statement_timeout=STATEMENT_MILLISECONDS, pool_recycle=3600, max_overflow=5)
        yield instance


def _follow_the_configuration(instance: dg.DagsterInstance) -> None:
    """Give pools the limit of this configuration, where they have another one's: those that somebody set stay."""
    default = instance.global_op_concurrency_default_limit
    for pool in instance.event_log_storage.get_pool_limits():
        if pool.from_default and pool.limit != default:
            instance.event_log_storage.initialize_concurrency_limit_to_default(pool.name)
