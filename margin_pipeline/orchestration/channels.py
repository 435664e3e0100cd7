"""The channels of alerts: the log, a webhook, and those of the notifications file.

Belongs here: reading the file. Not here: telling (`notifiers`), when (`delivery`).
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from margin_pipeline.decisions.alerts.routing import SEVERITIES, QuietHours, Route
from margin_pipeline.orchestration.notifiers import AppriseNotifier, LogNotifier, Notifier, WebhookNotifier

KNOWN = {"name", "url", "severities", "portfolios", "kinds", "quiet_hours", "digest_minutes"}


class ChannelError(ValueError):
    """The notifications file cannot be used; the message says why, and never shows a URL."""


def channels(webhook_url: str | None, file: Path | None, logger: logging.Logger) -> list[tuple[Route, Notifier]]:
    """Channels in use, each with what it is told: always the log, the webhook where one is set, and those of the file.

    Raises
    ------
    ChannelError : the file cannot be used.
    """
    found: list[tuple[Route, Notifier]] = [(Route("log"), LogNotifier(logger))]
    if webhook_url:
        found.append((Route("webhook"), WebhookNotifier(webhook_url)))
    return found + (read_channels(file, os.environ) if file else [])


def read_channels(file: Path, environment: Mapping[str, str]) -> list[tuple[Route, Notifier]]:
    """Channels of a notifications file.

    Parameters
    ----------
    file : YAML with a list `channels`; each has name, url and optionally severities, portfolios, kinds, quiet_hours, digest_minutes.
    environment : what `${NAME}` in a URL stands for, so that no secret is in the file.

    Raises
    ------
    ChannelError : the file cannot be read, or a channel of it cannot be used.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChannelError(f"{file} cannot be read ({error.strerror})") from None
    except yaml.YAMLError:
        # The error would quote the line, which may hold a URL.
        raise ChannelError(f"{file} is not YAML") from None
    rows = content.get("channels") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise ChannelError(f"{file} has no list named channels")
    found = [_channel(file, row, environment) for row in rows]
    names = [route.channel for route, _ in found]
    for name in names:
        if names.count(name) > 1 or name in ("log", "webhook"):
            raise ChannelError(f"{file}: two channels are named {name}")
    return found


def _channel(file: Path, row: Any, environment: Mapping[str, str]) -> tuple[Route, Notifier]:
    if not isinstance(row, dict) or not row.get("name") or not row.get("url"):
        raise ChannelError(f"{file}: every channel needs a name and a url")
    name = str(row["name"])

    def fail(why: str) -> ChannelError:
        return ChannelError(f"{file}, channel {name}: {why}")

    if unknown := set(row) - KNOWN:
        raise fail(f"{', '.join(sorted(map(str, unknown)))} has no meaning; known are {', '.join(sorted(KNOWN))}")
    try:
        url = string.Template(str(row["url"])).substitute(environment)
    except KeyError as error:
        raise fail(f"the environment has no variable {error.args[0]}") from None
    except ValueError:
        raise fail("a $ in the url is followed by no name; write $$ for a dollar sign") from None
    severities = frozenset(map(str, row.get("severities") or ()))
    if unknown := severities - set(SEVERITIES):
        raise fail(f"{', '.join(sorted(unknown))} is no severity; known are {', '.join(SEVERITIES)}")
    digest = row.get("digest_minutes", 0)
    if not isinstance(digest, int) or isinstance(digest, bool) or digest < 0:
        raise fail("digest_minutes is a whole number of minutes, 0 for none")
    try:
        quiet = _quiet_hours(row["quiet_hours"]) if row.get("quiet_hours") else None
    except (KeyError, TypeError, ValueError, AttributeError, ZoneInfoNotFoundError):
        raise fail('quiet_hours needs from, to ("22:00") and timezone ("America/New_York"), optionally except (severities)') from None
    kinds, portfolios = frozenset(map(str, row.get("kinds") or ())), tuple(map(str, row.get("portfolios") or ()))
    return Route(name, severities, portfolios, kinds, quiet, digest), AppriseNotifier(name, url)


def _quiet_hours(given: Mapping[str, Any]) -> QuietHours:
    start, end = (dt.time.fromisoformat(given[key]) for key in ("from", "to"))
    exempt = frozenset(map(str, given.get("except", ["emergency"])))
    if exempt - set(SEVERITIES):
        raise ValueError
    return QuietHours(start, end, ZoneInfo(given["timezone"]).key, exempt)
