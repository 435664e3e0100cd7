"""The definitions: `build_defs(settings)` for the command and the tests, `defs` for Dagster's processes.

Belongs here: putting assets, jobs, schedules, sensors and resources together. Not here: any of them.
Loading needs no database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import dagster as dg

from margin_pipeline.compute import RayMap
from margin_pipeline.orchestration import assets, emergency, jobs, partitions, resources, retention, schedules, sensors
from margin_pipeline.orchestration.assets import alerts, landing, margin_calls, publication, reports
from margin_pipeline.orchestration.code_version import code_version
from margin_pipeline.orchestration.intraday import LiveMargins
from margin_pipeline.orchestration.io_manager import TableIOManager
from margin_pipeline.settings import Settings, from_environment
from margin_pipeline.storage import DatabaseUrls, database_urls


def build_defs(
    settings: Settings | None = None,
    urls: DatabaseUrls | None = None,
    overrides: Mapping[str, Any] | None = None,
    today: dt.date | None = None,
) -> dg.Definitions:
    """All definitions on given settings.

    Parameters
    ----------
    settings : settings of the process; None: from the environment.
    urls : databases; None: found from the settings when first used.
    overrides : resources to replace, by key.
    today : last business date; None: the clock's.
    """
    settings = settings or from_environment()
    today = today or dt.datetime.now(dt.UTC).date()
    dates = partitions.business_dates(settings.calendar, today)
    table_assets = [asset.build(dates, pictures=settings.pictures) for asset in assets.TABLE_ASSETS]
    landing_asset = landing.build_landing(dates)
    landed = sorted(key.to_user_string() for key in landing_asset.keys)
    tables = landed + [table for asset in assets.TABLE_ASSETS for table in asset.tables]
    kept_days = retention.definitions(settings.retention_days)
    chain_jobs = jobs.jobs(settings.run_limit_seconds)
    return dg.Definitions(
        assets=[
            landing_asset,
            *table_assets,
            publication.build_publication(dates, tables, downstream_tables()),
            alerts.build_alert_evaluation(dates),
            margin_calls.build_margin_calls(dates),
            *([reports.build_reports(dates, settings.reports_dir)] if settings.reports else []),
        ],
        jobs=[
            *chain_jobs,
            schedules.publication_deadline,
            emergency.stop_automation,
            emergency.resume_automation,
            *kept_days["jobs"],
        ],
        schedules=[schedules.after_the_close, schedules.at_the_deadline, *kept_days["schedules"]],
        sensors=[sensors.landed_files, sensors.live_margins, sensors.notifications, sensors.failed_runs(chain_jobs)],
        resources={**_resources(settings, urls), **(overrides or {})},
        executor=dg.in_process_executor,
    )


def _resources(settings: Settings, urls: DatabaseUrls | None) -> dict[str, Any]:
    """Resources by key; nothing is opened before it is used."""
    rules = resources.Rules(settings.calendar, dict(settings.threshold_overrides))
    mapper = RayMap(settings.ray_address) if settings.map == "ray" else None
    compute = resources.ComputeResource(settings.compute, settings.threads, settings.measurements, mapper)
    store = resources.ResultStore(
        lambda: urls or database_urls(settings.data_dir, settings.database_url, settings.dagster_database_url),
        code_version(),
        lambda as_of, at: resources.calculation_settings(settings.calendar, as_of, at, rules, compute),
        longest_histories(),
    )
    return {
        "store": store,
        "rules": rules,
        "compute": compute,
        "landing_zone": resources.LandingZone(settings.landing_zone),
        "notifier": resources.NotifierSettings(settings.webhook_url, settings.notifications),
        "live": LiveMargins(store, settings.calendar, settings.threads, settings.landing_zone),
        "io_manager": TableIOManager(store),
    }


def longest_histories() -> dict[str, int]:
    """Sessions of the longest history of each table that any stage wants."""
    found: dict[str, int] = {}
    for asset in assets.TABLE_ASSETS:
        for table, sessions in asset.history.items():
            found[table] = max(found.get(table, 0), sessions or 0)
    return found


def downstream_tables() -> dict[str, set[str]]:
    """Tables made from each table, directly or through others."""
    found: dict[str, set[str]] = {}
    for asset in reversed(assets.TABLE_ASSETS):
        made = set(asset.tables)
        after = made.union(*(found.get(table, set()) for table in made))
        for name in asset.inputs:
            found.setdefault(name, set()).update(after)
    return found


defs = build_defs()
