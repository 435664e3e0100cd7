"""Notifiers against a real HTTP server. Belongs here: delivery. Not here: the outbox (storage)."""

import http.server
import json
import logging
import threading

import pytest

from margin_pipeline.orchestration.notifiers import AppriseNotifier, DeliveryError, LogNotifier, WebhookNotifier, body, title

EVENT = {"alert_id": 1, "event": "raised", "severity": "critical", "message": "OPTIONS_INCOME uses 91 % of its margin equity"}


@pytest.fixture
def receiver():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_arguments):
            """Quiet: the test says what went wrong."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def test_a_webhook_receives_the_alert_as_json(receiver):
    url, received = receiver
    WebhookNotifier(url).deliver([EVENT])
    assert received == [EVENT]


def test_a_webhook_that_refuses_is_a_failed_delivery(receiver):
    with pytest.raises(DeliveryError, match="webhook"):
        WebhookNotifier(receiver[0] + "/broken").deliver([EVENT])


def test_a_secret_in_the_url_is_not_told():
    with pytest.raises(DeliveryError) as failure:
        WebhookNotifier("http://127.0.0.1:1/secret-token").deliver([EVENT])
    assert "secret-token" not in str(failure.value)


def test_critical_alerts_are_logged_as_errors(caplog):
    with caplog.at_level(logging.WARNING):
        LogNotifier(logging.getLogger("alerts")).deliver([EVENT])
    assert [(r.levelname, EVENT["message"] in r.getMessage()) for r in caplog.records] == [("ERROR", True)]


OTHER = {**EVENT, "alert_id": 2, "event": "cleared", "severity": "warning", "message": "MOMENTUM is back below 80 %"}
OTHERS = {"portfolio_id": "P", "kind": "utilization"}


def test_a_service_receives_one_message_for_several_events(receiver):
    url, received = receiver
    AppriseNotifier("desk", url.replace("http://", "json://")).deliver([EVENT | OTHERS, OTHER | OTHERS])
    (message,) = received
    assert message["title"] == "2 alerts: 1 raised, 1 cleared"
    assert message["message"].splitlines() == [f"critical raised: {EVENT['message']}", f"warning cleared: {OTHER['message']}"]
    assert message["type"] == "failure"


def test_a_service_that_refuses_or_is_unknown_is_a_failed_delivery_that_tells_no_secret(receiver):
    for url in (receiver[0].replace("http://", "json://") + "/broken", "nosuchservice://secret-token", "json://127.0.0.1:1/secret-token"):
        with pytest.raises(DeliveryError, match="channel desk") as failure:
            AppriseNotifier("desk", url).deliver([EVENT | OTHERS])
        assert "secret-token" not in str(failure.value)


def test_an_escalation_is_called_one():
    escalated = EVENT | OTHERS | {"escalated_from": 7}
    assert title([escalated]) == "critical escalated: P utilization"
    assert body([escalated]).startswith("critical escalated: ")


def test_a_long_digest_says_how_much_more_there_is():
    text = body([EVENT | OTHERS] * 45)
    assert len(text.splitlines()) == 31
    assert text.endswith("and 15 more; see margin.alerts")
