"""Settings from the environment.

Belongs here: names, defaults and validation of environment variables. Not here: opening anything.
Read by the console script, the definitions and Dagster's storage class only; they pass values on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

COMPUTE_CHOICES = ("auto", "numpy", "mlx-cpu", "mlx-gpu")
MAP_CHOICES = ("local", "ray")
SWITCH = {"on": True, "off": False}


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Everything that the environment decides. Printed, it shows nothing that may hold a secret.

    Attributes
    ----------
    data_dir : where everything local lives (embedded Postgres, Dagster's home, measurements).
    database_url : results database; None: the embedded Postgres in `data_dir`.
    dagster_database_url : Dagster's own storage; None: `<database>_dagster` beside the results.
    landing_dir : landing zone; None: the sample book.
    compute : backend preference, one of `COMPUTE_CHOICES`.
    threads : threads of the linear algebra library.
    calendar : exchange calendar of the business dates (name in exchange_calendars).
    threshold_overrides : utilization thresholds that replace the shipped ones, by name.
    webhook_url : where alerts are posted; None: they are logged only.
    notifications : file that names further channels of alerts; None: there are none.
    retention_days : days that retention keeps; None: rows are kept for ever.
    pictures : whether runs draw pictures for the metadata of their tables, which takes a second or two.
    reports : whether runs end with the reports of their date, which takes a few seconds.
    run_limit_seconds : seconds after which a run of the daemon is ended.
    dagster_config : Dagster's configuration; None: the dagster.yaml of this version.
    celery_broker, celery_backend : Redis databases of queues and of results, where that configuration hands runs to Celery workers.
    map : where chunks of heavy steps are computed, one of `MAP_CHOICES`.
    ray_address : Ray cluster they are computed on; None: the one this machine belongs to.
    """

    data_dir: Path
    database_url: str | None = field(repr=False)
    dagster_database_url: str | None = field(repr=False)
    landing_dir: Path | None
    compute: str
    threads: int
    calendar: str
    threshold_overrides: Mapping[str, float]
    webhook_url: str | None = field(repr=False)
    pictures: bool = True
    reports: bool = True
    notifications: Path | None = None
    retention_days: int | None = None
    run_limit_seconds: int = 7200
    dagster_config: Path | None = None
    celery_broker: str = "redis://127.0.0.1:6379/0"
    celery_backend: str = "redis://127.0.0.1:6379/1"
    map: str = "local"
    ray_address: str | None = None

    @property
    def landing_zone(self) -> Path:
        """Landing zone in use: the one given, else the sample book's."""
        return self.landing_dir or self.sample_dir

    @property
    def sample_dir(self) -> Path:
        """Where the sample book's landing folders are written."""
        return self.data_dir / "sample"

    @property
    def dagster_home(self) -> Path:
        """Dagster's home: its configuration, logs and local files."""
        return self.data_dir / "dagster"

    @property
    def reports_dir(self) -> Path:
        """Where the reports of all dates are written."""
        return self.data_dir / "reports"

    @property
    def measurements(self) -> Path:
        """File with the measured speed of this machine's backends."""
        return self.data_dir / "compute.json"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of this process.

    Raises
    ------
    SettingsError : a variable has an unusable value; the message says which and what would do.
    """
    env = os.environ if environment is None else environment
    landing = env.get("MARGIN_LANDING_DIR")
    config = env.get("MARGIN_DAGSTER_CONFIG")
    return Settings(
        data_dir=Path(env.get("MARGIN_DATA_DIR") or _default_data_dir(env)).expanduser().resolve(),
        database_url=env.get("MARGIN_DATABASE_URL") or None,
        dagster_database_url=env.get("MARGIN_DAGSTER_DATABASE_URL") or None,
        landing_dir=Path(landing).expanduser().resolve() if landing else None,
        compute=_one_of(env, "MARGIN_COMPUTE", COMPUTE_CHOICES),
        threads=_positive_integer(env, "MARGIN_THREADS", os.cpu_count() or 1),
        calendar=env.get("MARGIN_CALENDAR", "XNYS"),
        threshold_overrides=_thresholds(env),
        webhook_url=env.get("MARGIN_WEBHOOK_URL") or None,
        pictures=_switch(env, "MARGIN_PICTURES"),
        retention_days=_positive_integer(env, "MARGIN_RETENTION_DAYS", None),
        reports=_switch(env, "MARGIN_REPORTS"),
        run_limit_seconds=_positive_integer(env, "MARGIN_RUN_LIMIT_SECONDS", 7200),
        notifications=_notifications(env),
        dagster_config=Path(config).expanduser().resolve() if config else None,
        celery_broker=env.get("MARGIN_CELERY_BROKER") or Settings.celery_broker,
        celery_backend=env.get("MARGIN_CELERY_BACKEND") or Settings.celery_backend,
        map=_one_of(env, "MARGIN_MAP", MAP_CHOICES),
        ray_address=env.get("MARGIN_RAY_ADDRESS") or None,
    )


def _notifications(env: Mapping[str, str]) -> Path | None:
    text = env.get("MARGIN_NOTIFICATIONS")
    if text and "://" in text:
        # A URL may hold a token, and names of files are shown: it is not taken for one.
        raise SettingsError("MARGIN_NOTIFICATIONS names a file with channels; put the URL there")
    return Path(text).expanduser().resolve() if text else None


def _one_of(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """A setting that takes one of a few values, the first by default."""
    text = env.get(name) or choices[0]
    if text not in choices:
        raise SettingsError(f"{name} is {text!r}; use one of {', '.join(choices)}")
    return text


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "on")
    if text not in SWITCH:
        raise SettingsError(f"{name} is {text!r}; use one of {', '.join(SWITCH)}")
    return SWITCH[text]


def _default_data_dir(env: Mapping[str, str]) -> Path:
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".margin"
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "margin_pipeline"


@overload
def _positive_integer(env: Mapping[str, str], name: str, default: int) -> int: ...
@overload
def _positive_integer(env: Mapping[str, str], name: str, default: None) -> int | None: ...
def _positive_integer(env: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = env.get(name)
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise SettingsError(f"{name} is {text!r}; use a whole number of at least 1")
    return int(text)


def _thresholds(env: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("warning", "critical", "emergency", "hysteresis"):
        variable = f"MARGIN_{name.upper()}_THRESHOLD" if name != "hysteresis" else "MARGIN_HYSTERESIS"
        text = env.get(variable)
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not 0 < value <= 1:
            raise SettingsError(f"{variable} is {text!r}; use a fraction above 0 and up to 1, e.g. 0.80")
        found[name] = value
    return found
