# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs: JSON lines that never stop the service, whoever reads them."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
from style_transfer.logs import JsonFormatter, LineWriter


class Stuck(io.StringIO):
    """A log whose reader has stopped reading."""

    def __init__(self) -> None:
        super().__init__()
        self.read_on = threading.Event()

    def write(self, text: str) -> int:
        assert self.read_on.wait(120)
        return super().write(text)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("style_transfer.logs")
    logger.propagate = False
    logger.setLevel("INFO")
    yield logger
    logger.propagate = True
    logger.handlers.clear()


def test_who_logs_does_not_wait_for_who_reads(logger: logging.Logger) -> None:
    stream = Stuck()
    writer = LineWriter(stream, capacity=100)
    writer.setFormatter(JsonFormatter())
    logger.addHandler(writer)
    for number in range(1000):
        logger.info("request", extra={"number": number})
    assert stream.getvalue() == ""
    stream.read_on.set()
    while not writer._lines.empty():
        threading.Event().wait(0.01)
    logger.info("back")
    writer.close()
    lines = stream.lines()
    assert [line["number"] for line in lines[:100]] == list(range(100))
    written = sum(line["message"] == "request" for line in lines)
    assert 100 <= written < 200
    assert sum(int(str(line.get("left_out", 0))) for line in lines) == 1000 - written
    assert lines[-1]["message"] == "back"


def test_a_line_is_one_object_with_its_fields_and_traceback(logger: logging.Logger) -> None:
    stream = Stuck()
    stream.read_on.set()
    writer = LineWriter(stream)
    writer.setFormatter(JsonFormatter())
    logger.addHandler(writer)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("failed", extra={"job": "x"})
    writer.close()
    (line,) = stream.lines()
    assert (line["level"], line["message"], line["job"]) == ("error", "failed", "x")
    assert "ValueError: two\nlines" in str(line["traceback"])
