"""Ways of telling people about alerts.

Belongs here: the notifier interface, log and webhook. Not here: when an alert is raised, what is still undelivered.
"""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

TIMEOUT_SECONDS = 5


class DeliveryError(RuntimeError):
    """A notifier could not deliver; it will be tried again."""


class Notifier(Protocol):
    """Anything that can tell somebody about one event of one alert."""

    @property
    def channel(self) -> str:
        """Name under which deliveries are recorded."""

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Deliver one event; raises `DeliveryError` when that fails."""


@dataclass(frozen=True)
class LogNotifier:
    """Writes alerts to the log of the daemon."""

    logger: logging.Logger
    channel: str = "log"

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Log one event: emergencies and critical ones as errors."""
        level = logging.ERROR if event["severity"] in ("critical", "emergency") else logging.WARNING
        self.logger.log(level, "%s %s: %s", event["severity"], event["event"], event["message"])


@dataclass(frozen=True)
class WebhookNotifier:
    """Posts alerts as JSON to a URL."""

    url: str
    channel: str = "webhook"

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Post one event.

        Raises
        ------
        DeliveryError : the URL did not answer with success within five seconds.
        """
        body = json.dumps({key: str(value) if key.endswith("_at") else value for key, value in event.items()}, default=str).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
                return
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            # The URL may hold a secret: only the kind of failure is told.
            raise DeliveryError(f"webhook: {getattr(error, 'reason', None) or type(error).__name__}") from error


def notifiers(webhook_url: str | None, logger: logging.Logger) -> list[Notifier]:
    """Notifiers in use: always the log, and the webhook where one is set."""
    found: list[Notifier] = [LogNotifier(logger)]
    if webhook_url:
        found.append(WebhookNotifier(webhook_url))
    return found
