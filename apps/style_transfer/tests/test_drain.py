# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What SIGTERM does at the moment it comes."""

from __future__ import annotations

import asyncio
import logging
import signal
from types import SimpleNamespace

import uvicorn
from style_transfer.server import DrainingServer


class Seen(logging.Handler):
    """Remembers messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def test_the_signals_handler_does_not_log_for_it_may_strike_inside_of_a_logger() -> None:
    async def run() -> None:
        service = SimpleNamespace(draining=False, settings=SimpleNamespace(drain_seconds=0))
        server = DrainingServer(uvicorn.Config(lambda: None, log_config=None), service)
        seen = Seen()
        logging.getLogger("style_transfer").addHandler(seen)
        logging.getLogger("style_transfer").setLevel("INFO")
        try:
            server.handle_exit(signal.SIGTERM, None)
            assert not seen.messages
            while not server.should_exit:
                await asyncio.sleep(0)
        finally:
            logging.getLogger("style_transfer").removeHandler(seen)
        assert service.draining and seen.messages == ["draining"]

    asyncio.run(run())
