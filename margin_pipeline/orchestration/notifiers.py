"""Ways of telling people about alerts.

Belongs here: the notifier interface, log, webhook and the services that Apprise reaches. Not here: when an alert is raised, who is told of
what (`decisions.alerts.routing`), what is still untold.
"""

from __future__ import annotations

import http.client
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

TIMEOUT_SECONDS = 5
LINES_SHOWN = 30


class DeliveryError(RuntimeError):
    """A notifier could not deliver; it will be tried again."""


class Notifier(Protocol):
    """Anything that can tell somebody about events of alerts."""

    @property
    def channel(self) -> str:
        """Name under which deliveries are recorded."""

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Deliver events as one message; raises `DeliveryError` when that fails."""


@dataclass(frozen=True)
class LogNotifier:
    """Writes alerts to the log of the daemon."""

    logger: logging.Logger
    channel: str = "log"

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Log events: emergencies and critical ones as errors."""
        for event in events:
            level = logging.ERROR if event["severity"] in ("critical", "emergency") else logging.WARNING
            self.logger.log(level, "%s %s: %s", event["severity"], what_happened(event), event["message"])


@dataclass(frozen=True)
class WebhookNotifier:
    """Posts alerts as JSON to a URL, one at a time."""

    url: str = field(repr=False)
    channel: str = "webhook"

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Post events.

        Raises
        ------
        DeliveryError : the URL did not answer with success within five seconds.
        """
        for event in events:
            body = json.dumps({key: str(value) if key.endswith("_at") else value for key, value in event.items()}, default=str).encode()
            request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"}, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
                    continue
            except urllib.error.URLError as error:
                raise DeliveryError(f"webhook: {error.reason}") from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                # The URL may hold a secret, and the error may quote it: only the kind of failure is told.
                raise DeliveryError(f"webhook: {type(error).__name__}") from None


@dataclass(frozen=True)
class AppriseNotifier:
    """Tells a service that Apprise knows by URL: mail, Slack, Teams, Telegram, a webhook and many more."""

    channel: str
    url: str = field(repr=False)

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Send events as one message.

        Raises
        ------
        DeliveryError : the service is not known, or did not take the message. What the URL holds is never told.
        """
        import apprise

        # They write URLs with their tokens into the log, some as errors.
        logging.getLogger("apprise").disabled = True
        logging.getLogger("urllib3").setLevel(logging.INFO)
        service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="margin_pipeline", async_mode=False, secure_logging=True))
        if not service.add(self.url):
            raise DeliveryError(f"channel {self.channel}: its URL names no service that Apprise knows")
        worst = {str(event["severity"]) for event in events if event["event"] == "raised"}
        urgent = "failure" if worst & {"critical", "emergency"} else "warning" if worst else "success"
        if not service.notify(title=title(events), body=body(events), notify_type=urgent):
            raise DeliveryError(f"channel {self.channel}: the service did not take the message")


def what_happened(event: Mapping[str, Any]) -> str:
    """Raised, escalated or cleared."""
    return "escalated" if event["event"] == "raised" and event.get("escalated_from") else str(event["event"])


def title(events: Sequence[Mapping[str, Any]]) -> str:
    """Subject of a message."""
    if len(events) == 1:
        return f"{events[0]['severity']} {what_happened(events[0])}: {events[0]['portfolio_id']} {events[0]['kind']}"
    raised = sum(event["event"] == "raised" for event in events)
    return f"{len(events)} alerts: {raised} raised, {len(events) - raised} cleared"


def body(events: Sequence[Mapping[str, Any]]) -> str:
    """Text of a message, a line an event."""
    lines = [f"{event['severity']} {what_happened(event)}: {event['message']}" for event in events[:LINES_SHOWN]]
    more = len(events) - LINES_SHOWN
    return "\n".join([*lines, *([f"and {more} more; see margin.alerts"] if more > 0 else [])])
