"""Notifiers against a real HTTP server. Belongs here: delivery. Not here: the outbox (storage)."""

import http.server
import json
import logging
import threading

import pytest

from margin_pipeline.orchestration.notifiers import DeliveryError, LogNotifier, WebhookNotifier, notifiers

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
    WebhookNotifier(url).deliver(EVENT)
    assert received == [EVENT]


def test_a_webhook_that_refuses_is_a_failed_delivery(receiver):
    with pytest.raises(DeliveryError, match="webhook"):
        WebhookNotifier(receiver[0] + "/broken").deliver(EVENT)


def test_a_secret_in_the_url_is_not_told():
    with pytest.raises(DeliveryError) as failure:
        WebhookNotifier("http://127.0.0.1:1/secret-token").deliver(EVENT)
    assert "secret-token" not in str(failure.value)


def test_critical_alerts_are_logged_as_errors(caplog):
    with caplog.at_level(logging.WARNING):
        LogNotifier(logging.getLogger("alerts")).deliver(EVENT)
    assert [(r.levelname, EVENT["message"] in r.getMessage()) for r in caplog.records] == [("ERROR", True)]


def test_without_a_webhook_only_the_log_is_told():
    assert [n.channel for n in notifiers(None, logging.getLogger())] == ["log"]
    assert [n.channel for n in notifiers("http://127.0.0.1:1", logging.getLogger())] == ["log", "webhook"]
