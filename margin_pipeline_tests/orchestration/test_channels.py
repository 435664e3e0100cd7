"""The notifications file: what it may say, and one line for what it may not.

Belongs here: reading it. Not here: telling anybody.
"""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from margin_pipeline.orchestration.channels import ChannelError, channels, read_channels

GOOD = """
channels:
  - name: desk
    url: "json://127.0.0.1/${TOKEN}"
    severities: [critical, emergency]
    portfolios: ["LONG_*"]
    quiet_hours: {from: "22:00", to: "06:30", timezone: America/New_York}
  - name: mail
    url: "mailto://127.0.0.1"
    digest_minutes: 30
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "notifications.yaml"
        path.write_text(text)
        return path

    return write


def test_channels_take_secrets_from_the_environment(file):
    (desk, service), (mail, _) = read_channels(file(GOOD), {"TOKEN": "abc"})
    assert service.url == "json://127.0.0.1/abc"
    assert desk.severities == {"critical", "emergency"}
    assert desk.quiet_hours.start == dt.time(22)
    assert mail.digest_minutes == 30


def test_without_a_file_the_log_is_told_and_the_webhook_where_one_is_set():
    assert [route.channel for route, _ in channels(None, None, logging.getLogger())] == ["log"]
    assert [route.channel for route, _ in channels("http://127.0.0.1:1", None, logging.getLogger())] == ["log", "webhook"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("TOKEN", "OTHER"), "the environment has no variable OTHER"),
        (("critical, ", "urgent, "), "urgent is no severity"),
        (("digest_minutes: 30", "digest_minutes: soon"), "digest_minutes is a whole number"),
        (("America/New_York", "Mars/Olympus"), "quiet_hours needs"),
        (('"22:00"', '"25:00"'), "quiet_hours needs"),
        (("portfolios:", "portfolio:"), "portfolio has no meaning"),
        (("name: mail", "name: desk"), "two channels are named desk"),
        (("name: mail", "name: log"), "named log"),
        (("channels:", "chanels:"), "no list named channels"),
        (("[critical", "[[critical"), "is not YAML"),
    ],
)
def test_a_mistake_is_one_line_that_shows_no_secret(file, change, message):
    with pytest.raises(ChannelError, match=message) as failure:
        read_channels(file(GOOD.replace(*change)), {"TOKEN": "secret-token"})
    assert "secret-token" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ChannelError, match="cannot be read"):
        read_channels(tmp_path / "none.yaml", {})
