# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP server, and how it ends: readiness off, the queue finished, the records written."""

from __future__ import annotations

import asyncio
import logging
import signal
from types import FrameType

import uvicorn

from style_transfer.application import create_application
from style_transfer.service import Service
from style_transfer.settings import Settings

log = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """On the first SIGTERM or SIGINT readiness goes off; the listener closes ``drain_seconds`` later."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # It strikes anywhere, also where the logger holds its lock: all it does is to tell the loop.
        asyncio.get_running_loop().call_soon_threadsafe(self._drain, sig)

    def _drain(self, sig: int) -> None:
        if self._service.draining:
            super().handle_exit(sig, None)
            return
        self._service.draining = True
        log.info("draining", extra={"signal": signal.Signals(sig).name})
        asyncio.get_running_loop().call_later(self._service.settings.drain_seconds, self._close)

    def _close(self) -> None:
        # Not uvicorn's own handler, which would have the process killed by the signal once it has finished well.
        self.should_exit = True


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""

    async def run() -> None:
        service = Service(settings)
        config = uvicorn.Config(
            create_application(service),
            host=host,
            port=port,
            http="httptools",
            ws="none",
            loop="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Who connects is who asks: whether it is another copy of the region depends on it.
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.shutdown_seconds),
        )
        await DrainingServer(config, service).serve()

    import uvloop

    uvloop.run(run())
