# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logs as one JSON object a line, written by a thread of its own: whoever logs never waits for who reads the log."""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, the ``extra`` fields and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class LineWriter(logging.Handler):
    """Formats where the record is made and writes elsewhere; when too many lines wait, new ones are left out.

    :param capacity: lines that may wait.
    """

    def __init__(self, stream: TextIO, capacity: int = 10_000) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(capacity)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._left_out and not self._lines.full():
                note = {"left_out": self._left_out}
                self._left_out = 0
                logging.getLogger(__name__).warning("log lines left out: nobody read them", extra=note)
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._left_out += 1
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Write what waits, for at most two seconds."""
        try:
            self._lines.put(None, timeout=2)
            self._thread.join(2)
        except queue.Full:
            pass
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                continue
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


def configure_logging(level: str) -> None:
    """Send every logger's lines to standard error."""
    handler = LineWriter(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The pool tells of every failed attempt to connect; the recorder tells once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    # It tells of every malformed header that a stranger sends; the answer and its own line tell enough.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
