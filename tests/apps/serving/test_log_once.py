"""The log: what repeats is written once a minute, with its count."""

from __future__ import annotations

import logging

import pytest

from apps.serving.log_once import AGAIN_SECONDS, REMEMBERED, Once


def test_what_repeats_is_written_once_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    logger = logging.getLogger("test-once")
    once = Once(clock=lambda: now[0])
    logger.addFilter(once)

    def fail(number: int) -> None:
        logger.warning("Request %d was invalid", number)
        try:
            raise ValueError("always another text")
        except ValueError:
            logger.exception("A job failed")

    for number in range(1000):
        fail(number)
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "ValueError" in caplog.text
    now[0] = AGAIN_SECONDS
    fail(7)
    assert [record.getMessage() for record in caplog.records[2:]] == [
        "Request 7 was invalid (999 more since it was last written)",
        "A job failed (999 more since it was last written)",
    ]
    logger.warning("Something else")
    assert len(caplog.records) == 5


def test_memory_of_messages_is_bounded() -> None:
    once = Once()
    for number in range(3 * REMEMBERED):
        once.filter(logging.LogRecord("x", logging.WARNING, "file", number, "text", (), None))
    assert len(once._passed) == REMEMBERED
